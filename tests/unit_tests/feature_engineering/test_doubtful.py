"""Readings that cannot both be right become a flag, whoever entered which first."""

from __future__ import annotations

import pandas as pd
import pytest

from chw_tools.feature_engineering import build_features
from chw_tools.records import Register, conform, load_catalogue
from chw_tools.records.tables import OBSERVATIONS, PEOPLE

DAY = pd.Timestamp("2026-03-10").as_unit("s")
KEY = "00000000-0000-4000-8000-00000000000{}"


def flags(*readings: tuple[str, str, float]) -> pd.Series:
    """The row of one person with readings of ``(observable, day, value)``."""
    people = conform(
        PEOPLE,
        pd.DataFrame(
            [{"id": KEY.format(0), "sex": "female", "known_on": pd.Timestamp("2020-01-01")}]
        ),
    )
    rows = [
        {
            "id": KEY.format(at + 1),
            "person_id": KEY.format(0),
            "observed_on": pd.Timestamp(day),
            "known_on": pd.Timestamp(day),
            "system": load_catalogue()[name].code.system,
            "code": load_catalogue()[name].code.code,
            "value_number": value,
        }
        for at, (name, day, value) in enumerate(readings)
    ]
    register = Register.of(
        {"people": people, "observations": conform(OBSERVATIONS, pd.DataFrame(rows))}
    )
    return build_features(register, as_of=DAY).frame.iloc[0]


@pytest.mark.parametrize(
    ("name", "first", "second", "flag", "differs"),
    [
        ("systolic_mmhg", 120, 149, "pressure_differs", False),
        ("systolic_mmhg", 120, 150, "pressure_differs", True),
        ("diastolic_mmhg", 90, 70, "pressure_differs", True),
        ("weight_kg", 60, 62.9, "weight_differs", False),
        ("weight_kg", 60, 63, "weight_differs", True),
        ("glucose_mmol_l", 5, 10, "glucose_differs", True),
        ("fasting_glucose_mmol_l", 5, 7.9, "glucose_differs", False),
    ],
)
def test_two_readings_of_one_day_that_are_too_far_apart(
    name: str, first: float, second: float, flag: str, differs: bool
) -> None:
    row = flags((name, "2026-03-01", first), (name, "2026-03-01", second))

    assert bool(row[flag]) is differs
    counts = max(first, second) if flag == "pressure_differs" else second
    assert row[name] == counts, "until somebody has answered"


@pytest.mark.parametrize(
    ("one", "other", "counts"),
    [
        ((120, 80), (185, 115), (185, 115)),
        ((120, 80), (130, 115), (130, 115)),
        ((185, 80), (120, 115), (185, 115)),
        ((150, 95), (152, 96), (152, 96)),
    ],
)
def test_of_pressures_of_one_day_the_highest_counts_in_any_order(
    one: tuple[int, int], other: tuple[int, int], counts: tuple[int, int]
) -> None:
    for first, second in ((one, other), (other, one)):
        for lowers in (1, -1):
            lower = [("diastolic_mmhg", "2026-03-01", v) for v in (first[1], second[1])][::lowers]
            upper = [("systolic_mmhg", "2026-03-01", v) for v in (first[0], second[0])]
            row = flags(*upper, *lower)
            assert (row["systolic_mmhg"], row["diastolic_mmhg"]) == counts
            assert row["pressure_is_highest"]


def test_one_reading_told_twice_and_one_of_a_later_day_are_no_highest_of_several() -> None:
    twice = flags(("systolic_mmhg", "2026-03-01", 120), ("systolic_mmhg", "2026-03-01", 120))
    later = flags(
        ("systolic_mmhg", "2026-03-01", 185),
        ("systolic_mmhg", "2026-03-01", 120),
        ("systolic_mmhg", "2026-03-02", 130),
    )

    assert not twice["pressure_is_highest"]
    assert not later["pressure_is_highest"]
    assert later["systolic_mmhg"] == 130


def test_only_the_latest_day_is_asked_about_and_nothing_where_nothing_is_known() -> None:
    row = flags(
        ("weight_kg", "2026-01-01", 60),
        ("weight_kg", "2026-01-01", 80),
        ("weight_kg", "2026-03-01", 61),
    )

    assert not row["weight_differs"]
    assert pd.isna(row["glucose_differs"])
    assert pd.isna(row["pressure_is_reversed"])


@pytest.mark.parametrize(
    ("upper", "lower", "is_reversed"), [(120, 80, False), (80, 120, True), (90, 90, True)]
)
def test_a_lower_pressure_that_is_not_below_the_upper(
    upper: float, lower: float, is_reversed: bool
) -> None:
    row = flags(("systolic_mmhg", "2026-03-01", upper), ("diastolic_mmhg", "2026-03-01", lower))

    assert bool(row["pressure_is_reversed"]) is is_reversed
