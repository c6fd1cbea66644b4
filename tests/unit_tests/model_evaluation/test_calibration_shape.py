"""Chance and miscalibration are told apart; the smooth curve follows what was done to risks."""

from __future__ import annotations

import numpy as np
import pytest

from chw_tools.model_evaluation import calibration_shape
from chw_tools.model_evaluation.calibration import compute_logit, compute_probability
from chw_tools.model_evaluation.calibration_shape import (
    compute_chance_of_error,
    compute_smooth_calibration,
)
from chw_tools.model_evaluation.resampling import Resampling


def _drawn(n=4_000, seed=0):
    generator = np.random.default_rng(seed)
    risks = generator.beta(1, 6, n)
    return (generator.random(n) < risks).astype(float), risks


def test_a_perfect_model_exceeds_the_95th_percentile_one_time_in_twenty():
    exceeded = 0
    for seed in range(200):
        labels, risks = _drawn(400, seed)
        exceeded += (
            compute_chance_of_error(labels, risks, seed=1, n_simulated=300).share_as_large < 0.05
        )
    assert 2 <= exceeded <= 22  # 10 expected; outside is a one in a thousand chance


def test_miscalibration_is_more_than_chance():
    labels, risks = _drawn()
    fits = compute_chance_of_error(labels, risks, seed=1)
    assert fits.share_as_large > 0.01
    assert fits.mean < fits.p95
    off = compute_chance_of_error(labels, np.clip(1.3 * risks, 0, 1), seed=1)
    assert off.share_as_large == 0


def test_drawing_sums_is_drawing_people(monkeypatch):
    labels, risks = _drawn(8_000)
    one_by_one = compute_chance_of_error(labels, risks, seed=1)
    monkeypatch.setattr(calibration_shape, "_MOST_DRAWN_ONE_BY_ONE", 100)
    by_sums = compute_chance_of_error(labels, risks, seed=1)
    assert by_sums.p95 == pytest.approx(one_by_one.p95, rel=0.05)
    assert by_sums.mean == pytest.approx(one_by_one.mean, rel=0.05)


def test_the_bands_hold_the_bins_of_a_perfect_model():
    labels, risks = _drawn(8_000, seed=5)
    bands = compute_chance_of_error(labels, risks, seed=1).bands
    assert len(bands) == 10
    assert (bands["low"] < bands["mean_risk"]).all()
    assert (bands["mean_risk"] < bands["high"]).all()


@pytest.mark.parametrize(("slope", "shift"), [(1.0, 0.0), (0.6, -0.5), (1.6, 0.8)])
def test_the_smooth_curve_finds_what_was_done(slope, shift):
    labels, true = _drawn(20_000)
    told = compute_probability((compute_logit(true) - shift) / slope)
    curve = compute_smooth_calibration(labels, told, Resampling(20_000, seed=1, n_resamples=50))
    expected = compute_probability(shift + slope * compute_logit(curve["risk"]))
    inside = (curve["low"] <= expected) & (expected <= curve["high"])
    assert inside.mean() > 0.7
    assert np.abs(curve["observed"] - expected).max() < 0.06
    assert (curve["high"] - curve["low"]).max() < 0.2


def test_few_people_few_values_and_no_samples_still_give_a_curve():
    labels = np.array([0.0, 0, 1, 0, 1, 1])
    risks = np.array([0.2, 0.2, 0.2, 0.8, 0.8, 0.8])
    curve = compute_smooth_calibration(labels, risks, Resampling(6, seed=1, n_resamples=0))
    assert curve["low"].isna().all()
    assert curve["observed"].between(0, 1).all()
    assert curve["observed"].is_monotonic_increasing
