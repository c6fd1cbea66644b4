"""The worst served group first, then the mean; and what that costs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from chw_tools.errors import SolverFailed
from chw_tools.resource_allocation.apart import run_apart
from chw_tools.resource_allocation.posts.milp import solve_worst
from chw_tools.resource_allocation.posts.solve import solve_posts

if TYPE_CHECKING:
    from collections.abc import Callable

    from chw_tools.resource_allocation.posts.problem import PostsPlan, PostsProblem
    from chw_tools.resource_allocation.solving import Stop


class FairPlan(NamedTuple):
    """A plan for the worst served group first.

    Parameters
    ----------
    plan : PostsPlan
        Of all plans that serve the worst group so well, one that costs little.
    worst, worst_bound : float
        Share of its hours that the worst served group has, and what it could have at most.
    """

    plan: PostsPlan
    worst: float
    worst_bound: float


def solve_fairly(
    problem: PostsProblem,
    stop: Stop,
    seed: int = 0,
    *,
    run: Callable[..., Any] = run_apart,
) -> FairPlan:
    """Raise the worst served group as far as it goes, then lower the mean walk.

    Parameters
    ----------
    problem : PostsProblem
        With groups; the floors given are kept in any case.

    Raises
    ------
    ValueError
        If the problem names no groups.
    """
    if problem.group is None or problem.floor is None:
        raise ValueError("the worst served group is asked for, and no groups are named")
    half = stop.seconds / 2
    try:
        worst, most = run(_worst, problem, half, seed, seconds=half)
    except SolverFailed:
        worst, most = 0.0, 1.0
    floor = np.maximum(problem.floor, worst * (1 - 1e-6))
    rest = replace(stop, seconds=half)
    plan = solve_posts(replace(problem, floor=floor), rest, seed, run=run)
    return FairPlan(plan, worst, most)


def _worst(problem: PostsProblem, seconds: float, seed: int) -> tuple[float, float]:
    return solve_worst(problem, seconds=seconds, seed=seed)
