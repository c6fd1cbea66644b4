"""Recalibration finds what was done to the risks, and mends it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chw_tools.model_evaluation.calibration import (
    assign_bins,
    compute_calibration_curve,
    compute_logit,
    compute_probability,
    compute_wilson,
    fit_recalibration,
)


def _drawn(n=40_000, seed=0):
    generator = np.random.default_rng(seed)
    true = generator.normal(-2, 1.2, n)
    return true, (generator.random(n) < compute_probability(true)).astype(float)


@pytest.mark.parametrize(("slope", "intercept"), [(1.0, 0.0), (2.0, -1.0), (0.5, 0.7)])
def test_it_undoes_a_known_distortion(slope, intercept):
    true, labels = _drawn()
    slopes, intercepts = fit_recalibration((true - intercept) / slope, labels)
    assert slopes[0] == pytest.approx(slope, abs=0.06 * slope)
    assert intercepts[0] == pytest.approx(intercept, abs=0.12)


def test_it_agrees_with_an_unpenalised_logistic_regression():
    from sklearn.linear_model import LogisticRegression

    logits, labels = _drawn(5_000)
    fitted = LogisticRegression(C=1e9, tol=1e-10, max_iter=1000).fit(logits[:, None], labels)
    slopes, intercepts = fit_recalibration(logits, labels)
    assert slopes[0] == pytest.approx(fitted.coef_[0, 0], abs=1e-4)
    assert intercepts[0] == pytest.approx(fitted.intercept_[0], abs=1e-4)


def test_many_weightings_at_once_are_the_same_as_one_by_one():
    logits, labels = _drawn(2_000)
    weights = np.random.default_rng(1).multinomial(2_000, np.full(2_000, 1 / 2_000), size=3)
    slopes, intercepts = fit_recalibration(logits, labels, weights=weights.astype(float))
    for row, slope, intercept in zip(weights, slopes, intercepts, strict=True):
        repeated = np.repeat(np.arange(2_000), row)
        alone = fit_recalibration(logits[repeated], labels[repeated])
        assert (slope, intercept) == pytest.approx((alone[0][0], alone[1][0]), abs=1e-7)


@pytest.mark.parametrize("labels", [[0.0, 0, 1, 1], [1.0, 1, 1, 1], [0.0, 1, 0, 1]])
def test_separated_constant_and_tied_rows_give_finite_numbers(labels):
    for logits in ([-1.0, -0.5, 0.5, 1.0], [0.3, 0.3, 0.3, 0.3]):
        slopes, intercepts = fit_recalibration(np.array(logits), np.array(labels))
        assert np.isfinite([slopes[0], intercepts[0]]).all()


@given(st.lists(st.floats(1e-5, 1 - 1e-5), min_size=1, max_size=50))
def test_logit_and_probability_undo_each_other(risks):
    assert compute_probability(compute_logit(risks)) == pytest.approx(np.array(risks), rel=1e-9)


@settings(max_examples=25)
@given(st.lists(st.sampled_from([0.0, 0.1, 0.2, 0.5, 0.9]), min_size=2, max_size=60))
def test_bins_keep_equal_risks_together_and_follow_their_order(risks):
    values = np.array(risks)
    bins = assign_bins(values)
    for risk in set(risks):
        assert len(set(bins[values == risk])) == 1
    assert (np.diff(bins[np.argsort(values, kind="stable")]) >= 0).all()
    assert set(bins) == set(range(bins.max() + 1))


def test_the_curve_counts_everybody_once():
    logits, labels = _drawn(5_000)
    curve = compute_calibration_curve(labels, compute_probability(logits))
    assert curve["n"].sum() == 5_000
    assert curve["n_events"].sum() == labels.sum()
    assert (curve["low"] <= curve["observed"]).all()
    assert (curve["observed"] <= curve["high"]).all()
    assert curve["mean_risk"].is_monotonic_increasing


def test_wilson_intervals_stay_within_0_and_1():
    low, high = compute_wilson([0, 10], [10, 10])
    assert low == pytest.approx([0.0, 0.7225], abs=1e-4)
    assert high == pytest.approx([0.2775, 1.0], abs=1e-4)
