"""Point scores at their edges, as printed on the forms."""

from __future__ import annotations

import numpy as np
import pytest

from chw_tools.risk_prediction.scores import (
    compute_ada_risk_test,
    compute_epds,
    compute_findrisc,
    compute_news2,
    compute_phq2,
    compute_phq9,
    compute_tb_screen,
    has_thoughts_of_self_harm,
)
from chw_tools.risk_prediction.scores.news2 import news2_items

NAN = float("nan")
FINDRISC = {
    "age_years": 40,
    "is_male": 1,
    "bmi": 22,
    "waist_cm": 80,
    "is_active": 1,
    "eats_vegetables_daily": 1,
    "takes_antihypertensive": 0,
    "had_high_glucose": 0,
    "relatives": 0,
}
ADA = {
    "age_years": 30,
    "is_male": 0,
    "had_gestational_diabetes": 0,
    "has_first_degree_relative": 0,
    "has_hypertension": 0,
    "is_active": 1,
    "bmi": 22,
}
WELL = {
    "age_years": 40,
    "is_pregnant": 0,
    "respiratory_rate_per_min": 16,
    "oxygen_saturation_percent": 98,
    "on_oxygen": 0,
    "systolic_mmhg": 120,
    "heart_rate_per_min": 70,
    "is_alert": 1,
    "temperature_celsius": 37.0,
}


@pytest.mark.parametrize(
    ("item", "values", "points"),
    [
        ("age_years", [44.9, 45, 54.9, 55, 64.9, 65], [0, 2, 2, 3, 3, 4]),
        ("bmi", [24.9, 25, 30, 30.1], [0, 1, 1, 3]),
        ("waist_cm", [93.9, 94, 102, 102.1], [0, 3, 3, 4]),
        ("is_active", [1, 0], [0, 2]),
        ("eats_vegetables_daily", [1, 0], [0, 1]),
        ("takes_antihypertensive", [0, 1], [0, 2]),
        ("had_high_glucose", [0, 1], [0, 5]),
        ("relatives", [0, 1, 2, 3], [0, 3, 5, NAN]),
    ],
)
def test_findrisc_gives_the_points_of_the_form(item, values, points):
    given = compute_findrisc(**{**FINDRISC, item: np.array(values, dtype=float)})
    np.testing.assert_array_equal(given, points)


def test_findrisc_measures_a_womans_waist_by_her_own_steps():
    women = {**FINDRISC, "is_male": 0, "waist_cm": np.array([79.9, 80, 88, 88.1])}
    np.testing.assert_array_equal(compute_findrisc(**women), [0, 3, 3, 4])


def test_findrisc_ends_at_26_and_needs_every_answer():
    worst = compute_findrisc(
        age_years=70,
        is_male=0,
        bmi=35,
        waist_cm=100,
        is_active=0,
        eats_vegetables_daily=0,
        takes_antihypertensive=1,
        had_high_glucose=1,
        relatives=2,
    )
    assert worst == 26
    for item in FINDRISC:
        assert np.isnan(compute_findrisc(**{**FINDRISC, item: NAN})), item
    assert np.isnan(compute_findrisc(**{**FINDRISC, "age_years": 17.9}))


@pytest.mark.parametrize(
    ("item", "values", "points"),
    [
        ("age_years", [39, 40, 49, 50, 59, 60], [0, 1, 1, 2, 2, 3]),
        ("bmi", [24.9, 25, 29.9, 30, 39.9, 40], [0, 1, 1, 2, 2, 3]),
        ("is_male", [0, 1], [0, 1]),
        ("had_gestational_diabetes", [0, 1], [0, 1]),
        ("has_first_degree_relative", [0, 1], [0, 1]),
        ("has_hypertension", [0, 1], [0, 1]),
        ("is_active", [1, 0], [0, 1]),
    ],
)
def test_the_ada_test_gives_the_points_of_the_form(item, values, points):
    given = compute_ada_risk_test(**{**ADA, item: np.array(values, dtype=float)})
    np.testing.assert_array_equal(given, points)


def test_the_ada_test_asks_women_only_about_pregnancy():
    man = {**ADA, "is_male": 1}
    for answer in (1, NAN):
        assert compute_ada_risk_test(**{**man, "had_gestational_diabetes": answer}) == 1
    assert np.isnan(compute_ada_risk_test(**{**ADA, "had_gestational_diabetes": NAN}))


