"""Posts planned: a bound and a first plan at once, then HiGHS, kept apart, for the rest.

Small and unlimited problems are proven best; large ones with limits are bettered region by
region while HiGHS lifts the bound beside it, and the plan says how far from it it is.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from os import cpu_count
from typing import TYPE_CHECKING, Any

import numpy as np

from chw_tools.errors import SolverFailed
from chw_tools.resource_allocation.apart import run_apart
from chw_tools.resource_allocation.posts import milp, search
from chw_tools.resource_allocation.posts.bound import bound_posts
from chw_tools.resource_allocation.posts.problem import (
    TOLERANCE,
    PostsPlan,
    Served,
    cost_of,
    find_faults,
    served_share,
)
from chw_tools.resource_allocation.posts.regions import better_by_region
from chw_tools.resource_allocation.posts.serving import serve_nearest, why_unserved

if TYPE_CHECKING:
    from collections.abc import Callable

    from chw_tools.resource_allocation.posts.bound import Bound
    from chw_tools.resource_allocation.posts.problem import Counts, PostsProblem
    from chw_tools.resource_allocation.solving import Stop

#: Steps of the bound; more change it by less than a thousandth on the public problems.
_BOUND_STEPS = 1500
#: More pairs than this are not given to HiGHS whole where posts have limits.
_MOST_PAIRS = 8_000
#: Share of the time for the prices and the first plan.
_FIRST = 0.35
#: Of the search's time, the share for a model of the sites asked for; the rest is for regions.
_ASKED = 0.25
#: Of what is left, the search's share where it and the bound must take turns.
_SEARCH = 0.65
#: A site that the prices asked for in more than one of twenty steps is looked at first.
_IS_ASKED = 0.05


def solve_posts(
    problem: PostsProblem,
    stop: Stop,
    seed: int = 0,
    *,
    start: Counts | None = None,
    run: Callable[..., Any] = run_apart,
) -> PostsPlan:
    """Posts and shares that cost least, and how near the best they are proven to be.

    Parameters
    ----------
    problem : PostsProblem
        The question.
    stop : Stop
        Seconds in all; iterations bound the exchanges and the regions tried.
    seed : int
        Of the regions' order and of HiGHS.
    start : ndarray of int, optional
        Posts to begin from, such as those of a smaller budget: the plan is never worse.
    run : callable
        What runs the solver; by default in an interpreter of its own.

    Returns
    -------
    PostsPlan
        Feasible, or with what is broken; who is left without service, and why.
    """
    began = time.monotonic()
    first, bound = _first(problem, stop, start)
    best, value = first, bound.value
    notes: tuple[str, ...] = ()
    if not _is_proven(problem, first, bound.value):
        left = max(stop.seconds - (time.monotonic() - began), 1.0)
        task = _Task(problem, first, bound, replace(stop, seconds=left), seed)
        best, value, notes = _refined(task, run)
    return _judged(problem, best, value, time.monotonic() - began, notes)


@dataclass(frozen=True)
class _Task:
    problem: PostsProblem
    first: Served
    bound: Bound
    stop: Stop
    seed: int


def _first(problem: PostsProblem, stop: Stop, start: Counts | None) -> tuple[Served, Bound]:
    until = time.monotonic() + _FIRST * stop.seconds
    posts = search.greedy_sites(problem, problem.least)
    known = [_bettered(problem, posts, stop, until)]
    if start is not None:
        known.append(serve_nearest(problem, start))

    def best(asked: Counts) -> float:
        known.append(_bettered(problem, asked, stop, until))
        known[:] = [min(known, key=lambda answer: _rank(problem, answer))]
        return cost_of(problem, known[0].share) if _rank(problem, known[0])[0] == 0 else dearest

    dearest = _dearest(problem)
    bound = bound_posts(problem, best=best, iterations=_BOUND_STEPS, until=until)
    return min(known, key=lambda answer: _rank(problem, answer)), bound


def _bettered(problem: PostsProblem, posts: Counts, stop: Stop, until: float) -> Served:
    """Single posts moved where no limit makes that misleading."""
    if np.isinf(problem.capacity):
        posts = search.exchange_sites(problem, posts, iterations=stop.iterations, until=until)
    return serve_nearest(problem, posts)


def _rank(problem: PostsProblem, answer: Served) -> tuple[int, float]:
    """Plans that keep all rules first, then the cheaper; with the unserved where it may be."""
    faults = len(find_faults(problem, answer))
    cost = cost_of(problem, answer.share)
    return faults, cost if np.isfinite(cost) else float(-answer.share.sum())


def _dearest(problem: PostsProblem) -> float:
    """A cost that is hardly exceeded: everybody without service, or at the farthest site."""
    far = np.zeros(problem.n_communities)
    np.maximum.at(far, problem.community, problem.cost)
    unserved = problem.unserved_cost
    return float(np.where(np.isfinite(unserved), unserved, far).sum()) or 1.0


def _is_proven(problem: PostsProblem, answer: Served, bound: float) -> bool:
    if find_faults(problem, answer):
        return False
    cost = cost_of(problem, answer.share)
    # Whole numbers of people and minutes make costs whole: less than 1 above is the best.
    step = 1.0 - 1e-6 if _has_whole_costs(problem) else 1e-9 * abs(cost)
    return cost - bound < max(step, TOLERANCE)


def _has_whole_costs(problem: PostsProblem) -> bool:
    """Whether every cost of a plan is a whole number."""
    is_undivided = problem.is_whole or np.isinf(problem.capacity)
    return bool(
        is_undivided
        and (problem.cost == np.round(problem.cost)).all()
        and (np.isinf(problem.unserved_minutes) or _is_whole(problem.unserved_cost))
    )


def _lifted(problem: PostsProblem, bound: float) -> float:
    """The bound; where costs are whole numbers, the next of them."""
    if np.isfinite(bound) and _has_whole_costs(problem):
        return float(np.ceil(bound - 1e-4))
    return bound


def _is_whole(numbers: Any) -> bool:
    return bool((numbers == np.round(numbers)).all())


def _refined(task: _Task, run: Callable[..., Any]) -> tuple[Served, float, tuple[str, ...]]:
    """With HiGHS: all of what may still be better at once, or a search and a bound beside it."""
    problem, first = task.problem, task.first
    is_small = len(problem.community) <= _MOST_PAIRS or np.isinf(problem.capacity)
    acts = (_proved,) if is_small else (_searched, _bounded)
    found, notes = [], []
    for answer in _done(acts, task, run):
        if isinstance(answer, SolverFailed):
            notes.append(f"{answer.what} The plan of the plain search stands.")
        else:
            found.append(answer)
    plans = [first, *(plan for plan, _ in found if plan is not None)]
    value = max((task.bound.value, *(value for _, value in found)))
    return min(plans, key=lambda plan: _rank(problem, plan)), value, tuple(dict.fromkeys(notes))


def _done(
    acts: tuple[Callable[[_Task], tuple[Served | None, float]], ...],
    task: _Task,
    run: Callable[..., Any],
) -> list[tuple[Served | None, float] | SolverFailed]:
    """What each came to: beside each other where there are processors, else in turns."""
    if len(acts) == 1 or (run is run_apart and (cpu_count() or 1) > 1):
        shares = [1.0] * len(acts)
    else:
        shares = [_SEARCH, 1.0 - _SEARCH]

    def one(act: Callable[[_Task], tuple[Served | None, float]], share: float) -> Any:
        seconds = share * task.stop.seconds
        part = replace(task, stop=replace(task.stop, seconds=seconds))
        try:
            return run(act, part, seconds=seconds)
        except SolverFailed as failed:
            return failed

    with ThreadPoolExecutor(len(acts) if sum(shares) > 1.0 else 1) as threads:
        return list(threads.map(one, acts, shares))


def _searched(task: _Task) -> tuple[Served | None, float]:
    """A better plan: among the sites asked for, then region after region."""
    problem, first = task.problem, task.first
    until = time.monotonic() + task.stop.seconds
    best = min((_on_asked_sites(task), first), key=lambda plan: _rank(problem, plan))
    if not find_faults(problem, best):
        best = better_by_region(
            problem,
            best,
            seed=task.seed,
            iterations=task.stop.iterations,
            until=until,
            asked=task.bound.asked > _IS_ASKED,
        )
    return best, task.bound.value


def _bounded(task: _Task) -> tuple[Served | None, float]:
    """A better bound: the cuts of HiGHS's first node lift it above that of the prices."""
    solved = milp.solve_milp(
        task.problem, seconds=task.stop.seconds, seed=task.seed, start=task.first, effort=0.0
    )
    return solved.answer, solved.bound


