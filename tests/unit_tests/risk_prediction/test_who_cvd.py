"""The WHO score against charts drawn by others, and what it says of whom it cannot score."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from chw_tools.errors import ProgrammeFault
from chw_tools.feature_engineering import Features, build_features
from chw_tools.records import Register
from chw_tools.risk_prediction import (
    compute_who_cvd,
    estimate_risk,
    who_cvd_regions,
    who_cvd_score,
)

VECTORS = Path(__file__).parents[4] / "shared" / "vectors" / "who_cvd"
needs_vectors = pytest.mark.skipif(not VECTORS.exists(), reason="public vectors are not here")


class TenTwenty:
    def of(self, risk):
        steps = np.searchsorted([0.1, 0.2, 0.3], risk, side="right")
        names = np.array(["low", "moderate", "high", "very_high"], dtype=object)[steps]
        names[np.isnan(risk)] = None
        return names


def people(**columns) -> Features:
    """A feature table of people alike but for the columns given."""
    declared = build_features(Register.of(), as_of=pd.Timestamp("2024-05-01")).declaration
    n = max(len(values) for values in columns.values())
    alike = {
        "age_years": 60.0,
        "sex": "female",
        "tobacco": "never",
        "systolic_mmhg": 120.0,
        "bmi": 25.0,
        "has_heart_disease": False,
        "has_stroke": False,
    }
    held = {f.name: f for f in declared if f.name in alike}
    frame = pd.DataFrame(
        {name: columns.get(name, [value] * n) for name, value in alike.items()},
        index=pd.Index([f"person-{i}" for i in range(n)], name="person_id"),
    )[list(held)]
    for name, feature in held.items():
        if feature.kind == "choice":
            frame[name] = pd.Categorical(frame[name], categories=feature.allowed)
        elif feature.kind == "flag":
            frame[name] = frame[name].astype("boolean")
        else:
            frame[name] = frame[name].astype("float64")
    return Features(frame, tuple(held.values()), pd.Timestamp("2024-05-01"))


def scored(features: Features, region: str = "South Asia") -> pd.DataFrame:
    return estimate_risk(who_cvd_score(region), features, bands=TenTwenty())


def by_formula(chart: pd.DataFrame, region: str) -> np.ndarray:
    return 100 * compute_who_cvd(
        age_years=chart["age_band_start"] + 2.5,
        is_male=chart["sex"] == "m",
        smokes=chart["smoker"],
        systolic_mmhg=chart["sbp_eval"],
        bmi=chart["bmi_eval"],
        region=region,
    )


@needs_vectors
def test_equals_the_14_chart_cells_that_another_application_tests_with():
    chart = pd.read_csv(VECTORS / "simple_app_nonlab_test_cells.csv")
    assert len(chart) == 14
    assert (by_formula(chart, "South Asia").round() == chart["expected_pct"]).all()


@needs_vectors
def test_equals_the_computed_charts_of_all_21_regions():
    charts = pd.read_csv(VECTORS / "who2019_nonlab_chart_computed_21regions.csv")
    charts = charts[~charts["ccode"].str.startswith("A00")].dropna()
    assert set(charts["region"]) == set(who_cvd_regions())
    for region, chart in charts.groupby("region"):
        assert by_formula(chart, region) == pytest.approx(
            chart["risk_pct_unrounded"].to_numpy(), abs=6e-4
        ), region


def test_an_unknown_region_is_refused_with_the_choice():
    with pytest.raises(ProgrammeFault, match="Choose one of: Andean"):
        who_cvd_score("Atlantis")


def test_risk_rises_with_age_pressure_and_smoking():
    base = {"is_male": 1, "bmi": 24, "region": "Eastern Sub-Saharan Africa"}
    ages = compute_who_cvd(age_years=np.arange(40, 81), smokes=0, systolic_mmhg=130, **base)
    pressures = compute_who_cvd(
        age_years=55, smokes=0, systolic_mmhg=np.arange(100, 200, 5), **base
    )
    smoking = compute_who_cvd(age_years=55, smokes=[0, 1], systolic_mmhg=130, **base)
    for rising in (ages, pressures, smoking):
        assert (np.diff(rising) > 0).all()


@pytest.mark.parametrize(
    ("age", "state"),
    [
        (39.99, "not_valid"),
        (40.0, "estimated"),
        (80.9, "estimated"),
        (81.0, "not_valid"),
        (np.nan, "not_known"),
    ],
)
def test_speaks_only_of_the_ages_it_was_derived_on(age, state):
    risk = scored(people(age_years=[age])).iloc[0]
    assert risk["state"] == state
    assert np.isnan(risk["risk"]) == (state != "estimated")
    assert (risk["reasons"] == []) == (state != "estimated")


def test_says_when_the_charts_end():
    notes = scored(people(age_years=[74.9, 75.0]))["note"]
    assert pd.isna(notes[0])
    assert "74" in notes[1]


def test_says_when_the_blood_pressure_is_old():
    features = people(age_years=[60.0, 60.0, 30.0])
    frame = features.frame.assign(systolic_mmhg_days_since=[365.0, 366.0, 900.0])
    notes = scored(Features(frame, features.declaration, features.as_of))["note"]
    assert pd.isna(notes[0])
    assert "measure it again" in notes[1]
    assert "from 40 to 80" in notes[2]


def test_absurd_inputs_raise_no_warning_and_keep_the_arithmetic():
    features = people(systolic_mmhg=[400.0, 40.0], bmi=[150.0, 5.0], age_years=[80.0, 41.0])
    found = scored(features)
    assert found["risk"].between(0, 1).all()
    assert all(np.isfinite(r["effect"]) for reasons in found["reasons"] for r in reasons)


def test_not_measured_is_not_known_and_the_note_names_it():
    risks = scored(people(systolic_mmhg=[np.nan, 120, np.nan], bmi=[25, np.nan, np.nan]))
    assert (risks["state"] == "not_known").all()
    assert risks["risk"].isna().all()
    assert risks["band"].isna().all()
    assert "blood pressure" in risks["note"][0]
    assert "mass index" not in risks["note"][0]
    assert "blood pressure" in risks["note"][2]
    assert "mass index" in risks["note"][2]


def test_smoking_not_asked_is_not_known():
    assert scored(people(tobacco=[None]))["state"].tolist() == ["not_known"]


@pytest.mark.parametrize("sex", ["other", "unknown"])
def test_the_score_knows_women_and_men_only(sex):
    assert scored(people(sex=[sex]))["state"].tolist() == ["not_known"]


@pytest.mark.parametrize("flag", ["has_stroke", "has_heart_disease"])
def test_not_valid_for_people_who_already_have_the_disease(flag):
    assert scored(people(**{flag: [True, False, None]}))["state"].tolist() == [
        "not_valid",
        "estimated",
        "estimated",
    ]


def test_reasons_and_reference_make_up_the_risk_exactly():
    features = people(
        age_years=[41.0, 55.5, 79.0, 60.0],
        sex=["male", "female", "male", "female"],
        tobacco=["current", "former", "never", "never"],
        systolic_mmhg=[181.0, 118.0, 95.0, 120.0],
        bmi=[19.0, 33.0, 24.0, 25.0],
    )
    score = who_cvd_score("Central Asia")
    logit = score.reference_logit(features.frame) + score.contributions(features.frame).sum(axis=1)
    summed = 1 / (1 + np.exp(-logit.to_numpy()))
    assert summed == pytest.approx(score.predict(features.frame), rel=1e-12)


def test_the_reference_person_has_no_reasons():
    assert scored(people(age_years=[60.0]))["reasons"][0] == []


def test_reasons_are_worded_with_value_and_unit_and_the_largest_comes_first():
    reasons = scored(people(age_years=[72.4], systolic_mmhg=[182.0], tobacco=["current"]))[
        "reasons"
    ][0]
    sizes = [abs(reason["effect"]) for reason in reasons]
    assert sizes == sorted(sizes, reverse=True)
    told = {reason["feature"]: reason["value"] for reason in reasons}
    assert told["systolic_mmhg"] == "182 mmHg"
    assert told["age_years"] == "72 years"
    assert told["tobacco"] == "current"
    assert all(reason["effect"] > 0 for reason in reasons)


def test_one_person_is_scored_as_in_a_batch():
    features = people(age_years=[45.0, 61.0, 30.0], systolic_mmhg=[150.0, np.nan, 120.0])
    batch = scored(features)
    for at, person_id in enumerate(features.frame.index):
        alone = scored(features.of_people([person_id]))
        pd.testing.assert_frame_equal(alone, batch.iloc[[at]].reset_index(drop=True))


def test_regions_have_different_digests_and_risks():
    features = people(age_years=[60.0])
    asia, europe = scored(features, "South Asia"), scored(features, "Western Europe")
    assert asia["model_digest"][0] != europe["model_digest"][0]
    assert asia["risk"][0] != europe["risk"][0]
    assert asia["inputs_digest"][0] == europe["inputs_digest"][0]
