"""PyVRP on a route problem, with its traps handled.

With optional stops it starts from the empty plan: from its own random start it is far from
the best after ten seconds on a thousand stops. Ways that may not be gone are capped, since
larger figures let it run past its limit, and the plan is checked for them afterwards.

Source: Wouda, Lan & Kool, PyVRP, INFORMS J Comput 2024;36:943.
"""

from __future__ import annotations

import time
from math import ceil, inf, isfinite
from typing import TYPE_CHECKING, Any

import numpy as np

from chw_tools.resource_allocation.routing.insertion import insert_all
from chw_tools.resource_allocation.routing.problem import NO_WAY
from chw_tools.resource_allocation.routing.schedule import faults_of, most_value, shortest_walk

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from chw_tools.resource_allocation.routing.problem import RouteProblem
    from chw_tools.resource_allocation.routing.schedule import Routes
    from chw_tools.resource_allocation.solving import Stop

#: Latest tick where a stop has no hours of its own.
_ALWAYS = 10**8
_LOAD_TICKS = 100
#: Stops up to which both the empty plan and that of insertion are begun from, half the time
#: each; found by trial on weeks of 200 (benchmarks/planning_routes.py), as are the next four.
_MOST_TWICE = 400
#: Most of the time goes to the stops worth most for their minutes, up to so many times the
#: minutes there are: a second among 200 stops is too short, among 60 it is not.
_PROMISING, _PROMISING_SHARE = 1.4, 0.8
#: Share of the time in which a plan that makes every stop must be found, where all must be.
_ALL_OR_NONE = 0.3
#: Most of the time for insertion; two hundred stops take a hundredth of a second.
_INSERTING = 0.2
#: What PyVRP says a plan costs that does not hold.
_NOTHING = 2**62
#: A minute late costs so many minutes' worth at first.
_LATE = 4.0
_UPDATES = 50
_HISTORY = 100
_MOST_STEPS = 10


def solve_by_pyvrp(problem: RouteProblem, stop: Stop, *, seed: int) -> Routes:
    """Routes by PyVRP, in this process.

    Required stops among optional ones are given a prize above all others together, so that
    too many of them make a plan that lacks some, not one that does not hold.

    Raises
    ------
    ImportError
        If PyVRP is not installed.
    RuntimeError
        If its answer does not hold by our own check.
    """
    unplannable = problem.why_unplannable()
    plannable = [stop for stop in range(problem.n_stops) if stop not in unplannable]
    if not plannable:
        return []
    routes = _solved(problem, plannable, stop, seed)
    faults = faults_of(problem, routes)
    if faults:
        raise RuntimeError(f"PyVRP's answer does not hold: {faults[0]}")
    return routes


def _solved(problem: RouteProblem, plannable: list[int], stop: Stop, seed: int) -> Routes:
    left = 1.0
    if problem.required[plannable].all():
        routes = _all_made(problem, plannable, stop, seed)
        if routes is not None:
            return routes
        # Not all fit: then as many as do.
        left = 1.0 - _ALL_OR_NONE
    if len(plannable) > _MOST_TWICE:
        data, owners = _data(problem, plannable, is_all=False)
        ended = _criterion(stop, left)
        best = _run(data, ended, seed, start=_as_start(data, [], owners, plannable))
        return _routes(best, owners, plannable)
    return _best_first(problem, plannable, stop, seed, left)


def _best_first(
    problem: RouteProblem, plannable: list[int], stop: Stop, seed: int, left: float
) -> Routes:
    """Among the stops worth most for their minutes first, then from there among all."""
    promising = _promising(problem, plannable)
    is_whole = len(promising) == len(plannable)
    data, owners = _data(problem, promising, is_all=False)
    part = left * (1.0 if is_whole else _PROMISING_SHARE) / 2
    deadline = time.perf_counter() + _INSERTING * stop.seconds
    starts: list[Routes] = [insert_all(problem, among=promising, deadline=deadline), []]
    found = [
        _run(
            data,
            _criterion(stop, part),
            seed,
            start=_as_start(data, start, owners, promising),
            params=_params(problem),
        )
        for start in starts
    ]
    best = min(found, key=_cost)
    routes = _routes(best, owners, promising)
    if is_whole:
        return routes
    data, owners = _data(problem, plannable, is_all=False)
    best = _run(
        data,
        _criterion(stop, left * (1.0 - _PROMISING_SHARE)),
        seed,
        start=_as_start(data, routes, owners, plannable),
        params=_params(problem),
    )
    return _routes(best, owners, plannable)


