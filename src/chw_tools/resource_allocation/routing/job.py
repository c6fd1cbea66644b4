"""The unit of work: one problem solved, wherever that is done."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from chw_tools.resource_allocation.routing.insertion import insert_all
from chw_tools.resource_allocation.routing.pyvrp_solver import solve_by_pyvrp
from chw_tools.resource_allocation.routing.schedule import as_plan

if TYPE_CHECKING:
    from chw_tools.resource_allocation.routing.problem import RoutePlan, RouteProblem
    from chw_tools.resource_allocation.solving import Stop

#: Below so many seconds a solver finds nothing better than insertion does.
SHORTEST_SECONDS = 0.05


def solve_here(problem: RouteProblem, stop: Stop, *, seed: int = 0) -> RoutePlan:
    """Solve in this process: PyVRP, or insertion where the time is short or PyVRP fails."""
    began = time.perf_counter()
    if stop.seconds < SHORTEST_SECONDS or stop.iterations == 0:
        return solve_by_insertion(problem, stop)
    try:
        routes = solve_by_pyvrp(problem, stop, seed=seed)
    except (ImportError, RuntimeError, ValueError) as error:
        return solve_by_insertion(problem, stop, f"PyVRP was of no use ({type(error).__name__}).")
    return as_plan(problem, routes, seconds=time.perf_counter() - began, method="pyvrp")


def solve_seeded(problem: RouteProblem, stop: Stop, seed: int) -> RoutePlan:
    """:func:`solve_here` with its arguments in a row, as they come over a pipe."""
    return solve_here(problem, stop, seed=seed)


def solve_by_insertion(problem: RouteProblem, stop: Stop, *notes: str) -> RoutePlan:
    """Solve without a solver."""
    began = time.perf_counter()
    # Somebody must go somewhere: a moment is always given.
    deadline = began + max(stop.seconds, 1.0)
    routes = insert_all(problem, deadline=deadline)
    seconds = time.perf_counter() - began
    return as_plan(problem, routes, seconds=seconds, method="insertion", notes=notes)
