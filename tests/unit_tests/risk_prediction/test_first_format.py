"""The additive model from plain JSON: its arithmetic, its reasons, and what it refuses."""

from __future__ import annotations

import copy
import json
from hashlib import sha256

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chw_tools.errors import ModelRefused
from chw_tools.feature_engineering import Feature, Features
from chw_tools.risk_prediction import estimate_risk, read_portable

FEATURES = (
    Feature("age_years", "Age", "number", "years"),
    Feature("systolic_mmhg", "Systolic blood pressure", "number", "mm[Hg]", group="vitals"),
    Feature("has_hypertension", "Hypertension on record", "flag", group="conditions"),
    Feature("tobacco", "Tobacco use", "choice", "", ("never", "former", "current"), "lifestyle"),
)
MODEL = {
    "format": "chw-additive/1",
    "name": "Admission, additive",
    "version": "3",
    "outcome": "hospital_admission_180d",
    "population": "simulated",
    "intercept": -2.0,
    "terms": [
        {
            "feature": "age_years",
            "kind": "number",
            "cuts": [40.0, 60.0],
            "scores": [0.05, -0.5, 0.1, 0.8],
        },
        {
            "feature": "systolic_mmhg",
            "kind": "number",
            "cuts": [140.0],
            "scores": [0.2, -0.3, 0.6],
        },
        {
            "feature": "has_hypertension",
            "kind": "number",
            "cuts": [0.5],
            "scores": [0.0, -0.1, 0.4],
        },
        {
            "feature": "tobacco",
            "kind": "choice",
            "levels": ["current", "never"],
            "scores": [0.01, 0.7, -0.2, 0.03],
        },
    ],
    "calibration": {"slope": 0.9, "intercept": 0.1},
    "features": [feature.as_dict() for feature in FEATURES],
}


def text_of(**changes) -> str:
    return json.dumps({**MODEL, **changes})


def people(age, systolic, hypertension, tobacco) -> Features:
    frame = pd.DataFrame(
        {
            "age_years": pd.Series(age, dtype="float64"),
            "systolic_mmhg": pd.Series(systolic, dtype="float64"),
            "has_hypertension": pd.Series(hypertension, dtype="boolean"),
            "tobacco": pd.Categorical(tobacco, categories=["never", "former", "current"]),
        }
    )
    frame.index = pd.Index([f"person-{i}" for i in range(len(frame))], name="person_id")
    return Features(frame, FEATURES, pd.Timestamp("2024-05-01"))


class Halves:
    def of(self, risk):
        names = np.where(np.asarray(risk) >= 0.5, "high", "low").astype(object)
        names[np.isnan(risk)] = None
        return names


def risks(features: Features, **changes) -> pd.DataFrame:
    return estimate_risk(read_portable(text_of(**changes)), features, bands=Halves())


def test_the_risk_is_the_sum_by_hand():
    features = people([40.0], [139.9], [True], ["current"])
    logit = 0.1 + 0.9 * (-2.0 + 0.1 - 0.3 + 0.4 + 0.7)
    assert risks(features)["risk"][0] == pytest.approx(1 / (1 + np.exp(-logit)), rel=1e-14)


@pytest.mark.parametrize(
    ("age", "score"),
    [
        (np.nan, 0.05),
        (39.999, -0.5),
        (40.0, 0.1),
        (59.9, 0.1),
        (60.0, 0.8),
        (1e9, 0.8),
        (-np.inf, -0.5),
        (np.inf, 0.8),
    ],
)
def test_a_value_on_a_border_falls_in_the_upper_bin(age, score):
    model = read_portable(text_of())
    contribution = model.contributions(people([age], [1.0], [None], [None]).frame)["age_years"]
    assert contribution.iloc[0] == pytest.approx(0.9 * score, rel=1e-15)


