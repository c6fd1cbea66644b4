"""The overlap of lists: all, none, or as much as chance gives."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from chw_tools.model_evaluation.stability import (
    compute_overlap,
    compute_refit_stability,
    compute_stability,
)


def _scores(values, start=0):
    return pd.Series(np.asarray(values, float), [f"p{i + start:04d}" for i in range(len(values))])


def test_the_same_scores_keep_the_whole_list_and_reversed_ones_none():
    scores = _scores(np.arange(100))
    same = compute_overlap(scores, scores)
    assert (same["retained"], same["jaccard"], same["rank_correlation"]) == (1, 1, 1)
    other = compute_overlap(scores, -scores)
    assert (other["retained"], other["jaccard"]) == (0, 0)
    assert other["rank_correlation"] == pytest.approx(-1)


def test_a_list_by_lot_keeps_what_chance_gives():
    generator = np.random.default_rng(0)
    kept = [
        compute_overlap(_scores(generator.random(400)), _scores(generator.random(400)), share=0.2)
        for _ in range(50)
    ]
    assert np.mean([k["retained"] for k in kept]) == pytest.approx(0.2, abs=0.03)
    assert kept[0]["retained_by_chance"] == 0.2


def test_people_who_left_or_came_are_left_out():
    first, second = _scores(np.arange(50)), _scores(np.arange(50), start=25)
    found = compute_overlap(first, second, share=0.2)
    assert found["n"] == 25
    assert found["retained"] == 1
    nobody = compute_overlap(first, _scores(np.arange(5), start=900))
    assert nobody["n"] == 0
    assert np.isnan(nobody["retained"])


def test_days_are_compared_with_the_next_and_refits_with_the_first():
    scores = {name: _scores(np.roll(np.arange(20), i)) for i, name in enumerate("abc")}
    days = compute_stability(scores, share=0.5)
    assert list(zip(days["first"], days["second"], strict=True)) == [("a", "b"), ("b", "c")]
    refits = compute_refit_stability(scores, share=0.5)
    assert list(zip(refits["first"], refits["second"], strict=True)) == [("a", "b"), ("a", "c")]
    assert compute_stability({"a": scores["a"]}).empty
    assert np.isnan(compute_overlap(scores["a"], _scores(np.zeros(20)))["rank_correlation"])
