"""A whole district in one run: hours, posts, caseloads, the week with its routes, supplies."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from chw_tools.records import empty_table
from chw_tools.records.planning import STOCK
from chw_tools.resource_allocation.routing import Work
from chw_tools.resource_allocation.solving import Stop
from chw_tools.workflows.assess import PRIORITY_OUTCOME, assess, day_of, load_part, usable_model
from chw_tools.workflows.caseloads import keep_caseloads, plan_caseloads, worker_of_homes
from chw_tools.workflows.needs import needs_of
from chw_tools.workflows.posts import keep_posts, plan_posts
from chw_tools.workflows.supplies import keep_supplies, plan_supplies
from chw_tools.workflows.week import WeekAsked, keep_week, week_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date

    import pandas as pd

    from chw_tools.programme import Programme
    from chw_tools.workflows.caseloads import PlannedCaseloads
    from chw_tools.workflows.needs import Needs
    from chw_tools.workflows.ports import LongerPlans, ModelStore, Progress, RegisterStore
    from chw_tools.workflows.posts import PlannedPosts
    from chw_tools.workflows.supplies import PlannedSupplies
    from chw_tools.workflows.week import WeekResult

#: Shares of the time for all: at most so much for posts and caseloads; what is kept back for
#: the choice, the price of floors and the supplies. The routes get what is left. Decisions of
#: this project, from benchmarks/planning_district.py.
_POSTS, _CASELOADS, _KEPT_BACK = 0.15, 0.1, 0.12
#: What the hours of a year leave out.
BACKLOG_UNCOUNTED = (
    "a year's hours count every service as often as it comes due in a year, not what was due "
    "before and is not done yet."
)
#: Least seconds for a solver, however late it is.
_LEAST = 1.0
STAGES = ("register", "needs", "posts", "caseloads", "week", "supplies")


@dataclass(frozen=True)
class DistrictAsked:
    """What is planned of a district.

    Parameters
    ----------
    week : WeekAsked
        The week; its caseloads are those planned here.
    stock : DataFrame, optional
        As declared in ``STOCK``; nothing is taken to be there where none is given.
    depots : sequence of str
        Places that send supplies.
    posts : int, optional
        Posts in all; by default as many as the hours ask for. Those of workers at work stay, so
        only what is beyond them is decided; homes and the week are planned for who is at work.
    limit_seconds : float
        Time for everything; shared among the solvers as it runs down.
    """

    week: WeekAsked
    stock: pd.DataFrame | None = None
    depots: Sequence[str] = ()
    posts: int | None = None
    limit_seconds: float = 360.0


@dataclass(frozen=True)
class DistrictPlan:
    """Everything planned of a district, and the seconds that each part took."""

    needs: Needs
    posts: PlannedPosts
    caseloads: PlannedCaseloads
    week: WeekResult
    supplies: PlannedSupplies
    seconds: Mapping[str, float]
    notes: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        """Whether nobody has a worker and nobody is visited."""
        return _is_empty(self.caseloads, self.week)


def plan_district(
    *,
    store: RegisterStore,
    models: ModelStore,
    programme: Programme,
    asked: DistrictAsked,
    as_of: date | None = None,
    work: Work | None = None,
    progress: Progress | None = None,
) -> DistrictPlan:
    """Plan a whole district: each part rests on the one before.

    The week is planned with the caseloads planned here, the supplies with both.

    Parameters
    ----------
    store, models, programme
        The parts.
    asked : DistrictAsked
    as_of : date, optional
        Day whose knowledge is used; by default the last recorded day.
    work : Work, optional
        Chance, processes or a scheduler; the limit and the progress are those of this call.
    progress : Progress, optional
        Told each part as it ends, and the weeks planned.

    Raises
    ------
    NothingToRead
        If nothing was ever recorded and no day is given.
    """
    clock = _Clock(asked.limit_seconds, progress)
    known_on = day_of(store, as_of)
    using = usable_model(models, store, PRIORITY_OUTCOME)
    register = load_part(store, None)
    clock.ends("register")
    found = assess(register, programme=programme, as_of=known_on, using=using)
    needs = needs_of(found, programme=programme)
    clock.ends("needs")
    how = work or Work()
    posts = plan_posts(
        needs, programme=programme, stop=clock.stop(_POSTS), seed=how.seed, posts=asked.posts
    )
    clock.ends("posts")
    caseloads = plan_caseloads(needs, programme=programme, stop=clock.stop(_CASELOADS))
    clock.ends("caseloads")
    worker = worker_of_homes(caseloads)
    routes = replace(
        how,
        limit_seconds=clock.left(),
        progress=None if progress is None else partial(progress, "weeks planned"),
    )
    week = week_of(
        found, programme=programme, asked=replace(asked.week, caseloads=worker), work=routes
    )
    clock.ends("week")
    supplies = plan_supplies(
        needs,
        stock=empty_table(STOCK) if asked.stock is None else asked.stock,
        programme=programme,
        depots=asked.depots,
        caseloads=worker,
    )
    clock.ends("supplies")
    notes = (*using.notes, *_why_they_wait(needs, week), *_emptiness(caseloads, week))
    return DistrictPlan(
        needs, posts, caseloads, week, supplies, clock.seconds, (*notes, *clock.notes())
    )


def _is_empty(caseloads: PlannedCaseloads, week: WeekResult) -> bool:
    has_worker = caseloads.table["worker_id"].notna().any()
    return not has_worker and week.plan.visits.empty


def _emptiness(caseloads: PlannedCaseloads, week: WeekResult) -> tuple[str, ...]:
    if not _is_empty(caseloads, week):
        return ()
    return (
        "No home has a worker and nobody is visited: this plan is empty. Of it, only that it "
        "was made is kept; caseloads that are in force stay.",
    )


def _why_they_wait(needs: Needs, week: WeekResult) -> tuple[str, ...]:
    """Why people who are due wait although the year's hours are enough."""
    told = week.plan.summary
    if not needs.check.fits or told["minutes_due"] <= told["minutes_capacity"]:
        return ()
    return (
        f"The hours of a year are enough ({needs.check.ratio:.2f} times those there are), yet "
        f"people who are due wait: {BACKLOG_UNCOUNTED}",
    )


