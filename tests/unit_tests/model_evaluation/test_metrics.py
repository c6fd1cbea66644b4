"""Every measure equals its textbook definition; intervals cover; order never matters."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chw_tools.errors import NotEnoughData
from chw_tools.model_evaluation.metrics import (
    METRICS,
    compute_confusion,
    compute_metrics,
    compute_net_benefit,
    compute_roc,
    find_capacity_threshold,
)


def _people(n=600, seed=0, digits=2):
    generator = np.random.default_rng(seed)
    risks = np.clip(np.round(generator.beta(1, 6, n), digits), 0.001, 0.999)
    return (generator.random(n) < risks).astype(float), risks


def test_the_measures_are_those_of_scikit_learn():
    from sklearn.metrics import (
        average_precision_score,
        brier_score_loss,
        log_loss,
        roc_auc_score,
    )

    labels, risks = _people()  # two digits, so that many risks are tied
    found = compute_metrics(labels, risks, seed=0, n_resamples=0)["value"]
    assert found["auc"] == pytest.approx(roc_auc_score(labels, risks))
    assert found["average_precision"] == pytest.approx(average_precision_score(labels, risks))
    assert found["brier"] == pytest.approx(brier_score_loss(labels, risks))
    assert found["log_loss"] == pytest.approx(log_loss(labels, risks))
    assert set(found.index) == {metric.name for metric in METRICS}


def test_counts_at_the_threshold_agree_with_the_rates():
    labels, risks = _people()
    threshold = find_capacity_threshold(risks)
    found = compute_metrics(labels, risks, seed=0, n_resamples=0)["value"]
    counts = compute_confusion(labels, risks, threshold=threshold)
    assert sum(counts.values()) == len(labels)
    called = counts["true_positive"] + counts["false_positive"]
    assert found["precision"] == pytest.approx(counts["true_positive"] / called)
    assert found["recall"] == pytest.approx(counts["true_positive"] / labels.sum())
    assert found["accuracy"] == pytest.approx(
        (counts["true_positive"] + counts["true_negative"]) / len(labels)
    )


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000))
def test_the_order_of_people_changes_nothing(seed):
    labels, risks = _people(200, seed)
    if not 0 < labels.sum() < 200:
        return
    order = np.random.default_rng(seed).permutation(200)
    whole = compute_metrics(labels, risks, seed=0, n_resamples=0)
    mixed = compute_metrics(labels[order], risks[order], seed=0, n_resamples=0)
    pd.testing.assert_frame_equal(whole, mixed, rtol=1e-9, atol=1e-12)


def test_intervals_hold_the_value_and_come_from_the_seed():
    labels, risks = _people()
    first = compute_metrics(labels, risks, seed=1)
    again = compute_metrics(labels, risks, seed=1)
    other = compute_metrics(labels, risks, seed=2)
    pd.testing.assert_frame_equal(first, again)
    assert not first["low"].equals(other["low"])
    held = first.drop(index="calibration_error")  # chance pushes it up, so it may lie below
    assert (held["low"] <= held["value"]).all()
    assert (held["value"] <= held["high"]).all()


def test_the_interval_of_the_auc_covers_as_often_as_it_says():
    generator = np.random.default_rng(5)
    hits = 0
    for trial in range(60):
        risks = np.clip(generator.beta(2, 4, 300), 0.01, 0.99)
        labels = (generator.random(300) < risks).astype(float)
        found = compute_metrics(labels, risks, seed=trial, n_resamples=200).loc["auc"]
        hits += found["low"] <= _TRUE_AUC <= found["high"]
    assert hits >= 50  # 95 % of 60 is 57; fewer than 50 would be a one in a thousand chance


#: AUC of a calibrated beta(2, 4) risk, by numerical integration of its definition.
def _integrate():
    x = np.linspace(0, 1, 20_001)[1:-1]
    density = x * (1 - x) ** 3
    event, none = density * x, density * (1 - x)
    below = np.cumsum(none) / none.sum()
    return float((event / event.sum() * below).sum())


_TRUE_AUC = _integrate()


def test_nobody_can_be_judged_where_nothing_happened():
    for labels in (np.zeros(10), np.ones(10)):
        with pytest.raises(NotEnoughData):
            compute_metrics(labels, np.linspace(0.1, 0.9, 10), seed=0)


def test_the_roc_curve_ends_where_everybody_is_called():
    labels, risks = _people()
    curve = compute_roc(labels, risks)
    assert curve["threshold"].is_monotonic_decreasing
    assert curve["threshold"].is_unique
    assert curve.iloc[-1][["false_positive_rate", "recall"]].tolist() == [1.0, 1.0]
    area = np.trapezoid(np.append(0, curve["recall"]), np.append(0, curve["false_positive_rate"]))
    assert area == pytest.approx(
        compute_metrics(labels, risks, seed=0, n_resamples=0).loc["auc", "value"]
    )


@pytest.mark.shared
def test_net_benefit_is_that_of_the_published_implementation(shared):
    people = pd.read_csv(shared / "vectors/dca/df_binary.csv")
    published = pd.read_csv(shared / "vectors/dca/r_case1_results.csv")
    labels = people["cancer"].to_numpy(float)
    judged = [name for name in published["variable"].unique() if name in people]
    assert judged
    for name in judged:
        rows = published[
            (published["variable"] == name) & published["threshold"].between(0.001, 0.985)
        ]
        found = compute_net_benefit(
            labels, people[name].to_numpy(float), thresholds=rows["threshold"].to_numpy()
        )
        assert len(rows) > 40
        assert found["model"].to_numpy() == pytest.approx(rows["net_benefit"], abs=1e-12)


def test_calling_everybody_is_worth_the_prevalence_at_no_threshold():
    labels, risks = _people()
    found = compute_net_benefit(labels, risks, thresholds=np.array([1e-9]))
    assert found["everybody"].iloc[0] == pytest.approx(labels.mean())
    assert found["model"].iloc[0] == pytest.approx(labels.mean())
