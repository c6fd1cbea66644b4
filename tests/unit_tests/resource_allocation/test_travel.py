"""Walking minutes follow from positions, and from the programme where there are none."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chw_tools.programme import load_programme
from chw_tools.resource_allocation.travel import straight_km, walking_minutes

PLANNING = load_programme().planning
LATITUDES, LONGITUDES = st.floats(-89, 89), st.floats(-179, 179)


def test_a_quarter_of_a_meridian() -> None:
    km = straight_km(np.array(0.0), np.array(30.0), (np.array(90.0), np.array(30.0)))

    assert float(km) == pytest.approx(6371.0088 * np.pi / 2)


@given(LATITUDES, LONGITUDES, LATITUDES, LONGITUDES)
def test_there_and_back_are_equal_and_never_negative(
    a: float, b: float, c: float, d: float
) -> None:
    there = straight_km(np.array(a), np.array(b), (np.array(c), np.array(d)))
    back = straight_km(np.array(c), np.array(d), (np.array(a), np.array(b)))

    assert float(there) == pytest.approx(float(back), abs=1e-6)
    assert float(there) >= 0


def test_one_kilometre_with_detour_at_walking_speed() -> None:
    degree_km = float(straight_km(np.array(0.0), np.array(0.0), (np.array(0.0), np.array(1.0))))
    minutes = walking_minutes(
        np.array(0.0), np.array(0.0), (np.array(0.0), np.array(1 / degree_km)), planning=PLANNING
    )

    assert float(minutes) == pytest.approx(PLANNING.detour / PLANNING.walking_km_per_h * 60)


def test_without_a_position_the_default_is_used() -> None:
    minutes = walking_minutes(
        np.array([0.0, np.nan]),
        np.array([0.0, 1.0]),
        (np.array(0.0), np.array(0.0)),
        planning=PLANNING,
    )

    assert minutes.tolist() == [0.0, PLANNING.default_travel_minutes]
