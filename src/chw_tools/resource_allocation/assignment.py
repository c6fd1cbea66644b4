"""Which worker looks after which home; a home is never split between workers."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from chw_tools.records import TABLES, Source, conform, derived_ids
from chw_tools.resource_allocation.travel import straight_km

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from chw_tools.programme import Programme

_ASSUMED = "assumed"
#: Loads may differ by so much before a home goes to a farther worker (planning design: 15 %).
_LOAD_BAND = 1.15


def assumed_workers(
    people: pd.DataFrame, *, programme: Programme, as_of: pd.Timestamp
) -> pd.DataFrame:
    """Workers where the data name none: one per ``people_per_worker`` of the programme.

    Parameters
    ----------
    people : DataFrame
        As declared; who died or moved away is not counted.
    programme : Programme
        Says how many people one worker looks after.
    as_of : Timestamp
        Day from which they are known.

    Returns
    -------
    DataFrame
        As declared in ``WORKERS``, named "Assumed worker 1" and so on, with source
        ``assumed``; the same people always give the same workers.
    """
    living = int((people["died_on"].isna() & people["moved_on"].isna()).sum())
    n = ceil(living / programme.planning.people_per_worker)
    numbers = [str(number) for number in range(1, n + 1)]
    frame = pd.DataFrame(
        {
            "id": derived_ids(Source(_ASSUMED), "workers", numbers),
            "name": [f"Assumed worker {number}" for number in numbers],
            "source": _ASSUMED,
            "source_id": numbers,
            "known_on": as_of.as_unit("s"),
        }
    )
    return conform(TABLES["workers"], frame)


def assign_households(
    people: pd.DataFrame,
    households: pd.DataFrame,
    areas: pd.DataFrame,
    workers: pd.DataFrame,
    *,
    caseloads: pd.Series | None = None,
) -> pd.Series:
    """The worker of each person, the whole home together.

    A home goes to the worker whom the caseloads plan for it, or else stays with the worker
    its record names, as far as they are at work. Otherwise it goes to a worker of its own
    area, or of the nearest area above it that has one, or to any: the nearest whose load
    is not far above the others'. Where no position is known, homes are shared out in order.

    Parameters
    ----------
    people, households, areas : DataFrame
        As declared; a person without a household is a home of one.
    workers : DataFrame
        Those at work; a planned or recorded worker counts only if among them.
    caseloads : Series, optional
        Worker planned for each home, by household (or person without one).

    Returns
    -------
    Series
        Worker by ``person_id``; missing only where there is no worker at all.
    """
    homes = _homes(people, households, areas)
    ids = workers["id"].sort_values(ignore_index=True)
    named = homes["worker_id"].where(homes["worker_id"].isin(ids)).astype("object")
    if caseloads is not None:
        planned = caseloads.reindex(homes.index).astype("object")
        named = planned.where(planned.isin(ids), named)
    chosen = pd.Series(named.to_numpy(), index=homes.index, dtype="object")
    load = homes["n"].groupby(chosen).sum().reindex(ids, fill_value=0).astype("float64")
    above = _areas_above(areas)
    pool = _pools(homes["area_id"], workers, above)
    for area, group in homes[chosen.isna()].groupby(pool, dropna=False, sort=True):
        those = workers if pd.isna(area) else workers[workers["area_id"] == area]
        those = those.sort_values("id")
        if len(those):
            chosen[group.index] = _shared_out(group, those, load)
    of_person = _home_of(people)
    return pd.Series(
        chosen.reindex(of_person).to_numpy(), index=pd.Index(people["id"], name="person_id")
    ).astype("str")


def _home_of(people: pd.DataFrame) -> pd.Series:
    return people["household_id"].fillna(people["id"])


def places_of(people: pd.DataFrame, households: pd.DataFrame, areas: pd.DataFrame) -> pd.DataFrame:
    """Each person's home, its area and position (that of the area where not known)."""
    # A household listed twice is one home; the first row counts.
    home = households.drop_duplicates("id").set_index("id")
    at = home.index.get_indexer(people["household_id"])
    taken = home.iloc[np.maximum(at, 0)].reset_index(drop=True) if len(home) else home.iloc[:0]
    frame = pd.DataFrame(
        {"person_id": people["id"].to_numpy(), "home": _home_of(people).to_numpy()}
    )
    for name in ("area_id", "worker_id", "latitude", "longitude"):
        blank = pd.Series(None, index=frame.index, dtype=home[name].dtype)
        frame[name] = taken[name].where(pd.Series(at >= 0)) if len(home) else blank
    frame["area_id"] = frame["area_id"].fillna(people["area_id"].reset_index(drop=True))
    centre = areas.set_index("id").reindex(frame["area_id"])
    unknown = frame["latitude"].isna() | frame["longitude"].isna()
    for name in ("latitude", "longitude"):
        frame[name] = frame[name].where(~unknown, centre[name].reset_index(drop=True))
    return frame


