"""Enough people to train on: the published example, and what moves the number."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chw_tools.model_training.sample_size import compute_greatest_cox_snell, compute_sample_size


def test_the_published_example_of_chagas_disease():
    # Riley 2019 (Stat Med 38:1276): 4.8 events a parameter; the numbers are those of the
    # authors' package pmsampsize (its own test of a binary outcome).
    need = compute_sample_size(0.174, n_parameters=24, cox_snell=0.288)
    found = (need.n_shrinkage, need.n_optimism, need.n_overall, need.n_people)
    assert found == (623, 662, 221, 662)
    assert need.n_people * need.prevalence / need.n_parameters == pytest.approx(4.8, abs=0.005)


@given(st.floats(0.01, 0.99), st.integers(1, 60))
def test_more_parameters_need_more_people_and_a_better_fit_fewer(prevalence, n):
    need = compute_sample_size(prevalence, n_parameters=n)
    assert compute_sample_size(prevalence, n_parameters=n + 20).n_people >= need.n_people
    greatest = compute_greatest_cox_snell(prevalence)
    better = compute_sample_size(prevalence, n_parameters=n, cox_snell=0.3 * greatest)
    assert better.n_people <= need.n_people
    assert need.n_events >= prevalence * need.n_people


def test_too_few_is_said_with_its_cause_and_cure():
    need = compute_sample_size(0.1, n_parameters=30)
    assert need.n_people == 3614
    said = need.describe(1000)
    assert "too few" in said
    assert "3,614 people" in said
    assert "fewer inputs" in said
    assert "enough" in need.describe(3614)


def test_the_overall_risk_may_be_what_asks_for_most():
    need = compute_sample_size(0.5, n_parameters=1, cox_snell=0.6)
    assert need.n_people == need.n_overall == 385
    assert need.binding == "an overall risk known to 0.05"


@pytest.mark.parametrize(
    ("prevalence", "n", "fit"), [(0, 3, None), (1, 3, None), (0.1, 0, None), (0.1, 3, 0.6)]
)
def test_impossible_numbers_are_refused(prevalence, n, fit):
    with pytest.raises(ValueError, match="between 0 and"):
        compute_sample_size(prevalence, n_parameters=n, cox_snell=fit)
