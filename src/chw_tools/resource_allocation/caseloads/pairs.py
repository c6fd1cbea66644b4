"""From tables of homes and workers to the pairs that may be, and what each costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from chw_tools.resource_allocation.caseloads.problem import CaseloadProblem
from chw_tools.resource_allocation.travel import walking_minutes

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

    from chw_tools.programme import Planning
    from chw_tools.resource_allocation.caseloads.problem import Counts

    Numbers = NDArray[np.float64]

_TENTHS = 10.0
_KM_PER_DEGREE = 111.2


@dataclass(frozen=True)
class CaseloadRules:
    """What counts in a caseload, beside the walk; each number is the programme's.

    Parameters
    ----------
    n_near : int
        Workers considered for each home.
    walk_limit_minutes : float
        Farther homes have no pair; infinite for no limit.
    continuity_minutes : float
        A worker until now counts as so much nearer.
    language_minutes : float
        A worker who does not speak the home's language counts as so much farther.
    band : float
        Loads may differ from their fair share by so much.
    outside_minutes : float
        What a minute outside the band counts as, in minutes of walk.
    unserved_minutes : float
        What a home without a worker counts as, in minutes of walk.
    """

    n_near: int = 15
    walk_limit_minutes: float = np.inf
    continuity_minutes: float = 10.0
    language_minutes: float = 30.0
    band: float = 0.15
    outside_minutes: float = 20.0
    unserved_minutes: float = 1000.0


class Caseloads(NamedTuple):
    """A problem, and the keys of its homes and workers in their order."""

    problem: CaseloadProblem
    homes: tuple[str, ...]
    workers: tuple[str, ...]
    set_aside: pd.DataFrame


def caseload_problem(
    homes: pd.DataFrame, workers: pd.DataFrame, *, planning: Planning, rules: CaseloadRules
) -> Caseloads:
    """The problem of these homes and workers.

    Parameters
    ----------
    homes : DataFrame
        ``home``, ``load_minutes`` a week, ``latitude``, ``longitude``; where there are such
        columns also ``worker_id`` (until now), ``language``, ``skills`` (a collection of
        names that the worker must have) and ``priority`` (1 for everybody, more for homes
        that must not be without a worker).
    workers : DataFrame
        ``id``, ``capacity_minutes`` a week, ``latitude``, ``longitude``; also ``language``
        and ``skills``.
    planning : Planning
        Speed, detour, and minutes where no position is known.
    rules : CaseloadRules
        What counts beside the walk.

    Returns
    -------
    Caseloads
        ``set_aside`` holds homes that cannot be planned at all, with the reason: given twice,
        or with a load that is no number.
    """
    homes, set_aside = _usable(homes)
    workers = workers.drop_duplicates("id").sort_values("id", ignore_index=True)
    n, m = len(homes), len(workers)
    number = pd.Series(np.arange(m), index=workers["id"])
    before = _column(homes, "worker_id").map(number).fillna(-1).to_numpy(dtype=np.int64)
    skilled = _skilled(homes, workers)
    home, worker = _near_pairs(homes, workers, skilled, before, rules.n_near)
    minutes = _minutes(homes, workers, home, worker, planning)
    stays = (worker == before[home]).astype(np.float64)
    near = (minutes <= rules.walk_limit_minutes) | (stays > 0)
    speaks = _speaks(homes, workers, home, worker)
    cost = minutes + rules.language_minutes * ~speaks - rules.continuity_minutes * stays
    load = np.maximum(np.ceil(homes["load_minutes"].to_numpy(dtype=np.float64)), 1).astype(np.int64)
    capacity = np.floor(workers["capacity_minutes"].to_numpy(dtype=np.float64)).astype(np.int64)
    low, high = _bands(load, capacity, rules.band)
    priority = pd.to_numeric(_column(homes, "priority")).fillna(1.0).to_numpy(dtype=np.float64)
    problem = CaseloadProblem(
        home=home[near],
        worker=worker[near],
        cost=_tenths(np.maximum(cost, 0.0))[near],
        load=load,
        unserved=_tenths(rules.unserved_minutes * priority),
        capacity=capacity,
        low=low,
        high=high,
        outside=int(rules.outside_minutes * _TENTHS),
        before=before,
        why_none=_why_none(n, home, home[near], skilled, workers),
    )
    keys = (tuple(homes["home"]), tuple(workers["id"]))
    return Caseloads(problem, *keys, set_aside)


def _usable(homes: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    twice = homes["home"].duplicated()
    load = homes["load_minutes"]
    no_number = ~np.isfinite(load.astype("float64")) | (load < 0)
    reason = np.where(twice, "The home is given twice; it is planned once.", "Its load is unknown.")
    bad = twice | no_number
    aside = pd.DataFrame({"home": homes["home"][bad], "reason": reason[bad]})
    return homes[~bad].sort_values("home", ignore_index=True), aside.reset_index(drop=True)


def _column(frame: pd.DataFrame, name: str) -> pd.Series:
    if name in frame:
        return frame[name].reset_index(drop=True)
    return pd.Series([None] * len(frame), dtype="object")


def _tenths(minutes: Numbers) -> Counts:
    return np.round(minutes * _TENTHS).astype(np.int64)


def _sets(frame: pd.DataFrame) -> list[frozenset[str]]:
    return [_skills(value) for value in _column(frame, "skills")]


def _skills(value: Any) -> frozenset[str]:
    if isinstance(value, str):
        return frozenset(value.split())
    return frozenset(value) if isinstance(value, (set, frozenset, list, tuple)) else frozenset()


def _skilled(homes: pd.DataFrame, workers: pd.DataFrame) -> list[tuple[Counts, Counts]]:
    """For each set of skills that homes need: those homes, and the workers who have them."""
    have = _sets(workers)
    needed: dict[frozenset[str], list[int]] = {}
    for number, skills in enumerate(_sets(homes)):
        needed.setdefault(skills, []).append(number)
    return [
        (np.array(those), np.array([j for j, has in enumerate(have) if skills <= has], dtype=int))
        for skills, those in needed.items()
    ]


def _near_pairs(
    homes: pd.DataFrame,
    workers: pd.DataFrame,
    skilled: list[tuple[Counts, Counts]],
    before: Counts,
    n_near: int,
) -> tuple[Counts, Counts]:
    """Each home with the nearest workers who have the skills, and with the one until now."""
    home_at, worker_at = _flat(homes, workers), _flat(workers, workers)
    found = [
        _nearest(those, able, home_at, worker_at, n_near) for those, able in skilled if len(able)
    ]
    allowed = [(those, able) for those, able in skilled if len(able)]
    for those, able in allowed:
        stays = those[np.isin(before[those], able)]
        found.append((stays, before[stays]))
    if not found:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    pair = np.concatenate([h * len(workers) + w for h, w in found])
    home, worker = np.divmod(np.unique(pair), len(workers))
    return home.astype(np.int64), worker.astype(np.int64)


def _nearest(
    those: Counts, able: Counts, home_at: Numbers, worker_at: Numbers, n_near: int
) -> tuple[Counts, Counts]:
    from scipy.spatial import cKDTree

    k = min(n_near, len(able))
    placed = able[~np.isnan(worker_at[able]).any(axis=1)]
    is_placed = ~np.isnan(home_at[those]).any(axis=1)
    # Without a position of one side nothing is nearer: any of them may be asked.
    lost = those[~is_placed] if len(placed) else those
    spread = (np.arange(len(lost))[:, None] + np.arange(k)[None, :]) % len(able)
    home, worker = np.repeat(lost, k), able[spread].ravel()
    if not len(placed):
        return home, worker
    near = those[is_placed]
    _, at = cKDTree(worker_at[placed]).query(home_at[near], k=min(k, len(placed)))
    at = np.asarray(at).reshape(len(near), -1)
    return (
        np.concatenate([home, np.repeat(near, at.shape[1])]),
        np.concatenate([worker, placed[at].ravel()]),
    )


def _flat(frame: pd.DataFrame, workers: pd.DataFrame) -> Numbers:
    """Positions in km on a plane around the workers: good enough to choose who is near."""
    middle = np.radians(workers["latitude"].astype("float64").mean())
    narrow = np.cos(middle) if np.isfinite(middle) else 1.0
    latitude = frame["latitude"].to_numpy(dtype=np.float64)
    longitude = frame["longitude"].to_numpy(dtype=np.float64)
    return np.column_stack([latitude * _KM_PER_DEGREE, longitude * _KM_PER_DEGREE * narrow])


def _minutes(
    homes: pd.DataFrame,
    workers: pd.DataFrame,
    home: Counts,
    worker: Counts,
    planning: Planning,
) -> Numbers:
    lat, lon = (homes[c].to_numpy(dtype=np.float64)[home] for c in ("latitude", "longitude"))
    to = tuple(workers[c].to_numpy(dtype=np.float64)[worker] for c in ("latitude", "longitude"))
    return walking_minutes(lat, lon, (to[0], to[1]), planning=planning)


def _speaks(
    homes: pd.DataFrame, workers: pd.DataFrame, home: Counts, worker: Counts
) -> NDArray[np.bool_]:
    """Whether they share a language; where one side's is not known, nothing is held against it."""
    asked = _column(homes, "language").to_numpy(dtype=object)[home]
    spoken = _column(workers, "language").to_numpy(dtype=object)[worker]
    unknown = pd.isna(asked) | pd.isna(spoken)
    return np.asarray(unknown | (asked == spoken), dtype=bool)


