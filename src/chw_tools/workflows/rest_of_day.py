"""Plan the rest of a day in progress anew, for one worker or where one falls ill."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from chw_tools.data_processing import as_known_on
from chw_tools.errors import Conflict, InputError, NotFound
from chw_tools.resource_allocation import at_work
from chw_tools.resource_allocation.assignment import places_of
from chw_tools.resource_allocation.clock_times import as_minute, clock
from chw_tools.resource_allocation.rest_of_day import DayInProgress, plan_rest
from chw_tools.workflows import wording
from chw_tools.workflows.known_names import worker_names
from chw_tools.workflows.show import done_on

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from chw_tools.programme import Programme
    from chw_tools.records import Register
    from chw_tools.resource_allocation.rest_of_day import RestOfDay
    from chw_tools.workflows.ports import RegisterStore


#: How the first note of a rest begins: of several on one day the last is shown.
_OF_A_REST = "Ordered anew"
_MIDNIGHT = 24 * 60


@dataclass(frozen=True)
class RestAsked:
    """What of a day is planned anew.

    Parameters
    ----------
    worker_id : str
        Whose day, or who falls ill.
    at : str
        Time of the day, ``HH:MM``.
    is_ill : bool
        Whether the worker cannot go on: the stops left go to others, or wait.
    done : tuple of str
        People seen whose visit is not recorded yet.
    place : str, optional
        Person at whose home the worker is; by default that of the last visit recorded.
    visit_on : date, optional
        By default the newest day planned.
    """

    worker_id: str
    at: str
    is_ill: bool = False
    done: tuple[str, ...] = ()
    place: str | None = None
    visit_on: date | None = None


@dataclass(frozen=True)
class RestResult:
    """The rest of a day as kept.

    Parameters
    ----------
    run_id : str
    visit_on : date
    n_done, n_left, n_waiting, n_handed_over : int
        People on these lists who are done, still to be seen, now wait, have another worker.
    ends_at : dict of str to str
        By worker when the list ends, ``HH:MM`` or ``after midnight``.
    rest : RestOfDay
    names : dict of str to str
        What each worker concerned is called.
    notes : tuple of str
    """

    run_id: str
    visit_on: date
    n_done: int
    n_left: int
    n_waiting: int
    n_handed_over: int
    ends_at: dict[str, str]
    rest: RestOfDay
    names: dict[str, str]
    notes: tuple[str, ...]


def replan_day(*, store: RegisterStore, programme: Programme, asked: RestAsked) -> RestResult:
    """Order anew what is left of a day, and keep it; what is done keeps its place.

    Parameters
    ----------
    store, programme
        The parts.
    asked : RestAsked

    Raises
    ------
    NotFound
        If that day was not planned, or the worker has no list on it.
    InputError
        If the time is none, or somebody named is on no list of the day.
    Conflict
        If nothing is left to plan.
    """
    minute = as_minute_of(asked.at)
    plan = store.load_plan(visit_on=asked.visit_on)
    if plan is None:
        raise NotFound("That day was not planned.", cure="Plan it with: chw plan")
    on = pd.Timestamp(plan.visit_on)
    register = store.load_register(tables=("areas", "workers"))
    # Who fell out earlier that day is given nothing again.
    fell_out = set(plan.summary.get("fell_out", ())) - {asked.worker_id}
    if asked.is_ill:
        fell_out.add(asked.worker_id)
    staff = at_work(register.workers, on)
    mine = plan.visits["worker_id"] == asked.worker_id
    if not mine.any():
        raise NotFound(
            "This worker has no list that day.", cure="Choose one from the list of workers."
        )
    visits = plan.visits if asked.is_ill else plan.visits[mine]
    known = store.load_register(
        person_ids=sorted(visits["person_id"]),
        tables=("people", "households", "visits", "person_changes", "outcomes"),
    )
    done = _done(known, on, plan.visits, asked)
    if set(visits.loc[visits["worker_id"] == asked.worker_id, "person_id"]) <= set(done):
        raise Conflict("Nothing is left of that day's list.", cure="Plan the next day.")
    places = places_of(known.people, known.households, register.areas).set_index("person_id")
    day = DayInProgress(
        visits,
        places,
        staff if asked.is_ill else staff[staff["id"] == asked.worker_id],
        minute,
        done=done,
        at=_where(visits, done, asked),
        absent=fell_out if asked.is_ill else (),
        gone=wording.gone(as_known_on(known, on)) - set(done),
    )
    rest = plan_rest(day, planning=programme.planning)
    return _kept(store, plan, rest, asked, set(done), worker_names(register.workers), fell_out)


def as_minute_of(at: str) -> float:
    """The minute of the day that somebody wrote.

    Raises
    ------
    InputError
        If it is none.
    """
    try:
        return as_minute(at)
    except ValueError:
        raise InputError("this is no time of the day.", where="at", cure="Write 14:05.") from None


def _done(known: Register, on: pd.Timestamp, visits: pd.DataFrame, asked: RestAsked) -> list[str]:
    """Who was seen or found away that day, in the order of the records; then who is named."""
    listed = set(visits.loc[visits["worker_id"] == asked.worker_id, "person_id"])
    named = [*asked.done, *([asked.place] if asked.place else [])]
    if not set(named) <= listed:
        raise InputError(
            "somebody named is not on this worker's list.",
            where="done" if not set(asked.done) <= listed else "place",
            cure="chw visits list --worker KEY shows the keys of a list.",
        )
    recorded = done_on(as_known_on(known, on), on.date())
    return list(dict.fromkeys([*recorded, *asked.done]))


def _where(visits: pd.DataFrame, done: Sequence[str], asked: RestAsked) -> dict[str, str]:
    """At whose home each worker is: of the list's people who are done, the last."""
    worker = visits.set_index("person_id")["worker_id"]
    last = {worker[person]: person for person in done if person in worker.index}
    if asked.place is not None:
        last[asked.worker_id] = asked.place
    return last


