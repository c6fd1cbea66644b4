"""Walking minutes between places, from their positions; no roads are known here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from chw_tools.programme import Planning

    Numbers = NDArray[np.float64]

_EARTH_KM = 6371.0088  # mean radius, IUGG 1980


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
