"""When each stop of a route begins, whether it holds, and what a whole plan is worth.

Nothing here is taken from a solver: what a solver gives is timed and checked anew.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from chw_tools.resource_allocation.choice.knapsack import by_worth
from chw_tools.resource_allocation.routing.problem import NO_WAY, RoutePlan, Walked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chw_tools.resource_allocation.routing.problem import RouteProblem

Routes = list[tuple[int, list[int]]]
_TOLERANCE = 1e-6
#: Why a required stop is not made.
NO_ROOM = "REQUIRED or owed, but the minutes are not enough for all that is: hand it over."


def timed(problem: RouteProblem, shift: int, stops: Sequence[int]) -> Walked:
    """A route with the times at which its stops begin, as early as may be."""
    hours = problem.shifts[shift]
    clock, at, walked = hours.opens, hours.start, 0.0
    begins = []
    for stop in stops:
        walk = float(problem.travel[at, problem.stop_at[stop]])
        walked += walk
        clock = max(clock + walk, float(problem.opens[stop]))
        begins.append(clock)
        clock += float(problem.service[stop])
        at = int(problem.stop_at[stop])
    if hours.end is not None and stops:
        home = float(problem.travel[at, hours.end])
        clock, walked = clock + home, walked + home
    return Walked(shift, tuple(stops), tuple(begins), walked, clock)


def faults_of(problem: RouteProblem, routes: Routes) -> list[str]:
    """Everything that is wrong with routes; an empty list where they hold."""
    faults = []
    for stop, n in Counter(s for _, stops in routes for s in stops).items():
        if n > 1:
            faults.append(f"stop {stop} is made {n} times")
    for shift, n in Counter(shift for shift, _ in routes).items():
        if n > problem.shifts[shift].n:
            faults.append(f"{problem.shifts[shift].name} is walked {n} times")
    for shift, stops in routes:
        faults.extend(_route_faults(problem, shift, stops))
    return faults


def _route_faults(problem: RouteProblem, shift: int, stops: Sequence[int]) -> list[str]:
    hours, walk = problem.shifts[shift], timed(problem, shift, stops)
    faults = []
    for stop, begins in zip(stops, walk.begins, strict=True):
        if begins > problem.closes[stop] + _TOLERANCE:
            faults.append(f"stop {stop} begins after its hours")
        if not problem.allowed[stop, shift]:
            faults.append(f"stop {stop} may not be made in {hours.name}")
    if walk.ends > hours.closes + _TOLERANCE:
        faults.append(f"{hours.name} ends {walk.ends - hours.closes:.1f} minutes late")
    if _least_minutes(problem, walk) > hours.longest + _TOLERANCE:
        faults.append(f"{hours.name} takes longer than it may")
    if walk.travel_minutes >= NO_WAY:
        faults.append(f"{hours.name} walks where there is no way")
    carried = float(problem.load[list(stops)].sum())
    if carried > hours.load + _TOLERANCE:
        faults.append(f"{hours.name} carries too much")
    return faults


def _least_minutes(problem: RouteProblem, walk: Walked) -> float:
    """The shortest a route can take if it is left later, so that less is waited."""
    hours = problem.shifts[walk.shift]
    clock, at, waited, slack = hours.opens, hours.start, 0.0, np.inf
    for stop, begins in zip(walk.stops, walk.begins, strict=True):
        waited += begins - clock - float(problem.travel[at, problem.stop_at[stop]])
        slack = min(slack, waited + float(problem.closes[stop]) - begins)
        clock, at = begins + float(problem.service[stop]), int(problem.stop_at[stop])
    return walk.ends - hours.opens - max(min(slack, waited), 0.0)


def most_value(problem: RouteProblem) -> float:
    """What no plan can exceed: every stop at its shortest walk, the last one in part.

    Required stops are taken first; hours, loads and who may go are left aside, so the
    bound holds and may be loose. Source: Dantzig, Operations Research 1957;5:266.
    """
    if not problem.n_stops or not problem.shifts:
        return 0.0
    room = sum(s.n * min(s.closes - s.opens, s.longest) for s in problem.shifts)
    cost = problem.service + shortest_walk(problem)
    required = problem.required
    reached = float(problem.value[required].sum())
    room = max(room - float(cost[required].sum()), 0.0)
    value, cost = problem.value[~required], np.maximum(cost[~required], 1e-9)
    order = by_worth(value, cost)
    value, cost = value[order], cost[order]
    share = np.clip((room - (np.cumsum(cost) - cost)) / cost, 0.0, 1.0)
    return reached + float((value * share).sum())


def shortest_walk(problem: RouteProblem) -> np.ndarray:
    """The least minutes to each stop, from any other or from a start."""
    places = np.unique(problem.stop_at)
    starts = np.unique([shift.start for shift in problem.shifts])
    into = problem.travel[np.ix_(np.concatenate([places, starts]), problem.stop_at)].copy()
    # From a place to itself is no walk; but two stops may lie in one place.
    alone = np.bincount(problem.stop_at, minlength=len(problem.travel))[problem.stop_at] == 1
    itself = np.searchsorted(places, problem.stop_at)
    into[itself[alone], np.flatnonzero(alone)] = np.inf
    return np.asarray(into.min(axis=0))


def as_plan(
    problem: RouteProblem,
    routes: Routes,
    *,
    seconds: float,
    method: str,
    notes: tuple[str, ...] = (),
) -> RoutePlan:
    """A plan from routes, with its own check of whether it holds.

    A route that does not hold makes the plan infeasible and says so; it is never called
    feasible because a solver did.
    """
    routes = [(shift, stops) for shift, stops in routes if stops]
    made = {stop for _, stops in routes for stop in stops}
    unplannable = problem.why_unplannable()
    left_out = {
        stop: unplannable.get(stop) or _why_left(problem, stop)
        for stop in range(problem.n_stops)
        if stop not in made
    }
    walked = tuple(timed(problem, shift, stops) for shift, stops in routes)
    required = np.flatnonzero(problem.required)
    missing = [int(stop) for stop in required if stop not in made]
    why_not = faults_of(problem, routes)
    if missing:
        why_not.append(f"{len(missing)} required stops are not made")
    value = float(problem.value[sorted(made)].sum())
    lost = float(problem.value[sorted(left_out)].sum())
    travel = sum(walk.travel_minutes for walk in walked)
    bound = max(most_value(problem), value)
    return RoutePlan(
        routes=walked,
        value=value,
        bound=bound,
        gap=1.0 - value / bound if bound > 0 else 0.0,
        cost=travel * problem.travel_cost + lost,
        travel_minutes=travel,
        left_out=left_out,
        is_feasible=not why_not,
        why_not=tuple(why_not),
        seconds=seconds,
        method=method,
        notes=notes,
    )


def _why_left(problem: RouteProblem, stop: int) -> str:
    if problem.required[stop]:
        return NO_ROOM
    return "No minutes left for it; others are worth more for theirs."
