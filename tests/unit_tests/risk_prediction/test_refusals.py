"""What is refused, with the cause and the cure: files, names, units, values."""

from __future__ import annotations

import copy
import json
import pickle

import numpy as np
import pandas as pd
import pytest

from chw_tools.errors import ModelRefused
from chw_tools.feature_engineering import Feature, Features
from chw_tools.records.catalogue import load_catalogue
from chw_tools.risk_prediction import estimate_risk, read_portable
from chw_tools.risk_prediction.plausibility import declare_range
from chw_tools.risk_prediction.signing import sealed, write_text

FEATURES = (
    Feature("age_years", "Age", "number", "years"),
    Feature("glucose_mmol_l", "Blood glucose", "number", "mmol/L", group="laboratory"),
    Feature("height_cm", "Height", "number", "cm", group="vitals"),
    Feature("weight_kg", "Weight", "number", "kg", group="vitals"),
    Feature("hba1c_percent", "HbA1c", "number", "%", group="laboratory"),
    Feature("sex", "Sex", "choice", "", ("female", "male")),
)
CATALOGUE = load_catalogue()
TERMS = [
    *(
        {"feature": f.name, "kind": "linear", "slope": 0.01, "at": 50.0, "missing": 0.0}
        for f in FEATURES[:-1]
    ),
    {
        "feature": "sex",
        "kind": "levels",
        "levels": ["female", "male"],
        "scores": [-0.1, 0.1],
        "missing": 0.0,
        "unknown": 0.0,
    },
]
CONTENT = {
    "format": "chw-model/2",
    "name": "Small",
    "version": "v1",
    "outcome": "fall",
    "population": "simulated",
    "intercept": -2.0,
    "features": [
        f.as_dict() | declare_range(f, learnt=None, catalogue=CATALOGUE) for f in FEATURES
    ],
    "terms": TERMS,
    "calibration": {"slope": 1.0, "intercept": 0.0},
}
TEXT = write_text(sealed(CONTENT))
USUAL = {
    "age_years": (50, 15),
    "glucose_mmol_l": (6, 1),
    "height_cm": (165, 9),
    "weight_kg": (65, 10),
    "hba1c_percent": (6, 0.8),
}


class NoBands:
    def of(self, risk):
        return np.full(len(risk), None, dtype=object)


def people(n=60, **changed) -> Features:
    rng = np.random.default_rng(3)
    columns = {name: np.abs(rng.normal(*usual, n)) for name, usual in USUAL.items()}
    columns["sex"] = pd.Categorical(rng.choice(["female", "male"], n))
    for name, change in changed.items():
        columns[name] = change(columns[name])
    index = pd.Index([f"p{k}" for k in range(n)], name="person_id")
    return Features(pd.DataFrame(columns, index), FEATURES, pd.Timestamp("2025-01-01"))


def score(features: Features) -> pd.DataFrame:
    return estimate_risk(read_portable(TEXT), features, bands=NoBands())


def test_people_in_the_right_units_are_all_estimated():
    assert score(people()).state.eq("estimated").all()


