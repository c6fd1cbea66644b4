"""Where what must be does not fit into a team's week: the urgent first, then the others, late.

A team whose routes lack somebody who must be seen is planned again. Whoever cannot wait is
seen on the first day, beyond its minutes if need be; then come the other required, alone
(nobody is seen with them who can wait), after their last day where no room was before it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from chw_tools.resource_allocation.routing import solve_all
from chw_tools.resource_allocation.routing.insertion import insert_all
from chw_tools.resource_allocation.routing.problem import NO_WAY, RouteProblem
from chw_tools.resource_allocation.routing.schedule import as_plan

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from chw_tools.resource_allocation.choice import Choice
    from chw_tools.resource_allocation.routing import RoutePlan, Work
    from chw_tools.resource_allocation.routing.schedule import Routes
    from chw_tools.resource_allocation.week_problem import Job, Week

#: Plans of a team at most: within the windows, then with the days after them as well.
_ROUNDS = 2
#: A first day that is too short grows by so many minutes, or by this share of what it grew:
#: decisions of this project, they only bound how much longer than needed it may be.
_STEP, _GROWTH = 15.0, 1.2
#: Seconds for one insertion of what cannot wait; it takes a fraction of one.
_INSERTING = 5.0


@dataclass(frozen=True)
class Routed:
    """The homes of a week, each route problem with its plan, and what is over the minutes."""

    homes: pd.DataFrame
    jobs: list[Job]
    plans: list[RoutePlan]
    over: tuple[str, ...] = ()


def keep_required(week: Week, routed: Routed, choice: Choice, work: Work) -> Routed:
    """Plan teams again that lack somebody who must be seen; gives all routes."""
    until = None if work.limit_seconds is None else time.perf_counter() + work.limit_seconds
    missing = _missing(week, routed)
    teams = frozenset(routed.homes.loc[missing, "team"])
    if not teams:
        return routed
    homes = week.homes(lean=teams)
    offered = week.offered(homes, choice, lean=teams)
    parts = [
        _urgent_first(job, homes) for job in week.problems(offered[offered["team"].isin(teams)])
    ]
    rest = [after for _, _, after, _ in parts]
    plans: list[RoutePlan] = []
    for round_ in range(_ROUNDS):
        left = None if until is None else max(until - time.perf_counter(), 0.0)
        how = replace(work, limit_seconds=left, progress=None)
        plans = solve_all([problem for problem, _, _ in rest], week.options.stop, how)
        later = [_with_later_days(job, plan) for job, plan in zip(rest, plans, strict=True)]
        if round_ + 1 == _ROUNDS or all(a is b for a, b in zip(later, rest, strict=True)):
            break
        rest = later
    kept = [
        (job, plan)
        for job, plan in zip(routed.jobs, routed.plans, strict=True)
        if routed.homes.loc[job[1][0], "team"] not in teams
    ]
    both = [*kept, *((job, plan) for job, plan, _, _ in parts), *zip(rest, plans, strict=True)]
    over = tuple(said for _, _, _, told in parts for said in told)
    return Routed(homes, [job for job, _ in both], [plan for _, plan in both], over)


def _missing(week: Week, routed: Routed) -> list[str]:
    """Homes where somebody must be seen, who could be reached, and that are on no route."""
    homes = routed.homes
    minutes = week.team_minutes()
    has_minutes = homes["team"].isin(list(minutes.index[minutes > 0]))
    out = homes.index[homes["is_required"] & has_minutes]
    for (problem, stops, _), plan in zip(routed.jobs, routed.plans, strict=True):
        made = {stops[at] for walk in plan.routes for at in walk.stops}
        starts = [s.start for s in problem.shifts if s.closes > s.opens]
        ways = problem.travel[np.array(starts, dtype=np.int64)][:, problem.stop_at]
        near = np.asarray((ways < NO_WAY).any(axis=0), dtype=bool)
        out = out.difference([h for at, h in enumerate(stops) if h in made or not near[at]])
    return list(out)


def _urgent_first(job: Job, homes: pd.DataFrame) -> tuple[Job, RoutePlan, Job, tuple[str, ...]]:
    """The routes of what cannot wait, what is left of the days after them, and what is over."""
    problem, stops, who = job
    is_today = homes.loc[stops, "is_today"].to_numpy(dtype=bool)
    first = [at for at, s in enumerate(problem.shifts) if who[at][1] == 0 and s.closes > s.opens]
    urgent = _part(problem, np.flatnonzero(is_today), first)
    longer, routes = _beyond(urgent)
    plan = as_plan(longer, routes, seconds=0.0, method="insertion before the others")
    shifts = list(problem.shifts)
    over = []
    for walk in plan.routes:
        at = first[walk.shift]
        shift, last = shifts[at], int(longer.stop_at[walk.stops[-1]])
        if walk.ends > shift.closes:
            over.append(
                f"worker {who[at][0]}: what cannot wait takes {walk.ends - shift.closes:.0f} "
                "minutes more than the first day has; all of it is in"
            )
        closes = max(shift.closes, walk.ends)
        shifts[at] = replace(shift, start=last, opens=walk.ends, closes=closes)
    every = range(len(shifts))
    # A day without a minute left is none; but a problem has some shift.
    open_ = [at for at in every if shifts[at].closes > shifts[at].opens] or list(every)
    others = _part(replace(problem, shifts=tuple(shifts)), np.flatnonzero(~is_today), open_)
    return (
        (longer, [stops[at] for at in np.flatnonzero(is_today)], [who[at] for at in first]),
        plan,
        (others, [stops[at] for at in np.flatnonzero(~is_today)], [who[at] for at in open_]),
        tuple(over),
    )


def _part(problem: RouteProblem, stops: NDArray[np.int64], shifts: list[int]) -> RouteProblem:
    """The problem of some stops and some shifts."""
    names = ("stop_at", "service", "value", "required", "opens", "closes", "load")
    return replace(
        problem,
        shifts=tuple(problem.shifts[at] for at in shifts),
        allowed=problem.allowed[stops][:, shifts],
        **{name: getattr(problem, name)[stops] for name in names},
    )


def _beyond(urgent: RouteProblem) -> tuple[RouteProblem, Routes]:
    """Routes of all that can be reached, in days as much longer as that takes."""
    ways = urgent.travel[urgent.travel < NO_WAY]
    most = float(urgent.service.sum() + (urgent.n_stops + 1) * ways.max(initial=0.0))
    wanted = urgent.n_stops - len(_longer(urgent, most).why_unplannable())
    # Less than the minutes at the homes cannot be enough.
    room = sum(s.closes - s.opens for s in urgent.shifts)
    extra = max(float(urgent.service.sum()) - room, 0.0) / max(len(urgent.shifts), 1)
    extra = min(extra, most)
    while True:
        longer = _longer(urgent, extra)
        routes = insert_all(longer, deadline=time.perf_counter() + _INSERTING)
        if extra >= most or sum(len(stops) for _, stops in routes) >= wanted:
            return longer, routes
        extra = min(max(extra + _STEP, extra * _GROWTH), most)


def _longer(problem: RouteProblem, minutes: float) -> RouteProblem:
    shifts = tuple(replace(s, closes=s.closes + minutes) for s in problem.shifts)
    return replace(problem, shifts=shifts)


def _with_later_days(job: Job, plan: RoutePlan) -> Job:
    """The days after its window for whatever must be seen and found no room; or the same."""
    problem, stops, who = job
    out = [at for at in plan.left_out if problem.required[at]]
    day = np.array([day for _, day in who], dtype=np.int64)
    allowed = problem.allowed.copy()
    for at in out:
        days = day[allowed[at]]
        # A window that ended with the day of what cannot wait has only later days.
        allowed[at] |= day >= (days.min() if len(days) else 0)
    if (allowed == problem.allowed).all():
        return job
    return replace(problem, allowed=allowed), stops, who
