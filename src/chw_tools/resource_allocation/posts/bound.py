"""What no plan of posts can go below: a Lagrangian bound, with prices of being served.

Each community pays a price for being served; each post then picks the best that it can. At
the best prices this equals the linear relaxation, at a fraction of its time.

Source: Fisher, Management Science 1981;27:1 (Lagrangian relaxation); Cornuejols, Fisher and
Nemhauser, Management Science 1977;23:789 (for sites).
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from chw_tools.resource_allocation.posts.problem import Counts, Numbers, PostsProblem

#: Deflection of the step by the last one, and patience before steps are halved (Camerini,
#: Fratta and Maffioli, Mathematical Programming Study 1975;3:26; the numbers are of this project).
_DEFLECTION = 0.6
_PATIENCE = 15
_SMALLEST_STEP = 2e-4
#: Weight of each step in the average of what was asked for.
_FORGET = 0.01


@dataclass(frozen=True)
class Bound:
    """A bound with what it was found by.

    Parameters
    ----------
    value : float
        No plan costs less.
    price : ndarray, shape (n_communities,)
        Price of each community.
    to_open : ndarray, shape (n_sites,)
        How much the bound rises if the site holds at least one post.
    posts : ndarray of int, shape (n_sites,)
        Posts that the prices ask for; not a plan.
    asked : ndarray, shape (n_sites,)
        Posts that the prices asked for over the last steps, on average: sites that never were
        asked for are hardly in a good plan.
    """

    value: float
    price: Numbers
    to_open: Numbers
    posts: Counts
    asked: Numbers


def bound_posts(
    problem: PostsProblem,
    *,
    best: Callable[[Counts], float],
    iterations: int,
    until: float,
) -> Bound:
    """The bound, by subgradient steps towards the cost of the best plan known.

    Parameters
    ----------
    problem : PostsProblem
        Floors of groups are not regarded: without them a plan can only be cheaper.
    best : callable
        Cost of the best plan known; told each set of posts that the prices ask for.
    iterations : int
        Most steps.
    until : float
        Moment of the monotonic clock after which no step begins.
    """
    ceiling = problem.fallback
    price = np.minimum(_first_prices(problem), ceiling)
    kept = _step(problem, price)
    found, direction, scale, waited = kept, np.zeros_like(price), 1.0, 0
    upper = best(kept.bound.posts)
    asked = kept.bound.posts.astype(np.float64)
    for _ in range(iterations):
        slope = kept.slope
        direction = slope + _DEFLECTION * direction
        length = float(direction @ slope)
        norm = float(direction @ direction)
        if min(norm, float(slope @ slope)) <= 1e-12 or upper - found.bound.value <= 1e-9 * abs(
            upper
        ):
            break
        if length <= 0:
            direction, norm = slope, float(slope @ slope)
        step = scale * max(upper - kept.bound.value, 1e-6 * abs(upper)) / norm
        price = np.minimum(price + step * direction, ceiling)
        kept = _step(problem, price)
        asked += _FORGET * (kept.bound.posts - asked)
        if kept.bound.value > found.bound.value + 1e-7 * abs(found.bound.value):
            found, waited = kept, 0
        else:
            waited += 1
        if waited >= _PATIENCE:
            scale, waited, price, kept = scale / 2, 0, found.bound.price, found
            direction = np.zeros_like(price)
            upper = min(upper, best(found.bound.posts))
        if scale < _SMALLEST_STEP or time.monotonic() > until:
            break
    return replace(found.bound, asked=asked)


@dataclass(frozen=True)
class _Priced:
    bound: Bound
    slope: Numbers


def _first_prices(problem: PostsProblem) -> Numbers:
    """The cost of the second nearest site, or so."""
    price = np.zeros(problem.n_communities)
    order = np.lexsort((problem.cost, problem.community))
    community = problem.community[order]
    place = np.arange(len(order)) - np.searchsorted(community, community)
    at = order[place <= 1]
    np.maximum.at(price, problem.community[at], problem.cost[at])
    return price


def _step(problem: PostsProblem, price: Numbers) -> _Priced:
    """The bound at these prices, and the way in which it rises."""
    gain = problem.cost - price[problem.community]
    wanted = np.flatnonzero(gain < 0)
    if np.isinf(problem.capacity):
        site_of, value, taken = _without_limit(problem, gain, wanted)
    else:
        site_of, value, taken = _with_limit(problem, gain, wanted)
    posts, total, to_open = _choose(problem, site_of, value)
    served = taken(posts)
    taken_up = np.bincount(problem.community[wanted], served, problem.n_communities)
    slope = np.asarray(1.0 - taken_up, dtype=np.float64)
    # Who pays as much as going without costs may as well go without.
    at_ceiling = price >= problem.fallback
    slope[at_ceiling] = np.minimum(slope[at_ceiling], 0.0)
    return _Priced(
        Bound(float(price.sum()) + total, price, to_open, posts, posts.astype(np.float64)), slope
    )


def _without_limit(
    problem: PostsProblem, gain: Numbers, wanted: Counts
) -> tuple[Counts, Numbers, Callable[[Counts], Numbers]]:
    value = np.bincount(problem.site[wanted], gain[wanted], problem.n_sites).astype(np.float64)
    site = problem.site[wanted]
    sites = np.arange(problem.n_sites, dtype=np.int64)
    return sites, value, lambda posts: (posts[site] > 0).astype(np.float64)


def _with_limit(
    problem: PostsProblem, gain: Numbers, wanted: Counts
) -> tuple[Counts, Numbers, Callable[[Counts], Numbers]]:
    """For each site its first post's value, its second's and so on: a knapsack, best first."""
    size = problem.demand[problem.community[wanted]]
    ratio = gain[wanted] / np.maximum(size, 1e-12)
    order = np.lexsort((ratio, problem.site[wanted]))
    site, size = problem.site[wanted][order], size[order]
    filled = np.concatenate([[0.0], np.cumsum(size)])
    worth = np.concatenate([[0.0], np.cumsum(gain[wanted][order])])
    start = np.searchsorted(site, np.arange(problem.n_sites))
    end = np.searchsorted(site, np.arange(problem.n_sites), side="right")
    total = filled[end] - filled[start]
    n_levels = np.minimum(np.ceil(total / problem.capacity), problem.most).astype(np.int64)
    site_of = np.repeat(np.arange(problem.n_sites), n_levels)
    level = np.arange(len(site_of)) - np.repeat(np.cumsum(n_levels) - n_levels, n_levels) + 1
    at = filled[start][site_of] + np.minimum(level * problem.capacity, total[site_of])
    reached = np.interp(at, filled, worth) - worth[start][site_of]
    value = np.diff(reached, prepend=0.0)
    value[level == 1] = reached[level == 1]
    before = filled[:-1] - filled[start][site]

    def taken(posts: Counts) -> Numbers:
        room = (posts[site] * problem.capacity - before) / np.maximum(size, 1e-12)
        served = np.empty(len(order))
        served[order] = np.clip(room, 0.0, 1.0)
        return served

    return site_of, value, taken


def _choose(
    problem: PostsProblem, site_of: Counts, value: Numbers
) -> tuple[Counts, float, Numbers]:
    """The posts worth most within the budget, those that stand first."""
    level = np.arange(len(site_of)) - np.searchsorted(site_of, site_of)
    stands = level < problem.least[site_of]
    free = np.flatnonzero(~stands & (problem.most[site_of] > level))
    room = problem.budget - int(problem.least.sum())
    order = free[np.argsort(value[free], kind="stable")]
    chosen = order[: max(room, 0)]
    chosen = chosen[value[chosen] < 0]
    posts = problem.least + np.bincount(site_of[chosen], minlength=problem.n_sites)
    total = float(value[chosen].sum() + value[stands].sum())
    # One more post displaces the least valuable of those chosen, if the budget is full.
    last = float(value[chosen[-1]]) if 0 < len(chosen) == room else 0.0
    first = np.zeros(problem.n_sites)
    at = level == 0
    first[site_of[at]] = value[at]
    to_open = np.where(posts > 0, 0.0, np.maximum(first - last, 0.0))
    return posts, total, to_open
