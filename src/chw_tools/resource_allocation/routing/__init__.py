"""Days and routes: optional and required stops, hours, shifts, pooled teams."""

from chw_tools.resource_allocation.routing.problem import RoutePlan, RouteProblem, Shift, Walked
from chw_tools.resource_allocation.routing.watching import Work, solve, solve_all

__all__ = ["RoutePlan", "RouteProblem", "Shift", "Walked", "Work", "solve", "solve_all"]
