"""A fitted model as a portable file: every kind that is a sum of one term a feature."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    PolynomialFeatures,
    SplineTransformer,
    StandardScaler,
)

from chw_tools.feature_engineering import Feature, Features
from chw_tools.model_training import export_model, is_portable, train
from chw_tools.model_training.calibration import Calibration
from chw_tools.model_training.export import PARITY, check_same
from chw_tools.model_training.inputs import read_inputs
from chw_tools.model_training.recipes import Recipe
from chw_tools.risk_prediction import estimate_risk, read_portable

DECLARED = (
    Feature("age_years", "Age", "number", "years"),
    Feature("systolic_mmhg", "Systolic blood pressure", "number", "mm[Hg]", group="vitals"),
    Feature("height_cm", "Height", "number", "cm", group="vitals"),
    Feature("smokes", "Smokes", "flag", group="lifestyle"),
    Feature("area", "Area", "choice", allowed=("hill", "town", "valley")),
)


def people(n=600, seed=0) -> Features:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "age_years": rng.uniform(18, 90, n),
            "systolic_mmhg": np.round(rng.normal(130, 20, n)),
            "height_cm": rng.normal(165, 9, n),
            "smokes": pd.array(rng.random(n) < 0.3, dtype="boolean"),
            "area": pd.Categorical(rng.choice(["hill", "town", "valley"], n)),
        },
        pd.Index([f"p{i}" for i in range(n)], name="person_id"),
    )
    for at, name in enumerate(frame):
        frame.loc[frame.index[at :: 7 + at], name] = None
    return Features(frame, DECLARED, pd.Timestamp("2025-01-01"))


def labels_of(features: Features) -> pd.Series:
    rng = np.random.default_rng(9)
    age = features.frame["age_years"].fillna(50)
    risk = 1 / (1 + np.exp(-((age - 60) / 15 + ((age - 50) / 20) ** 2 - 1)))
    return pd.Series(rng.random(len(age)) < risk, features.frame.index, dtype="boolean")


def splines_of(inner):
    """A recipe with splines; ``inner`` lays out imputation, splines and scaling."""

    def make(declaration, inputs, seed):
        numbers = [f.name for f in declaration if f.kind == "number"]
        flags = [f.name for f in declaration if f.kind == "flag"]
        choices = [f for f in declaration if f.kind == "choice"]
        levels = OneHotEncoder(
            categories=[list(f.allowed) for f in choices],
            handle_unknown="ignore",
            sparse_output=False,
        )
        impute = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
        prepare = ColumnTransformer(
            [
                ("numbers", inner(numbers), numbers),
                ("flags", Pipeline([("i", impute), ("s", StandardScaler())]), flags),
                ("choices", levels, [f.name for f in choices]),
            ],
            sparse_threshold=0,
        )
        last = LogisticRegression(max_iter=2000, random_state=seed)
        return Pipeline([("prepare", prepare), ("model", last)])

    return Recipe("splines", "Splines", make)


def _indicator_beside(numbers, **spline):
    from sklearn.impute import MissingIndicator

    curves = Pipeline(
        [
            ("impute", SimpleImputer(strategy="median", keep_empty_features=True)),
            ("splines", SplineTransformer(**spline)),
        ]
    )
    both = FeatureUnion([("curves", curves), ("gaps", MissingIndicator(features="all"))])
    return Pipeline([("both", both), ("scale", StandardScaler())])


def _indicator_within(numbers, **spline):
    impute = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    curved = list(range(len(numbers)))
    curves = ColumnTransformer(
        [("splines", SplineTransformer(**spline), curved)], remainder="passthrough"
    )
    return Pipeline([("impute", impute), ("curves", curves), ("scale", StandardScaler())])


LAYOUTS = {
    "beside, constant": lambda n: _indicator_beside(n, n_knots=5, knots="quantile"),
    "beside, linear": lambda n: _indicator_beside(n, n_knots=4, extrapolation="linear"),
    "within, linear": lambda n: _indicator_within(n, n_knots=5, extrapolation="linear"),
    "within, continued, quadratic": lambda n: _indicator_within(
        n, n_knots=4, degree=2, extrapolation="continue", include_bias=False
    ),
}


@pytest.fixture(scope="module", params=["additive", "logistic", "logistic_splines", *LAYOUTS])
def model(request):
    features = people()
    recipe = splines_of(LAYOUTS[request.param]) if request.param in LAYOUTS else request.param
    return train(features, labels_of(features), recipe=recipe, seed=1, outcome="fall")


def test_every_additive_recipe_is_portable_and_scores_the_same(model):
    assert is_portable(model)
    saved = read_portable(export_model(model, version="v1"))
    frame = people(2000, seed=5).frame
    assert np.abs(saved.predict(frame) - model.predict(frame)).max() < PARITY


def test_contributions_and_constant_are_the_log_odds(model):
    saved = read_portable(export_model(model, version="v1"))
    frame = people(300, seed=6).frame
    logit = saved.constant + saved.contributions(frame).sum(axis=1).to_numpy()
    inside = np.abs(logit) < 12 * saved.slope  # beyond, the sum is held and contributions not
    assert inside.mean() > 0.9
    risks = 1 / (1 + np.exp(-logit))
    assert risks[inside] == pytest.approx(saved.predict(frame)[inside], rel=1e-12)


def test_one_person_is_scored_bit_for_bit_as_in_the_crowd(model):
    saved = read_portable(export_model(model, version="v1"))
    frame = people(300, seed=6).frame
    alone = [saved.predict(frame.iloc[[row]])[0] for row in range(40)]
    assert alone == saved.predict(frame)[:40].tolist()


def test_the_file_is_the_same_for_the_same_model_and_says_where_it_came_from(model):
    text = export_model(model, version="v7", parent="a" * 64, thresholds={"capacity": 0.2})
    assert text == export_model(model, version="v7", parent="a" * 64, thresholds={"capacity": 0.2})
    content = json.loads(text)
    assert content["digests"]["parent"] == "a" * 64
    assert content["digests"]["data"] == model.trained_on["data_digest"]
    assert content["thresholds"] == {"capacity": 0.2}
    declared = {one["name"]: one for one in content["features"]}
    assert declared["systolic_mmhg"]["plausible"] == [70, 240]
    assert declared["height_cm"]["other_units"]["m"] == [100, 0]


def test_trees_and_mixed_features_are_not_portable():
    features = people()
    trees = train(features, labels_of(features), recipe="random_forest", seed=1)
    assert not is_portable(trees)
    with pytest.raises(ValueError, match="one term a feature"):
        export_model(trees, version="v1")

    def mixing(numbers):
        return Pipeline(
            [
                ("i", SimpleImputer()),
                ("p", PolynomialFeatures(interaction_only=True)),
                ("s", StandardScaler()),
            ]
        )

    mixed = train(features, labels_of(features), recipe=splines_of(mixing), seed=1)
    assert not is_portable(mixed)


def test_a_form_that_is_no_polynomial_is_not_written():
    def waves(numbers):
        return Pipeline([("i", SimpleImputer()), ("sine", FunctionTransformer(np.sin))])

    features = people()
    model = train(features, labels_of(features), recipe=splines_of(waves), seed=1)
    with pytest.raises(ValueError, match="does not score"):
        export_model(model, version="v1")


def test_a_file_of_another_calibration_is_found_out(model):
    saved = read_portable(export_model(model, version="v1"))
    frame = read_inputs(people(50).frame, DECLARED)
    other = replace(model, calibration=Calibration(1.0, model.calibration.intercept + 1e-6))
    with pytest.raises(ValueError, match="does not score"):
        check_same(other, saved, frame)


def test_reasons_come_with_it(model):
    class NoBands:
        def of(self, risk):
            return np.full(len(risk), None, dtype=object)

    saved = read_portable(export_model(model, version="v1"))
    found = estimate_risk(saved, people(30, seed=3), bands=NoBands())
    assert found["reasons"].map(len).max() > 0
    assert found["state"].eq("estimated").all()


@pytest.mark.parametrize("recipe", ["logistic", "logistic_splines"])
def test_a_value_that_was_the_same_for_all_of_whom_it_was_known_keeps_its_share(recipe):
    features = people()
    rng = np.random.default_rng(4)
    known = rng.random(len(features.frame)) < 0.6
    same = pd.array(np.where(known, False, None), dtype="boolean")  # never True
    features = Features(features.frame.assign(smokes=same), DECLARED, features.as_of)
    fitted = train(features, labels_of(features), recipe=recipe, seed=1)
    written = read_portable(export_model(fitted, version="v1"))
    apart = np.abs(fitted.predict(features.frame) - written.predict(features.frame))
    assert float(apart.max()) <= PARITY
    assert "smokes" in written.feature_names
