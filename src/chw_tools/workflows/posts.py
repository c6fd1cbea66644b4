"""Where to post how many workers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from chw_tools.resource_allocation import posts as post
from chw_tools.workflows.rows import frame_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chw_tools.programme import Programme
    from chw_tools.resource_allocation.posts import PostsPlan
    from chw_tools.resource_allocation.solving import Stop
    from chw_tools.workflows.needs import Needs
    from chw_tools.workflows.ports import LongerPlans


@dataclass(frozen=True)
class PlannedPosts:
    """Where workers are to be posted.

    Parameters
    ----------
    needs : Needs
        What it rests on.
    table : DataFrame
        As declared in ``POSTED``.
    plan : PostsPlan
        Cost, bound, gap and faults.
    curve : DataFrame
        What each further post buys; empty where it was not asked for.
    sites : DataFrame
        One more site of any kind, best first: see ``compare_sites``; with ``area_id``.
    set_aside : DataFrame
        Communities that cannot be planned, with the reason.
    notes : tuple of str
        What a reader must know.
    worst, worst_bound : float or None
        Share of its hours of the worst served group, where that came first.
    """

    needs: Needs
    table: pd.DataFrame
    plan: PostsPlan
    curve: pd.DataFrame
    sites: pd.DataFrame
    set_aside: pd.DataFrame
    notes: tuple[str, ...]
    worst: float | None = None
    worst_bound: float | None = None


def plan_posts(
    needs: Needs,
    *,
    programme: Programme,
    stop: Stop,
    seed: int = 0,
    posts: int | None = None,
    curve: Sequence[int] = (),
    worst_first: bool = False,
) -> PlannedPosts:
    """Where to post how many workers, those that stand staying where they are.

    Parameters
    ----------
    needs : Needs
        What :func:`plan_needs` gives.
    stop, seed
        For each plan that is solved.
    posts : int, optional
        Posts in all; by default as many as the hours ask for.
    curve : sequence of int
        Budgets for the curve of what each further post buys.
    worst_first : bool
        Raise the worst served area first and lower the mean walk after that.
    """
    found = _communities(needs, programme, posts)
    curves = _curve(found, curve, stop, seed)
    if not worst_first:
        return _planned(
            needs, found, post.solve_posts(found.problem, stop, seed), curves, programme
        )
    fair = post.solve_fairly(found.problem, stop, seed)
    planned = _planned(needs, found, fair.plan, curves, programme)
    return replace(planned, worst=fair.worst, worst_bound=fair.worst_bound)


def keep_posts(store: LongerPlans, planned: PlannedPosts) -> str:
    """Keep posts as a new run; gives its key."""
    plan = planned.plan
    with store.transaction():
        return store.save_run(
            "posts",
            tables={"posted": planned.table},
            as_of=planned.needs.as_of.date(),
            summary={
                "posts": int(plan.posts.sum()),
                "gap": plan.gap,
                "is_feasible": plan.is_feasible,
                "faults": list(plan.faults),
                "worst": planned.worst,
                "worst_bound": planned.worst_bound,
                "curve": frame_rows(planned.curve),
                "sites": frame_rows(planned.sites),
                "set_aside": frame_rows(planned.set_aside),
                "notes": list(planned.notes),
            },
        )


def _communities(needs: Needs, programme: Programme, posts: int | None) -> post.Communities:
    budget = posts or max(ceil(needs.check.hours_needed / max(_hours(programme), 1e-9)), 1)
    areas = needs.assessment.register.areas
    return post.posts_problem(
        needs.communities, needs.workers, areas, programme=programme, budget=budget
    )


def _hours(programme: Programme) -> float:
    days = programme.scope.workload.working_days
    return programme.planning.capacity_minutes * days / 60.0


def _curve(found: post.Communities, curve: Sequence[int], stop: Stop, seed: int) -> pd.DataFrame:
    budgets = sorted(budget for budget in set(curve) if budget >= found.problem.least.sum())
    if not budgets:
        return pd.DataFrame()
    plans = post.budget_plans(found.problem, budgets, stop, seed)
    return post.budget_curve(found.problem, plans)


def _planned(
    needs: Needs,
    found: post.Communities,
    plan: PostsPlan,
    curve: pd.DataFrame,
    programme: Programme,
) -> PlannedPosts:
    there, each = needs.check.hours_there / max(needs.check.n_workers, 1), _hours(programme)
    notes = [*needs.basis, *plan.notes, *plan.faults]
    if there and abs(there - each) > 1:
        notes.append(f"A new post is taken to give {each:,.0f} hours a year.")
    if needs.check.n_workers >= found.problem.budget:
        notes.append("There are as many workers as posts asked for, or more; all of them stay.")
    return PlannedPosts(
        needs,
        post.posted_table(found, plan),
        plan,
        curve,
        _sites(found, plan, programme),
        found.set_aside,
        tuple(notes),
    )


def _sites(found: post.Communities, plan: PostsPlan, programme: Programme) -> pd.DataFrame:
    km = post.path_km(found, programme=programme)
    people = found.problem.people
    fall = programme.scope.workload.use_fall_per_km
    table = post.compare_sites(km, people, np.flatnonzero(plan.posts > 0), fall_per_km=fall)
    keys = found.table["area_id"].to_numpy(dtype=object)
    return table.assign(
        area_id=keys[table["site"]],
        moves_from=[keys[site] if site >= 0 else None for site in table["moves_from"]],
    )
