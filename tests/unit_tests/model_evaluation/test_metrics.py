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
    compute_roc,
    draw_metrics,
    find_capacity_threshold,
)
from chw_tools.model_evaluation.resampling import Resampling


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


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1000), st.floats(0.2, 5.0))
def test_a_transformation_that_keeps_the_order_leaves_the_order_measures(seed, power):
    labels, risks = _people(150, seed, digits=8)
    if not 0 < labels.sum() < 150:
        return
    whole = compute_metrics(labels, risks, seed=0, n_resamples=0)["value"]
    bent = compute_metrics(labels, risks**power, seed=0, n_resamples=0)["value"]
    for name in ("auc", "average_precision", "precision", "recall"):
        assert bent[name] == pytest.approx(whole[name], abs=1e-12)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1000))
def test_a_weight_of_two_is_the_person_twice(seed):
    generator = np.random.default_rng(seed)
    labels, risks = _people(80, seed)
    weights = generator.integers(1, 4, 80)
    if not 0 < labels.sum() < 80:
        return
    weighted = compute_metrics(
        labels, risks, seed=0, threshold=0.2, n_resamples=0, weights=weights.astype(float)
    )["value"]
    repeated = compute_metrics(
        np.repeat(labels, weights), np.repeat(risks, weights), seed=0, threshold=0.2, n_resamples=0
    )["value"]
    alike = weighted.drop("calibration_error")  # its bins are of people
    assert alike.to_numpy() == pytest.approx(repeated[alike.index].to_numpy(), abs=1e-8)


def test_calibration_in_the_large_is_what_mends_the_number_of_events():
    from chw_tools.model_evaluation.calibration import compute_logit, compute_probability

    labels, risks = _people(digits=8)
    shift = compute_metrics(labels, risks / 2, seed=0, n_resamples=0).loc[
        "calibration_in_the_large", "value"
    ]
    assert shift > 0
    mended = compute_probability(compute_logit(risks / 2) + shift)
    assert mended.sum() == pytest.approx(labels.sum())


def test_people_of_one_household_are_drawn_together_and_widen_the_interval():
    labels, risks = _people(300, digits=8)
    four = np.repeat(np.arange(300), 4)
    alone = compute_metrics(labels[four], risks[four], seed=1)
    together = compute_metrics(labels[four], risks[four], seed=1, groups=four)
    width = together.loc["auc", "high"] - together.loc["auc", "low"]
    assert width > 1.6 * (alone.loc["auc", "high"] - alone.loc["auc", "low"])
    once = compute_metrics(labels, risks, seed=1)
    # As many independent people as there are households, so the interval of these.
    assert width == pytest.approx(once.loc["auc", "high"] - once.loc["auc", "low"], rel=0.25)


def test_drawn_counts_are_whole_households_and_the_same_each_time():
    drawn = Resampling(6, seed=3, n_resamples=5, groups=np.array(["a", "a", "b", "c", "c", "c"]))
    first = np.concatenate(list(drawn.blocks()))
    assert (first == np.concatenate(list(drawn.blocks()))).all()
    assert (first[:, 0] == first[:, 1]).all()
    assert (first[:, 3] == first[:, 5]).all()
    assert (first[:, [0, 2, 3]].sum(axis=1) == 3).all()
    assert not list(Resampling(6, seed=3, n_resamples=0).blocks())


def test_intervals_of_slope_by_groups_of_log_odds_are_those_of_every_person():
    from chw_tools.model_evaluation import ranked

    labels, risks = _people(6_000, digits=8)
    drawn = Resampling(6_000, seed=1, n_resamples=20)
    names = ["calibration_slope", "calibration_in_the_large"]
    _, fast = draw_metrics(labels, risks, drawn, names=names)
    kept = ranked._LOGIT_GROUPS
    ranked._LOGIT_GROUPS = 10**9
    try:
        _, exact = draw_metrics(labels, risks, drawn, names=names)
    finally:
        ranked._LOGIT_GROUPS = kept
    assert np.abs(fast - exact).to_numpy().max() < 1e-3


def test_a_bound_among_infinite_draws_is_not_known_and_warns_nobody():
    from chw_tools.model_evaluation.resampling import find_interval

    draws = pd.DataFrame({"fine": np.arange(100.0), "ratio": [1.0] * 50 + [np.inf] * 50})
    low, high = find_interval(draws)
    assert low[0] == pytest.approx(2.475)
    assert (low[1], np.isnan(high[1])) == (1.0, True)
    assert np.isfinite(high[0])