def _kept(
    store: RegisterStore,
    plan: Any,
    rest: RestOfDay,
    asked: RestAsked,
    done: set[str],
    names: dict[str, str],
    fell_out: set[str],
) -> RestResult:
    concerned = sorted(
        {asked.worker_id, *rest.visits["worker_id"]} if asked.is_ill else {asked.worker_id}
    )
    waited = plan.unvisited[plan.unvisited["worker_id"].isin(concerned)]
    unvisited = pd.concat([rest.waiting, waited], ignore_index=True)
    people = {*rest.visits["person_id"], *unvisited["person_id"]}
    advice = plan.recommendations
    said = f"{_OF_A_REST} at {asked.at} from where it stood" + (
        f"; {names.get(asked.worker_id, 'one worker')} fell out." if asked.is_ill else "."
    )
    notes = (said, *rest.notes)
    old = [note for note in plan.summary.get("notes", ()) if not note.startswith(_OF_A_REST)]
    old = [note for note in old if note not in notes]
    with store.transaction():
        run_id = store.save_plan(
            visits=rest.visits,
            unvisited=unvisited,
            recommendations=advice[advice["person_id"].isin(people)],
            as_of=plan.as_of,
            visit_on=plan.visit_on,
            summary={**plan.summary, "notes": [*old, *notes], "fell_out": sorted(fell_out)},
            worker_ids=concerned,
        )
    n_done = int(rest.visits["person_id"].isin(done).sum())
    return RestResult(
        run_id,
        plan.visit_on,
        n_done,
        len(rest.visits) - n_done,
        len(rest.waiting),
        rest.n_handed_over,
        {key: _ends(minute) for key, minute in rest.ends.items()},
        rest,
        {key: names.get(key, key) for key in concerned},
        notes,
    )


def _ends(minute: float) -> str:
    return clock(minute) if minute < _MIDNIGHT else "after midnight"
