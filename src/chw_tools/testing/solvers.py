"""Solvers that fail, for trying what happens then; each takes the place of a real one."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from chw_tools.resource_allocation.routing.job import solve_here

if TYPE_CHECKING:
    from chw_tools.resource_allocation.routing import RoutePlan, RouteProblem
    from chw_tools.resource_allocation.solving import Stop


def hang(problem: RouteProblem, stop: Stop, seed: int) -> RoutePlan:  # pragma: no cover
    """Never answers."""
    time.sleep(3600)
    return solve_here(problem, stop, seed=seed)


def crash(problem: RouteProblem, stop: Stop, seed: int) -> RoutePlan:  # pragma: no cover
    """Takes its process along."""
    os._exit(3)


def hang_at_one(problem: RouteProblem, stop: Stop, seed: int) -> RoutePlan:  # pragma: no cover
    """Never answers the problem of seed 1; solves the others."""
    answer = hang if seed == 1 else solve_here
    return answer(problem, stop, seed=seed)
