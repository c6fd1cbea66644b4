"""A list of exactly the capacity; the bounds of ties hold every order of the tied."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chw_tools.model_evaluation.capacity import (
    compute_at_capacity,
    count_called,
    draw_at_capacity,
)
from chw_tools.model_evaluation.resampling import Resampling

NONE = Resampling(1, seed=0, n_resamples=0)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from([0.0, 1.0]), st.sampled_from([1, 2, 3])), min_size=2, max_size=6
    ),
    st.sampled_from([0.2, 0.34, 0.5, 0.8]),
)
def test_the_bounds_are_the_best_and_the_worst_of_all_orders(rows, share):
    labels, scores = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    if not labels.sum():
        return
    n_called = count_called(len(labels), share=share)
    found = []
    for order in permutations(range(len(labels))):
        ranked = sorted(order, key=lambda i: -scores[i])  # sorted() keeps the order of the tied
        found.append(labels[ranked[:n_called]].sum() / n_called)
    row = compute_at_capacity(labels, scores, NONE, share=share).loc["precision"]
    assert row["worst"] == pytest.approx(min(found))
    assert row["best"] == pytest.approx(max(found))
    assert row["value"] == pytest.approx(np.mean(found))


def test_without_ties_it_is_plain_counting():
    labels = np.array([1.0, 0, 1, 0, 0, 0, 0, 0, 0, 1])
    scores = np.arange(10, 0, -1.0)
    table = compute_at_capacity(labels, scores, Resampling(10, seed=1), share=0.3)
    assert table.loc["precision", "value"] == pytest.approx(2 / 3)
    assert table.loc["recall", "value"] == pytest.approx(2 / 3)
    assert table.loc["recall", ["worst", "best"]].tolist() == pytest.approx([2 / 3, 2 / 3])
    assert table.loc["recall", "n_called"] == 3
    assert table.loc["recall", "n_tied"] == 0


def test_one_place_for_all_is_a_list_by_lot():
    labels = np.repeat([1.0, 0.0], [20, 80])
    row = compute_at_capacity(labels, np.zeros(100), NONE, share=0.1).loc["recall"]
    assert (row["value"], row["worst"], row["best"]) == pytest.approx((0.1, 0.0, 0.5))
    assert row["n_tied"] == 100


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 500))
def test_a_resample_is_judged_as_its_people_would_be(seed):
    generator = np.random.default_rng(seed)
    labels = (generator.random(40) < 0.4).astype(float)
    scores = generator.integers(0, 8, 40).astype(float)
    drawn = Resampling(40, seed=seed, n_resamples=3)
    draws = draw_at_capacity(labels, scores, drawn, share=0.2)
    for row, counts in zip(
        draws.to_dict("records"), np.concatenate(list(drawn.blocks())), strict=True
    ):
        repeated = np.repeat(np.arange(40), counts.astype(int))
        alone = compute_at_capacity(labels[repeated], scores[repeated], NONE, share=0.2)
        assert row["precision"] == pytest.approx(alone.loc["precision", "value"])
