"""Nobody, no household and no twin row on both sides; training settled before judging."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chw_tools.errors import LeakFound, NotEnoughData
from chw_tools.feature_engineering import Feature, Features
from chw_tools.model_training.cohorts import Cohorts, choose_index_days
from chw_tools.model_training.split import (
    check_known_before,
    check_no_twins,
    draw_shares,
    split_cohorts,
)
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


def test_whole_areas_are_held_out_and_kin_of_the_judged_teach_nothing():
    cohorts = _cohorts([f"h{i // 2}" for i in range(400)])
    areas = np.array([f"village {i // 40}" for i in range(400)], dtype=object)
    areas[1] = "village 9"  # one of a household lives elsewhere
    cohorts = replace(cohorts, areas=pd.Series(areas, cohorts.labels.index, dtype="str"))
    split = split_cohorts(cohorts, seed=3, split_by="area")
    assert split.held_out_areas
    assert not set(areas[split.train]) & set(split.held_out_areas)
    assert set(areas[split.test]) == set(split.held_out_areas)
    homes = cohorts.households.to_numpy()
    assert not set(homes[split.train]) & set(homes[split.test])
    assert 0.2 <= len(split.test) / 400 <= 0.5
    assert any("of whom nobody was learnt from" in note for note in split.notes)


def test_training_rows_of_a_divided_household_are_left_out_and_counted():
    cohorts = _cohorts(["one", "one", *(f"h{i}" for i in range(398))])
    areas = pd.Series(["a", *["b"] * 399], cohorts.labels.index, dtype="str")
    areas.iloc[200:] = "c"
    for seed in range(9):
        split = split_cohorts(replace(cohorts, areas=areas), seed=seed, split_by="area")
        is_divided = ("a" in split.held_out_areas) != ("b" in split.held_out_areas)
        assert any("1 training rows were left out" in n for n in split.notes) == is_divided


@pytest.mark.parametrize("areas", [None, ["only"] * 10])
def test_a_split_by_area_needs_two_areas(areas):
    cohorts = _cohorts([f"h{i}" for i in range(10)])
    if areas:
        cohorts = replace(cohorts, areas=pd.Series(areas, cohorts.labels.index, dtype="str"))
    with pytest.raises(NotEnoughData, match="two areas"):
        split_cohorts(cohorts, seed=1, split_by="area")


def test_a_person_registered_twice_is_never_learnt_and_judged():
    values = np.arange(400.0)
    values[350:] = values[:50]  # fifty people stand there again, under other ids and homes
    cohorts = _cohorts([f"h{i}" for i in range(400)], values)
    for seed in range(5):
        split = split_cohorts(cohorts, seed=seed)
        bmi = cohorts.features.frame["bmi"].to_numpy()
        assert not set(bmi[split.train]) & set(bmi[split.test])
        assert not split.has_twin.any()
        assert any("100 rows share all their inputs" in note for note in split.notes)


def test_the_guard_fires_where_equal_rows_straddle_a_split():
    inputs = pd.DataFrame({"bmi": [20.0, 21.0, 20.0, np.nan, np.nan]})
    with pytest.raises(LeakFound, match="2 of 2 judged rows"):
        check_no_twins(inputs, np.array([0, 1, 3]), np.array([2, 4]))
    check_no_twins(inputs, np.array([0, 2]), np.array([1, 3, 4]))


def test_where_twins_cannot_be_kept_together_the_judged_ones_are_counted():
    values = np.arange(400) % 3
    split = split_cohorts(_cohorts([f"h{i}" for i in range(400)], values), seed=1)
    assert split.has_twin.all()
    assert any("judged people have the same inputs" in note for note in split.notes)
