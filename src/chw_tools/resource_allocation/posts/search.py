"""A local search for sites: take a post from one site and put it at another.

Source: Teitz and Bart, Operations Research 1968;16:955; Resende and Werneck, European Journal
of Operational Research 2007;174:54 (all exchanges valued at once).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from chw_tools.resource_allocation.posts.problem import Counts, Numbers, PostsProblem


def greedy_sites(problem: PostsProblem, posts: Counts) -> Counts:
    """Posts added one by one where each saves most walking, capacity not regarded."""
    posts = posts.copy()
    near = _Near(problem)
    for _ in range(int(problem.budget - posts.sum())):
        first, _, _ = near.two_nearest(posts)
        gain = near.gain(first)
        gain[(posts > 0) | (problem.most <= posts)] = -np.inf
        if not len(gain) or gain.max() <= 0:
            break
        posts[int(gain.argmax())] += 1
    return posts


def exchange_sites(
    problem: PostsProblem, posts: Counts, *, iterations: int, until: float
) -> Counts:
    """Move single posts while that saves walking, capacity not regarded.

    Parameters
    ----------
    problem : PostsProblem
        Its capacity is not regarded.
    posts : ndarray of int
        Where to begin; those that stand stay.
    iterations : int
        Most exchanges.
    until : float
        Moment of the monotonic clock after which none begins.
    """
    near = _Near(problem)
    posts = posts.copy()
    for _ in range(iterations):
        if time.monotonic() > until:
            break
        found = near.best_exchange(posts)
        if found is None:
            break
        leaves, enters = found
        posts[leaves] -= 1
        posts[enters] += 1
    return posts


def walked_cost(problem: PostsProblem, posts: Counts) -> float:
    """People times minutes where each community goes to its nearest post."""
    first, _, _ = _Near(problem).two_nearest(posts)
    return float(first.sum())


class _Near:
    """Pairs sorted by community and cost, so that the nearest open sites are found at once."""

    def __init__(self, problem: PostsProblem) -> None:
        cost = problem.cost
        order = np.lexsort((cost, problem.community))
        self.problem = problem
        self.community = problem.community[order]
        self.site = problem.site[order]
        self.cost = cost[order]
        finite = cost[np.isfinite(cost)]
        dearest = float(finite.max()) if len(finite) else 1.0
        # Nobody near: dearer than any site, so that the search looks for one.
        self.nobody = np.where(
            np.isfinite(problem.unserved_cost), problem.unserved_cost, 10 * dearest + 1.0
        )

    def two_nearest(self, posts: Counts) -> tuple[Numbers, Numbers, Counts]:
        """Cost of the nearest and the second nearest open site, and which is the nearest."""
        is_open = np.flatnonzero(posts[self.site] > 0)
        community = self.community[is_open]
        place = np.arange(len(is_open)) - np.searchsorted(community, community)
        first, second = self.nobody.copy(), self.nobody.copy()
        nearest = np.full(self.problem.n_communities, -1)
        at = is_open[place == 0]
        first[self.community[at]] = np.minimum(self.cost[at], first[self.community[at]])
        nearest[self.community[at]] = self.site[at]
        at = is_open[place == 1]
        second[self.community[at]] = np.minimum(self.cost[at], second[self.community[at]])
        return first, second, nearest

    def gain(self, first: Numbers) -> Numbers:
        """What a post at each site saves."""
        saved = np.maximum(first[self.community] - self.cost, 0.0)
        gain = np.bincount(self.site, saved, self.problem.n_sites)
        return np.asarray(gain, dtype=np.float64)

    def best_exchange(self, posts: Counts) -> tuple[int, int] | None:
        """The exchange that saves most, or none that saves."""
        first, second, nearest = self.two_nearest(posts)
        may_leave = np.flatnonzero((posts == 1) & (self.problem.least == 0))
        if not len(may_leave):
            return None
        number = np.full(self.problem.n_sites + 1, -1)
        number[may_leave] = np.arange(len(may_leave))
        whose = number[nearest]
        has = whose >= 0
        lost = np.bincount(whose[has], (second - first)[has], len(may_leave))
        kept = second[self.community] - np.maximum(self.cost, first[self.community])
        near = (kept > 0) & has[self.community]
        cell = self.site[near] * len(may_leave) + whose[self.community[near]]
        size = self.problem.n_sites * len(may_leave)
        saved = np.bincount(cell, kept[near], size).reshape(self.problem.n_sites, len(may_leave))
        total = saved + self.gain(first)[:, None] - lost[None, :]
        total[(posts > 0) | (self.problem.most < 1)] = -np.inf
        best = int(total.argmax())
        enters, leaves = divmod(best, len(may_leave))
        if total[enters, leaves] <= 1e-9 * max(float(first.sum()), 1.0):
            return None
        return int(may_leave[leaves]), enters
