"""Shapes can be read and put right; the change is written down and nothing else moves."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from chw_tools.feature_engineering import Feature, Features
from chw_tools.model_training import export_model, train
from chw_tools.model_training.shapes import (
    ShapeEdit,
    Shapes,
    edit_shape,
    has_shapes,
    inspect_shape,
    recalibrate,
)
from chw_tools.risk_prediction import read_portable

_AT = datetime(2026, 1, 1, tzinfo=UTC)
_DECLARED = (
    Feature("age_years", "Age", "number"),
    Feature("area", "Area", "choice", allowed=("hill", "town")),
)


def make_people(n=2500, seed=0):
    generator = np.random.default_rng(seed)
    index = pd.Index([f"p{i}" for i in range(n)])
    age = generator.uniform(20, 90, n)
    area = generator.choice(["hill", "town"], n)
    logit = -2 + age / 40 + (area == "hill")
    labels = pd.Series(generator.random(n) < 1 / (1 + np.exp(-logit + 1)), index, dtype="boolean")
    age[::9] = np.nan
    frame = pd.DataFrame({"age_years": age, "area": area}, index)
    return Features(frame, _DECLARED, pd.Timestamp("2024-01-01")), labels


@pytest.fixture(scope="module")
def people():
    return make_people()


@pytest.fixture(scope="module")
def model(people):
    return train(*people, recipe="additive", seed=1, outcome="fall")


def edit_of(action, feature="age_years", **given):
    return ShapeEdit(feature, action, by="Dr Achieng", why="not plausible", **given)


def test_a_shape_is_a_table_of_ranges_with_scores_and_people(model, people):
    age = inspect_shape(model, "age_years")
    assert age["part"].iloc[0] == "not known"
    assert age["n"].sum() == len(people[1])
    ranges = age[age["part"] == "range"]
    assert ranges["low"].iloc[1:].tolist() == ranges["high"].iloc[:-1].tolist()
    assert ranges["score"].iloc[-1] > ranges["score"].iloc[0]
    area = inspect_shape(model, "area")
    assert set(area["part"]) == {"not known", "hill", "town", "other answer"}
    everything = inspect_shape(model)
    assert set(everything["feature"]) == {"age_years", "area"}
    assert len(everything) == len(age) + len(area)


def test_flattening_changes_the_range_and_nothing_beside_it(model, people):
    edited = edit_shape(model, edit_of("flatten", low=61.3, high=75.0, value=0.2), at=_AT)
    frame = people[0].frame
    inside = frame["age_years"].between(61.3, 75.0, inclusive="left")
    before, after = model.predict(frame), edited.predict(frame)
    assert after[~inside] == pytest.approx(before[~inside], abs=1e-12)
    assert not np.allclose(after[inside], before[inside])
    hills = inside & (frame["area"] == "hill")
    assert np.ptp(after[hills]) == pytest.approx(0, abs=1e-12)
    assert (
        inspect_shape(model, "age_years")["score"].tolist()
        != inspect_shape(edited, "age_years")["score"].tolist()
    )


def test_flattening_without_a_value_takes_the_mean(model):
    scores = inspect_shape(edit_shape(model, edit_of("flatten"), at=_AT), "age_years")["score"]
    plain = inspect_shape(model, "age_years")["score"]
    assert scores.iloc[1:].to_numpy() == pytest.approx(plain.iloc[1:].mean())
    assert scores.iloc[0] == plain.iloc[0]


def test_caps_floors_and_directions_hold(model):
    def edited(action, **given):
        table = inspect_shape(edit_shape(model, edit_of(action, **given), at=_AT), "age_years")
        return table["score"].iloc[1:].to_numpy()

    assert edited("cap", value=0.1).max() <= 0.1
    assert edited("floor", value=-0.1).min() >= -0.1
    assert (np.diff(edited("rise")) >= 0).all()
    assert (np.diff(edited("fall")) <= 0).all()
    assert (edited("remove") == 0).all()


def test_removing_takes_away_every_effect_of_the_input(model, people):
    edited = edit_shape(model, edit_of("remove"), at=_AT)
    frame = people[0].frame
    unknown = frame.assign(age_years=np.nan)
    assert edited.predict(frame) == pytest.approx(edited.predict(unknown))


def test_some_answers_of_a_choice_can_be_flattened(model):
    edited = edit_shape(model, edit_of("flatten", "area", levels=("hill",), value=0.0), at=_AT)
    table = inspect_shape(edited, "area").set_index("part")["score"]
    before = inspect_shape(model, "area").set_index("part")["score"]
    assert table["hill"] == 0.0
    assert table["town"] == before["town"]


def test_who_when_why_and_what_is_written_down_and_kept_in_the_file(model):
    once = edit_shape(model, edit_of("cap", value=0.3), at=_AT, parent="abc")
    twice = edit_shape(once, edit_of("flatten", low=80.0), at=_AT, parent="def")
    edits = json.loads(export_model(twice, version="v2"))["trained_on"]["edits"]
    assert [one["action"] for one in edits] == ["cap", "flatten"]
    assert [one["parent"] for one in edits] == ["abc", "def"]
    assert edits[0]["by"] == "Dr Achieng"
    assert edits[0]["at"] == "2026-01-01T00:00:00+00:00"
    assert edits[0]["before"] != edits[0]["after"]
    assert edits[1]["before"] == edits[0]["after"]
    assert twice.trained_on["calibrated_on"] == "not since the last edit"
    assert "edits" not in model.trained_on


def test_an_edited_model_is_kept_as_it_scores(model, people):
    edited = edit_shape(model, edit_of("flatten", low=61.3, high=75.0), at=_AT)
    frame = people[0].frame.assign(area=pd.Categorical(people[0].frame["area"]))
    saved = read_portable(export_model(edited, version="v2"))
    assert saved.predict(frame) == pytest.approx(edited.predict(frame), abs=1e-9)


def test_shapes_alone_predict_as_the_fitted_model_does(model, people):
    nothing = edit_shape(model, edit_of("floor", value=-99.0), at=_AT)
    assert isinstance(nothing.estimator, Shapes)
    strange = people[0].frame.copy()
    strange.iloc[0, 1] = None
    strange.iloc[1, 1] = "moon"
    assert nothing.predict(strange) == pytest.approx(model.predict(strange), abs=1e-12)


def test_an_edited_model_is_calibrated_anew_on_others(model):
    edited = edit_shape(model, edit_of("remove", "area"), at=_AT)
    off = replace(edited, calibration=replace(edited.calibration, intercept=1.0))
    new, happened = make_people(4000, seed=5)
    happened.iloc[:5] = pd.NA
    mended = recalibrate(off, new, happened)
    risks = mended.predict(new.frame[happened.notna()])
    assert risks.mean() == pytest.approx(happened.dropna().astype(float).mean(), abs=1e-6)
    assert "held out" in mended.trained_on["calibrated_on"]


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (edit_of("cap"), "takes a value"),
        (edit_of("melt"), "no such action"),
        (edit_of("flatten", low=3.0, high=2.0), "lies below"),
        (edit_of("flatten", "moon"), "no such input"),
        (edit_of("rise", "area"), "no order"),
        (edit_of("flatten", "area", levels=("sea",)), "no such answer"),
        (ShapeEdit("age_years", "remove", by=" ", why="x"), "who decided"),
    ],
)
def test_an_edit_that_lacks_something_is_refused(model, edit, said):
    with pytest.raises(ValueError, match=said):
        edit_shape(model, edit, at=_AT)


def test_only_an_additive_model_has_shapes(people):
    logistic = train(*people, recipe="logistic", seed=1)
    assert not has_shapes(logistic)
    with pytest.raises(ValueError, match="only an additive"):
        inspect_shape(logistic)
