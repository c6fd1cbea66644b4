"""Nobody, no household and no twin row on both sides; training settled before judging."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chw_tools.errors import NotEnoughData
from chw_tools.feature_engineering import Feature, Features
from chw_tools.model_training.cohorts import Cohorts, choose_index_days
from chw_tools.model_training.split import check_known_before, draw_shares, split_cohorts
from chw_tools.programme.outcomes import load_outcomes

_FEATURES = (Feature("bmi", "BMI", "number"), Feature("sex", "Sex", "choice", allowed=("f", "m")))


def _cohorts(households, values=None, days=("2024-01-01",), horizon_days=0):
    n, parts = len(households), len(days)
    people = pd.Index([f"p{i}" for i in range(n)] * parts, name="person_id")
    values = np.arange(float(n)) if values is None else np.asarray(values, dtype=float)
    frame = pd.DataFrame(
        {"bmi": np.concatenate([values + 1e-3 * d for d in range(parts)]), "sex": "f"}, people
    )
    return Cohorts(
        outcome="fall",
        features=Features(frame, _FEATURES, pd.Timestamp(days[-1])),
        labels=pd.Series(np.resize([True, False], n * parts), people, dtype="boolean"),
        as_of=pd.Series(np.repeat(pd.to_datetime(list(days)), n), people),
        households=pd.Series(list(households) * parts, people, dtype="str"),
        judged_by=frame[["sex"]],
        horizon_days=horizon_days,
    )


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.integers(0, 9), min_size=200, max_size=300),
    st.integers(0, 99),
)
def test_neither_a_household_nor_a_twin_row_stands_on_both_sides(homes, seed):
    values = np.arange(len(homes)).astype(float)
    for at in range(0, len(homes) - 1, 40):
        values[at] = values[at + 1]  # some people look like their neighbours
    # Ten rows in a block of households of which some draw the same number.
    cohorts = _cohorts([f"h{i // 10}-{home}" for i, home in enumerate(homes)], values)
    split = split_cohorts(cohorts, seed=seed)
    homes = cohorts.households.to_numpy()
    assert not set(homes[split.train]) & set(homes[split.test])
    if not any("identical rows" in note for note in split.notes):
        bmi = cohorts.features.frame["bmi"].to_numpy()
        assert not set(bmi[split.train]) & set(bmi[split.test])
    assert len(split.train) + len(split.test) == len(homes)


def test_where_too_many_look_alike_the_report_says_so():
    split = split_cohorts(_cohorts([f"h{i}" for i in range(400)], np.ones(400)), seed=1)
    assert any("identical rows may stand on both sides" in note for note in split.notes)


def test_one_index_day_means_no_validation_over_time_and_the_notes_say_it():
    split = split_cohorts(_cohorts([f"h{i}" for i in range(400)]), seed=1)
    assert not split.is_temporal
    assert any("validation over time was impossible" in note for note in split.notes)


def test_judging_is_by_other_people_on_a_later_day():
    days = ("2024-01-01", "2024-06-29")
    cohorts = _cohorts([f"h{i}" for i in range(400)], days=days, horizon_days=180)
    split = split_cohorts(cohorts, seed=1)
    assert split.is_temporal
    people = cohorts.features.frame.index
    assert not set(people[split.train]) & set(people[split.test])
    assert (cohorts.as_of.iloc[split.train] == pd.Timestamp(days[0])).all()
    assert (cohorts.as_of.iloc[split.test] == pd.Timestamp(days[1])).all()


def test_training_outcomes_that_were_not_settled_are_refused():
    days = ("2024-01-01", "2024-03-01")  # 60 days apart, horizon 180
    with pytest.raises(ValueError, match="settled only after"):
        split_cohorts(_cohorts([f"h{i}" for i in range(400)], days=days, horizon_days=180), seed=1)


def test_a_status_needs_no_settling():
    cohorts = _cohorts(["a", "b"])
    check_known_before(cohorts, np.array([0]), judged_from=pd.Timestamp("2024-01-01"))


def test_a_side_without_people_is_refused():
    with pytest.raises(NotEnoughData):
        split_cohorts(_cohorts(["one home"] * 10), seed=1)


def test_a_person_stays_on_her_side_whoever_else_is_there():
    few = draw_shares(np.array(["a", "b"], dtype=object), seed=3)
    many = draw_shares(np.array(["x", "b", "y", "a"], dtype=object), seed=3)
    assert few.tolist() == many[[3, 1]].tolist()
    assert draw_shares(np.array(["a"], dtype=object), seed=4)[0] != few[0]


def test_shares_are_spread_evenly():
    shares = draw_shares(np.array([f"p{i}" for i in range(20_000)], dtype=object), seed=1)
    assert (shares < 0.25).mean() == pytest.approx(0.25, abs=0.01)


def test_index_days_lie_a_horizon_apart_and_end_settled():
    outcomes, last = load_outcomes(), pd.Timestamp("2025-12-31")
    days = choose_index_days(last, outcomes["hospital_admission_180d"])
    assert [(b - a).days for a, b in zip(days, [*days[1:], last], strict=True)] == [180] * 5
    assert choose_index_days(last, outcomes["diabetes"]) == [last]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 999))
def test_who_changed_house_between_index_days_stays_on_one_side(seed):
    days = ("2023-01-01", "2023-07-01", "2024-01-01")
    cohorts = _cohorts([f"h{i // 4}" for i in range(400)], days=days, horizon_days=180)
    moved = cohorts.households.to_numpy().copy()
    moved[-400::7] = [f"new{i}" for i in range(len(moved[-400::7]))]
    cohorts = replace(cohorts, households=pd.Series(moved, cohorts.households.index, dtype="str"))
    split = split_cohorts(cohorts, seed=seed)
    people = cohorts.features.frame.index
    assert not set(people[split.train]) & set(people[split.test])