# ---- files ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("null", "format is not"),
        ("[1]", "format is not"),
        ('{"format": "chw-model/3"}', "newer than this software"),
        ('{"format": "onnx"}', "format is not"),
        ('{"format": ["chw-model/2"]}', "format is not"),
        ("[" * 100_000, "too deeply"),
        ('{"a": 1, "a": 2}', "names a key twice"),
        (TEXT.replace("-2.0", "NaN"), "NaN"),
        (TEXT.replace("-2.0", "-Infinity"), "Infinity"),
        (TEXT.replace("-2.0", "1e999"), "intercept must be a number"),
        (TEXT.replace("-2.0", "1" + "0" * 400), "intercept must be a number"),
        (TEXT.replace("-2.0", "1" * 5000), "not JSON"),
        (" " * 20_000_001, "longer than"),
        (pickle.dumps({"format": "chw-model/2"}).decode("latin-1"), "not JSON"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_file_of_another_form_is_refused_with_a_cure(text, said):
    with pytest.raises(ModelRefused, match=said) as refusal:
        read_portable(text)
    assert refusal.value.cure


def broken(path: str, value) -> str:
    content = copy.deepcopy(CONTENT)
    at = content
    *steps, last = path.split("/")
    for step in steps:
        at = at[int(step) if step.isdigit() else step]
    at[int(last) if last.isdigit() else last] = value
    return json.dumps(sealed(content))


PIECES = {"feature": "age_years", "kind": "pieces", "missing": 0.0, "knots": [1.0]}
STEPS = {"feature": "age_years", "kind": "steps", "missing": 0.0, "cuts": [1.0]}


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("terms/0/kind", "tree", "kind must be one of"),
        ("terms/0/kind", "levels", "differ"),
        ("terms/0/missing", None, "missing must be a number"),
        ("terms/0/slope", "steep", "slope must be a number"),
        ("terms/0", {**STEPS, "scores": [1.0]}, "score for each bin"),
        ("terms/0", {**STEPS, "scores": [1.0, 2.0], "cuts": [2.0, 2.0]}, "must rise"),
        ("terms/0", {**STEPS, "scores": 3.0}, "scores must be numbers"),
        ("terms/0", {**PIECES, "pieces": [[1.0], []]}, "lists of numbers"),
        ("terms/0", {**PIECES, "pieces": [[1.0]]}, "piece below"),
        ("terms/0", {**PIECES, "pieces": [[1.0]], "knots": []}, "piece below"),
        ("terms/5/levels", ["female", "female"], "distinct"),
        ("terms/5/scores", [1.0], "score for each level"),
        ("terms/5/unknown", None, "unknown must be a number"),
        ("terms/0", 7, "must be a list"),
        ("features/0/plausible", [2, 1], "lowest and highest"),
        ("features/0/plausible", [1], "lowest and highest"),
        ("features/0/other_units", {"m": [0, 0]}, "factor and offset"),
        ("features/0/unit", 7, "lacks name, label or kind"),
        ("features/1/name", "age_years", "declared twice"),
        ("calibration/log_odds_within", -1, "above 0"),
        ("thresholds", [], "must be named"),
        ("thresholds", {"capacity": 2}, "probabilities"),
        ("thresholds", {"bands": []}, "probabilities"),
        ("texts", {"en": {"yes": 7}}, "texts by language"),
    ],
)
def test_a_file_that_contradicts_itself_is_refused_and_says_where(path, value, said):
    with pytest.raises(ModelRefused, match=said):
        read_portable(broken(path, value))


# ---- names and units ----------------------------------------------------------------------


def test_a_missing_column_is_named():
    features = people()
    without = Features(features.frame.drop(columns="sex"), FEATURES, features.as_of)
    with pytest.raises(ModelRefused, match="lacks sex") as refusal:
        score(without)
    assert "Build features" in refusal.value.cure


def test_a_renamed_column_is_offered():
    features = people()
    renamed = features.frame.rename(columns={"glucose_mmol_l": "glucose_mmol"})
    with pytest.raises(ModelRefused, match=r"glucose_mmol_l \(is it glucose_mmol\?\)"):
        score(Features(renamed, FEATURES, features.as_of))


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (Feature("height_cm", "Height", "number", "m"), "height_cm is in m, and .* takes cm"),
        (Feature("height_cm", "Height", "choice"), "height_cm is a choice"),
    ],
)
def test_a_feature_declared_otherwise_is_refused(other, said):
    features = people()
    declared = tuple(other if f.name == other.name else f for f in FEATURES)
    with pytest.raises(ModelRefused, match=said):
        score(Features(features.frame, declared, features.as_of))


@pytest.mark.parametrize("unit", ["", "years", "a"])
def test_a_unit_not_given_or_of_another_spelling_is_no_fault(unit):
    features = people()
    declared = (Feature("age_years", "Age", "number", unit), *FEATURES[1:])
    assert len(score(Features(features.frame, declared, features.as_of))) == 60


