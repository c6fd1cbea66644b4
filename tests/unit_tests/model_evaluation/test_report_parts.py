"""What a report says depends on what was found: ties, groups that are off, gaps, small numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from chw_tools.model_evaluation import About, compute_drift, evaluate, summarise_inputs
from chw_tools.model_evaluation.document import write_markdown
from chw_tools.model_evaluation.report_parts import compose
from chw_tools.model_evaluation.report_tables import say_interval

_ABOUT = About("fall", "A fall", "additive", "v1", "additive", "real")


def _said(evaluation):
    return write_markdown(compose(evaluation, _ABOUT))


def _drawn(n=1_200, seed=1):
    generator = np.random.default_rng(seed)
    risks = np.round(generator.beta(2, 6, n), 6)
    return generator, (generator.random(n) < risks).astype(float), risks


@pytest.fixture(scope="module")
def plain():
    _, labels, risks = _drawn()
    return evaluate(labels, risks, seed=1, baselines={"twin": risks + 1e-9})


def test_a_rule_that_is_as_good_is_not_said_to_be_beaten(plain):
    assert "**Not shown to order people better than twin**" in _said(plain)


def test_the_luck_of_ties_is_told_where_there_is_some(plain):
    assert "have the same risk where the list ends" not in _said(plain)
    _, labels, risks = _drawn()
    tied = evaluate(labels, np.round(risks, 1), seed=1)
    said = _said(tied)
    assert "have the same risk where the list ends" in said
    low, high = tied.capacity.loc["recall", ["worst", "best"]]
    assert f"{low:.1%} to {high:.1%} of events" in said
    assert "It was compared with none" in said


def test_a_group_whose_risks_have_the_wrong_size_is_named():
    generator, _, risks = _drawn(4_000)
    sex = generator.choice(["female", "male"], 4_000)
    true = np.where(sex == "male", np.minimum(1, 1.6 * risks), risks)
    labels = (generator.random(4_000) < true).astype(float)
    off = evaluate(labels, risks, seed=1, judged_by=pd.DataFrame({"sex": sex}))
    said = _said(off)
    assert (
        "**The risks have the wrong size in some groups** (observed / expected): sex male" in said
    )
    assert "sex female" not in said


def test_groups_with_few_events_say_nothing_on_their_own():
    _, labels, risks = _drawn(150)
    few = pd.DataFrame({"sex": np.repeat(["female", "male"], 75)})
    assert "No group has 50 events" in _said(evaluate(labels, risks, seed=1, judged_by=few))
    rare = np.zeros(150)
    rare[[3, 90, 120]] = 1
    none = evaluate(rare, risks, seed=1, judged_by=few)
    assert "subgroups.png" not in _said(none)


def test_risks_that_are_too_extreme_or_too_timid_are_called_so():
    _, labels, risks = _drawn(4_000)
    odds = risks / (1 - risks)
    for power, words in ((2.0, "too extreme"), (0.5, "too timid")):
        bent = odds**power / (1 + odds**power)
        said = _said(evaluate(labels, bent, seed=1))
        assert f"the risks are {words}" in said
        assert "**chance does not explain it**" in said


def test_changes_without_comparable_inputs_have_no_picture(plain):
    generator, labels, risks = _drawn(300)
    few = pd.DataFrame({"age": generator.normal(size=300)})
    for kept in ({}, {"inputs": summarise_inputs(few)}):
        unsettled = labels.copy()
        unsettled[:30] = np.nan
        drift = compute_drift(kept, labels=unsettled, risks=risks, inputs=few, seed=1)
        said = _said(replace(plain, drift=drift))
        assert "drift.png" not in said
        assert "Of 90% of the people the outcome is settled" in said
        assert ("Inputs, then and now" in said) == bool(kept)


def test_a_value_without_an_interval_stands_alone():
    assert say_interval({"x": 0.5, "x_low": np.nan, "x_high": np.nan}, "x") == "0.500"
    assert say_interval({"x": np.nan, "x_low": np.nan, "x_high": np.nan}, "x") == "–"
