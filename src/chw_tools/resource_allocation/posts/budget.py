"""What each further post buys: plans for rising budgets, each begun from the one before."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from chw_tools.resource_allocation.apart import run_apart
from chw_tools.resource_allocation.posts.problem import served_share
from chw_tools.resource_allocation.posts.solve import solve_posts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from chw_tools.resource_allocation.posts.problem import PostsPlan, PostsProblem
    from chw_tools.resource_allocation.solving import Stop


def budget_plans(
    problem: PostsProblem,
    budgets: Sequence[int],
    stop: Stop,
    seed: int = 0,
    *,
    run: Callable[..., Any] = run_apart,
) -> list[PostsPlan]:
    """A plan for each budget, smallest first; a larger one is never worse.

    Parameters
    ----------
    budgets : sequence of int
        Posts in all.
    stop : Stop
        For each plan.
    """
    plans: list[PostsPlan] = []
    for budget in sorted(budgets):
        before = plans[-1] if plans else None
        start = None if before is None else before.posts
        plan = solve_posts(replace(problem, budget=budget), stop, seed, start=start, run=run)
        plans.append(plan if before is None else _no_worse(plan, before))
    return plans


def _no_worse(plan: PostsPlan, before: PostsPlan) -> PostsPlan:
    """The smaller budget's plan is a plan of the larger one, too."""
    is_worse = (len(plan.faults), plan.cost) > (len(before.faults), before.cost)
    if not is_worse:
        return plan
    notes = (*plan.notes, "The plan of the smaller budget stands.")
    return replace(before, bound=min(plan.bound, before.cost), seconds=plan.seconds, notes=notes)


def budget_curve(problem: PostsProblem, plans: Sequence[PostsPlan]) -> pd.DataFrame:
    """What each plan reaches, and what each further post bought.

    Returns
    -------
    DataFrame
        ``posts``, ``mean_minutes`` (one way, those without service as the problem counts
        them), ``served`` (share of hours), ``gap``, and ``saved_per_post``: people times
        minutes less than the plan before, for each post more.
    """
    people = max(float(problem.people.sum()), 1e-12)
    hours = max(float(problem.demand.sum()), 1e-12)
    rows = [
        {
            "posts": int(plan.posts.sum()),
            "mean_minutes": plan.cost / people,
            "served": float((problem.demand * served_share(problem, plan.share)).sum()) / hours,
            "gap": plan.gap,
            "is_feasible": plan.is_feasible,
        }
        for plan in plans
    ]
    frame = pd.DataFrame(rows)
    cost = np.array([plan.cost for plan in plans])
    more = np.maximum(np.diff(frame["posts"].to_numpy()), 1)
    frame["saved_per_post"] = np.concatenate([[np.nan], -np.diff(cost) / more])
    return frame
