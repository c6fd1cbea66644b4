"""The routes of a week, where what must be comes first: the urgent, then the others, late.

Before any solver runs, each team is asked whether all that must be fits into its days. Where it
does not, whoever cannot wait is seen on the first day, beyond its minutes if need be; then come
the other required, alone (nobody is seen with them who can wait), after their last day where no
room is before it. Then each team's days are planned, once; a team whose routes lack somebody
required all the same is planned again in that way.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from chw_tools.resource_allocation.routing import Work, solve_all
from chw_tools.resource_allocation.routing.insertion import insert_all
from chw_tools.resource_allocation.routing.problem import NO_WAY, RouteProblem
from chw_tools.resource_allocation.routing.schedule import as_plan
from chw_tools.resource_allocation.solving import Stop
from chw_tools.resource_allocation.week_urgent import part_of, urgent_first

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from chw_tools.resource_allocation.choice import Choice
    from chw_tools.resource_allocation.routing import RoutePlan
    from chw_tools.resource_allocation.week_problem import Job, Week

#: Share of a team's seconds and steps for asking whether all that must be fits, where insertion
#: finds no way. A decision of this project: routes of required stops alone are found at once.
_ASKING = 0.15
#: Share of limited seconds for all teams; the rest is for those that lack somebody required.
_FIRST = 0.85
#: Seconds for one insertion; it takes a fraction of one.
_INSERTING = 5.0


@dataclass(frozen=True)
class Routed:
    """The homes of a week, each route problem with its plan, and what is over the minutes."""

    homes: pd.DataFrame
    jobs: list[Job]
    plans: list[RoutePlan]
    over: tuple[str, ...] = ()


def routes_of(week: Week, homes: pd.DataFrame, choice: Choice, work: Work) -> Routed:
    """The routes of all teams."""
    limit = _Limit(work)
    over_full = _over_full(week, homes, choice, limit.share(_FIRST))
    routed = _routed(week, choice, over_full, limit.share(_FIRST))
    lacking = frozenset(routed.homes.loc[_missing(week, routed), "team"]) - over_full
    if not lacking:
        return routed
    again = _routed(week, choice, over_full | lacking, limit.share(1.0), only=lacking)
    return _joined(routed, again, lacking)


class _Limit:
    """The work with what is left of its seconds, where they are limited."""

    def __init__(self, work: Work) -> None:
        self._work, self._began = work, time.perf_counter()

    def share(self, share: float) -> Work:
        """A share of the seconds that are left."""
        if self._work.limit_seconds is None:
            return self._work
        left = self._work.limit_seconds - (time.perf_counter() - self._began)
        return replace(self._work, limit_seconds=share * max(left, 0.0))


def _over_full(week: Week, homes: pd.DataFrame, choice: Choice, work: Work) -> frozenset[str]:
    """The teams into whose days not all fits that must be and can be reached."""
    minutes = week.team_minutes()
    rows = week.offered(homes, choice)
    is_asked = homes.loc[rows.index, "is_required"]
    is_asked &= rows["team"].isin(list(minutes.index[minutes > 0]))
    asked = [_reachable(job) for job in week.problems(rows[is_asked])]
    plans = _quickly([job[0] for job in asked], week.options.stop, work)
    return frozenset(
        str(homes.loc[stops[0], "team"])
        for (_, stops, _), plan in zip(asked, plans, strict=True)
        if plan.left_out
    )


def _reachable(job: Job) -> Job:
    """The job without stops to which there is no way."""
    problem, stops, who = job
    near = np.flatnonzero(_is_near(problem))
    return part_of(problem, near, list(range(len(who)))), [stops[at] for at in near], who


def _is_near(problem: RouteProblem) -> np.ndarray:
    starts = [shift.start for shift in problem.shifts if shift.closes > shift.opens]
    ways = problem.travel[np.array(starts, dtype=np.int64)][:, problem.stop_at]
    return np.asarray((ways < NO_WAY).any(axis=0), dtype=bool)


def _quickly(problems: Sequence[RouteProblem], stop: Stop, work: Work) -> list[RoutePlan]:
    """Plans of required stops: by insertion, and by a solver for a moment where that lacks some."""
    plans = [_by_insertion(problem) for problem in problems]
    lacking = [at for at, plan in enumerate(plans) if plan.left_out]
    short = Stop(max(_ASKING * stop.seconds, 1e-3), int(_ASKING * stop.iterations))
    # It asks only; how far the routes are is told when they are made.
    how = replace(
        work,
        progress=None,
        limit_seconds=None if work.limit_seconds is None else _ASKING * work.limit_seconds,
    )
    found = solve_all([problems[at] for at in lacking], short, how)
    for at, plan in zip(lacking, found, strict=True):
        if len(plan.left_out) < len(plans[at].left_out):
            plans[at] = plan
    return plans


def _by_insertion(problem: RouteProblem) -> RoutePlan:
    routes = insert_all(problem, deadline=time.perf_counter() + _INSERTING)
    return as_plan(problem, routes, seconds=0.0, method="insertion")


def _routed(
    week: Week,
    choice: Choice,
    over_full: frozenset[str],
    work: Work,
    *,
    only: frozenset[str] | None = None,
) -> Routed:
    """Routes of all teams, or of some; those of ``over_full`` ones with the urgent first."""
    limit = _Limit(work)
    homes = week.homes(lean=over_full)
    offered = week.offered(homes, choice, lean=over_full)
    if only is not None:
        offered = offered[offered["team"].isin(only)]
    jobs = week.problems(offered)
    is_lean = [str(homes.loc[stops[0], "team"]) in over_full for _, stops, _ in jobs]
    urgent = [urgent_first(job, homes) for job, lean in zip(jobs, is_lean, strict=True) if lean]
    lean = _with_days_after([part.rest for part in urgent], week.options.stop, limit.share(1.0))
    asked = [*(job for job, lean in zip(jobs, is_lean, strict=True) if not lean), *lean]
    plans = solve_all([problem for problem, _, _ in asked], week.options.stop, limit.share(1.0))
    both = [*((part.job, part.plan) for part in urgent), *zip(asked, plans, strict=True)]
    over = tuple(said for part in urgent for said in part.over)
    return Routed(homes, [job for job, _ in both], [plan for _, plan in both], over)


def _with_days_after(jobs: list[Job], stop: Stop, work: Work) -> list[Job]:
    """The jobs with the days after its window for whatever finds no room in it."""
    required = [np.flatnonzero(problem.required) for problem, _, _ in jobs]
    parts = [
        part_of(problem, at, list(range(len(problem.shifts))))
        for (problem, _, _), at in zip(jobs, required, strict=True)
    ]
    plans = _quickly(parts, stop, work)
    return [
        _with_later_days(job, at[list(plan.left_out)])
        for job, at, plan in zip(jobs, required, plans, strict=True)
    ]


def _with_later_days(job: Job, out: NDArray[np.int64]) -> Job:
    problem, stops, who = job
    day = np.array([day for _, day in who], dtype=np.int64)
    allowed = problem.allowed.copy()
    for at in out:
        days = day[allowed[at]]
        # A window that ended with the day of what cannot wait has only later days.
        allowed[at] |= day >= (days.min() if len(days) else 0)
    return replace(problem, allowed=allowed), stops, who


def _missing(week: Week, routed: Routed) -> list[str]:
    """Homes where somebody must be seen, who could be reached, and that are on no route."""
    homes = routed.homes
    minutes = week.team_minutes()
    has_minutes = homes["team"].isin(list(minutes.index[minutes > 0]))
    out = homes.index[homes["is_required"] & has_minutes]
    for (problem, stops, _), plan in zip(routed.jobs, routed.plans, strict=True):
        made = {stops[at] for walk in plan.routes for at in walk.stops}
        near = _is_near(problem)
        out = out.difference([h for at, h in enumerate(stops) if h in made or not near[at]])
    return list(out)


def _joined(routed: Routed, again: Routed, teams: frozenset[str]) -> Routed:
    """Routes with those of some teams in the place of theirs."""
    kept = [
        (job, plan)
        for job, plan in zip(routed.jobs, routed.plans, strict=True)
        if routed.homes.loc[job[1][0], "team"] not in teams
    ]
    both = [*kept, *zip(again.jobs, again.plans, strict=True)]
    jobs, plans = [job for job, _ in both], [plan for _, plan in both]
    return Routed(again.homes, jobs, plans, (*routed.over, *again.over))
