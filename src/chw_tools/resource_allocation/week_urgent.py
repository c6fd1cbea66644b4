"""A team's first day where what cannot wait comes first, in a day as much longer as that takes."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from chw_tools.resource_allocation.routing.insertion import insert_all
from chw_tools.resource_allocation.routing.problem import NO_WAY, RouteProblem
from chw_tools.resource_allocation.routing.schedule import as_plan

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from chw_tools.resource_allocation.routing import RoutePlan
    from chw_tools.resource_allocation.routing.schedule import Routes
    from chw_tools.resource_allocation.week_problem import Job

#: A first day that is too short grows by so many minutes, or by this share of what it grew:
#: decisions of this project, they only bound how much longer than needed it may be.
_STEP, _GROWTH = 15.0, 1.2
#: Seconds in which days grow little by little; then whoever is free goes to the nearest.
_GROWING = 2.0


@dataclass(frozen=True)
class UrgentFirst:
    """The first day's urgent stops with their routes, what is left, and what is over."""

    job: Job
    plan: RoutePlan
    rest: Job
    over: tuple[str, ...]


def urgent_first(job: Job, homes: pd.DataFrame) -> UrgentFirst:
    """Routes of what cannot wait, and what is left of the days after them."""
    problem, stops, who = job
    is_today = homes.loc[stops, "is_today"].to_numpy(dtype=bool)
    first = [at for at, s in enumerate(problem.shifts) if who[at][1] == 0 and s.closes > s.opens]
    urgent = part_of(problem, np.flatnonzero(is_today), first)
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
    others = part_of(replace(problem, shifts=tuple(shifts)), np.flatnonzero(~is_today), open_)
    return UrgentFirst(
        (longer, [stops[at] for at in np.flatnonzero(is_today)], [who[at] for at in first]),
        plan,
        (others, [stops[at] for at in np.flatnonzero(~is_today)], [who[at] for at in open_]),
        tuple(over),
    )


def part_of(problem: RouteProblem, stops: NDArray[np.int64], shifts: list[int]) -> RouteProblem:
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
    until = time.perf_counter() + _GROWING
    while time.perf_counter() < until:
        longer = _longer(urgent, extra)
        routes = insert_all(longer, deadline=until)
        if extra >= most or sum(len(stops) for _, stops in routes) >= wanted:
            return longer, routes
        extra = min(max(extra + _STEP, extra * _GROWTH), most)
    longer = _longer(urgent, most)
    return longer, _nearest_next(longer)


def _nearest_next(problem: RouteProblem) -> Routes:
    """Whoever is free first goes to the nearest stop left: where they are very many."""
    routes: Routes = [(at, []) for at in range(len(problem.shifts))]
    free_at = [shift.opens for shift in problem.shifts]
    place = [shift.start for shift in problem.shifts]
    unplannable = problem.why_unplannable()
    left = np.array([s for s in range(problem.n_stops) if s not in unplannable], dtype=np.int64)
    while len(left):
        at = int(np.argmin(free_at))
        ways = problem.travel[place[at], problem.stop_at[left]]
        nearest = int(np.argmin(np.where(problem.allowed[left, at], ways, np.inf)))
        stop = int(left[nearest])
        routes[at][1].append(stop)
        free_at[at] += float(ways[nearest] + problem.service[stop])
        place[at] = int(problem.stop_at[stop])
        left = np.delete(left, nearest)
    return routes


def _longer(problem: RouteProblem, minutes: float) -> RouteProblem:
    shifts = tuple(replace(s, closes=s.closes + minutes) for s in problem.shifts)
    return replace(problem, shifts=shifts)