def _homes(people: pd.DataFrame, households: pd.DataFrame, areas: pd.DataFrame) -> pd.DataFrame:
    places = places_of(people, households, areas)
    homes = places.drop_duplicates("home").set_index("home").sort_index()
    return homes.assign(n=places.groupby("home").size())


def _areas_above(areas: pd.DataFrame) -> dict[str, str]:
    known = areas[areas["parent_id"].notna()]
    return dict(zip(known["id"], known["parent_id"], strict=True))


def _pools(area_of_home: pd.Series, workers: pd.DataFrame, above: dict[str, str]) -> pd.Series:
    """The nearest area, from a home's own upwards, in which a worker works."""
    staffed = set(workers["area_id"].dropna())
    found = {}
    for area in area_of_home.dropna().unique():
        at, seen = area, set()
        while at is not None and at not in staffed and at not in seen:
            seen.add(at)
            at = above.get(at)
        found[area] = at if at in staffed else None
    return area_of_home.map(found)


def _shared_out(homes: pd.DataFrame, workers: pd.DataFrame, load: pd.Series) -> NDArray[np.object_]:
    ids = workers["id"].to_numpy(dtype=object)
    total = homes["n"].sum() + load[ids].sum()
    most = max(total / len(ids) * _LOAD_BAND, 1.0)
    near = straight_km(
        homes["latitude"].to_numpy()[:, None],
        homes["longitude"].to_numpy()[:, None],
        (workers["latitude"].to_numpy()[None, :], workers["longitude"].to_numpy()[None, :]),
    )
    if np.isnan(near).all():
        return _in_turn(homes, ids, load)
    near = np.where(np.isnan(near), np.inf, near)
    return _nearest_with_room(homes["n"].to_numpy(dtype=np.float64), near, ids, load, most)


def _in_turn(homes: pd.DataFrame, ids: NDArray[np.object_], load: pd.Series) -> NDArray[np.object_]:
    """Homes in order of area and key, neighbours in the record to the same worker."""
    order = np.lexsort((homes.index.to_numpy(), homes["area_id"].fillna("").to_numpy()))
    size = homes["n"].to_numpy(dtype=np.float64)[order]
    room = np.maximum((size.sum() + load[ids].sum()) / len(ids) - load[ids].to_numpy(), 1e-9)
    middle = (np.cumsum(size) - size / 2) / size.sum() * room.sum()
    worker = np.minimum(np.searchsorted(np.cumsum(room), middle), len(ids) - 1)
    chosen = np.empty(len(order), dtype=object)
    chosen[order] = ids[worker]
    load[ids] += np.bincount(worker, weights=size, minlength=len(ids))
    return chosen


def _nearest_with_room(
    size: NDArray[np.float64],
    near: NDArray[np.float64],
    ids: NDArray[np.object_],
    load: pd.Series,
    most: float,
) -> NDArray[np.object_]:
    """Rounds: each home asks its nearest worker with room, who takes the nearest that fit."""
    chosen = np.full(len(size), -1)
    carried = load[ids].to_numpy(dtype=np.float64).copy()
    open_to = near.copy()
    for _ in range(len(ids)):
        waiting = np.flatnonzero(chosen < 0)
        if not len(waiting):
            break
        open_to[:, carried >= most] = np.inf
        asked = open_to[waiting].argmin(axis=1)
        distance = open_to[waiting, asked]
        order = np.lexsort((distance, asked))
        taken = pd.Series(size[waiting][order]).groupby(asked[order]).cumsum().to_numpy()
        fits = (carried[asked[order]] + taken <= most) & np.isfinite(distance[order])
        chosen[waiting[order[fits]]] = asked[order[fits]]
        carried += np.bincount(asked[order[fits]], size[waiting[order[fits]]], len(ids))
        refused = order[~fits]
        open_to[waiting[refused], asked[refused]] = np.inf
    for home in np.flatnonzero(chosen < 0):
        # Nobody has room or a position: the least loaded takes it.
        chosen[home] = int(carried.argmin())
        carried[chosen[home]] += size[home]
    load[ids] = carried
    return np.asarray(ids[chosen], dtype=object)
