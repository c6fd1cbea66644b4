"""Missed visits and early births are drawn from their true probabilities."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from chw_tools.model_training import make_cohorts
from chw_tools.programme import load_outcomes
from chw_tools.testing import Simulated, simulate_programme, true_probabilities


@pytest.fixture(scope="module")
def programme() -> Simulated:
    return simulate_programme(people=6_000, seed=5)


def _z(rows: pd.DataFrame) -> float:
    p = rows["probability"]
    return float((rows["happened"].sum() - p.sum()) / np.sqrt((p * (1 - p)).sum()))


@pytest.mark.parametrize("table", ["visits", "pregnancies"])
def test_observed_over_expected_is_one_within_chance(programme: Simulated, table: str) -> None:
    rows = programme.truth[table]
    assert abs(_z(rows)) < 3.5
    for _, fifth in rows.groupby(pd.qcut(rows["probability"], 5, labels=False, duplicates="drop")):
        assert abs(_z(fifth)) < 4


def test_shares_are_as_assumed(programme: Simulated) -> None:
    assert 0.14 < programme.truth["visits"]["happened"].mean() < 0.22
    assert 0.07 < programme.truth["pregnancies"]["happened"].mean() < 0.14


def test_every_planned_visit_can_be_found_in_the_register(programme: Simulated) -> None:
    visits = programme.tables["visits"].set_index("id")
    true = programme.truth["visits"].set_index("id")
    held = visits.loc[true.index]
    assert (held["planned_on"] == true["planned_on"]).all()
    assert (held["outcome"].isin(["away", "refused"]) == true["happened"]).all()
    told = visits["outcome"].isin(["moved", "died"])
    assert set(visits.index[visits["planned_on"].notna() & ~told]) == set(true.index)


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("missed_follow_up", "2025-01-05"),
        ("hospital_admission_180d", "2025-07-04"),
        ("preterm_birth", "2024-06-02"),
    ],
)
def test_the_truth_stands_beside_the_rows(programme: Simulated, name: str, day: str) -> None:
    definition = load_outcomes()[name]
    index_day = pd.Timestamp(day).as_unit("s")
    cohorts = make_cohorts(programme.register, definition, index_days=[index_day])
    truth = true_probabilities(programme, cohorts)
    # A death that became known only after the labels were settled leaves a row without truth.
    assert 0.99 * len(cohorts.labels) <= len(truth) <= len(cohorts.labels)
    assert len(truth)
    assert truth["probability"].between(0, 1).all()
    order = truth.set_index("person_id")["probability"].reindex(cohorts.labels.index)
    if name != "preterm_birth":  # too few early births in one month to tell
        happened = cohorts.labels.to_numpy(dtype=bool)
        assert order[happened].mean() > order[~happened].mean()


def test_what_is_not_drawn_from_a_probability_has_no_truth(programme: Simulated) -> None:
    definition = load_outcomes()["uncontrolled_hypertension_180d"]
    day = pd.Timestamp("2025-07-04").as_unit("s")
    cohorts = make_cohorts(programme.register, definition, index_days=[day])
    assert true_probabilities(programme, cohorts).empty