@pytest.mark.parametrize(
    ("answer", "score"), [(None, 0.01), ("current", 0.7), ("never", -0.2), ("former", 0.03)]
)
@pytest.mark.parametrize("dtype", ["category", "object", "str"])
def test_each_level_has_its_score_whatever_the_order_in_the_table(answer, score, dtype):
    features = people([50.0], [130.0], [False], [answer])
    frame = features.frame.assign(tobacco=features.frame["tobacco"].astype(dtype))
    found = read_portable(text_of()).contributions(frame)["tobacco"].iloc[0]
    assert found == pytest.approx(0.9 * score, rel=1e-15)


VALUES = st.one_of(st.none(), st.floats(-1e6, 1e6))
PERSON = st.tuples(
    VALUES,
    VALUES,
    st.sampled_from([None, True, False]),
    st.sampled_from([None, "never", "former", "current"]),
)


@settings(max_examples=25, deadline=None)
@given(st.lists(PERSON, min_size=1, max_size=8))
def test_constant_and_contributions_make_up_the_risk(rows):
    features = people(*map(list, zip(*rows, strict=True)))
    model = read_portable(text_of())
    logit = model.constant + model.contributions(features.frame).sum(axis=1).to_numpy()
    assert 1 / (1 + np.exp(-logit)) == pytest.approx(model.predict(features.frame), rel=1e-12)


@settings(max_examples=20, deadline=None)
@given(st.lists(PERSON, min_size=2, max_size=6))
def test_one_person_is_scored_as_in_the_batch(rows):
    features = people(*map(list, zip(*rows, strict=True)))
    batch = risks(features)
    for at, person_id in enumerate(features.frame.index):
        alone = risks(features.of_people([person_id]))
        pd.testing.assert_frame_equal(alone, batch.iloc[[at]].reset_index(drop=True))


def test_reasons_name_the_largest_effects_with_their_values():
    reasons = risks(people([71.6], [152.0], [None], ["current"]))["reasons"][0]
    assert [(r["feature"], r["value"]) for r in reasons] == [
        ("age_years", "71 years"),
        ("tobacco", "current"),
        ("systolic_mmhg", "152 mmHg"),
    ]
    assert reasons[0]["effect"] == pytest.approx(0.9 * 0.8)
    assert reasons[0]["label"] == "Age"


def test_a_gap_that_moves_the_risk_is_told_as_not_known_and_wished_for():
    row = risks(people([71.0], [np.nan], [False], ["never"])).iloc[0]
    assert {"not known"} == {r["value"] for r in row["reasons"] if r["feature"] == "systolic_mmhg"}
    assert row["state"] == "estimated"
    assert row["note"] == "Better with: Systolic blood pressure."


def test_what_cannot_be_measured_on_a_visit_is_not_wished_for():
    found = risks(people([np.nan], [130.0], [None], ["never"]))
    assert found["state"].tolist() == ["estimated"]
    assert found["note"].isna().all()


def test_outside_the_declared_population_there_is_no_estimate():
    found = risks(
        people([17.9, 18.0, 70.9, 71.0, np.nan], [130.0] * 5, [True] * 5, ["never"] * 5),
        limits={"age_years": [18, 70]},
    )
    assert found["state"].tolist() == [
        "not_valid",
        "estimated",
        "estimated",
        "not_valid",
        "not_known",
    ]
    barred = found[found["state"] != "estimated"]
    assert barred["risk"].isna().all()
    assert barred["band"].isna().all()
    assert barred["note"].notna().all()
    assert not barred["reasons"].map(len).any()


def test_a_needed_input_that_is_missing_is_named():
    found = risks(people([50.0], [np.nan], [True], ["never"]), needs=["systolic_mmhg"])
    assert found["state"].tolist() == ["not_known"]
    assert found["note"].tolist() == ["Not known: Systolic blood pressure."]


def test_the_digest_is_of_the_file_and_the_row_and_can_be_computed_again():
    features = people([50.0, 50.0, 51.0], [130.0] * 3, [True] * 3, ["never"] * 3)
    first, again = risks(features), risks(features)
    assert first["model_digest"][0] == sha256(text_of().encode()).hexdigest()
    assert first["inputs_digest"].tolist() == again["inputs_digest"].tolist()
    assert first["inputs_digest"][0] == first["inputs_digest"][1] != first["inputs_digest"][2]


