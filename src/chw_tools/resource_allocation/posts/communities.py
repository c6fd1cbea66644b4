"""From the needs of communities to the problem of posts, and from its plan back to a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from chw_tools.records import conform
from chw_tools.records.planning import POSTED
from chw_tools.resource_allocation.posts.problem import PostsProblem, served_share
from chw_tools.resource_allocation.travel import straight_km, walking_minutes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from chw_tools.programme import Programme
    from chw_tools.resource_allocation.posts.problem import Counts, Numbers, PostsPlan

_KM_PER_DEGREE = 111.2
#: Nearest sites of each community that may serve it (planning design: 15 to 25).
NEAR_SITES = 20


class Communities(NamedTuple):
    """A problem of posts, the communities it is about, and those that cannot be planned."""

    problem: PostsProblem
    table: pd.DataFrame
    posts_before: Counts
    set_aside: pd.DataFrame


def posts_problem(
    communities: pd.DataFrame,
    workers: pd.DataFrame,
    areas: pd.DataFrame,
    *,
    programme: Programme,
    budget: int,
    keep: NDArray[np.bool_] | None = None,
) -> Communities:
    """Posts at the communities themselves, within the walk limit.

    Parameters
    ----------
    communities : DataFrame
        As declared in ``COMMUNITY_NEEDS``.
    workers : DataFrame
        Those at work; each is a post of the community they stand nearest to, or work in.
    areas : DataFrame
        As declared; the area above a community is its group for fairness.
    programme : Programme
        Speed, limits and hours of a worker.
    budget : int
        Posts in all; those that stay count even beyond it.
    keep : ndarray of bool, optional
        Which of the workers' posts stay where they are; all of them if not given.
    """
    placed = communities["latitude"].notna() & communities["longitude"].notna()
    aside = communities.loc[~placed, ["area_id"]].assign(reason="No position is known.")
    table = communities[placed].sort_values("area_id", ignore_index=True)
    n = len(table)
    site_of = _site_of_workers(table, workers)
    stays = site_of >= 0
    if keep is not None:
        stays &= keep
    before = np.bincount(site_of[site_of >= 0], minlength=n)
    least = np.bincount(site_of[stays], minlength=n)
    community, site, minutes, beyond = _near_pairs(table, programme)
    figures = programme.scope.workload
    hours = programme.planning.capacity_minutes * figures.working_days / 60.0
    above = areas.set_index("id")["parent_id"].reindex(table["area_id"]).astype("object")
    group, names = pd.factorize(above.fillna(""), sort=True)
    problem = PostsProblem(
        community=community,
        site=site,
        minutes=minutes,
        demand=table["hours"].to_numpy(dtype=np.float64),
        people=table["n_people"].to_numpy(dtype=np.float64),
        least=least,
        most=np.full(n, max(budget, int(least.max(initial=0)), 1), dtype=np.int64),
        budget=max(budget, int(least.sum())),
        capacity=hours,
        unserved_minutes=figures.unserved_minutes,
        beyond_minutes=beyond,
        group=group.astype(np.int64),
        floor=np.zeros(len(names)),
    )
    return Communities(problem, table, before, aside.reset_index(drop=True))


def _site_of_workers(table: pd.DataFrame, workers: pd.DataFrame) -> Counts:
    """The community each worker stands nearest to; by area where no position is known."""
    if not len(table):
        return np.full(len(workers), -1)
    place = pd.Series(np.arange(len(table)), index=table["area_id"])
    by_area = workers["area_id"].map(place).fillna(-1).to_numpy(dtype=np.int64)
    km = _km(workers, table)
    known = ~np.isnan(km).all(axis=1)
    nearest = np.where(np.isnan(km), np.inf, km).argmin(axis=1)
    return np.asarray(np.where(known, nearest, by_area), dtype=np.int64)


def _km(rows: pd.DataFrame, columns: pd.DataFrame) -> Numbers:
    return straight_km(
        rows["latitude"].to_numpy(dtype=np.float64)[:, None],
        rows["longitude"].to_numpy(dtype=np.float64)[:, None],
        (
            columns["latitude"].to_numpy(dtype=np.float64)[None, :],
            columns["longitude"].to_numpy(dtype=np.float64)[None, :],
        ),
    )


def _near_pairs(
    table: pd.DataFrame, programme: Programme
) -> tuple[Counts, Counts, Numbers, Numbers]:
    """The nearest sites of each community within the limit, and how far the next one is."""
    from scipy.spatial import cKDTree

    n = len(table)
    if not n:
        none = np.zeros(0, dtype=np.int64)
        return none, none, np.zeros(0), np.zeros(0)
    latitude = table["latitude"].to_numpy(dtype=np.float64)
    longitude = table["longitude"].to_numpy(dtype=np.float64)
    narrow = np.cos(np.radians(latitude.mean()))
    flat = np.column_stack([latitude, longitude * narrow]) * _KM_PER_DEGREE
    k = min(NEAR_SITES + 1, n)
    _, site = cKDTree(flat).query(flat, k=k)
    site = np.asarray(site, dtype=np.int64).reshape(n, k)
    minutes = walking_minutes(
        latitude[:, None],
        longitude[:, None],
        (latitude[site], longitude[site]),
        planning=programme.planning,
    )
    minutes[minutes > programme.scope.workload.walk_limit_minutes] = np.inf
    # On the plane the next site may seem a little farther than it is.
    beyond = minutes[:, -1] * 0.999 if n > NEAR_SITES else np.full(n, np.inf)
    kept = np.isfinite(minutes[:, :NEAR_SITES])
    community = np.nonzero(kept)[0].astype(np.int64)
    return community, site[:, :NEAR_SITES][kept], minutes[:, :NEAR_SITES][kept], beyond


def posted_table(communities: Communities, plan: PostsPlan) -> pd.DataFrame:
    """The plan by community, as declared in ``POSTED``."""
    problem = communities.problem
    served = served_share(problem, plan.share)
    n = problem.n_communities
    walked = np.bincount(problem.community, problem.minutes * plan.share, n)
    frame = pd.DataFrame(
        {
            "area_id": communities.table["area_id"],
            "posts_before": communities.posts_before,
            "posts": plan.posts,
            "hours": problem.demand,
            "served": np.clip(served, 0.0, 1.0),
            "walk_minutes": np.where(served > 0, walked / np.where(served > 0, served, 1), np.nan),
            "reason": [why or None for why in plan.why_unserved],
        }
    )
    return conform(POSTED, frame)


def path_km(communities: Communities, *, programme: Programme) -> Numbers:
    """Distance by path from each community to each site."""
    return _km(communities.table, communities.table) * programme.planning.detour
