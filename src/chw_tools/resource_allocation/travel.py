"""Minutes between places: from positions by default, from a matrix or an engine where given.

The default is the great circle times a detour at walking speed. Where positions with times
were recorded, :func:`fit_pace` says how long a straight kilometre takes here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from chw_tools.programme import Planning

    Numbers = NDArray[np.float64]

_EARTH_KM = 6371.0088  # mean radius, IUGG 1980
#: Walks needed before a pace of one's own replaces the default (a decision of this project:
#: the interval of a median of 30 is about a fifth of its value wide on simulated walks).
ENOUGH_LEGS = 30
#: A leg outside these is no walk between two homes: too short to time, a ride, or a break.
_LEG_KM = (0.05, 15.0)
_LEG_KM_PER_H = (0.5, 15.0)
_LONGEST_LEG_MINUTES = 240.0


class TravelTimes(Protocol):
    """Anything that says how long it takes from place to place: a raster, roads, an engine."""

    def __call__(self, latitude: Numbers, longitude: Numbers) -> Numbers:
        """Minutes between all places, shape ``(n, n)``; infinite where there is no way."""


def straight_km(latitude: Numbers, longitude: Numbers, to: tuple[Numbers, Numbers]) -> Numbers:
    """Great-circle distance in km (haversine); NaN where a position is not known.

    >>> round(float(straight_km(np.array(0.0), np.array(0.0), (np.array(0.0), np.array(1.0)))), 1)
    111.2
    """
    phi, phi_to = np.radians(latitude), np.radians(to[0])
    a = (
        np.sin((phi_to - phi) / 2) ** 2
        + np.cos(phi) * np.cos(phi_to) * np.sin(np.radians(to[1] - longitude) / 2) ** 2
    )
    return np.asarray(2 * _EARTH_KM * np.arcsin(np.sqrt(np.minimum(a, 1.0))), dtype=np.float64)


def walking_minutes(
    latitude: Numbers, longitude: Numbers, to: tuple[Numbers, Numbers], *, planning: Planning
) -> Numbers:
    """Minutes on foot; the programme's default where either position is not known."""
    km = straight_km(latitude, longitude, to) * planning.detour
    minutes = km / planning.walking_km_per_h * 60.0
    return np.where(np.isnan(minutes), planning.default_travel_minutes, minutes)


def travel_matrix(
    latitude: Numbers,
    longitude: Numbers,
    *,
    planning: Planning,
    travel_times: TravelTimes | None = None,
) -> Numbers:
    """Minutes between all places: by ``travel_times`` where given and known, else on foot.

    Raises
    ------
    ValueError
        If ``travel_times`` gives another shape.
    """
    walk = walking_minutes(
        latitude[:, None],
        longitude[:, None],
        (latitude[None, :], longitude[None, :]),
        planning=planning,
    )
    np.fill_diagonal(walk, 0.0)
    if travel_times is None:
        return walk
    given = np.asarray(travel_times(latitude, longitude), dtype=np.float64)
    if given.shape != walk.shape:
        raise ValueError("travel times must be a square over the places asked for")
    return np.where(np.isnan(given), walk, given)


@dataclass(frozen=True)
class Pace:
    """Minutes for a straight kilometre, measured.

    Parameters
    ----------
    minutes_per_km, low, high : float
        Median and its 95 % interval.
    n_legs : int
        Walks it rests on.
    is_enough : bool
        Whether they are enough to replace the default.
    """

    minutes_per_km: float
    low: float
    high: float
    n_legs: int
    is_enough: bool

    def applied(self, planning: Planning) -> Planning:
        """The programme's planning with this pace; unchanged while walks are too few.

        The detour stays; the speed takes up what was measured.
        """
        if not self.is_enough:
            return planning
        return replace(planning, walking_km_per_h=60.0 * planning.detour / self.minutes_per_km)


def legs_from_positions(positions: pd.DataFrame) -> pd.DataFrame:
    """Walks between stops from recorded positions.

    Parameters
    ----------
    positions : DataFrame
        ``worker_id``, ``arrived_at``, ``left_at`` (instants), ``latitude``, ``longitude``:
        one row per stop; the walk lies between leaving one and arriving at the next.

    Returns
    -------
    DataFrame
        ``worker_id``, ``km`` (straight), ``minutes``; of walks of the same day only.
    """
    rows = positions.sort_values(["worker_id", "arrived_at"])
    before = rows.groupby("worker_id")[["left_at", "latitude", "longitude"]].shift(1)
    km = straight_km(
        before["latitude"].to_numpy(dtype=np.float64),
        before["longitude"].to_numpy(dtype=np.float64),
        (rows["latitude"].to_numpy(), rows["longitude"].to_numpy()),
    )
    minutes = (rows["arrived_at"] - before["left_at"]).dt.total_seconds().to_numpy() / 60.0
    legs = pd.DataFrame({"worker_id": rows["worker_id"].to_numpy(), "km": km, "minutes": minutes})
    is_walk = (minutes > 0) & (minutes <= _LONGEST_LEG_MINUTES) & ~np.isnan(km)
    return legs[is_walk].reset_index(drop=True)


def fit_pace(legs: pd.DataFrame) -> Pace:
    """Minutes for a straight kilometre from walks, robust to rides and breaks.

    Parameters
    ----------
    legs : DataFrame
        ``km`` (straight) and ``minutes``, see :func:`legs_from_positions`.

    Notes
    -----
    The median of minutes over kilometres among walks of a plausible length and speed. Its
    interval is that of order statistics (Conover, Practical nonparametric statistics, 1999).
    """
    km, minutes = legs["km"].to_numpy(dtype=float), legs["minutes"].to_numpy(dtype=float)
    speed = np.divide(km * 60.0, minutes, out=np.zeros_like(km), where=minutes > 0)
    kept = (km >= _LEG_KM[0]) & (km <= _LEG_KM[1])
    kept &= (speed >= _LEG_KM_PER_H[0]) & (speed <= _LEG_KM_PER_H[1])
    pace = np.sort(minutes[kept] / km[kept])
    n = len(pace)
    if not n:
        return Pace(np.nan, np.nan, np.nan, 0, is_enough=False)
    half = 1.96 * np.sqrt(n) / 2.0
    low, high = max(int(np.floor(n / 2.0 - half)), 0), min(int(np.ceil(n / 2.0 + half)), n - 1)
    return Pace(
        float(np.median(pace)), float(pace[low]), float(pace[high]), n, is_enough=n >= ENOUGH_LEGS
    )