def test_the_digest_tells_each_input_and_what_is_missing_apart():
    base = people([50.0], [130.0], [True], ["never"])
    others = [
        people([50.0], [np.nan], [True], ["never"]),
        people([np.nextafter(50.0, 51)], [130.0], [True], ["never"]),
        people([50.0], [130.0], [None], ["never"]),
        people([50.0], [130.0], [False], ["never"]),
        people([50.0], [130.0], [True], [None]),
        people([50.0], [130.0], [True], ["current"]),
        people([130.0], [50.0], [True], ["never"]),
    ]
    digests = [risks(one)["inputs_digest"][0] for one in [base, *others]]
    assert len(set(digests)) == len(digests)


def test_minus_zero_and_a_wider_table_leave_the_digest():
    zero, minus = people([0.0], [1.0], [True], ["never"]), people([-0.0], [1.0], [True], ["never"])
    assert risks(zero)["inputs_digest"][0] == risks(minus)["inputs_digest"][0]
    wide = Features(zero.frame.assign(more=1.0), zero.declaration, zero.as_of)
    assert risks(zero)["inputs_digest"][0] == risks(wide)["inputs_digest"][0]


def test_a_model_of_simulated_people_scores_no_others():
    features = people([50.0], [130.0], [True], ["never"])
    model = read_portable(text_of())
    with pytest.raises(ModelRefused, match="simulated people does not score others"):
        estimate_risk(model, features, bands=Halves(), population="real")
    assert len(estimate_risk(model, features, bands=Halves(), population="simulated")) == 1


def test_a_table_without_an_input_is_refused_by_name():
    features = people([50.0], [130.0], [True], ["never"]).only(["age_years", "tobacco"])
    with pytest.raises(ModelRefused, match="systolic_mmhg, has_hypertension"):
        risks(features)


def test_nobody_to_score_gives_an_empty_table_of_the_declared_columns():
    empty = people([50.0], [130.0], [True], ["never"]).of_people([])
    assert len(risks(empty)) == 0


def broken(path: str, value) -> str:
    model = copy.deepcopy(MODEL)
    at = model
    *steps, last = path.split("/")
    for step in steps:
        at = at[int(step) if step.isdigit() else step]
    if value is None:
        del at[last]
    else:
        at[last] = value
    return json.dumps(model)


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("format", "chw-additive/2", "format is not"),
        ("name", None, "name is missing"),
        ("population", "both", "simulated or real"),
        ("intercept", "0", "intercept must be a number"),
        ("intercept", True, "intercept must be a number"),
        ("calibration", {"slope": 1}, "slope and intercept"),
        ("calibration/slope", -1, "negative"),
        ("features", {}, "must be a list"),
        ("features/0/kind", "matrix", "lacks name, label or kind"),
        ("terms", {}, "terms must be a list"),
        ("terms/0/feature", "shoe_size", "no declared feature"),
        ("terms/1/feature", "age_years", "two terms"),
        ("terms/0/kind", "choice", "differ"),
        ("terms/0/cuts", [60, 40], "cuts must rise"),
        ("terms/0/cuts", [40, "60"], "cuts must be numbers"),
        ("terms/0/cuts", [40], "for each bin"),
        ("terms/0/scores", [1, 2, 3], "for each bin"),
        ("terms/0/scores", None, "missing must be a number"),
        ("terms/3/levels", ["a", "a"], "distinct"),
        ("terms/3/scores", [1, 2], "score for each level"),
        ("limits", {"age_years": [1]}, "lowest and highest"),
        ("limits", {"shoe_size": [1, 2]}, "not declared"),
        ("needs", ["shoe_size"], "not declared"),
    ],
)
def test_a_file_that_contradicts_itself_is_refused_and_says_where(path, value, said):
    with pytest.raises(ModelRefused, match=said):
        read_portable(broken(path, value))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"format": 1}'])
def test_what_is_no_model_is_refused(text):
    with pytest.raises(ModelRefused):
        read_portable(text)


def test_not_a_number_is_refused():
    with pytest.raises(ModelRefused, match="NaN"):
        read_portable(text_of(intercept=float("nan")))
