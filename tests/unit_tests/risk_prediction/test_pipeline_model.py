"""A scikit-learn pipeline as a scoring model."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from chw_tools.errors import ModelRefused
from chw_tools.feature_engineering import Feature
from chw_tools.risk_prediction import PipelineModel

FEATURES = (
    Feature("age_years", "Age", "number", "years"),
    Feature("is_rural", "Rural", "flag"),
    Feature("sex", "Sex", "choice", "", ("female", "male")),
    Feature("sex_life", "Another with a longer name", "choice", "", ("a", "b")),
)
ABOUT = {
    "name": "Plain",
    "version": "1",
    "outcome": "x",
    "population": "simulated",
    "calibration": {"slope": 0.8, "intercept": -0.2},
    "features": [feature.as_dict() for feature in FEATURES],
    "limits": {"age_years": [18, None]},
}


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    n = 400
    frame = pd.DataFrame(
        {
            "age_years": rng.normal(50, 15, n),
            "is_rural": pd.array(rng.choice([True, False], n), dtype="boolean"),
            "sex": pd.Categorical(rng.choice(["female", "male"], n)),
            "sex_life": pd.Categorical(rng.choice(["a", "b"], n)),
        }
    )
    frame.loc[::7, "age_years"] = np.nan
    frame.loc[::11, "is_rural"] = pd.NA
    frame.loc[::13, "sex"] = None
    return frame


def fitted(frame: pd.DataFrame, last, **said) -> PipelineModel:
    numbers = Pipeline([("i", SimpleImputer(add_indicator=True)), ("s", StandardScaler())])
    levels = OneHotEncoder(
        categories=[["female", "male"], ["a", "b"]], handle_unknown="ignore", sparse_output=False
    )
    prepare = ColumnTransformer(
        [("n", numbers, ["age_years", "is_rural"]), ("c", levels, ["sex", "sex_life"])]
    )
    target = np.random.default_rng(1).random(len(frame)) < 0.3 + 0.2 * (frame["sex"] == "male")
    pipeline = Pipeline([("prepare", prepare), ("model", last)])
    model = PipelineModel.of(pipeline, ABOUT | said, digest="0" * 64)
    pipeline.fit(model._inputs(frame), target)
    return model


def test_constant_and_contributions_make_up_the_risk_of_a_logistic_regression(frame):
    model = fitted(frame, LogisticRegression())
    shares = model.contributions(frame)
    assert list(shares.columns) == [f.name for f in FEATURES]
    logit = model.constant + shares.sum(axis=1).to_numpy()
    assert 1 / (1 + np.exp(-logit)) == pytest.approx(model.predict(frame), rel=1e-9)


def test_trees_give_no_reasons_and_say_so(frame):
    model = fitted(frame, DecisionTreeClassifier(max_depth=3))
    assert model.contributions(frame) is None
    assert model.constant is None
    state, note = model.judge(frame)
    assert (note[state == "estimated"] == "This kind of model gives no reasons.").all()


def test_the_risk_is_the_calibrated_probability(frame):
    model = fitted(frame, DecisionTreeClassifier(max_depth=2, min_samples_leaf=50))
    raw = model.estimator.predict_proba(model._inputs(frame))[:, 1]
    logit = -0.2 + 0.8 * np.log(raw / (1 - raw))
    assert model.predict(frame) == pytest.approx(1 / (1 + np.exp(-logit)), rel=1e-9)


def test_the_declared_population_holds(frame):
    state, _ = fitted(frame, LogisticRegression()).judge(frame)
    assert (state[frame["age_years"] < 18] == "not_valid").all()
    assert (state[frame["age_years"].isna()] == "not_known").all()


def test_nobody_gives_no_risks(frame):
    assert len(fitted(frame, LogisticRegression()).predict(frame.iloc[:0])) == 0


def test_an_incomplete_description_is_refused():
    with pytest.raises(ModelRefused, match="version is missing"):
        PipelineModel.of(None, {**ABOUT, "version": None}, digest="")


def _trees() -> list:
    from lightgbm import LGBMClassifier
    from sklearn.ensemble import (
        GradientBoostingClassifier,
        HistGradientBoostingClassifier,
        RandomForestClassifier,
    )

    return [
        RandomForestClassifier(n_estimators=20, min_samples_leaf=10, random_state=1),
        GradientBoostingClassifier(n_estimators=20, random_state=1),
        HistGradientBoostingClassifier(max_iter=20, random_state=1),
        LGBMClassifier(n_estimators=20, random_state=1, verbose=-1, n_jobs=1),
    ]


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
@pytest.mark.parametrize("trees", _trees(), ids=lambda one: type(one).__name__)
def test_constant_and_shares_make_up_the_risk_of_trees(frame, trees):
    pytest.importorskip("shap", exc_type=ImportError)
    model = fitted(frame, trees, reasons="tree_shap")
    shares = model.contributions(frame)
    logit = model.constant + shares.sum(axis=1).to_numpy()
    assert 1 / (1 + np.exp(-logit)) == pytest.approx(model.predict(frame), abs=1e-6)
    assert shares.std().min() > 0
    assert "average" in model.reference
    one = model.contributions(frame.iloc[[7]])
    pd.testing.assert_frame_equal(one, shares.iloc[[7]], check_exact=True)
    state, note = model.judge(frame)
    assert note[(state == "estimated") & (note != None)].tolist() == []  # noqa: E711


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
def test_nobody_gets_no_shares(frame):
    pytest.importorskip("shap", exc_type=ImportError)
    model = fitted(frame, _trees()[2], reasons="tree_shap")
    assert model.contributions(frame.iloc[:0]).shape == (0, 4)


def test_a_model_whose_reasons_need_a_library_is_refused_without_it(frame, monkeypatch):
    monkeypatch.setattr("chw_tools.risk_prediction.tree_reasons.find_spec", lambda name: None)
    with pytest.raises(ModelRefused, match=r"chw-tools\[explain\]"):
        fitted(frame, DecisionTreeClassifier(max_depth=3), reasons="tree_shap")


def test_shares_that_do_not_add_up_are_refused(frame, monkeypatch):
    pytest.importorskip("shap", exc_type=ImportError)
    monkeypatch.setattr("chw_tools.risk_prediction.tree_reasons.ADDITIVE_WITHIN", -1.0)
    model = fitted(frame, _trees()[0], reasons="tree_shap")
    with pytest.raises(ModelRefused, match="do not add up"):
        model.contributions(frame)
