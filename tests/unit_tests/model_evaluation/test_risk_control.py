"""The promise on recall holds in simulation, and MAPIE and plain counting agree."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from chw_tools.errors import MissingExtra, NotEnoughData
from chw_tools.model_evaluation.risk_control import choose_threshold_for_recall


def _people(n, generator):
    risks = generator.beta(1, 6, n)
    return (generator.random(n) < risks).astype(float), risks


@pytest.fixture(scope="module")
def world():
    """A population so large that its recall is the true one."""
    return _people(400_000, np.random.default_rng(99))


@pytest.mark.parametrize("target", [0.8, 0.9])
def test_the_promise_is_kept_at_least_as_often_as_it_says(world, target):
    labels, risks = world
    of_events = np.sort(risks[labels == 1])
    generator = np.random.default_rng(1)
    kept = []
    for _ in range(400):
        found = choose_threshold_for_recall(*_people(1_000, generator), target=target)
        recall = 1 - np.searchsorted(of_events, found.threshold) / len(of_events)
        kept.append(recall >= target)
    assert np.mean(kept) >= 0.9 - 0.03  # two standard errors of 400 trials
    assert np.mean(kept) < 0.97  # and no more list than is needed


@pytest.mark.parametrize(("n", "longer"), [(300, 0.25), (3_000, 0.06)])
def test_mapie_promises_the_same_with_a_list_no_shorter(world, n, longer):
    labels, risks = _people(n, np.random.default_rng(n))
    exact = choose_threshold_for_recall(labels, risks)
    library = choose_threshold_for_recall(labels, risks, method="mapie")
    assert library.threshold <= exact.threshold
    assert library.recall >= exact.recall >= 0.9
    assert exact.list_share <= library.list_share <= exact.list_share + longer
    of_events = np.sort(world[1][world[0] == 1])
    assert 1 - np.searchsorted(of_events, library.threshold) / len(of_events) >= 0.9


def test_counts_are_those_of_the_binomial():
    from scipy.stats import binom

    risks = np.linspace(0.001, 0.999, 500)
    found = choose_threshold_for_recall(np.ones(500), risks)
    missed = int((risks < found.threshold).sum())
    assert binom.cdf(missed, 500, 0.1) <= 0.1 < binom.cdf(missed + 1, 500, 0.1)
    assert found.n_events == 500


def test_more_confidence_needs_a_longer_list():
    labels, risks = _people(2_000, np.random.default_rng(4))
    shares = [
        choose_threshold_for_recall(labels, risks, confidence=c).list_share
        for c in (0.5, 0.9, 0.99)
    ]
    assert shares == sorted(shares)
    assert shares[0] < shares[-1]


def test_twenty_one_events_promise_nothing_and_twenty_two_do():
    # Missing none of 22 has a chance of 0.9 ** 22 = 0.098 where a tenth is missed.
    with pytest.raises(NotEnoughData, match="21 events"):
        choose_threshold_for_recall(np.ones(21), np.linspace(0.1, 0.9, 21))
    found = choose_threshold_for_recall(np.ones(22), np.linspace(0.1, 0.9, 22))
    assert found.threshold == pytest.approx(0.1)
    assert found.recall == 1


def test_without_the_library_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "mapie.risk_control", None)
    with pytest.raises(MissingExtra, match=r"chw-tools\[conformal\]"):
        choose_threshold_for_recall(np.ones(50), np.linspace(0.1, 0.9, 50), method="mapie")


@pytest.mark.parametrize(("target", "confidence"), [(1.0, 0.9), (0.9, 0.0)])
def test_a_promise_of_everything_is_refused(target, confidence):
    with pytest.raises(ValueError, match="between 0 and 1"):
        choose_threshold_for_recall(np.ones(5), np.ones(5), target=target, confidence=confidence)