@pytest.mark.parametrize(
    ("sign", "values", "points"),
    [
        ("respiratory_rate_per_min", [8, 9, 11, 12, 20, 21, 24, 25], [3, 1, 1, 0, 0, 2, 2, 3]),
        ("oxygen_saturation_percent", [91, 92, 93, 94, 95, 96], [3, 2, 2, 1, 1, 0]),
        ("on_oxygen", [0, 1], [0, 2]),
        ("systolic_mmhg", [90, 91, 100, 101, 110, 111, 219, 220], [3, 2, 2, 1, 1, 0, 0, 3]),
        (
            "heart_rate_per_min",
            [40, 41, 50, 51, 90, 91, 110, 111, 130, 131],
            [3, 1, 1, 0, 0, 1, 1, 2, 2, 3],
        ),
        ("is_alert", [1, 0], [0, 3]),
        (
            "temperature_celsius",
            [35.0, 35.1, 36.0, 36.1, 38.0, 38.1, 39.0, 39.1],
            [3, 1, 1, 0, 0, 1, 1, 2],
        ),
        ("is_pregnant", [0, 1, NAN], [0, NAN, NAN]),
        ("age_years", [15.9, 16], [NAN, 0]),
    ],
)
def test_news2_gives_the_points_of_chart_1(sign, values, points):
    given = compute_news2(**{**WELL, sign: np.array(values, dtype=float)})
    np.testing.assert_array_equal(given, points)


def test_news2_scale_2_is_kinder_to_little_oxygen_and_harder_on_much():
    saturation = np.array([83, 84, 85, 86, 87, 88, 92, 93, 94, 95, 96, 97], dtype=float)
    signs = {k: v for k, v in WELL.items() if k not in ("age_years", "is_pregnant")}
    signs |= {"oxygen_saturation_percent": saturation, "retains_co2": 1}
    for on_oxygen, points in (
        (0, [3, 2, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0]),
        (1, [3, 2, 2, 1, 1, 0, 0, 1, 1, 2, 2, 3]),
    ):
        items = news2_items(**{**signs, "on_oxygen": on_oxygen})
        np.testing.assert_array_equal(items["oxygen_saturation_percent"], points)
    unknown = news2_items(**{**signs, "on_oxygen": NAN})
    assert np.isnan(unknown["oxygen_saturation_percent"]).all()


def test_questions_about_mood_are_summed_and_never_guessed():
    assert compute_phq9(np.full(9, 3)) == 27
    assert np.isnan(compute_phq9([0, 0, 0, 0, 0, 0, 0, 0, NAN]))
    assert np.isnan(compute_phq2([1, 1.5]))
    with pytest.raises(ValueError, match="9 answers"):
        compute_phq9([1, 2])


def test_the_edinburgh_scale_turns_the_questions_whose_first_box_is_worst():
    for question in range(10):
        boxes = np.array([0, 0, 3, 0, 3, 3, 3, 3, 3, 3], dtype=float)
        boxes[question] = 3 - boxes[question]
        assert compute_epds(boxes) == 3
    assert np.isnan(compute_epds([0, 0, 3, 0, 3, 3, 3, 3, 3, 4]))


def test_any_thought_of_self_harm_tells():
    np.testing.assert_array_equal(has_thoughts_of_self_harm([0, 1, 3, NAN, 7]), [0, 1, 1, NAN, NAN])


def test_the_screen_for_tuberculosis_asks_each_age_its_own_fourth_question():
    no = {"cough": 0, "fever": 0, "weight_loss": 0}
    assert compute_tb_screen(age_years=9.9, **no, tb_contact=1, night_sweats=0) == 1
    assert compute_tb_screen(age_years=10, **no, tb_contact=1, night_sweats=0) == 0
    assert compute_tb_screen(age_years=9.9, **no, tb_contact=0, night_sweats=1) == 0
    assert np.isnan(compute_tb_screen(age_years=9.9, **no, night_sweats=0))
    assert np.isnan(compute_tb_screen(age_years=NAN, **no, night_sweats=0, tb_contact=0))
