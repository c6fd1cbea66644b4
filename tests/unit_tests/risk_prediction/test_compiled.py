"""Compiled terms against the plainest evaluation that can be written."""

from __future__ import annotations

from bisect import bisect_right

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chw_tools.risk_prediction.compiled import compile_terms
from chw_tools.risk_prediction.terms import Levels, Pieces, Steps

FINITE = st.floats(allow_nan=False, allow_infinity=False)
SCORE = st.floats(-5, 5)
CUTS = st.lists(FINITE, max_size=12, unique=True).map(sorted)


@st.composite
def steps(draw):
    cuts = draw(CUTS)
    scores = draw(st.lists(SCORE, min_size=len(cuts) + 1, max_size=len(cuts) + 1))
    return Steps("x", np.array(cuts), np.array(scores), draw(SCORE))


@st.composite
def levels(draw):
    n = draw(st.integers(0, 5))
    scores = np.array(draw(st.lists(SCORE, min_size=n, max_size=n)), dtype=float)
    return Levels("x", tuple("abcde"[:n]), scores, draw(SCORE), draw(SCORE))


@st.composite
def pieces(draw):
    knots = sorted(draw(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=6, unique=True)))
    degree = draw(st.integers(0, 3))
    n = (len(knots) + 1) * (degree + 1)
    numbers = draw(st.lists(SCORE, min_size=n, max_size=n))
    coefficients = np.array(numbers).reshape(len(knots) + 1, degree + 1)
    return Pieces("x", np.array(knots), coefficients, draw(SCORE))


def plainly(term, value):
    if np.isnan(value):
        return term.missing
    if isinstance(term, Levels):
        return [*term.scores, term.unknown][int(value)]
    borders = term.cuts if isinstance(term, Steps) else term.knots
    place = bisect_right(borders.tolist(), value)
    if isinstance(term, Steps):
        return term.scores[place]
    t = value - borders[max(place - 1, 0)]
    total = 0.0
    for coefficient in reversed(term.coefficients[place].tolist()):
        total = total * t + coefficient
    return total


def tried(term, more):
    if isinstance(term, Levels):
        return [np.nan, *range(len(term.levels) + 1)]
    borders = term.cuts if isinstance(term, Steps) else term.knots
    with np.errstate(over="ignore"):
        beside = [np.nextafter(borders, -np.inf), np.nextafter(borders, np.inf)]
    values = [np.nan, 0.0, *borders, *np.concatenate(beside), *more]
    return [v for v in values if not np.isinf(v)]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.one_of(steps(), levels(), pieces()), min_size=1, max_size=5), st.data())
def test_every_value_scores_as_by_plain_bisection(terms, data):
    more = data.draw(st.lists(st.floats(-2e3, 2e3), max_size=5))
    columns = [tried(term, more) for term in terms]
    width = max(map(len, columns))
    values = np.array([np.resize(column, width) for column in columns], dtype=float)
    found = compile_terms(terms).score(values)
    for term, row, scored in zip(terms, values, found, strict=True):
        wanted = [plainly(term, value) for value in row.tolist()]
        assert scored.tolist() == pytest.approx(wanted, rel=1e-12, abs=1e-12)
        if not isinstance(term, Pieces):
            assert scored.tolist() == wanted


@settings(max_examples=25, deadline=None)
@given(steps())
def test_the_ends_of_the_line_are_bins_too(term):
    found = compile_terms([term]).score(np.array([[-np.inf, np.inf]]))
    assert found.tolist() == [[term.scores[0], term.scores[-1]]]


@pytest.mark.parametrize("cuts", [[0.0, 1e-300, 1.0], [-1e308, 1e308], [1.0, np.nextafter(1, 2)]])
def test_borders_too_close_or_too_far_are_compared_by_bisection(cuts):
    term = Steps("x", np.array(cuts), np.arange(len(cuts) + 1.0), -1.0)
    values = np.array([[np.nan, *cuts, *np.nextafter(cuts, -np.inf)]])
    wanted = [[plainly(term, value) for value in values[0].tolist()]]
    assert compile_terms([term]).score(values).tolist() == wanted


@pytest.mark.parametrize("n_people", [1, 2, 255, 256, 257, 40_000])
def test_sums_do_not_depend_on_how_many_are_summed(n_people):
    rng = np.random.default_rng(1)
    terms = [
        Steps(f"x{k}", np.sort(rng.normal(0, 1, 9)), rng.normal(0, 1, 10), 0.1) for k in range(20)
    ]
    values = rng.normal(0, 1, (20, n_people))
    compiled = compile_terms(terms)
    sums = compiled.add_up(values, 0.3)
    one = compiled.add_up(values[:, -1:].copy(), 0.3)[0]
    by_hand = 0.3
    for score in compiled.score(values[:, -1:])[:, 0].tolist():
        by_hand += score
    assert sums[-1] == one == by_hand


def test_no_terms_add_nothing():
    assert compile_terms([]).add_up(np.empty((0, 3)), 0.5).tolist() == [0.5, 0.5, 0.5]


def test_the_weight_of_a_curve_is_its_spread_over_the_usual_range():
    line = Pieces("x", np.array([0.0]), np.array([[0.0, 2.0]] * 2), 0.0, usual=(10.0, 20.0))
    assert line.weight == pytest.approx(20.0)
    assert Levels("x", ("a",), np.array([1.0]), 9.0, -1.0).weight == 2.0
