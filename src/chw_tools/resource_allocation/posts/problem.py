"""Where to post workers: the question, the answer, and the check that an answer is one.

A community needs hours; a site may hold posts; a post gives hours. A pair is a community and
a site near enough to serve it. Everything is an array over communities, sites or pairs.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]
    Counts = NDArray[np.int64]

#: Shares and sums may differ by so much and count as equal.
TOLERANCE = 1e-6


@dataclass(frozen=True)
class PostsProblem:
    """How many posts at each site, and which community is served from where.

    Parameters
    ----------
    community, site, minutes : ndarray, shape (n_pairs,)
        Number of the community, number of the site, and minutes between them, one way.
        A site farther than the walk limit is in no pair.
    demand : ndarray, shape (n_communities,)
        Hours needed, in the unit of ``capacity``.
    people : ndarray, shape (n_communities,)
        How much a community counts in the mean.
    least, most : ndarray of int, shape (n_sites,)
        Posts that stand and stay, and the most there may be.
    budget : int
        Posts in all, those that stand included.
    capacity : float
        Hours one post gives; infinite where a site serves whoever is near.
    unserved_minutes : float
        What a person without service counts as in the mean; infinite where everybody must
        be served.
    beyond_minutes : ndarray, shape (n_communities,), optional
        Minutes to the nearest site that is within the limit and in no pair. Makes the bound
        hold for all sites, not only for those in pairs.
    group, floor : ndarray, optional
        Number of each community's group, and the least share of each group's hours that is
        served.
    is_whole : bool
        A community is served from one site or not at all.
    """

    community: Counts
    site: Counts
    minutes: Numbers
    demand: Numbers
    people: Numbers
    least: Counts
    most: Counts
    budget: int
    capacity: float = np.inf
    unserved_minutes: float = np.inf
    beyond_minutes: Numbers | None = None
    group: Counts | None = None
    floor: Numbers | None = None
    is_whole: bool = False

    def __post_init__(self) -> None:
        sizes = {len(self.community), len(self.site), len(self.minutes)}
        if len(sizes) > 1 or len(self.demand) != len(self.people):
            raise ValueError("arrays over the same things differ in length")
        if (self.group is None) != (self.floor is None):
            raise ValueError("groups and floors are given together")
        if not (self.demand >= 0).all() or not (self.people >= 0).all():
            raise ValueError("demand and people are numbers from 0")

    @property
    def n_communities(self) -> int:
        """Communities."""
        return len(self.demand)

    @property
    def n_sites(self) -> int:
        """Sites that may hold posts."""
        return len(self.least)

    @property
    def cost(self) -> Numbers:
        """People times minutes of serving the whole community over each pair."""
        return np.asarray(self.people[self.community] * self.minutes, dtype=np.float64)

    @property
    def fallback(self) -> Numbers:
        """The least that a community can cost outside the pairs, in people times minutes."""
        beyond = np.inf if self.beyond_minutes is None else self.beyond_minutes
        nothing = np.where(self.people > 0, np.minimum(beyond, self.unserved_minutes), 0.0)
        return np.asarray(np.where(nothing > 0, self.people * nothing, 0.0), dtype=np.float64)

    @property
    def unserved_cost(self) -> Numbers:
        """What leaving a whole community without service costs."""
        minutes = np.where(self.people > 0, self.unserved_minutes, 0.0)
        return np.asarray(self.people * minutes, dtype=np.float64)

    def of_pairs(self, at: Counts) -> PostsProblem:
        """The same problem with these pairs only."""
        return replace(
            self, community=self.community[at], site=self.site[at], minutes=self.minutes[at]
        )


@dataclass(frozen=True)
class Served:
    """Posts and shares, before anybody judged them."""

    posts: Counts
    share: Numbers


@dataclass(frozen=True)
class PostsPlan:
    """Posts by site, and how every community is served.

    Parameters
    ----------
    posts : ndarray of int, shape (n_sites,)
        Posts at each site, those that stand included.
    share : ndarray, shape (n_pairs,)
        Share of the community's hours served over each pair.
    cost, bound : float
        People times minutes, and what no plan can go below.
    faults : tuple of str
        Why the plan is not feasible; empty where it is.
    unserved : ndarray, shape (n_communities,)
        Share of each community's hours that nobody serves.
    why_unserved : tuple of str
        The reason, by community; empty text where all is served.
    seconds : float
        Time it took.
    notes : tuple of str
        What a reader must know.
    """

    posts: Counts
    share: Numbers
    cost: float
    bound: float
    faults: tuple[str, ...]
    unserved: Numbers
    why_unserved: tuple[str, ...]
    seconds: float = 0.0
    notes: tuple[str, ...] = field(default=())

    @property
    def is_feasible(self) -> bool:
        """Whether every rule of the problem is kept."""
        return not self.faults

    @property
    def gap(self) -> float:
        """How far above the bound the cost is, as a share of the cost; 0 is proven best."""
        if self.cost <= self.bound + TOLERANCE:
            return 0.0
        return (self.cost - self.bound) / self.cost


def served_share(problem: PostsProblem, share: Numbers) -> Numbers:
    """Share of each community's hours that somebody serves."""
    served = np.bincount(problem.community, share, problem.n_communities)
    return np.asarray(served, dtype=np.float64)


