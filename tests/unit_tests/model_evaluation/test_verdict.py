"""A probability is calibrated or it is not shown: events, slope, and observed over expected."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from chw_tools.model_evaluation import (
    About,
    compute_calibration_verdict,
    evaluate,
    write_card,
    write_report,
)

_ABOUT = About("fall", "A fall", "additive", "v1", "additive", "real")


def judged(distort, n=4_000):
    generator = np.random.default_rng(5)
    true = generator.beta(1, 8, n)
    labels = (generator.random(n) < true).astype(float)
    return evaluate(labels, np.clip(distort(true), 0.001, 0.999), seed=2)


@pytest.fixture(scope="module")
def calibrated():
    return judged(lambda true: true)


def test_calibrated_probabilities_may_be_shown(calibrated):
    shown, why = compute_calibration_verdict(calibrated)
    assert shown
    assert f"{calibrated.n_events:,} events" in why


def test_fewer_than_a_hundred_events_show_nothing(calibrated):
    assert compute_calibration_verdict(replace(calibrated, n_events=100)).shown
    shown, why = compute_calibration_verdict(replace(calibrated, n_events=99))
    assert not shown
    assert "99 events" in why


@pytest.mark.parametrize(
    ("distort", "named"),
    [
        (lambda true: true * 2, "observed / expected"),
        (lambda true: true / 2, "observed / expected"),
        (lambda true: true**2 / (true**2 + (1 - true) ** 2), "calibration slope"),
    ],
)
def test_numbers_of_the_wrong_size_or_spread_are_not_shown(distort, named):
    shown, why = compute_calibration_verdict(judged(distort))
    assert not shown
    assert named in why


@pytest.mark.parametrize(
    ("low", "high", "shown"),
    [(0.5, 0.9, True), (1.1, 2.0, True), (0.5, 0.8999, False), (1.1001, 2.0, False)],
)
@pytest.mark.parametrize("name", ["calibration_slope", "observed_to_expected"])
def test_an_interval_must_reach_into_the_range(calibrated, name, low, high, shown):
    metrics = calibrated.metrics.copy()
    metrics.loc[name, ["low", "high"]] = [low, high]
    assert compute_calibration_verdict(replace(calibrated, metrics=metrics)).shown is shown


def test_an_interval_that_is_not_known_reaches_nowhere(calibrated):
    metrics = calibrated.metrics.copy()
    metrics.loc["calibration_slope"] = np.nan
    shown, why = compute_calibration_verdict(replace(calibrated, metrics=metrics))
    assert not shown
    assert "not known" in why


def test_report_card_and_figures_say_the_verdict():
    evaluation = judged(lambda true: true * 2)
    why = compute_calibration_verdict(evaluation).why
    files = write_report(evaluation, _ABOUT)
    assert json.loads(files["metrics.json"])["probability"] == {"shown": False, "why": why}
    assert f"**The number may not be shown to people.** {why}" in files["report.md"].decode()
    assert f"Number shown to people: no. {why}" in write_card(_ABOUT, evaluation)
