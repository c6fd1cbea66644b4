"""Given posts, who is served from where: the plain way, without a solver."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from chw_tools.resource_allocation.posts.problem import TOLERANCE, Served, served_share

if TYPE_CHECKING:
    from chw_tools.resource_allocation.posts.problem import Counts, PostsProblem


def serve_nearest(problem: PostsProblem, posts: Counts) -> Served:
    """The nearest pairs first, as far as the posts' hours go.

    Best where posts have no limit; with one, a start for something better.
    """
    is_open = np.flatnonzero(posts[problem.site] > 0)
    order = is_open[np.lexsort((problem.community[is_open], problem.minutes[is_open]))]
    share = np.zeros(len(problem.community))
    if np.isinf(problem.capacity):
        _, first = np.unique(problem.community[order], return_index=True)
        share[order[first]] = 1.0
        return Served(posts, share)
    room = (posts * problem.capacity).tolist()
    left = np.ones(problem.n_communities).tolist()
    demand = problem.demand.tolist()
    community, site = problem.community.tolist(), problem.site.tolist()
    for pair in order.tolist():
        i, j = community[pair], site[pair]
        needs = demand[i] * left[i]
        part = left[i] if needs <= room[j] else room[j] / demand[i] if demand[i] > 0 else 0.0
        if part <= 0 or (problem.is_whole and part < 1):
            continue
        share[pair] = part
        left[i] -= part
        room[j] -= part * demand[i]
    return Served(posts, share)


def why_unserved(problem: PostsProblem, answer: Served) -> tuple[str, ...]:
    """For each community the reason why a part of its hours is not served, or no text."""
    left = 1.0 - served_share(problem, answer.share)
    n = problem.n_communities
    has_site = np.bincount(problem.community, minlength=n) > 0
    near = answer.posts[problem.site] > 0
    has_post = np.bincount(problem.community[near], minlength=n) > 0
    reason = np.select(
        [left <= TOLERANCE, problem.people <= 0, ~has_site, ~has_post],
        ["", "", "No site within the walk limit.", "No post within the walk limit."],
        default="The posts within the walk limit are full.",
    )
    return tuple(reason.tolist())