def _bands(load: Counts, capacity: Counts, band: float) -> tuple[Counts, Counts]:
    """Around each worker's fair share of all minutes, by capacity."""
    share = load.sum() / max(int(capacity.sum()), 1) * capacity
    high = np.minimum(np.ceil(share * (1 + band)).astype(np.int64), capacity)
    low = np.clip(np.floor(share * (1 - band)).astype(np.int64), 0, high)
    return low, high


def _why_none(
    n: int,
    before_limit: Counts,
    home: Counts,
    skilled: list[tuple[Counts, Counts]],
    workers: pd.DataFrame,
) -> tuple[str, ...]:
    reason = np.full(n, "", dtype=object)
    has_any = np.bincount(before_limit, minlength=n) > 0
    reason[has_any & (np.bincount(home, minlength=n) == 0)] = "No worker within the walk limit."
    for those, able in skilled:
        if not len(able):
            reason[those] = "No worker has the skills that the home needs."
    if not len(workers):
        reason[:] = "There is no worker."
    return tuple(reason.tolist())


def as_assignment(caseloads: Caseloads, worker: Counts) -> pd.Series:
    """The worker's key by home; missing where there is none."""
    keys = np.array([*caseloads.workers, None], dtype=object)
    return pd.Series(keys[worker], index=pd.Index(caseloads.homes, name="home"), dtype="str")


def absent_numbers(caseloads: Caseloads, worker_ids: Collection[str]) -> list[int]:
    """Numbers of the workers with these keys, in order; unknown keys are passed over."""
    wanted = set(worker_ids)
    return [number for number, key in enumerate(caseloads.workers) if key in wanted]
