"""The public file of which half the rows are copies: what a random split makes of it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold

from chw_tools.errors import LeakFound
from chw_tools.feature_engineering import Feature
from chw_tools.model_training import RECIPES
from chw_tools.model_training.fitting import TrainingRows, compute_estimator_logits, fit_recipe
from chw_tools.model_training.inputs import hash_rows
from chw_tools.model_training.split import check_no_twins
from chw_tools.model_training.tuning import make_folds


@pytest.mark.shared
def test_a_random_split_of_copied_rows_flatters_and_the_guard_fires(shared):
    frame = pd.read_csv(shared / "data/uci863_maternal_health_risk.csv")
    inputs = frame.drop(columns="RiskLevel").astype("float64")
    labels = (frame["RiskLevel"] == "high risk").to_numpy(dtype=float)
    declared = tuple(Feature(name, name, "number") for name in inputs)
    alike = hash_rows(inputs)
    rows = TrainingRows(RECIPES["gradient_boosting"], declared, inputs, labels, alike, 42)

    def judge(folds):
        logits = np.empty(len(labels))
        for learnt, held in folds:
            fitted = fit_recipe(rows.take(learnt), {"model__max_iter": 60})
            logits[held] = compute_estimator_logits(fitted, inputs.iloc[held])
        return roc_auc_score(labels, logits)

    shuffled = StratifiedKFold(5, shuffle=True, random_state=42)
    at_random = list(shuffled.split(inputs, labels))
    kept_whole = make_folds(inputs, labels, alike, seed=42)
    for learnt, held in at_random:
        with pytest.raises(LeakFound, match="same inputs as a training row"):
            check_no_twins(inputs, learnt, held)
    for learnt, held in kept_whole:
        check_no_twins(inputs, learnt, held)
    assert judge(at_random) > judge(kept_whole) + 0.02
