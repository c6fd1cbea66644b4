"""Walking minutes follow from positions, and from the programme where there are none."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chw_tools.programme import load_programme
from chw_tools.resource_allocation.travel import (
    fit_pace,
    legs_from_positions,
    straight_km,
    travel_matrix,
    walking_minutes,
)

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


def stops_recorded(n: int, minutes_per_km: float, seed: int = 0) -> pd.DataFrame:
    """Stops of two workers, a walk between each and the next."""
    rng = np.random.default_rng(seed)
    rows, at = [], pd.Timestamp("2026-01-05 08:00", tz="UTC")
    latitude = -1.0
    for number in range(n):
        km = rng.uniform(0.2, 1.5)
        latitude += km / 111.195
        at += pd.Timedelta(minutes=km * minutes_per_km * rng.lognormal(0, 0.2))
        left = at + pd.Timedelta(minutes=30)
        rows.append(
            {
                "worker_id": "ab"[number % 2 == 0 and number > n],
                "arrived_at": at,
                "left_at": left,
                "latitude": latitude,
                "longitude": 36.0,
            }
        )
        at = left
    return pd.DataFrame(rows)


def test_the_pace_is_found_from_recorded_stops_and_used() -> None:
    planning = load_programme().planning
    legs = legs_from_positions(stops_recorded(200, minutes_per_km=25.0))
    pace = fit_pace(legs)

    assert pace.n_legs == 199
    assert pace.low <= 25.0 <= pace.high
    assert pace.is_enough
    used = pace.applied(planning)
    one_km = walking_minutes(
        np.array(0.0), np.array(0.0), (np.array(1 / 111.195), np.array(0.0)), planning=used
    )
    assert float(one_km) == pytest.approx(pace.minutes_per_km, rel=1e-3)


def test_few_walks_change_nothing_and_none_are_none() -> None:
    planning = load_programme().planning
    few = fit_pace(legs_from_positions(stops_recorded(10, minutes_per_km=25.0)))
    assert not few.is_enough
    assert few.applied(planning) == planning
    assert fit_pace(pd.DataFrame({"km": [], "minutes": []})).n_legs == 0


def test_rides_and_breaks_do_not_count() -> None:
    walks = pd.DataFrame({"km": [1.0] * 40, "minutes": [20.0] * 40})
    odd = pd.DataFrame({"km": [10.0, 1.0, 0.001], "minutes": [5.0, 200.0, 30.0]})
    assert fit_pace(pd.concat([walks, odd])).minutes_per_km == 20.0
    assert fit_pace(pd.concat([walks, odd])).n_legs == 40


def test_a_matrix_of_one_s_own_is_taken_where_it_knows() -> None:
    planning = load_programme().planning
    latitude, longitude = np.array([0.0, 0.01, np.nan]), np.array([0.0, 0.0, 0.0])

    def roads(latitude: np.ndarray, longitude: np.ndarray) -> np.ndarray:
        minutes = np.full((3, 3), 5.0)
        minutes[0, 2] = np.nan
        minutes[1, 2] = np.inf
        return minutes

    own = travel_matrix(latitude, longitude, planning=planning, travel_times=roads)
    plain = travel_matrix(latitude, longitude, planning=planning)

    assert own[0, 1] == 5.0
    assert own[0, 2] == planning.default_travel_minutes
    assert np.isinf(own[1, 2])
    assert (np.diag(plain) == 0).all()
    with pytest.raises(ValueError, match="square"):
        travel_matrix(latitude, longitude, planning=planning, travel_times=lambda a, b: np.ones(2))