def _promising(problem: RouteProblem, plannable: list[int]) -> list[int]:
    """What is required, and what is worth most for its minutes, up to some more than fits."""
    cost = (problem.service + shortest_walk(problem))[plannable]
    worth = problem.value[plannable] / np.maximum(cost, 1e-9)
    required = problem.required[plannable]
    order = np.lexsort((-worth, ~required))
    room = sum(s.n * min(s.closes - s.opens, s.longest) for s in problem.shifts)
    kept = (np.cumsum(cost[order]) <= _PROMISING * room) | required[order]
    return sorted(plannable[at] for at in order[kept])


def _all_made(problem: RouteProblem, plannable: list[int], stop: Stop, seed: int) -> Routes | None:
    """Routes that make every stop; None if there are none, or none was found in good time."""
    import pyvrp

    data, owners = _data(problem, plannable, is_all=True)
    ended = _criterion(stop, 1.0, unless=_criterion(stop, _ALL_OR_NONE))
    result = pyvrp.solve(data, ended, seed=seed, collect_stats=False)
    return _routes(result.best, owners, plannable) if result.is_feasible() else None


def _run(data: Any, ended: Any, seed: int, *, start: Any, params: Any = None) -> Any:
    """PyVRP's best plan from a start."""
    import pyvrp

    return pyvrp.solve(
        data,
        ended,
        seed=seed,
        collect_stats=False,
        params=params or pyvrp.SolveParams(),
        initial_solution=start,
    ).best


def _cost(solution: Any) -> float:
    """What a plan costs; one that does not hold is the worst."""
    from pyvrp import CostEvaluator

    if not solution.is_feasible():
        return inf
    return float(CostEvaluator([0.0] * len(solution.excess_load()), 0.0, 0.0).cost(solution))


def _routes(solution: Any, owners: list[int], plannable: list[int]) -> Routes:
    if not solution.is_feasible():
        return []
    return [
        (owners[route.vehicle_type()], [plannable[a.idx] for a in route if a.is_client()])
        for route in solution.routes()
    ]


def _as_start(data: Any, routes: Routes, owners: list[int], plannable: list[int]) -> Any:
    """Routes as a start."""
    import pyvrp

    client = {stop: at for at, stop in enumerate(plannable)}
    made = [
        pyvrp.Route(
            data,
            [pyvrp.Activity(pyvrp.ActivityType.CLIENT, client[stop]) for stop in stops],
            owners.index(shift),
        )
        for shift, stops in routes
    ]
    return pyvrp.Solution(data, made)


def _params(problem: RouteProblem) -> Any:
    """Penalties of the size of what a minute brings, and small steps.

    PyVRP begins with a penalty so high that for the first thousands of steps no route may be
    late even for a moment on the way to a better one; a second a week is over by then.
    """
    from pyvrp import IteratedLocalSearchParams, PenaltyParams, SolveParams
    from pyvrp.search import PerturbationParams

    minutes = sum(s.n * min(s.closes - s.opens, s.longest) for s in problem.shifts)
    a_minute = most_value(problem) / max(minutes, 1.0)
    first = max(_LATE * a_minute * problem.cost_ticks / problem.ticks, 1.0)

    class Penalties(PenaltyParams):
        def midpoint_penalties(self, data: Any) -> tuple[list[float], float, float]:
            return [first] * data.num_load_dimensions, first, first

    penalties = Penalties(
        solutions_between_updates=_UPDATES, min_penalty=first / 50, max_penalty=first * 1000
    )
    return SolveParams(
        ils=IteratedLocalSearchParams(history_length=_HISTORY),
        penalty=penalties,
        perturbation=PerturbationParams(1, _MOST_STEPS),
    )


def _criterion(stop: Stop, share: float, *, unless: Any = None) -> Any:
    """Ends after a share of the time and the steps; earlier if by ``unless`` no plan holds."""
    from pyvrp.stop import MaxIterations, MaxRuntime, MultipleCriteria

    parts: list[Any] = [
        MaxRuntime(stop.seconds * share),
        MaxIterations(int(stop.iterations * share)),
    ]
    if unless is not None:
        parts.append(_NoneHolds(unless))
    return MultipleCriteria(parts)


class _NoneHolds:
    """Ends by another criterion, but only while no plan was found that holds."""

    def __init__(self, ended: Any) -> None:
        self._ended = ended

    def __call__(self, best_cost: int) -> bool:
        return bool(self._ended(best_cost)) and best_cost >= _NOTHING


