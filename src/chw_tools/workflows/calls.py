"""The list of whom to call, and what a call came to."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date  # noqa: TC003 (the API reads it at run time)
from typing import TYPE_CHECKING, Any

import pandas as pd

from chw_tools.data_processing import as_known_on
from chw_tools.errors import Conflict, InputError
from chw_tools.monitoring import reason_of
from chw_tools.outreach.advancing import LIVE, Move
from chw_tools.outreach.calls import EFFECTS, call_list, snoozed_until, state_after
from chw_tools.outreach.reaching import reaches_of
from chw_tools.outreach.tasks import OPEN, required_visits
from chw_tools.records import TABLES, conform, new_id
from chw_tools.records.ids import ENTERED_HERE
from chw_tools.workflows.assess import PRIORITY_OUTCOME
from chw_tools.workflows.days import check_day
from chw_tools.workflows.people import move_person, report_death
from chw_tools.workflows.wording import People, Places

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from chw_tools.outreach.calls import Effect
    from chw_tools.programme import Programme
    from chw_tools.workflows.ports import Cases, MessagePlanner, RegisterStore

#: Tasks that are done at a telephone; visits stand in the plan of visits.
BY_PHONE = ("call", "red_flag", "read_reply", "supervise")
#: Outcomes after which the person is left in peace altogether.
_LEAVES = ("died", "moved", "refused")
_ENDS = {"died": "closed", "moved": "closed", "refused": "withdrawn"}


@dataclass(frozen=True)
class CallRow:
    """One line of a call list; ``phone`` is E.164, empty where there is none."""

    task_id: str
    position: int
    kind: str
    urgency: str
    person_id: str | None
    name: str
    facts: str
    phone: str = field(repr=False)
    reason: str
    why: str
    due_on: date
    waiting_days: int
    late_days: int
    tries: int
    worker_id: str | None


@dataclass(frozen=True)
class CallsView:
    """A list of whom to call, in order of need."""

    today: date
    rows: tuple[CallRow, ...]
    n_snoozed: int
    population: str | None
    worker_id: str | None = None


def show_calls(
    *,
    store: RegisterStore,
    cases: Cases,
    programme: Programme,
    today: date,
    worker_id: str | None = None,
    kinds: Collection[str] = BY_PHONE,
) -> CallsView:
    """Open tasks in order of need: urgency, risk, days waiting.

    Parameters
    ----------
    store, cases, programme
        The parts.
    today : date
        The day; whoever was put off beyond it is not shown.
    worker_id : str, optional
        Only this worker's.
    kinds : collection of str
        Kinds of tasks; by default what is done at a telephone.
    """
    tasks = cases.tasks(kinds=list(kinds), worker_id=worker_id)
    people = sorted(set(tasks["person_id"].dropna()))
    listed = call_list(tasks, risks=_risks(store, people), today=today)
    follow_ups = cases.follow_ups(ids=listed["follow_up_id"].dropna())
    about = follow_ups.set_index("id")[["rule_id", "facts"]].to_dict("index")
    known = as_known_on(
        store.load_register(person_ids=store.related_people(people)), pd.Timestamp(today)
    )
    said = People(known, Places(known.areas), pd.Timestamp(today))
    reaches = reaches_of(known, people, country=programme.country)
    in_register = set(known.people["id"])
    rows = []
    for one in listed.itertuples(index=False):
        who = said.facts(one.person_id) if one.person_id in in_register else {}
        found = about.get(one.follow_up_id)
        reach = reaches.get(one.person_id)
        rows.append(
            CallRow(
                task_id=one.id,
                position=int(one.position),
                kind=one.kind,
                urgency=one.urgency,
                person_id=one.person_id if who else None,
                name=who.get("name", ""),
                facts=" · ".join(filter(None, (who.get("age"), who.get("place")))),
                phone=reach.number if reach else "",
                reason=reason_of(programme, found["rule_id"], found["facts"]) if found else "",
                why=one.reason if isinstance(one.reason, str) else "",
                due_on=one.due_on.date(),
                waiting_days=int(one.waiting_days),
                late_days=int(one.late_days),
                tries=int(one.tries),
                worker_id=one.worker_id if isinstance(one.worker_id, str) else None,
            )
        )
    return CallsView(today, tuple(rows), len(tasks) - len(listed), store.population, worker_id)


def _risks(store: RegisterStore, people: Collection[str]) -> Mapping[str, float]:
    risks = store.load_risks(outcome=PRIORITY_OUTCOME, person_ids=list(people))
    known = risks.dropna(subset=["risk"])
    return dict(zip(known["person_id"], known["risk"], strict=True))


def asked_visits(*, cases: Cases, programme: Programme) -> pd.DataFrame:
    """Open visit tasks, as the planner takes them."""
    tasks = cases.tasks(kinds=["visit"])
    follow_ups = cases.follow_ups(ids=tasks["follow_up_id"].dropna())
    return required_visits(
        tasks, follow_ups, say=lambda rule_id, facts: reason_of(programme, rule_id, facts)
    )


def record_outcome(
    *,
    store: RegisterStore,
    cases: Cases,
    outbox: MessagePlanner,
    task_id: str,
    outcome: str,
    on: date,
    today: date,
    now: datetime,
    country: str,
    event_id: str | None = None,
) -> str:
    """Keep what a call came to, and all that follows; gives the key of the entry.

    What is told is also an event of the register: the telephone contact as a visit of kind
    ``phone``, a death or a move as a decision that can be taken back, a refusal as consent
    withdrawn. A wrong number gets no more messages, whoever else has it on record: a stranger
    must not read of anybody's health. Sent twice with one key it is kept once.

    Parameters
    ----------
    store, cases, outbox
        The parts.
    task_id, outcome : str
        What was called about, and one of the keys of ``EFFECTS``.
    on, today : date
        Day of the call, and the present day.
    now : datetime
        When it is recorded.
    country : str
        Of numbers without a code, two letters.
    event_id : str, optional
        Key of the entry, given by whoever may send it twice.

    Raises
    ------
    InputError
        If there is no such outcome, or the day cannot be.
    NotFound
        If there is no such task.
    Conflict
        If the task is done already, or somebody else recorded something meanwhile.
    """
    if outcome not in EFFECTS:
        raise InputError(
            "No such outcome of a call.", where="outcome", cure=f"One of {', '.join(EFFECTS)}."
        )
    key = event_id or new_id()
    if cases.is_told(key):
        return key
    task, effect = cases.task(task_id), EFFECTS[outcome]
    if task["state"] not in OPEN:
        raise Conflict("That task is done already.", cure="Open the list again.")
    person_id = task["person_id"]
    if person_id is not None:
        check_day(store, person_id, on, today=today)
    with store.transaction(), cases.transaction():
        if person_id is not None:
            _tell_register(store, person_id, task, effect, on=on, today=today, key=key)
        cases.record_try(
            task,
            after=state_after(task["state"], outcome),
            outcome=outcome,
            snoozed_until=snoozed_until(outcome, on=on),
            event_id=key,
            now=now,
        )
        if effect.closes:
            _end(cases, outbox, task, outcome, on=on, now=now)
        if effect.spoils and person_id is not None and task["kind"] != "visit":
            called = _number_called(store, person_id, on=on, country=country)
            outbox.mark_bad(dict.fromkeys(called, outcome), now=now)
    return key


def _number_called(
    store: RegisterStore, person_id: str, *, on: date, country: str
) -> tuple[str, ...]:
    """The number that the list of that day gave, where it gave one."""
    register = store.load_register(person_ids=store.related_people([person_id]))
    known = as_known_on(register, pd.Timestamp(on))
    reach = reaches_of(known, [person_id], country=country).get(person_id)
    return (reach.number,) if reach and reach.number else ()


def _tell_register(
    store: RegisterStore,
    person_id: str,
    task: Mapping[str, Any],
    effect: Effect,
    *,
    on: date,
    today: date,
    key: str,
) -> None:
    if effect.change == "moved":
        move_person(store=store, person_id=person_id, on=on, today=today)
    elif effect.change == "died":
        report_death(store=store, person_id=person_id, on=on, today=today)
    common = {
        "id": new_id(),
        "person_id": person_id,
        "source": ENTERED_HERE,
        "source_id": key,
        "known_on": pd.Timestamp(max(on, store.last_recorded_day() or on)),
    }
    if effect.visit and task["kind"] != "visit":
        visit = {
            **common,
            "worker_id": _worker(store, task["worker_id"]),
            "visited_on": pd.Timestamp(on),
            "kind": "phone",
            "outcome": effect.visit,
        }
        store.save("visits", conform(TABLES["visits"], pd.DataFrame([visit])))
    if effect.withdraws:
        consent = {
            **common,
            "id": new_id(),
            "purpose": "outreach",
            "decision": "withdrawn",
            "decided_on": pd.Timestamp(on),
        }
        store.save("consents", conform(TABLES["consents"], pd.DataFrame([consent])))


def _worker(store: RegisterStore, worker_id: str | None) -> str | None:
    """The worker, where the register knows one of that key: some are only assumed."""
    return worker_id if worker_id and store.existing_ids("workers", [worker_id]) else None


def _end(
    cases: Cases,
    outbox: MessagePlanner,
    task: Mapping[str, Any],
    outcome: str,
    *,
    on: date,
    now: datetime,
) -> None:
    """End the follow-up and its machines; for whoever died, left or refused, all of them."""
    person_id, follow_up_id = task["person_id"], task["follow_up_id"]
    mine = cases.load("enrolments", column="person_id", keys=[person_id])
    mine = mine[mine["state"].isin(LIVE)]
    open_ones = cases.follow_ups(state="open", person_ids=[person_id] if person_id else [])
    if outcome not in _LEAVES:
        mine = mine[mine["follow_up_id"] == follow_up_id]
        open_ones = open_ones[open_ones["id"] == follow_up_id]
    closed = open_ones[["id"]].assign(outcome=outcome, closed_on=pd.Timestamp(on))
    cases.close_follow_ups(closed, now=now)
    moves = [
        Move(row.id, row.state, _ends_in(row.state, outcome), outcome)
        for row in mine.itertuples(index=False)
    ]
    cases.move_enrolments(moves, on=on, now=now)
    outbox.cancel(reason=outcome, now=now, enrolment_ids=mine["id"].tolist())
    tasks = cases.load("tasks", column="person_id", keys=[person_id])
    tasks = tasks[tasks["state"].isin(OPEN) & (tasks["id"] != task["id"])]
    if outcome not in _LEAVES:
        tasks = tasks[tasks["enrolment_id"].isin(mine["id"])]
    dropped = [
        Move(row.id, row.state, "cancelled", outcome) for row in tasks.itertuples(index=False)
    ]
    cases.move_tasks(dropped, now=now)


def _ends_in(state: str, outcome: str) -> str:
    return _ENDS.get(outcome, "goal_met" if state == "active" else "resolved")
