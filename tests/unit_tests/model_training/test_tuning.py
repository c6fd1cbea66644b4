"""A search chooses by rows that do not judge it, and the same seed finds the same."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from chw_tools.errors import MissingExtra
from chw_tools.feature_engineering import Feature, Features
from chw_tools.model_training import RECIPES, Range, Search, train, tuning
from chw_tools.model_training.fitting import TrainingRows
from chw_tools.model_training.tuning import find_parameters, make_folds

_LOGISTIC = RECIPES["logistic"]


def make_rows(n=600, *, class_weights="none", recipe=_LOGISTIC):
    generator = np.random.default_rng(3)
    x = generator.normal(size=n)
    declaration = (Feature("x", "X", "number"), Feature("noise", "Noise", "number"))
    return TrainingRows(
        recipe=recipe,
        declaration=declaration,
        inputs=pd.DataFrame({"x": x, "noise": generator.normal(size=n)}),
        labels=(generator.random(n) < 1 / (1 + np.exp(1.5 - x))).astype(float),
        groups=np.arange(n),
        seed=1,
        class_weights=class_weights,
    )


def as_features(rows):
    frame = rows.inputs.set_axis([f"p{i}" for i in range(len(rows.labels))])
    labels = pd.Series(rows.labels == 1, frame.index, dtype="boolean")
    return Features(frame, rows.declaration, pd.Timestamp("2024-01-01")), labels


def test_the_best_point_of_the_grid_is_found():
    found = find_parameters(make_rows(), Search(grid={"model__C": (1e-9, 1.0)}))
    assert found.parameters == {"model__C": 1.0}
    assert found.n_tried == 2


def test_without_a_search_nothing_is_changed():
    assert find_parameters(make_rows(), None).parameters == {}


def test_trials_are_repeatable_and_never_worse_than_the_recipe_itself():
    search = Search("optuna", n_trials=4)
    found = find_parameters(make_rows(), search)
    assert found == find_parameters(make_rows(), search)
    own = find_parameters(make_rows(), Search(grid={"model__C": (1.0,)}))
    assert found.log_loss <= own.log_loss
    assert found.n_tried == 5


def test_where_trials_find_nothing_better_the_recipe_stays_as_it_is():
    bad = replace(_LOGISTIC, space={"model__C": Range(1e-9, 1e-8, is_log=True)})
    assert find_parameters(make_rows(recipe=bad), Search("optuna", n_trials=2)).parameters == {}


def test_whole_numbers_are_drawn_whole():
    space = {"model__max_iter": Range(200, 500)}
    rows = make_rows(recipe=replace(_LOGISTIC, space=space))
    found = find_parameters(rows, Search("optuna", n_trials=3))
    assert all(isinstance(value, int) for value in found.parameters.values())


def test_class_weights_do_not_move_the_choice_by_the_size_of_risks():
    search = Search(grid={"model__C": (1.0,)})
    plain = find_parameters(make_rows(), search).log_loss
    weighted = find_parameters(make_rows(class_weights="balanced"), search).log_loss
    assert weighted == pytest.approx(plain, abs=0.01)


@pytest.mark.parametrize("selection", ["nested", "held_out"])
def test_a_search_never_sees_the_rows_that_judge_it(monkeypatch, selection):
    rows, seen = make_rows(), []

    def spy(part, search):
        seen.append(frozenset(part.groups))
        return tuning.Found({})

    monkeypatch.setattr(sys.modules["chw_tools.model_training.train"], "find_parameters", spy)
    train(
        *as_features(rows),
        recipe="logistic",
        seed=1,
        groups=np.arange(600),
        search=Search(selection=selection),
    )
    folds = make_folds(rows.inputs, rows.labels, np.arange(600), seed=1)
    judged = [frozenset(held) for _, held in folds]
    for part, held in zip(seen, judged, strict=False):
        assert not part & held
    assert len(seen) == (6 if selection == "nested" else 1)


def test_what_the_choice_is_worth_is_told_by_unseen_rows():
    model = train(
        *as_features(make_rows()),
        recipe="logistic",
        seed=1,
        search=Search(grid={"model__C": (0.01, 1.0)}),
    )
    said = model.trained_on["search"]
    assert said["selection"] == "nested"
    assert len(said["chosen"]) == 5
    assert 0.6 < said["auc_unseen"] < 0.9
    assert said["log_loss_unseen"] == pytest.approx(said["log_loss_in_search"], abs=0.05)


def test_a_grid_in_several_processes_finds_the_same():
    grid = {"model__C": (0.01, 1.0)}
    one, two = (find_parameters(make_rows(200), Search(grid=grid, n_jobs=n)) for n in (1, 2))
    assert one == two


def test_a_missing_optuna_names_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(MissingExtra, match=r"chw-tools\[search\]"):
        find_parameters(make_rows(), Search("optuna"))


@pytest.mark.parametrize("method", ["grid", "optuna"])
def test_a_recipe_with_nothing_to_search_is_refused(method):
    rows = make_rows(recipe=replace(_LOGISTIC, grid={}, space={}))
    with pytest.raises(ValueError, match="declares nothing"):
        find_parameters(rows, Search(method))


def test_an_unknown_method_is_refused():
    with pytest.raises(ValueError, match="grid or by optuna"):
        find_parameters(make_rows(), Search("luck"))


@pytest.mark.parametrize("name", list(RECIPES))
def test_every_declared_setting_is_one_of_the_estimator(name):
    recipe = RECIPES[name]
    rows = make_rows(200)
    known = set(recipe.make(rows.declaration, rows.inputs, 1).get_params())
    assert set(recipe.grid) | set(recipe.space) <= known
    for low_high in recipe.space.values():
        assert low_high.low < low_high.high
