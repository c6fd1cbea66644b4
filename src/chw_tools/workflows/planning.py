"""One longer plan of any kind, made and kept: what the API starts and asks for again.

Each kind is the same act as its command; its tables and figures are kept as a run.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from chw_tools.errors import InputError
from chw_tools.records import conform, empty_table
from chw_tools.records.planning import STOCK
from chw_tools.resource_allocation.choice import read_floor
from chw_tools.resource_allocation.replay import POLICIES
from chw_tools.resource_allocation.routing import Work
from chw_tools.resource_allocation.solving import Stop
from chw_tools.resource_allocation.week import WeekOptions
from chw_tools.resource_allocation.what_if import read_change
from chw_tools.workflows.caseloads import keep_caseloads, keep_draft, plan_caseloads
from chw_tools.workflows.district import DistrictAsked, keep_district, plan_district
from chw_tools.workflows.known_names import find_floors, find_workers
from chw_tools.workflows.needs import plan_needs
from chw_tools.workflows.posts import keep_posts, plan_posts
from chw_tools.workflows.replay import replay_policies, what_if
from chw_tools.workflows.rows import frame_rows
from chw_tools.workflows.supplies import keep_supplies, plan_supplies
from chw_tools.workflows.week import WeekAsked, keep_week, plan_week

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date

    import pandas as pd

    from chw_tools.programme import Programme
    from chw_tools.workflows.caseloads import PlannedCaseloads
    from chw_tools.workflows.needs import Needs
    from chw_tools.workflows.ports import LongerPlans, ModelStore, Progress, RegisterStore
    from chw_tools.workflows.week import WeekResult

    class PlanningStore(RegisterStore, LongerPlans, Protocol):
        """A register, and where longer plans are kept."""


@dataclass(frozen=True)
class PlanningAsked:
    """What is asked of one longer plan; each kind takes some of it (:data:`TAKES`).

    Parameters
    ----------
    kind : str
        One of :data:`KINDS`.
    as_of : date, optional
        Day whose knowledge is used; by default the last recorded day.
    on : date, optional
        First day planned.
    until : date, optional
        Last day of a replay, which begins on ``on``.
    seconds : float
        Time for the plan.
    seed : int
    posts, curve, worst_first
        As ``chw plan posts`` takes them.
    absent : tuple of str
        Workers who are away, for caseloads.
    in_force : bool
        Whether days and weeks go by these caseloads from now on; else they are a draft.
    stock, depots
        As ``chw plan supplies`` takes them.
    days, floors, unseen_weeks, risk_floor
        As ``chw plan week`` takes them.
    changes, policies
        As ``chw plan --what-if`` and ``chw replay`` take them.
    """

    kind: str
    as_of: date | None = None
    on: date | None = None
    until: date | None = None
    seconds: float | None = None
    seed: int = 0
    posts: int | None = None
    curve: tuple[int, ...] = ()
    worst_first: bool = False
    absent: tuple[str, ...] = ()
    in_force: bool = False
    stock: pd.DataFrame | None = None
    depots: tuple[str, ...] = ()
    days: int = 5
    floors: tuple[str, ...] = ()
    unseen_weeks: float | None = None
    risk_floor: float | None = None
    changes: tuple[str, ...] = ()
    policies: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Parts:
    asked: PlanningAsked
    store: PlanningStore
    models: ModelStore
    programme: Programme
    progress: Progress
    follow_ups: pd.DataFrame | None

    @property
    def given(self) -> dict[str, Any]:
        return {"store": self.store, "models": self.models, "programme": self.programme}

    @property
    def keep_caseloads(self) -> Callable[[LongerPlans, PlannedCaseloads], str]:
        return keep_caseloads if self.asked.in_force else keep_draft

    def stop(self) -> Stop:
        return Stop() if self.asked.seconds is None else Stop(self.asked.seconds)

    def needs(self) -> Needs:
        return plan_needs(**self.given, as_of=self.asked.as_of)

    def stock(self) -> pd.DataFrame:
        found = self.asked.stock
        return empty_table(STOCK) if found is None else conform(STOCK, found)

    def week(self) -> WeekAsked:
        options = WeekOptions(
            days=self.asked.days,
            floors=find_floors(
                [read_floor(text) for text in self.asked.floors],
                self.store.load_register(tables=("areas",)).areas,
                where="floors",
            ),
            most_weeks_unseen=self.asked.unseen_weeks,
            risk_floor=self.asked.risk_floor,
        )
        return WeekAsked(self.asked.on, options, follow_ups=self.follow_ups)

    def keep(self, kind: str, as_of: date, summary: Mapping[str, Any]) -> str:
        with self.store.transaction():
            return self.store.save_run(kind, tables={}, as_of=as_of, summary=summary)


def _needs(parts: _Parts) -> str:
    found = parts.needs()
    check = found.check
    summary = {
        "said": check.said,
        "hours_needed": check.hours_needed,
        "hours_there": check.hours_there,
        "n_workers": check.n_workers,
        "fits": check.fits,
        "cures": frame_rows(check.cures),
        "services": frame_rows(found.work.services),
        "communities": frame_rows(found.communities),
        "notes": list(found.notes),
    }
    return parts.keep("needs", found.as_of.date(), summary)


def _posts(parts: _Parts) -> str:
    asked = parts.asked
    found = plan_posts(
        parts.needs(),
        programme=parts.programme,
        stop=parts.stop(),
        seed=asked.seed,
        posts=asked.posts,
        curve=asked.curve,
        worst_first=asked.worst_first,
    )
    return keep_posts(parts.store, found)


def _caseloads(parts: _Parts) -> str:
    needs = parts.needs()
    check_workers(needs)
    found = plan_caseloads(
        needs, programme=parts.programme, stop=parts.stop(), absent=parts.asked.absent
    )
    return parts.keep_caseloads(parts.store, found)


def check_workers(needs: Needs) -> None:
    """Refuse to share out homes among nobody.

    Raises
    ------
    InputError
        If no worker is at work on the day known.
    """
    if not len(needs.workers):
        raise _nobody(needs.as_of.date(), where="as_of")


def check_somebody(week: WeekResult) -> None:
    """Refuse a week of nobody: it is not kept in place of one that somebody can walk.

    Raises
    ------
    InputError
        If no worker is at work on its first day.
    """
    if not week.plan.summary["n_workers"]:
        raise _nobody(week.week_from, where="on")


def _nobody(on: date, *, where: str) -> InputError:
    return InputError(
        f"no worker is at work on {on:%Y-%m-%d}; nothing was planned or kept.",
        where=where,
        cure="Give a day on which somebody is, or mend the workers' days of work.",
    )


def _supplies(parts: _Parts) -> str:
    found = plan_supplies(
        parts.needs(),
        stock=parts.stock(),
        programme=parts.programme,
        depots=parts.asked.depots,
        caseloads=parts.store.load_caseloads(),
    )
    return keep_supplies(parts.store, found)


def _week(parts: _Parts) -> str:
    asked = parts.asked
    work = Work(
        seed=asked.seed,
        limit_seconds=asked.seconds,
        progress=partial(parts.progress, "weeks planned"),
    )
    found = plan_week(**parts.given, as_of=asked.as_of, asked=parts.week(), work=work)
    check_somebody(found)
    return keep_week(parts.store, found)


def _district(parts: _Parts) -> str:
    asked = parts.asked
    limit = {} if asked.seconds is None else {"limit_seconds": asked.seconds}
    found = plan_district(
        **parts.given,
        as_of=asked.as_of,
        asked=DistrictAsked(parts.week(), parts.stock(), asked.depots, asked.posts, **limit),
        work=Work(seed=asked.seed),
        progress=parts.progress,
    )
    check_somebody(found.week)
    return keep_district(parts.store, found, keep=parts.keep_caseloads)["district"]


def _what_if(parts: _Parts) -> str:
    asked = parts.asked
    changes = [read_change(text) for text in asked.changes]
    found = what_if(changes, **parts.given, as_of=asked.as_of, visit_on=asked.on)
    summary = {
        "changes": list(asked.changes),
        "measures": frame_rows(found.table),
        "notes": list(found.notes),
    }
    return parts.keep("what_if", found.as_of, summary)


def _replay(parts: _Parts) -> str:
    asked = parts.asked
    if asked.on is None or asked.until is None:
        raise InputError("a replay needs its first and last day.", where="on, until")
    found = replay_policies(
        **parts.given,
        from_day=asked.on,
        to_day=asked.until,
        policies=asked.policies or POLICIES,
        seed=asked.seed,
        progress=parts.progress,
    )
    summary = {
        "policies": frame_rows(found.policies),
        "groups": frame_rows(found.groups),
        "notes": list(found.notes),
    }
    return parts.keep("replay", asked.until, summary)


_ACTS: dict[str, Callable[[_Parts], str]] = {
    "needs": _needs,
    "posts": _posts,
    "caseloads": _caseloads,
    "supplies": _supplies,
    "week": _week,
    "district": _district,
    "what_if": _what_if,
    "replay": _replay,
}
#: What can be planned.
KINDS = tuple(_ACTS)
_WEEK = frozenset({"on", "days", "floors", "unseen_weeks", "risk_floor", "seconds", "seed"})
#: What each kind takes beside ``kind`` and ``as_of``.
TAKES: dict[str, frozenset[str]] = {
    "needs": frozenset(),
    "posts": frozenset({"posts", "curve", "worst_first", "seconds", "seed"}),
    "caseloads": frozenset({"absent", "in_force", "seconds"}),
    "supplies": frozenset({"stock", "depots"}),
    "week": _WEEK,
    "district": _WEEK | {"stock", "depots", "posts", "in_force"},
    "what_if": frozenset({"changes", "on"}),
    "replay": frozenset({"on", "until", "policies", "seed"}),
}


def check_planning(asked: PlanningAsked) -> None:
    """Refuse what its kind does not take, before any work is done.

    Raises
    ------
    InputError
        With the names that do not belong, or a floor or change that is none.
    """
    if asked.kind not in TAKES:
        raise InputError("no such plan.", where="kind", cure=f"One of {', '.join(KINDS)}.")
    given = {
        f.name for f in fields(asked) if f.name not in ("kind", "as_of") and _is_set(asked, f.name)
    }
    other = sorted(given - TAKES[asked.kind])
    if other:
        takes = ", ".join(sorted(TAKES[asked.kind])) or "nothing but as_of"
        raise InputError(
            f"a plan of this kind does not take {', '.join(other)}.",
            where=", ".join(other),
            cure=f"It takes {takes}.",
        )
    for text in asked.floors:
        read_floor(text)
    for text in asked.changes:
        read_change(text)
    if asked.kind == "what_if" and not asked.changes:
        raise InputError("name what would change.", where="changes", cure="Such as workers=+5.")


def check_names(asked: PlanningAsked, store: RegisterStore) -> None:
    """Refuse workers and groups of floors that are not in the register.

    Raises
    ------
    InputError
        With the names that are near.
    """
    if asked.absent:
        find_workers(store.load_register(tables=("workers",)).workers, asked.absent, where="absent")
    if asked.floors:
        floors = [read_floor(text) for text in asked.floors]
        find_floors(floors, store.load_register(tables=("areas",)).areas, where="floors")


def _is_set(asked: PlanningAsked, name: str) -> bool:
    value, usual = getattr(asked, name), getattr(PlanningAsked("needs"), name)
    if value is None or usual is None:
        return value is not None
    return bool(value != usual)


def run_planning(
    asked: PlanningAsked,
    *,
    store: PlanningStore,
    models: ModelStore,
    programme: Programme,
    progress: Progress,
    follow_ups: pd.DataFrame | None = None,
) -> str:
    """Make a longer plan and keep it; gives the key of its run.

    Parameters
    ----------
    asked : PlanningAsked
    store, models, programme, progress
        The parts, and who is told how far it is.
    follow_ups : DataFrame, optional
        Visits that must be made within a window, as declared in ``REQUIRED_VISITS``.

    Raises
    ------
    InputError
        As :func:`check_planning`.
    NothingToRead
        If nothing was ever recorded and no day is given.
    """
    check_planning(asked)
    check_names(asked, store)
    return _ACTS[asked.kind](_Parts(asked, store, models, programme, progress, follow_ups))
