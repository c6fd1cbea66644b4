"""A gain is judged by the same samples, so that it can be sure where intervals overlap."""

from __future__ import annotations

import numpy as np
import pytest

from chw_tools.model_evaluation.comparison import compare_models
from chw_tools.model_evaluation.resampling import Resampling


@pytest.fixture(scope="module")
def table():
    generator = np.random.default_rng(3)
    true = generator.beta(1, 6, 1_500)
    labels = (generator.random(1_500) < true).astype(float)
    blurred = np.clip(true + generator.normal(0, 0.05, 1_500), 0.001, 1)
    by_name = {
        "model": true,
        "blurred": blurred,
        "flat": np.full(1_500, 0.14),
        "days": np.floor(300 * true),
        "same": true,
    }
    drawn = Resampling(1_500, seed=1)
    return compare_models(labels, by_name, drawn, only_ordering=["days"])


def test_a_gain_has_a_narrower_interval_than_the_two_it_is_between(table):
    row = table.loc["blurred"]
    assert row["auc_gain"] == pytest.approx(table.loc["model", "auc"] - row["auc"])
    assert row["auc_gain_low"] <= row["auc_gain"] <= row["auc_gain_high"]
    assert row["auc_gain_high"] - row["auc_gain_low"] < 0.7 * (row["auc_high"] - row["auc_low"])


def test_the_same_model_gains_nothing_for_sure(table):
    assert table.loc["same", ["auc_gain", "auc_gain_low", "auc_gain_high"]].tolist() == [0, 0, 0]


def test_what_is_no_probability_gets_no_measure_of_size(table):
    assert np.isnan(table.loc["days", "brier"])
    assert np.isnan(table.loc["days", "observed_to_expected"])
    assert table.loc["days", "auc"] > 0.6
    assert np.isnan(table.loc["flat", "calibration_slope"])
    assert table.loc["flat", "observed_to_expected"] > 0


def test_ties_are_told(table):
    assert table.loc["flat", "recall_worst"] == 0
    assert table.loc["flat", "recall_best"] > 0.5
    assert table.loc["model", "recall_worst"] == table.loc["model", "recall_best"]