@pytest.mark.parametrize(
    ("name", "change", "unit"),
    [
        ("glucose_mmol_l", lambda v: v * 18.0182, "mg/dL"),
        ("height_cm", lambda v: v / 100, "m"),
        ("height_cm", lambda v: v * 10, "mm"),
        ("weight_kg", lambda v: v * 1000, "g"),
        ("hba1c_percent", lambda v: v / 100, "a fraction of 1"),
        ("hba1c_percent", lambda v: (v - 2.15) / 0.0915, "mmol/mol"),
        ("age_years", lambda v: v * 365.25, "d"),
    ],
)
def test_a_column_off_by_a_factor_is_refused_naming_column_and_unit(name, change, unit):
    with pytest.raises(ModelRefused, match=f"{name} looks as if it were in {unit} ") as refusal:
        score(people(**{name: change}))
    assert "Convert the column" in refusal.value.cure


def test_every_column_at_fault_is_named_at_once():
    with pytest.raises(ModelRefused, match=r"glucose_mmol_l.*height_cm"):
        score(people(glucose_mmol_l=lambda v: v * 18, height_cm=lambda v: v / 100))


def test_answers_coded_otherwise_are_refused():
    with pytest.raises(ModelRefused, match="sex holds answers other than female, male"):
        score(people(sex=lambda v: v.rename_categories({"female": "F", "male": "M"})))


@pytest.mark.parametrize("n", [1, 2, 19])
def test_of_few_people_each_gets_a_question_and_no_estimate(n):
    found = score(people(n=n, glucose_mmol_l=lambda v: v * 18.0182))
    assert found.state.eq("not_valid").all()
    assert found.risk.isna().all()
    asked = "Blood glucose: not plausible in mmol/L. Was it written down in mg/dL?"
    assert found.note.eq(asked).all()
    assert not found.reasons.map(len).any()


def test_one_odd_value_among_many_stops_that_person_only():
    def one_in_metres(values):
        values[7] = 1.62
        values[8] = 9.0
        values[9] = np.inf
        return values

    found = score(people(height_cm=one_in_metres))
    assert found.state.eq("not_valid").sum() == 3
    assert found.note[7] == "Height: not plausible in cm. Was it written down in m?"
    assert found.note[8] == "Height: not plausible in cm. Is the value right?"
    assert found.note[9] == "Height: not plausible in cm. Is the value right?"


def test_half_a_column_that_no_unit_explains_stops_those_people_only():
    found = score(people(height_cm=lambda v: np.where(np.arange(60) % 2, v, -1.0)))
    assert found.state.eq("not_valid").sum() == 30


def test_a_value_that_is_not_known_is_no_odd_value():
    found = score(people(height_cm=lambda v: np.full_like(v, np.nan)))
    assert found.state.eq("estimated").all()


# ---- ranges as they are declared ----------------------------------------------------------


@pytest.mark.parametrize(
    ("feature", "learnt", "pair"),
    [
        (FEATURES[2], None, [40, 210]),  # the catalogue's usual limits
        (FEATURES[2], (30, 190), [30, 210]),  # widened to what was learnt from
        (FEATURES[0], (18, 90), [0.0, 130.0]),
        (Feature("arm_mm", "Arm", "number", "mm"), (200, 350), [40.0, 1750.0]),
        (Feature("arm_mm", "Arm", "number", "mm"), (2, 350), None),  # varies too much
        (Feature("visits", "Visits", "number"), (0, 9), None),
        (Feature("arm_mm", "Arm", "number", "mm"), None, None),
        (Feature("height_cm", "Height", "number", "m"), None, None),  # not the catalogue's unit
        (Feature("smokes", "Smokes", "flag"), (0, 1), None),
    ],
)
def test_plausible_is_what_the_catalogue_says_or_what_was_learnt_from(feature, learnt, pair):
    found = declare_range(feature, learnt=learnt, catalogue=CATALOGUE)
    assert found.get("plausible") == pair


def test_a_unit_without_a_list_is_tried_by_tens():
    found = declare_range(
        Feature("arm_x", "Arm", "number", "x"), learnt=(20, 35), catalogue=CATALOGUE
    )
    assert found["other_units"]["a unit 10 times as small"] == [0.1, 0.0]
