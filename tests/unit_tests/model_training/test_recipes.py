"""Recipes: every prepared column has one source, gaps are information, weights are undone."""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
import pytest

from chw_tools.errors import MissingExtra
from chw_tools.feature_engineering import Feature, Features
from chw_tools.model_training import RECIPES, train
from chw_tools.model_training.preprocessing import make_curves

_DECLARED = (
    Feature("age_years", "Age", "number"),
    Feature("n_visits", "Visits", "number"),
    Feature("never_known", "Never known", "number"),
    Feature("smokes", "Smokes", "flag"),
    Feature("area", "Area", "choice", allowed=("hill", "town")),
)


def make_inputs(n=400):
    generator = np.random.default_rng(0)
    age = generator.uniform(0, 90, n)
    age[::5] = np.nan
    return pd.DataFrame(
        {
            "age_years": age,
            "n_visits": generator.choice([0.0, 0.0, 0.0, 0.0, 1.0], n),
            "never_known": np.nan,
            "smokes": generator.choice([0.0, 1.0, np.nan], n),
            "area": pd.Series(generator.choice(["hill", "town"], n)).astype(object),
        }
    )


def make_people(n, *, seed, effect):
    generator = np.random.default_rng(seed)
    age = generator.uniform(20, 90, n)
    index = pd.Index([f"p{i}" for i in range(n)])
    happened = generator.random(n) < 1 / (1 + np.exp(-effect(age)))
    frame = pd.DataFrame({"age_years": age, "noise": generator.normal(size=n)}, index)
    declared = (_DECLARED[0], Feature("noise", "Noise", "number"))
    labels = pd.Series(happened, index, dtype="boolean")
    return Features(frame, declared, pd.Timestamp("2024-01-01")), labels


def test_only_what_bends_is_bent_and_every_column_names_its_input():
    inputs = make_inputs()
    prepare = make_curves(_DECLARED, inputs).fit(inputs)
    names = [name.partition("__") for name in prepare.get_feature_names_out()]
    parts = {(part, column.split("_sp_")[0]) for part, _, column in names}
    assert ("curves_5", "age_years") in parts
    assert ("missing", "missingindicator_age_years") in parts
    straight = {column for part, column in parts if part == "numbers"}
    assert {"n_visits", "smokes", "never_known"} <= straight
    assert np.isfinite(prepare.transform(inputs)).all()


def test_beyond_its_knots_a_curve_goes_on_straight():
    inputs = make_inputs()
    prepare = make_curves(_DECLARED, inputs).fit(inputs)
    ages = pd.DataFrame([inputs.iloc[1]] * 4).assign(age_years=[100.0, 110.0, 120.0, 130.0])
    steps = np.diff(prepare.transform(ages), axis=0)
    assert steps[1] == pytest.approx(steps[0])
    assert steps[2] == pytest.approx(steps[0])
    assert np.abs(steps[0]).max() > 0.01


def test_choices_alone_need_no_curves():
    inputs = make_inputs()[["area"]]
    prepare = make_curves(_DECLARED[-1:], inputs).fit(inputs)
    assert prepare.transform(inputs).shape == (400, 2)


def test_curves_follow_a_risk_that_rises_at_both_ends():
    def effect(age):
        return -3 + ((age - 55) / 15) ** 2

    learnt, new = (make_people(4000, seed=s, effect=effect) for s in (1, 2))
    models = {r: train(*learnt, recipe=r, seed=1) for r in ("logistic", "logistic_splines")}
    happened = new[1].astype(float).to_numpy()
    loss = {}
    for recipe, model in models.items():
        risks = model.predict(new[0].frame)
        loss[recipe] = -np.mean(happened * np.log(risks) + (1 - happened) * np.log(1 - risks))
    true = 1 / (1 + np.exp(-effect(new[0].frame["age_years"].to_numpy())))
    best = -np.mean(happened * np.log(true) + (1 - happened) * np.log(1 - true))
    assert loss["logistic_splines"] < loss["logistic"] - 0.05
    assert loss["logistic_splines"] == pytest.approx(best, abs=0.01)


@pytest.mark.parametrize("recipe", ["logistic", "additive", "gradient_boosting"])
def test_class_weights_change_the_fit_and_calibration_undoes_the_size(recipe):
    people = make_people(3000, seed=1, effect=lambda age: -4 + age / 40)
    plain = train(*people, recipe=recipe, seed=1)
    weighted = train(*people, recipe=recipe, seed=1, class_weights="balanced")
    frame, share = people[0].frame, people[1].mean()
    raw = weighted.estimator.predict_proba(frame)[:, 1].mean()
    assert raw > share + 0.15  # the weights are there
    assert weighted.predict(frame).mean() == pytest.approx(share, abs=0.01)
    assert plain.predict(frame).mean() == pytest.approx(share, abs=0.01)
    assert weighted.trained_on["class_weights"] == "balanced"


def test_an_effect_held_to_rise_never_falls():
    people = make_people(1500, seed=1, effect=lambda age: -1 - age / 40 + (age > 70))
    held = train(*people, recipe="additive", seed=1, monotone={"age_years": "rises"})
    free = train(*people, recipe="additive", seed=1)
    ages = pd.DataFrame({"age_years": np.linspace(20, 90, 200), "noise": 0.0})
    assert (np.diff(held.predict(ages)) >= -1e-12).all()
    assert (np.diff(free.predict(ages)) < -1e-6).any()
    assert held.trained_on["monotone"] == {"age_years": "rises"}


@pytest.mark.parametrize(
    ("recipe", "monotone", "said"),
    [("logistic", {"age_years": "rises"}, "cannot hold"), ("additive", {"moon": "falls"}, "moon")],
)
def test_a_direction_that_cannot_be_held_is_refused(recipe, monotone, said):
    people = make_people(500, seed=1, effect=lambda age: -1 + age / 90)
    with pytest.raises(ValueError, match=said):
        train(*people, recipe=recipe, seed=1, monotone=monotone)


def test_a_missing_lightgbm_names_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    with pytest.raises(MissingExtra, match=r"chw-tools\[lightgbm\]"):
        RECIPES["lightgbm"].make(_DECLARED, make_inputs(), 1)
