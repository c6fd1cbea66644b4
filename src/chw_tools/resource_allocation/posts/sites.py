"""One more site, of any kind, on one scale: how much more a service would be used.

A further post, a post moved, a second facility or an outreach point all bring a service
nearer. Each is valued by the same fall of use with distance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from chw_tools.resource_allocation.posts.problem import Counts, Numbers


def use_by_distance(km: Numbers, *, fall_per_km: float) -> Numbers:
    """Use of a service at a distance, next door as 1; none where no distance is known.

    >>> use_by_distance(np.array([0.0, 1.0]), fall_per_km=0.28).tolist()
    [1.0, 0.72]
    """
    return np.where(np.isfinite(km), (1.0 - fall_per_km) ** np.where(np.isfinite(km), km, 0), 0.0)


def compare_sites(
    km: Numbers, people: Numbers, open_sites: Counts, *, fall_per_km: float
) -> pd.DataFrame:
    """What each site would add to the open ones, and what moving the best open one there would.

    Parameters
    ----------
    km : ndarray, shape (n_communities, n_sites)
        Distance by path; infinite or missing where nobody goes.
    people : ndarray, shape (n_communities,)
        People of each community.
    open_sites : ndarray of int
        Sites that serve now; may be none.
    fall_per_km : float
        Share of use lost with each km.

    Returns
    -------
    DataFrame
        By ``site``, best first: ``use_added`` and ``use_moved`` (people's use gained as a
        share of the use now; by number of people where there is none now), ``moves_from``,
        and ``mean_km`` with the site added.
    """
    km = np.where(np.isnan(km), np.inf, km)
    use = use_by_distance(km, fall_per_km=fall_per_km)
    now = use[:, open_sites].max(axis=1, initial=0.0)
    scale = float((people * now).sum()) or float(people.sum()) or 1.0
    added = (people[:, None] * np.maximum(use - now[:, None], 0.0)).sum(axis=0) / scale
    moved, source = _moved(use, people, open_sites, scale)
    nearest = km[:, open_sites].min(axis=1, initial=np.inf)
    with_site = np.minimum(nearest[:, None], km)
    reached = np.isfinite(with_site)
    walked = (people[:, None] * np.where(reached, with_site, 0.0)).sum(axis=0)
    counted = (people[:, None] * reached).sum(axis=0)
    frame = pd.DataFrame(
        {
            "site": np.arange(km.shape[1]),
            "use_added": added,
            "use_moved": moved,
            "moves_from": source,
            "mean_km": walked / np.maximum(counted, 1e-12),
        }
    )
    is_open = frame["site"].isin(open_sites)
    return frame[~is_open].sort_values("use_added", ascending=False, ignore_index=True)


def _moved(
    use: Numbers, people: Numbers, open_sites: Counts, scale: float
) -> tuple[Numbers, Counts]:
    """Gain of the best move to each site, and which open site it leaves."""
    best = np.full(use.shape[1], -np.inf)
    source = np.full(use.shape[1], -1)
    now = float((people * use[:, open_sites].max(axis=1, initial=0.0)).sum())
    for site in open_sites.tolist():
        others = open_sites[open_sites != site]
        rest = use[:, others].max(axis=1, initial=0.0)
        gain = (people[:, None] * np.maximum(use, rest[:, None])).sum(axis=0) - now
        better = gain > best
        best[better], source[better] = gain[better], site
    return np.where(source >= 0, best / scale, np.nan), source
