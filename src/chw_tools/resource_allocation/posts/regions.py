"""Large plans bettered region by region: one region's posts and shares solved anew, the rest fixed.

Source: large neighbourhood search, Shaw, CP 1998, LNCS 1520:417; regions as pieces are of this
project.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from chw_tools.resource_allocation.posts.milp import solve_milp
from chw_tools.resource_allocation.posts.problem import (
    TOLERANCE,
    Served,
    cost_of,
    find_faults,
    served_share,
)

if TYPE_CHECKING:
    from chw_tools.resource_allocation.posts.problem import Counts, Numbers, PostsProblem

#: Sites of one region and seconds for it: small enough that HiGHS ends, mostly at the best.
_REGION_SITES = 30
_REGION_SECONDS = 4.0


@dataclass(frozen=True)
class _Region:
    """A part of the problem, and where its pairs and sites lie in the whole."""

    problem: PostsProblem
    pairs: Counts
    sites: Counts
    communities: Counts
    part: Numbers


def better_by_region(
    problem: PostsProblem, answer: Served, *, seed: int, iterations: int, until: float
) -> Served:
    """Solve region after region anew; each answer is kept only if it is cheaper.

    Parameters
    ----------
    problem : PostsProblem
        A region does not see the floors of groups; an answer that breaks one is not kept.
    answer : Served
        A plan that keeps all rules.
    seed : int
        Decides the order of regions.
    iterations : int
        Most regions.
    until : float
        Moment of the monotonic clock after which no region begins.
    """
    chance = np.random.default_rng(seed)
    near = _NearSites(problem)
    n_tried = 0
    while n_tried < iterations and time.monotonic() < until:
        for centre in _round(problem, answer, chance):
            if n_tried >= iterations or time.monotonic() > until:
                break
            sites = near.region(int(centre), _REGION_SITES)
            seconds = min(_REGION_SECONDS, max(until - time.monotonic(), 0.5))
            answer = _solved_anew(problem, answer, sites, seed=seed, seconds=seconds)
            n_tried += 1
    return answer


def _round(problem: PostsProblem, answer: Served, chance: np.random.Generator) -> Counts:
    """Centres such that every post is in a region, most of them in several."""
    held = np.flatnonzero(answer.posts > 0)
    n = max(1, 3 * problem.n_sites // _REGION_SITES)
    return chance.permutation(held)[:n]


def _solved_anew(
    problem: PostsProblem, answer: Served, sites: Counts, *, seed: int, seconds: float
) -> Served:
    region = _cut(problem, answer, sites)
    if not len(region.pairs):
        return answer
    before = answer.share[region.pairs] / region.part[region.problem.community]
    start = Served(answer.posts[region.sites], before)
    solved = solve_milp(region.problem, seconds=seconds, seed=seed, start=start, gap=5e-4)
    if solved.answer is None:
        return answer
    if cost_of(region.problem, solved.answer.share) >= cost_of(region.problem, before) - TOLERANCE:
        return answer
    posts, share = answer.posts.copy(), answer.share.copy()
    posts[region.sites] = solved.answer.posts
    share[region.pairs] = solved.answer.share * region.part[region.problem.community]
    found = Served(posts, share)
    return answer if problem.floor is not None and find_faults(problem, found) else found


def _cut(problem: PostsProblem, answer: Served, sites: Counts) -> _Region:
    """The sites, with that part of each community that they serve or that nobody serves."""
    inside = np.zeros(problem.n_sites, dtype=bool)
    inside[sites] = True
    of_region = inside[problem.site]
    n = problem.n_communities
    here = np.bincount(problem.community[of_region], answer.share[of_region], n)
    left = np.maximum(1.0 - served_share(problem, answer.share), 0.0)
    part = np.where(np.bincount(problem.community[of_region], minlength=n) > 0, here + left, 0.0)
    communities = np.flatnonzero(part > TOLERANCE)
    place = np.full(n, -1)
    place[communities] = np.arange(len(communities))
    pairs = np.flatnonzero(of_region & (place[problem.community] >= 0))
    number = np.full(problem.n_sites, -1)
    number[sites] = np.arange(len(sites))
    cut = replace(
        problem,
        community=place[problem.community[pairs]],
        site=number[problem.site[pairs]],
        minutes=problem.minutes[pairs],
        demand=problem.demand[communities] * part[communities],
        people=problem.people[communities] * part[communities],
        least=problem.least[sites],
        most=problem.most[sites],
        budget=int(answer.posts[sites].sum()) + max(problem.budget - int(answer.posts.sum()), 0),
        beyond_minutes=None,
        group=None,
        floor=None,
    )
    return _Region(cut, pairs, sites, communities, part[communities])


class _NearSites:
    """Which sites are near to each other, as far as the pairs tell."""

    def __init__(self, problem: PostsProblem) -> None:
        order = np.lexsort((problem.minutes, problem.community))
        self.site = problem.site[order]
        self.start = np.searchsorted(problem.community[order], np.arange(problem.n_communities + 1))
        by_site = np.lexsort((problem.minutes, problem.site))
        self.community = problem.community[by_site]
        self.start_of = np.searchsorted(problem.site[by_site], np.arange(problem.n_sites + 1))

    def region(self, centre: int, n: int) -> Counts:
        """The site and those reached from it over shared communities, nearest first."""
        found, ahead = {centre: None}, [centre]
        seen: set[int] = set()
        while ahead and len(found) < n:
            site = ahead.pop(0)
            for community in self.community[self.start_of[site] : self.start_of[site + 1]][:8]:
                if community in seen:
                    continue
                seen.add(int(community))
                for other in self.site[self.start[community] : self.start[community + 1]]:
                    if int(other) not in found:
                        found[int(other)] = None
                        ahead.append(int(other))
        return np.array(list(found)[:n], dtype=np.int64)