def _data(problem: RouteProblem, plannable: list[int], *, is_all: bool) -> tuple[Any, list[int]]:
    """The problem in PyVRP's words; and which shift each vehicle type is."""
    import pyvrp

    used = sorted({s.start for s in problem.shifts} | {s.end for s in problem.shifts if s.end})
    depots = {place: at for at, place in enumerate([*used, -1])}  # -1: the day ends anywhere
    profiles, profile_of = _profiles(problem, plannable)
    places = np.array([*used, -1, *problem.stop_at[plannable]])
    walk, cost = _matrices(problem, places)
    walks: list[Any] = []
    costs: list[Any] = []
    for may in profiles:
        barred = np.concatenate([np.zeros(len(depots), dtype=bool), ~may])
        walks.append(np.where(barred[None, :], int(NO_WAY), walk))
        costs.append(np.where(barred[None, :], int(NO_WAY), cost))
        for matrix in (walks[-1], costs[-1]):
            np.fill_diagonal(matrix, 0)
    vehicles = [
        _vehicle(problem, at, depots, profile_of[at])
        for at, shift in enumerate(problem.shifts)
        if shift.n and profiles[profile_of[at]].any()
    ]
    owners = [
        at for at, shift in enumerate(problem.shifts) if shift.n and profiles[profile_of[at]].any()
    ]
    data = pyvrp.ProblemData(
        locations=[pyvrp.Location(0, 0) for _ in places],
        clients=_clients(problem, plannable, len(depots), is_all=is_all),
        depots=[pyvrp.Depot(at) for at in range(len(depots))],
        vehicle_types=vehicles,
        distance_matrices=costs,
        duration_matrices=walks,
    )
    return data, owners


def _profiles(
    problem: RouteProblem, plannable: list[int]
) -> tuple[list[NDArray[np.bool_]], list[int]]:
    """Who may go where, each pattern once."""
    allowed = problem.allowed[plannable]
    patterns, profile_of = np.unique(allowed, axis=1, return_inverse=True)
    return [patterns[:, at] for at in range(patterns.shape[1])], profile_of.ravel().tolist()


def _matrices(
    problem: RouteProblem, places: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    at = np.maximum(places, 0)
    minutes = problem.travel[np.ix_(at, at)]
    nowhere = places < 0
    minutes[nowhere, :] = minutes[:, nowhere] = 0.0
    # Rounded up, so that what fits here fits in truth.
    walk = np.minimum(np.ceil(minutes * problem.ticks - 1e-9), NO_WAY)
    cost = np.minimum(np.rint(minutes * problem.travel_cost * problem.cost_ticks), NO_WAY)
    return walk.astype(np.int64), cost.astype(np.int64)


def _vehicle(problem: RouteProblem, at: int, depots: dict[int, int], profile: int) -> Any:
    import pyvrp

    shift = problem.shifts[at]
    load = int(shift.load * _LOAD_TICKS) if isfinite(shift.load) else None
    return pyvrp.VehicleType(
        num_available=shift.n,
        capacity=[] if load is None else [load],
        start_depot=depots[shift.start],
        end_depot=depots[-1 if shift.end is None else shift.end],
        tw_early=ceil(shift.opens * problem.ticks),
        tw_late=_tick(shift.closes, problem.ticks),
        shift_duration=_tick(shift.longest, problem.ticks),
        profile=profile,
    )


def _tick(minute: float, ticks: float) -> int:
    return _ALWAYS if minute == inf else min(int(minute * ticks + 1e-9), _ALWAYS)


def _clients(problem: RouteProblem, plannable: list[int], first: int, *, is_all: bool) -> list[Any]:
    import pyvrp

    has_load = any(isfinite(shift.load) for shift in problem.shifts)
    required = problem.required
    prize = np.rint(problem.value * problem.cost_ticks).astype(np.int64)
    above_all = int(prize[plannable].sum()) + 1
    return [
        pyvrp.Client(
            first + at,
            delivery=[ceil(problem.load[s] * _LOAD_TICKS)] if has_load else [],
            service_duration=ceil(problem.service[s] * problem.ticks - 1e-9),
            tw_early=ceil(problem.opens[s] * problem.ticks - 1e-9),
            tw_late=_tick(float(problem.closes[s]), problem.ticks),
            prize=0 if is_all else int(prize[s]) + (above_all if required[s] else 0),
            required=is_all,
        )
        for at, s in enumerate(plannable)
    ]