def _proved(task: _Task) -> tuple[Served | None, float]:
    """HiGHS over the pairs that a plan cheaper than the first may use; the rest is proven dear.

    Source: variable fixing by Lagrangian penalties (Beasley, European Journal of Operational
    Research 1985;21:270).
    """
    problem, first, bound = task.problem, task.first, task.bound
    is_plan = not find_faults(problem, first)
    cost = cost_of(problem, first.share) if is_plan else np.inf
    step = 1.0 - 1e-6 if _has_whole_costs(problem) else 0.0
    # A plan that opens this site, or serves a whole community over this pair, costs so much.
    more = bound.to_open[problem.site]
    if problem.is_whole or np.isinf(problem.capacity):
        more = more + np.maximum(problem.cost - bound.price[problem.community], 0.0)
    kept = np.flatnonzero(bound.value + more < cost - step + TOLERANCE)
    start = Served(first.posts, first.share[kept]) if is_plan else None
    solved = milp.solve_milp(
        problem.of_pairs(kept), seconds=task.stop.seconds, seed=task.seed, start=start
    )
    proven = min(solved.bound, cost)
    return _in_whole(problem, solved.answer, kept), proven


def _on_asked_sites(task: _Task) -> Served:
    """HiGHS over the sites that the prices asked for; a plan, no proof."""
    problem = task.problem
    is_asked = (task.bound.asked > _IS_ASKED) | (problem.least > 0) | (task.first.posts > 0)
    at = np.flatnonzero(is_asked[problem.site])
    part = replace(problem.of_pairs(at), most=np.where(is_asked, problem.most, problem.least))
    seconds = _ASKED * task.stop.seconds
    start = Served(task.first.posts, task.first.share[at])
    solved = milp.solve_milp(part, seconds=seconds, seed=task.seed, start=start, gap=2e-3)
    return _in_whole(problem, solved.answer, at) or task.first


def _in_whole(problem: PostsProblem, part: Served | None, at: Counts) -> Served | None:
    """A plan over some pairs as one over all."""
    if part is None:
        return None
    share = np.zeros(len(problem.community))
    share[at] = part.share
    return Served(part.posts, share)


def _judged(
    problem: PostsProblem, answer: Served, bound: float, seconds: float, notes: tuple[str, ...]
) -> PostsPlan:
    cost = cost_of(problem, answer.share)
    served = served_share(problem, answer.share)
    left = np.where(served < 1 - TOLERANCE, 1 - served, 0.0)
    return PostsPlan(
        posts=answer.posts,
        share=answer.share,
        cost=cost,
        bound=min(_lifted(problem, bound), cost),
        faults=find_faults(problem, answer),
        unserved=left,
        why_unserved=why_unserved(problem, answer),
        seconds=seconds,
        notes=notes,
    )
