"""What is trained is calibrated, repeatable, and honest about what it cannot do."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from chw_tools.errors import NotEnoughData, TableFault
from chw_tools.feature_engineering import Feature, Features
from chw_tools.model_evaluation import compute_metrics
from chw_tools.model_evaluation.calibration import compute_probability
from chw_tools.model_training import RECIPES, Search, export_model, train, train_table
from chw_tools.model_training.calibration import fit_calibration
from chw_tools.model_training.inputs import compute_data_digest, find_learnable, read_inputs
from chw_tools.model_training.tuning import make_folds
from chw_tools.risk_prediction import read_portable

_DECLARED = (
    Feature("age_years", "Age", "number"),
    Feature("smokes", "Smokes", "flag"),
    Feature("area", "Area", "choice", allowed=("hill", "town", "valley")),
    Feature("rare", "Hardly ever measured", "number"),
)


def make_features(n=1500, seed=0):
    generator = np.random.default_rng(seed)
    index = pd.Index([f"p{i}" for i in range(n)], name="person_id")
    age = pd.Series(generator.uniform(20, 90, n), index)
    smokes = pd.Series(pd.array(generator.random(n) < 0.3, dtype="boolean"), index)
    area = pd.Series(generator.choice(["hill", "town", "valley"], n), index)
    rare = pd.Series(np.nan, index)
    rare.iloc[:20] = 1.0
    logit = -3 + 0.05 * (age - 50) + smokes.astype(float) + (area == "hill")
    labels = pd.Series(generator.random(n) < compute_probability(logit), index, dtype="boolean")
    age[generator.random(n) < 0.1] = np.nan
    smokes[generator.random(n) < 0.1] = pd.NA
    area = area.mask(generator.random(n) < 0.1).astype(
        pd.CategoricalDtype(["hill", "town", "valley"])
    )
    frame = pd.DataFrame({"age_years": age, "smokes": smokes, "area": area, "rare": rare})
    return Features(frame, _DECLARED, pd.Timestamp("2024-01-01")), labels


@pytest.fixture(scope="module")
def learnt():
    return make_features()


@pytest.fixture(scope="module")
def additive(learnt):
    return train(*learnt, recipe="additive", seed=1, outcome="fall")


@pytest.mark.parametrize("recipe", [r for r in RECIPES if r != "full_gradient_boosting"])
def test_every_recipe_orders_people_and_is_calibrated_on_new_ones(learnt, additive, recipe):
    model = additive if recipe == "additive" else train(*learnt, recipe=recipe, seed=1)
    new, happened = make_features(4_000, seed=9)
    risks = model.predict(new.frame)
    assert ((risks > 0) & (risks < 1)).all()
    order = compute_metrics(happened.astype(float).to_numpy(), risks, seed=0, n_resamples=0)
    assert order.loc["auc", "value"] > 0.65
    assert happened.sum() / risks.sum() == pytest.approx(1.0, abs=0.15)
    alone = model.predict(new.frame.iloc[[7]])
    assert alone == pytest.approx(risks[[7]], abs=1e-12)


def test_the_same_seed_gives_the_same_model(learnt, additive):
    again = train(*learnt, recipe="additive", seed=1, outcome="fall")
    assert export_model(again, version="v1") == export_model(additive, version="v1")
    other = train(*learnt, recipe="additive", seed=2, outcome="fall")
    assert export_model(other, version="v1") != export_model(additive, version="v1")


def test_plain_json_scores_as_the_fitted_model_does(additive):
    cuts = additive.estimator.bins_[0][0]
    ages = np.concatenate([[np.nan, -5.0, 200.0], cuts, np.nextafter(cuts, -np.inf)])
    smokes, area = [None, True, False], [None, "hill", "town", "valley", "moon"]
    rows = [(a, s, z) for a in ages for s in smokes for z in area]
    strange = pd.DataFrame(
        {
            "age_years": [row[0] for row in rows],
            "smokes": pd.array([row[1] for row in rows], dtype="boolean"),
            "area": pd.Categorical([row[2] for row in rows], categories=area[1:]),
        }
    )
    saved = read_portable(export_model(additive, version="v1"))
    assert saved.predict(strange) == pytest.approx(additive.predict(strange), abs=1e-9)


def test_inputs_known_of_hardly_anybody_are_left_out(additive):
    assert [feature.name for feature in additive.features] == ["age_years", "smokes", "area"]


def test_facts_for_the_card_name_no_person(learnt, additive):
    facts = additive.trained_on
    assert facts["n_people"] == facts["n_rows"] == 1500
    assert facts["n_events"] == int(learnt[1].sum())
    text = export_model(additive, version="v1")
    assert not any(f'"p{i}"' in text for i in range(1500))


def test_rows_without_a_known_outcome_teach_nothing(learnt):
    features, labels = learnt
    blank = labels.copy()
    blank.iloc[:300] = pd.NA
    held = Features(features.frame.iloc[300:], features.declaration, features.as_of)
    with_gaps = train(features, blank, recipe="logistic", seed=1)
    without = train(held, labels.iloc[300:], recipe="logistic", seed=1)
    assert with_gaps.trained_on["data_digest"] == without.trained_on["data_digest"]
    assert with_gaps.predict(features.frame) == pytest.approx(without.predict(features.frame))


def test_too_few_events_are_refused(learnt):
    features, labels = learnt
    few = labels & (np.arange(len(labels)) < 100)
    with pytest.raises(NotEnoughData, match="least to train on"):
        train(features, few, recipe="logistic", seed=1)


def test_a_wrong_recipe_or_length_is_a_programmers_mistake(learnt):
    features, labels = learnt
    with pytest.raises(ValueError, match="no such recipe"):
        train(features, labels, recipe="magic", seed=1)
    with pytest.raises(ValueError, match="row by row"):
        train(features, labels.iloc[:5], recipe="logistic", seed=1)


def test_tuning_takes_the_best_of_the_grid(learnt):
    model = train(*learnt, recipe="logistic", seed=1, search=Search(grid={"model__C": (1e-9, 1.0)}))
    assert model.trained_on["parameters"] == {"model__C": 1.0}
    assert model.estimator[-1].C == 1.0


def test_folds_keep_households_whole(learnt):
    features, labels = learnt
    homes = np.array([f"h{i // 4}" for i in range(len(labels))])
    folds = make_folds(features.frame, labels.astype(float).to_numpy(), homes, seed=1)
    assert sorted(np.concatenate([held for _, held in folds])) == list(range(len(labels)))
    for rows, held in folds:
        assert not set(homes[rows]) & set(homes[held])


def test_a_reversed_order_is_calibrated_to_the_prevalence():
    logits = np.linspace(-2, 2, 200)
    labels = (np.arange(200) < 50).astype(float)
    calibration = fit_calibration(logits, labels)
    assert calibration.slope == 0
    assert calibration.apply(logits) == pytest.approx(np.full(200, 0.25))


def test_the_digest_changes_with_any_value_label_name_or_order():
    inputs = pd.DataFrame({"a": [1.0, 2.0], "b": ["x", None]})
    digest = compute_data_digest(inputs, [0.0, 1.0])
    assert digest == compute_data_digest(inputs.copy(), [0.0, 1.0])
    others = [
        compute_data_digest(inputs, [1.0, 0.0]),
        compute_data_digest(inputs.assign(a=[1.0, 2.5]), [0.0, 1.0]),
        compute_data_digest(inputs.rename(columns={"a": "c"}), [0.0, 1.0]),
        compute_data_digest(inputs.iloc[::-1], [0.0, 1.0]),
    ]
    assert len({digest, *others}) == 5


def test_learnable_columns_vary_and_are_known():
    inputs = pd.DataFrame(
        {
            "same": 1.0,
            "gaps_only": np.nan,
            "varies": np.arange(100.0),
            "rare": [1.0] * 4 + [np.nan] * 96,
            "known_or_not": [1.0] * 50 + [np.nan] * 50,
        }
    )
    assert find_learnable(inputs) == ["varies", "known_or_not"]


def test_inputs_are_floats_and_words_with_gaps(learnt):
    inputs = read_inputs(learnt[0].frame, _DECLARED)
    assert inputs["smokes"].dtype == "float64"
    assert set(inputs["smokes"].dropna()) == {0.0, 1.0}
    assert inputs["area"].dtype == object
    assert inputs.isna().equals(learnt[0].frame.isna())


def test_a_plain_table_is_split_trained_and_judged(learnt):
    features, labels = learnt
    frame = (
        features.frame.drop(columns="rare").assign(target=labels.astype(int)).reset_index(drop=True)
    )
    run = train_table(frame, target="target", name="mock", recipe="logistic", seed=1)
    assert run.evaluation.n + run.model.trained_on["n_rows"] == len(frame)
    assert set(run.evaluation.comparisons.index) == {"logistic", "prevalence", "age_only"}
    assert "validation over time was impossible" in " ".join(run.about("v1").caveats)
    assert "proves the plumbing" in run.describe()


@pytest.mark.parametrize("frame", [{"x": [1, 2]}, {"x": [1, 2], "target": [0, 2]}])
def test_a_table_without_a_target_of_0_and_1_is_refused(frame):
    with pytest.raises(TableFault, match="target"):
        train_table(pd.DataFrame(frame), target="target", name="m", recipe="logistic", seed=1)


def test_twins_of_whom_some_judge_are_told_with_the_order_among_the_others():
    features, labels = make_features(900)
    frame = features.frame[["smokes", "area"]].assign(target=labels.astype(int))
    few_inputs = train_table(frame, target="target", name="mock", recipe="logistic", seed=1)
    said = " ".join(few_inputs.about("v1").caveats)
    assert "judged people have the same inputs" in said
    assert "least for" in said  # how many people such a model needs
    frame["exact"] = np.where(np.arange(900) % 3, features.frame["age_years"].to_numpy(), 0.0)
    some = train_table(frame, target="target", name="mock", recipe="logistic", seed=1)
    assert "without a twin the AUC is" in " ".join(some.about("v1").caveats)
