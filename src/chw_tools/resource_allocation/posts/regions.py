"""Large plans bettered region by region: one region's posts and shares solved anew, the rest fixed.

In turns among the sites that the prices asked for, so that a region reaches far, and all.

Source: large neighbourhood search, Shaw, CP 1998, LNCS 1520:417; sites left out that the
relaxation does not want, as in relaxation induced neighbourhoods (Danna, Rothberg and Le Pape,
Mathematical Programming 2005;102:71); regions as pieces are of this project.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from itertools import cycle
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
    from numpy.typing import NDArray

    from chw_tools.resource_allocation.posts.problem import Counts, Numbers, PostsProblem

#: Rounds, again and again: whether among the sites asked for, and sites of one region. Such
#: regions are small enough that HiGHS mostly ends; those of few sites take hundredths of a second.
_ROUNDS = ((False, 20), (True, 30), (False, 30))
#: Most seconds for one region.
_REGION_SECONDS = 6.0


@dataclass(frozen=True)
class _Region:
    """A part of the problem, and where its pairs and sites lie in the whole."""

    problem: PostsProblem
    pairs: Counts
    sites: Counts
    communities: Counts
    part: Numbers


def better_by_region(
    problem: PostsProblem,
    answer: Served,
    *,
    seed: int,
    iterations: int,
    until: float,
    asked: NDArray[np.bool_] | None = None,
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
    asked : ndarray of bool, shape (n_sites,), optional
        Every other round is among these sites and those that hold a post; all if not given.
    """
    chance = np.random.default_rng(seed)
    left = iterations
    for is_asked, size in cycle(_ROUNDS):
        if left <= 0 or time.monotonic() > until:
            return answer
        sites = np.ones(problem.n_sites, dtype=bool) if asked is None or not is_asked else asked
        part, at = _among(problem, answer, sites)
        near = _NearSites(part)
        found = Served(answer.posts, answer.share[at])
        for centre in _round(part, found, chance, size)[:left]:
            seconds = min(_REGION_SECONDS, until - time.monotonic())
            if seconds <= 0:
                break
            region = near.region(int(centre), size)
            found = _solved_anew(part, found, region, seed=seed, seconds=max(seconds, 0.5))
            left -= 1
        answer = _in_whole(problem, found, at)
    return answer


def _among(
    problem: PostsProblem, answer: Served, sites: NDArray[np.bool_]
) -> tuple[PostsProblem, Counts]:
    """The problem over these sites and those that hold posts, and where its pairs lie."""
    at = np.flatnonzero((sites | (answer.posts > 0))[problem.site])
    return problem.of_pairs(at), at


def _in_whole(problem: PostsProblem, found: Served, at: Counts) -> Served:
    share = np.zeros(len(problem.community))
    share[at] = found.share
    return Served(found.posts, share)


def _round(problem: PostsProblem, answer: Served, chance: np.random.Generator, size: int) -> Counts:
    """Centres such that most posts are in a region, many of them in several."""
    held = np.flatnonzero(answer.posts > 0)
    n = max(1, 3 * len(np.unique(problem.site)) // (2 * size))
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