def keep_district(
    store: LongerPlans,
    plan: DistrictPlan,
    *,
    keep: Callable[[LongerPlans, PlannedCaseloads], str] = keep_caseloads,
) -> dict[str, str]:
    """Keep posts, caseloads, week and orders, each as a run, and one of all; keys by kind.

    Of an empty plan only the run of all is kept, marked as empty.

    Parameters
    ----------
    store : LongerPlans
    plan : DistrictPlan
    keep : callable
        How caseloads are kept: in force, or as a draft.
    """
    with store.transaction():
        parts = {} if plan.is_empty else _keep_parts(store, plan, keep)
        summary = {
            "runs": parts,
            "is_empty": plan.is_empty,
            "said": plan.needs.check.said,
            "seconds": dict(plan.seconds),
            "notes": list(plan.notes),
        }
        as_of, first = plan.needs.as_of.date(), plan.week.week_from
        whole = store.save_run("district", tables={}, as_of=as_of, from_on=first, summary=summary)
    return {**parts, "district": whole}


def _keep_parts(
    store: LongerPlans, plan: DistrictPlan, keep: Callable[[LongerPlans, PlannedCaseloads], str]
) -> dict[str, str]:
    return {
        "posts": keep_posts(store, plan.posts),
        "caseloads": keep(store, plan.caseloads),
        "week": keep_week(store, plan.week),
        "supplies": keep_supplies(store, plan.supplies),
    }


class _Clock:
    """Seconds by part, and what is left of the time for all."""

    def __init__(self, limit: float, progress: Progress | None) -> None:
        self._began = self._last = time.monotonic()
        self._limit, self._progress = limit, progress
        self.seconds: dict[str, float] = {}

    def ends(self, stage: str) -> None:
        """A part is done."""
        now = time.monotonic()
        self.seconds[stage] = now - self._last
        self._last = now
        if self._progress is not None:
            self._progress("parts planned", len(self.seconds), len(STAGES))

    def left(self) -> float:
        """Seconds for the routes."""
        spent = time.monotonic() - self._began
        return max(self._limit * (1.0 - _KEPT_BACK) - spent, _LEAST)

    def stop(self, share: float) -> Stop:
        """A solver's part of the time."""
        return Stop(max(min(self._limit * share, self.left()), _LEAST))

    def notes(self) -> tuple[str, ...]:
        """That the time was exceeded, where it was."""
        spent = time.monotonic() - self._began
        if spent <= self._limit:
            return ()
        return (f"It took {spent:.0f} s, more than the {self._limit:.0f} s allowed.",)