def cost_of(problem: PostsProblem, share: Numbers) -> float:
    """People times minutes, those without service counted as the problem says."""
    walked = float((problem.cost * share).sum())
    left = np.maximum(1.0 - served_share(problem, share), 0.0)
    left[left < TOLERANCE] = 0.0
    without = np.where(left > 0, problem.unserved_cost, 0.0)
    return walked + float((without * left).sum())


def find_faults(problem: PostsProblem, answer: Served) -> tuple[str, ...]:
    """Every rule that posts and shares break, from the numbers alone."""
    posts, share = answer.posts, answer.share
    load = np.bincount(problem.site, share * problem.demand[problem.community], problem.n_sites)
    served = served_share(problem, share)
    room = np.where(posts > 0, problem.capacity, 0.0) * np.maximum(posts, 1)
    checks = [
        (posts.sum() > problem.budget, f"{posts.sum()} posts where {problem.budget} may be."),
        ((posts < problem.least).any(), "A post that stays was taken away."),
        ((posts > problem.most).any(), "A site holds more posts than it may."),
        ((load > room * (1 + TOLERANCE) + TOLERANCE).any(), "A post serves more than it can."),
        ((share < -TOLERANCE).any() or (served > 1 + TOLERANCE).any(), "A share is not one."),
        ((share[posts[problem.site] == 0] > TOLERANCE).any(), "A site without post serves."),
        (
            problem.is_whole and (np.abs(share - np.round(share)) > TOLERANCE).any(),
            "A community that must stay whole is split.",
        ),
        (
            np.isinf(problem.unserved_minutes)
            and (served[problem.people > 0] < 1 - TOLERANCE).any(),
            "Somebody is not served.",
        ),
    ]
    return (*(said for is_broken, said in checks if is_broken), *_below_floor(problem, served))


def _below_floor(problem: PostsProblem, served: Numbers) -> list[str]:
    if problem.group is None or problem.floor is None:
        return []
    reached = group_shares(problem, served)
    return [
        f"Group {g} is served to {share:.1%}; its floor is {floor:.1%}."
        for g, (share, floor) in enumerate(zip(reached, problem.floor, strict=True))
        if share < floor - 1e-4
    ]


def group_shares(problem: PostsProblem, served: Numbers) -> Numbers:
    """Share of each group's hours that is served; a group that needs none is served."""
    if problem.group is None or problem.floor is None:
        raise ValueError("the problem names no groups")
    n = len(problem.floor)
    needed = np.bincount(problem.group, problem.demand, n)
    got = np.bincount(problem.group, problem.demand * np.clip(served, 0, 1), n)
    return np.asarray(np.where(needed > 0, got / np.where(needed > 0, needed, 1), 1.0))
