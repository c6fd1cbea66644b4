"""Scores on the feature table: states, notes, bands and exact reasons."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from chw_tools.errors import ProgrammeFault
from chw_tools.feature_engineering import Feature, Features, build_features
from chw_tools.records import Register
from chw_tools.risk_prediction import PublishedScore
from chw_tools.risk_prediction.scores import SCORES, compute_prevent, estimate_score, score_model
from chw_tools.risk_prediction.scores.models import PairwiseScore
from chw_tools.risk_prediction.scores.page import scores_page

WELL = {
    "age_years": 55.0,
    "sex": "female",
    "tobacco": "never",
    "systolic_mmhg": 150.0,
    "bmi": 28.0,
    "cholesterol_mmol_l": 6.0,
    "hdl_mmol_l": 1.1,
    "creatinine_umol_l": 70.0,
    "hba1c_percent": 6.0,
    "waist_cm": 90.0,
    "physical_activity": "no",
    "fruit_vegetables_daily": "yes",
    "respiratory_rate_per_min": 16.0,
    "oxygen_saturation_percent": 98.0,
    "heart_rate_per_min": 70.0,
    "temperature_celsius": 37.0,
    "phq2_points": 3.0,
    "phq9_points": 15.0,
    "has_diabetes": False,
    "has_hypertension": True,
    "has_gestational_diabetes": False,
    "has_heart_disease": False,
    "has_stroke": False,
    "has_heart_failure": False,
    "has_hiv": False,
    "takes_antihypertensive": True,
    "takes_statin": False,
    "is_pregnant": False,
    "weeks_postpartum": np.nan,
}
MORE = {
    "diabetes_in_family": "first_degree",
    "had_high_glucose": "no",
    "on_oxygen": "no",
    "is_alert": "yes",
    "uacr_mg_g": 40.0,
    "sdi_decile": 5.0,
    "epds_points": 12.0,
    "cough": "yes",
}


def people(**columns) -> Features:
    """People alike but for the columns given; answers that the register lacks may be given."""
    declared = build_features(Register.of(), as_of=pd.Timestamp("2024-05-01")).declared()
    n = max((len(values) for values in columns.values()), default=1)
    alike = WELL | {name: MORE[name] for name in columns if name in MORE}
    frame = pd.DataFrame(
        {name: columns.get(name, [value] * n) for name, value in alike.items()},
        index=pd.Index([f"person-{i}" for i in range(n)], name="person_id"),
    )
    declaration = []
    for name in frame:
        kind = "choice" if isinstance(alike[name], str) else "number"
        feature = declared.get(name) or Feature(name, name, kind)
        declaration.append(feature)
        if feature.kind == "flag":
            frame[name] = frame[name].astype("boolean")
        elif feature.kind == "number":
            frame[name] = frame[name].astype("float64")
    return Features(frame, tuple(declaration), pd.Timestamp("2024-05-01"))


def region_of(name):
    return SCORES[name].regions[0] if SCORES[name].regions else None


def one(name, **columns):
    return estimate_score(name, people(**columns), region=region_of(name)).iloc[0]


PROBABILITIES = [
    name
    for name, score in SCORES.items()
    if score.gives == "probability" and all(given.recorded for given in score.inputs)
]


@pytest.mark.parametrize("name", PROBABILITIES)
def test_the_reasons_and_the_reference_make_the_risk(name):
    model = score_model(name, region=region_of(name))
    frame = people(age_years=[45.0, 58.0, 66.0], tobacco=["current", "never", "former"]).frame
    logit = model.reference_logit(frame) + model.contributions(frame).sum(axis=1)
    np.testing.assert_allclose(1 / (1 + np.exp(-logit)), model.predict(frame), rtol=1e-9)


@pytest.mark.parametrize("name", ["prevent", "prevent_hba1c_30y"])
def test_the_quick_reasons_of_prevent_are_the_shapley_values(name):
    model = score_model(name)
    assert isinstance(model, PairwiseScore)
    frame = people(
        age_years=[41.0], systolic_mmhg=[105.0], takes_statin=[True], has_diabetes=[True]
    ).frame
    slow = PublishedScore._shares(model, model.read(frame))
    np.testing.assert_allclose(model.contributions(frame).to_numpy(), slow, rtol=1e-9)


def test_the_model_gives_what_the_function_gives():
    risk = one("prevent_uacr", uacr_mg_g=[40.0], creatinine_umol_l=[70.7])
    filtration = 142 * (70.7 / 88.42 / 0.7) ** -1.2 * 0.9938**55 * 1.012
    expected = compute_prevent(
        age_years=55,
        is_male=0,
        systolic_mmhg=150,
        cholesterol_mmol_l=6,
        hdl_mmol_l=1.1,
        bmi=28,
        egfr_ml_min=filtration,
        has_diabetes=0,
        smokes=0,
        takes_antihypertensive=1,
        takes_statin=0,
        uacr_mg_g=40,
        model="uacr",
    )
    assert risk["risk"] == pytest.approx(float(expected))


@pytest.mark.parametrize("name", SCORES)
def test_every_score_has_an_answer_for_everybody(name):
    risks = estimate_score(name, people(age_years=[2.0, 50.0, np.nan]), region=region_of(name))
    assert set(risks["state"]) <= {"estimated", "not_valid", "not_known"}
    assert risks.loc[risks["state"] != "estimated", "note"].notna().all()
    assert risks.loc[risks["state"] != "estimated", ["risk", "band"]].isna().all(axis=None)
    if SCORES[name].gives == "points":
        assert risks["risk"].isna().all()


@pytest.mark.parametrize("name", PROBABILITIES)
def test_a_known_heart_disease_bars_the_score(name):
    assert one(name)["state"] == "estimated"
    assert one(name, has_heart_disease=[True])["state"] == "not_valid"


def test_not_valid_says_where_it_holds_and_not_known_says_what_is_missing():
    assert "90 to 180" in one("prevent", systolic_mmhg=[185.0])["note"]
    assert one("score2", has_diabetes=[True])["note"] == "Not for people with diabetes."
    missing = one("framingham_lipids", hdl_mmol_l=[np.nan])
    assert (missing["state"], missing["note"]) == ("not_known", "Not known: HDL cholesterol.")


def test_30_years_from_60_on_are_flagged():
    notes = estimate_score("prevent_30y", people(age_years=[59.9, 60.0]))["note"]
    assert notes.isna().tolist() == [True, False]
    assert "Questionable" in notes[1]


def test_points_are_told_with_the_word_of_the_form_and_its_reasons():
    row = one("findrisc", diabetes_in_family=["first_degree"], had_high_glucose=["no"])
    assert row["note"] == "17 of 26 points: high."  # 3 + 1 + 4 + 2 + 0 + 2 + 0 + 5
    assert row["band"] == "high"
    reasons = row["reasons"] if isinstance(row["reasons"], list) else json.loads(row["reasons"])
    assert reasons[0]["feature"] == "diabetes_in_family"
    assert reasons[0]["effect"] == 5


def test_points_that_cannot_be_summed_say_how_many_there_are_at_least():
    row = one("findrisc")
    assert row["state"] == "not_known"
    assert row["note"].startswith("Not known: Ever found high blood glucose; Diabetes in the")
    assert row["note"].endswith("At least 12 points.")


def test_one_sign_alone_raises_news2():
    asked = {"on_oxygen": ["no"], "is_alert": ["yes"]}
    assert one("news2", **asked)["band"] == "low"
    alone = one("news2", **asked, respiratory_rate_per_min=[26.0])
    assert (alone["band"], alone["note"][:15]) == ("moderate", "3 of 20 points:")
    assert one("news2", **asked, is_pregnant=[True])["state"] == "not_valid"
    assert one("news2", **asked, is_pregnant=[None])["state"] == "not_valid"


def test_the_sums_of_questions_that_the_register_keeps_have_bands():
    assert one("phq9")["note"] == "15 of 27 points: moderately severe."
    assert one("phq2")["band"] == "high"
    assert one("phq9", phq9_points=[28.0])["state"] == "not_valid"


def test_a_score_is_for_those_that_it_was_made_for():
    assert one("epds", epds_points=[12.0])["state"] == "not_valid"
    mother = one("epds", epds_points=[12.0], weeks_postpartum=[6.0])
    assert mother["note"] == "12 of 30 points: possible depression."
    assert one("tb_screen", cough=["yes"])["note"] == "For people who live with HIV."
    # One symptom is enough, whatever was not asked.
    positive = one("tb_screen", cough=["yes"], has_hiv=[True])
    assert (positive["state"], positive["band"]) == ("estimated", "high")
    assert one("tb_screen", cough=["no"], has_hiv=[True])["state"] == "not_known"


def test_one_row_is_as_in_the_batch():
    features = people(age_years=[35.0, 55.0, 75.0], tobacco=["never", "current", "never"])
    for name in SCORES:
        batch = estimate_score(name, features, region=region_of(name))
        for at, person in enumerate(features.frame.index):
            alone = estimate_score(name, features.of_people([person]), region=region_of(name))
            pd.testing.assert_frame_equal(alone, batch.iloc[[at]].reset_index(drop=True))


def test_another_name_or_region_is_refused_with_the_choice():
    with pytest.raises(ProgrammeFault, match="no such published score"):
        score_model("fortune")
    with pytest.raises(ProgrammeFault, match="name one"):
        score_model("score2")
    with pytest.raises(ProgrammeFault, match="none of them"):
        score_model("score2", region="South Asia")


def test_each_model_has_its_own_digest():
    digests = [score_model(name, region=region_of(name)).digest for name in SCORES]
    digests.append(score_model("score2", region="high").digest)
    assert len(set(digests)) == len(digests)


@pytest.mark.parametrize("score", SCORES.values(), ids=SCORES)
def test_every_declaration_is_whole(score):
    assert score.source
    assert score.checked
    assert score.population
    assert set(score.limits) <= {given.name for given in score.inputs}
    assert (score.formula is None) == (score.gives == "points") == bool(score.bands)
    recorded = build_features(Register.of(), as_of=pd.Timestamp("2024-05-01")).frame.columns
    for given in score.inputs:
        assert given.recorded == (given.name in recorded), given.name


def test_the_page_tells_every_score_with_its_source_and_limits():
    page = scores_page()
    for name, score in SCORES.items():
        section = page.split(f"## {name}\n")[1].split("\n## ")[0]
        assert score.source in section
        assert score.checked in section
        assert all(f"`{given.name}`" in section for given in score.inputs)
    assert "Body mass index 18.5 to below 40" in page


def test_a_declared_formula_gives_what_its_model_gives():
    model, frame = score_model("who_cvd", region="South Asia"), people().frame
    declared = SCORES["who_cvd"]
    given = declared.formula(declared.read(frame), "South Asia")
    np.testing.assert_array_equal(given, model.predict(frame))
