"""Growth z-scores against WHO's own software, and the rules about what counts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chw_tools.feature_engineering.growth import PLAUSIBLE, compute_growth_z

VECTORS = Path(__file__).parents[4] / "shared" / "vectors" / "who_growth"
LAST_DAY = 1826

#: Indicator, the survey's z column, its measure, and how many rows it judges.
SURVEY = [
    ("weight_for_age", "_ZWEI", "WEIGHT", 489),
    ("height_for_age", "_ZLEN", "HEIGHT", 475),
    ("weight_for_height", "_ZWFL", "WEIGHT", 467),
    ("bmi_for_age", "_ZBMI", "WEIGHT", 468),
    ("head_for_age", "_ZHC", "HEAD", 94),
    ("muac_for_age", "_ZAC", "MUAC", 446),
    ("triceps_for_age", "_ZTS", "TRI", 443),
    ("subscapular_for_age", "_ZSS", "SUB", 436),
]


@pytest.fixture(scope="module")
def survey() -> pd.DataFrame:
    path = VECTORS / "igrowup_survey_z_st.csv"
    if not path.exists():
        pytest.skip("public vectors are not here")
    return pd.read_csv(path)


def of_survey(indicator: str, rows: pd.DataFrame, measure: str):
    return compute_growth_z(
        indicator,
        sex=rows["GENDER"].map({1: "male", 2: "female"}),
        age_days=rows["_agedays"],
        measure=rows[measure],
        stature_cm=rows["HEIGHT"],
        lying=rows["measure"].map({"l": 1.0, "h": 0.0}),
        oedema=(rows["oedema"] == "y").astype(float),
    )


@pytest.mark.shared
@pytest.mark.parametrize(("indicator", "column", "measure", "judged"), SURVEY)
def test_agrees_with_the_survey_of_who(survey, indicator, column, measure, judged):
    # The survey was judged with longer tables: ours end on day 1,826, and its four children
    # beyond (ids 4, 44, 95, 343: 1,832 to 1,852 days) are not judged by us.
    within = (survey["_agedays"] <= LAST_DAY).to_numpy()
    assert survey.loc[~within, "id"].tolist() == [4, 44, 95, 343]
    found = of_survey(indicator, survey, measure)
    expected = survey[column].to_numpy()
    assert np.isfinite(expected).sum() == judged
    assert np.isnan(found.z[~within]).all()
    expected = np.where(within, expected, np.nan)
    assert (np.isnan(found.z) == np.isnan(expected)).all()
    # The survey prints two decimals: rounding alone takes up to 0.005.
    assert np.nanmax(np.abs(np.round(found.z, 2) - expected)) < 0.01 + 1e-9
    assert found.is_plausible[np.isfinite(expected)].all()


@pytest.mark.shared
@pytest.mark.parametrize(("indicator", "column", "measure", "judged"), SURVEY)
def test_one_child_is_judged_as_among_many(survey, indicator, column, measure, judged):
    everybody = of_survey(indicator, survey, measure).z
    for at in range(0, len(survey), 61):
        alone = of_survey(indicator, survey.iloc[[at]], measure).z
        np.testing.assert_array_equal(alone, everybody[[at]])


def one(indicator="weight_for_age", sex="male", age=400.0, measure=9.0, **more):
    return compute_growth_z(indicator, sex=[sex], age_days=[age], measure=[measure], **more)


@pytest.mark.parametrize("indicator", sorted(set(PLAUSIBLE) - {"weight_for_height", "bmi_for_age"}))
def test_an_impossible_measure_has_a_z_that_is_not_valid(indicator):
    for measure in (0.2, 500.0):
        found = one(indicator, measure=measure)
        assert np.isfinite(found.z[0])
        assert not found.is_plausible[0]
        assert np.isnan(found.valid[0])


def test_limits_of_the_possible_are_decided_by_two_decimals():
    low, high = PLAUSIBLE["weight_for_age"]
    weights = np.linspace(1, 40, 200_001)
    found = compute_growth_z(
        "weight_for_age", sex=["male"] * len(weights), age_days=400, measure=weights
    )
    expected = (np.round(found.z, 2) >= low) & (np.round(found.z, 2) <= high)
    np.testing.assert_array_equal(found.is_plausible, expected)
    assert found.is_plausible[np.abs(found.z + 6.004).argmin()]
    assert not found.is_plausible[np.abs(found.z + 6.006).argmin()]


def test_lying_is_longer_than_standing_by_seven_millimetres():
    def height(age, cm, lying):
        return one("height_for_age", age=age, measure=cm, lying=[lying]).z[0]

    # Under 731 days a standing height is made a length; from then on the other way.
    assert height(730, 85.0, 0.0) == pytest.approx(height(730, 85.7, 1.0))
    assert height(731, 85.7, 1.0) == pytest.approx(height(731, 85.0, 0.0))
    assert height(730, 85.0, np.nan) == height(730, 85.0, 1.0)
    assert height(731, 85.0, np.nan) == height(731, 85.0, 0.0)
    # Standing under nine months is taken for a mistake: no length is added.
    assert height(270, 70.0, 0.0) == height(270, 70.0, 1.0)
    assert height(274, 70.0, 0.0) != height(274, 70.0, 1.0)


def test_swollen_feet_leave_no_weight_to_judge():
    swollen = {"oedema": [1.0], "stature_cm": [75.0]}
    assert np.isnan(one("weight_for_age", **swollen).z[0])
    assert np.isnan(one("weight_for_height", **swollen).z[0])
    assert np.isnan(one("bmi_for_age", **swollen).z[0])
    assert np.isfinite(one("muac_for_age", measure=14.0, oedema=[1.0]).z[0])
    assert np.isfinite(one("weight_for_age", oedema=[np.nan]).z[0])


@pytest.mark.parametrize(
    ("indicator", "more"),
    [
        ("weight_for_age", {"age": 1827.0}),
        ("weight_for_age", {"age": -1.0}),
        ("weight_for_age", {"age": np.nan}),
        ("weight_for_age", {"sex": "other"}),
        ("weight_for_age", {"measure": 0.0}),
        ("muac_for_age", {"age": 90.0, "measure": 12.0}),
        ("weight_for_height", {"stature_cm": [44.9]}),
        ("weight_for_height", {"age": 800.0, "stature_cm": [64.9]}),
        ("weight_for_height", {"age": 1827.0, "stature_cm": [90.0]}),
        ("weight_for_height", {"stature_cm": [110.1]}),
    ],
)
def test_outside_the_tables_nothing_is_said(indicator, more):
    found = one(indicator, **more)
    assert np.isnan(found.z[0])
    assert not found.is_plausible[0]


def test_weight_for_height_needs_no_age():
    # 80 cm lay and 95 cm stood, where neither age nor position is known.
    for cm, age in ((80.0, 500.0), (95.0, 900.0)):
        known = one("weight_for_height", age=age, measure=11.0, stature_cm=[cm]).z
        np.testing.assert_array_equal(
            one("weight_for_height", age=np.nan, measure=11.0, stature_cm=[cm]).z, known
        )


def test_an_indicator_not_known_or_without_stature_is_refused():
    with pytest.raises(ValueError, match="no growth indicator"):
        one("height_for_weight")
    with pytest.raises(ValueError, match="stature_cm"):
        one("bmi_for_age")


@given(
    age=st.integers(91, LAST_DAY),
    sex=st.sampled_from(["male", "female"]),
    weight=st.floats(2.0, 30.0),
)
def test_heavier_is_higher_without_a_jump_at_three(age, sex, weight):
    z = compute_growth_z(
        "weight_for_age", sex=[sex, sex], age_days=age, measure=[weight, weight + 0.001]
    ).z
    assert 0 < z[1] - z[0] < 0.05
