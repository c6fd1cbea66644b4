"""What must hold of every formula: rising risks, validity, and one row as in the batch."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chw_tools.errors import ProgrammeFault
from chw_tools.risk_prediction.scores import (
    compute_egfr,
    compute_framingham_bmi,
    compute_framingham_lipids,
    compute_pooled_cohort,
    compute_prevent,
    compute_score2,
    compute_who_cvd_laboratory,
)
from chw_tools.risk_prediction.scores.prevent import MODELS, OUTCOMES

MIDDLE = {
    "age_years": 55.0,
    "is_male": 0.0,
    "systolic_mmhg": 130.0,
    "cholesterol_mmol_l": 5.5,
    "hdl_mmol_l": 1.2,
    "bmi": 28.0,
    "egfr_ml_min": 85.0,
    "has_diabetes": 0.0,
    "smokes": 0.0,
    "takes_antihypertensive": 0.0,
    "takes_statin": 0.0,
}
NAMES = {
    "prevent": (compute_prevent, tuple(MIDDLE)),
    "score2": (
        lambda **columns: compute_score2(**columns, region="moderate"),
        ("age_years", "is_male", "smokes", "systolic_mmhg", "cholesterol_mmol_l", "hdl_mmol_l"),
    ),
    "who_laboratory": (
        lambda **columns: compute_who_cvd_laboratory(**columns, region="South Asia"),
        (
            "age_years",
            "is_male",
            "smokes",
            "systolic_mmhg",
            "cholesterol_mmol_l",
            "has_diabetes",
        ),
    ),
    "framingham_lipids": (
        compute_framingham_lipids,
        tuple(n for n in MIDDLE if n not in ("bmi", "egfr_ml_min", "takes_statin")),
    ),
    "framingham_bmi": (
        compute_framingham_bmi,
        tuple(
            n
            for n in MIDDLE
            if n not in ("cholesterol_mmol_l", "hdl_mmol_l", "egfr_ml_min", "takes_statin")
        ),
    ),
    "pooled_cohort": (
        compute_pooled_cohort,
        tuple(n for n in MIDDLE if n not in ("bmi", "egfr_ml_min", "takes_statin")),
    ),
}
AGES = {
    "prevent": (30, 79),
    "score2": (40, 89),
    "who_laboratory": (40, 80),
    "framingham_lipids": (30, 74),
    "framingham_bmi": (30, 74),
    "pooled_cohort": (40, 79),
}


def risk_of(name, **changed):
    compute, names = NAMES[name]
    return compute(**{n: changed.get(n, MIDDLE[n]) for n in names})


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("is_male", [0, 1])
@pytest.mark.parametrize("age", [45, 60])
def test_risk_rises_with_what_harms(name, is_male, age):
    here = {"is_male": is_male, "age_years": age}
    sbp = risk_of(name, systolic_mmhg=np.arange(110.0, 181.0, 10), **here)
    assert (np.diff(sbp) > 0).all()
    for harm in ("smokes", "has_diabetes"):
        if harm in NAMES[name][1]:
            without, with_it = risk_of(name, **{harm: np.array([0.0, 1.0])}, **here)
            assert with_it > without
    if "hdl_mmol_l" in NAMES[name][1]:
        assert (np.diff(risk_of(name, hdl_mmol_l=np.array([0.8, 1.2, 1.8]), **here)) < 0).all()


@pytest.mark.parametrize("name", NAMES)
def test_outside_its_ages_there_is_no_estimate(name):
    low, high = AGES[name]
    risk = risk_of(name, age_years=np.array([low - 0.01, low, high, high + 0.99, high + 1.0]))
    assert np.isnan(risk).tolist() == [True, False, False, False, True]


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_input_or_an_unknown_sex_gives_no_estimate(name):
    for given_name in NAMES[name][1]:
        assert np.isnan(risk_of(name, **{given_name: np.nan})), given_name
    assert np.isnan(risk_of(name, is_male=0.5))


@pytest.mark.parametrize("name", NAMES)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_risk_is_a_probability_and_one_row_is_as_in_the_batch(name, seed):
    chance = np.random.default_rng(seed)
    n = 8
    drawn = {
        "age_years": chance.uniform(25, 92, n),
        "is_male": chance.integers(0, 2, n).astype(float),
        "systolic_mmhg": chance.uniform(85, 190, n),
        "cholesterol_mmol_l": chance.uniform(3, 9, n),
        "hdl_mmol_l": chance.uniform(0.5, 3, n),
        "bmi": chance.uniform(15, 45, n),
        "egfr_ml_min": chance.uniform(10, 150, n),
    }
    flags = ("has_diabetes", "smokes", "takes_antihypertensive", "takes_statin")
    drawn |= {flag: chance.integers(0, 2, n).astype(float) for flag in flags}
    batch = risk_of(name, **drawn)
    known = batch[~np.isnan(batch)]
    assert ((known > 0) & (known < 1)).all()
    for row in range(n):
        alone = risk_of(name, **{key: values[row : row + 1] for key, values in drawn.items()})
        np.testing.assert_array_equal(alone, batch[row : row + 1])


@pytest.mark.parametrize(
    ("name", "below", "lowest", "highest", "above"),
    [
        ("systolic_mmhg", 89.9, 90, 180, 180.1),
        ("bmi", 18.4, 18.5, 39.99, 40.0),
        ("egfr_ml_min", 14.9, 15, 140, 140.1),
        ("cholesterol_mmol_l", 3.3, 130 * 0.02586, 320 * 0.02586, 8.3),
        ("hdl_mmol_l", 0.5, 20 * 0.02586, 100 * 0.02586, 2.6),
    ],
)
def test_prevent_holds_within_its_ranges_only(name, below, lowest, highest, above):
    risk = risk_of("prevent", **{name: np.array([below, lowest, highest, above])})
    assert np.isnan(risk).tolist() == [True, False, False, True]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("outcome", OUTCOMES)
def test_prevent_over_30_years_is_above_that_over_10(model, outcome):
    ten, thirty = (
        compute_prevent(**MIDDLE, model=model, outcome=outcome, horizon_years=h) for h in (10, 30)
    )
    assert thirty > ten


def test_a_larger_prevent_model_refuses_a_value_out_of_range_and_knows_missing():
    values = np.array([np.nan, 4.4, 5.0, 15.1])
    risk = compute_prevent(**MIDDLE, model="hba1c", hba1c_percent=values)
    assert np.isnan(risk).tolist() == [False, True, False, True]
    # The base model does not look at it.
    assert not np.isnan(compute_prevent(**MIDDLE, hba1c_percent=values)).any()


def test_there_is_no_model_or_region_of_another_name():
    with pytest.raises(ValueError, match="no such PREVENT model"):
        compute_prevent(**MIDDLE, horizon_years=20)
    with pytest.raises(ValueError, match="no such equation"):
        compute_pooled_cohort(
            **{n: MIDDLE[n] for n in NAMES["pooled_cohort"][1]}, equation="somebody"
        )
    with pytest.raises(ProgrammeFault, match="no such risk region"):
        compute_score2(**{n: MIDDLE[n] for n in NAMES["score2"][1]}, region="Atlantis")
    with pytest.raises(ProgrammeFault, match="no such region"):
        compute_who_cvd_laboratory(
            **{n: MIDDLE[n] for n in NAMES["who_laboratory"][1]}, region="Atlantis"
        )


def test_filtration_falls_with_creatinine_and_age_and_is_for_adults():
    rate = compute_egfr(age_years=40, is_male=1, creatinine_umol_l=np.array([50.0, 90, 200]))
    assert (np.diff(rate) < 0).all()
    assert np.isnan(compute_egfr(age_years=17, is_male=1, creatinine_umol_l=80))
    assert np.isnan(compute_egfr(age_years=40, is_male=1, creatinine_umol_l=0))


@pytest.mark.parametrize("name", NAMES)
def test_a_hundred_thousand_people_are_one_act_not_a_loop(name):
    many = {key: np.full(100_000, value) for key, value in MIDDLE.items()}
    begun = time.perf_counter()
    risk_of(name, **many)
    assert time.perf_counter() - begun < 5
