"""Events are drawn from the true risk: expected and observed agree within chance."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from chw_tools.testing import Simulated, simulate_programme


@pytest.fixture(scope="module")
def programme() -> Simulated:
    return simulate_programme(people=12_000, seed=11)


@pytest.fixture(scope="module")
def risks(programme: Simulated) -> pd.DataFrame:
    return programme.truth["risks"]


def _z(rows: pd.DataFrame) -> float:
    """Observed minus expected events, in standard errors."""
    p = rows["probability"]
    return float((rows["happened"].sum() - p.sum()) / np.sqrt((p * (1 - p)).sum()))


def test_observed_over_expected_is_one_within_chance(risks: pd.DataFrame) -> None:
    assert abs(_z(risks)) < 3.5


def test_truth_is_calibrated_at_every_level(risks: pd.DataFrame) -> None:
    tenths = pd.qcut(risks["probability"], 10, labels=False)
    for _, rows in risks.groupby(tenths):
        assert abs(_z(rows)) < 4


def test_truth_is_calibrated_in_every_window(risks: pd.DataFrame) -> None:
    for _, rows in risks[risks["horizon_days"] == 180].groupby("as_of"):
        assert abs(_z(rows)) < 4


def test_share_and_discrimination_are_realistic(risks: pd.DataFrame) -> None:
    full = risks[risks["horizon_days"] == 180]
    assert 0.03 < full["happened"].mean() < 0.06
    ranks = full["probability"].rank()
    n1 = full["happened"].sum()
    u = ranks[full["happened"]].sum() - n1 * (n1 + 1) / 2
    assert 0.75 < u / (n1 * (len(full) - n1)) < 0.82


def test_every_true_event_can_be_found_in_the_register(programme: Simulated) -> None:
    risks, outcomes = programme.truth["risks"], programme.tables["outcomes"]
    happened = risks[risks["happened"]]
    true = set(zip(happened["person_id"], happened["happened_on"], strict=True))
    recorded = set(zip(outcomes["person_id"], outcomes["happened_on"], strict=True))
    assert true == recorded
    assert set(outcomes["outcome"]) == {"hospital_admission", "death"}


def test_events_fall_within_their_window(risks: pd.DataFrame) -> None:
    happened = risks[risks["happened"]]
    days = (happened["happened_on"] - happened["as_of"]).dt.days
    assert days.between(1, happened["horizon_days"]).all()


def test_nobody_has_two_windows_at_once_nor_one_after_death(risks: pd.DataFrame) -> None:
    assert not risks.duplicated(["person_id", "as_of"]).any()
    died = risks[risks["died"]].set_index("person_id")["happened_on"]
    death = risks["person_id"].map(died)
    assert not (risks["as_of"] >= death).any()


def test_a_visit_lowers_the_risk_by_its_effect(risks: pd.DataFrame) -> None:
    full = risks[risks["horizon_days"] == 180]
    ratio = full["probability"] / full["probability_unvisited"]
    visited = ratio < 1
    assert visited.any()
    assert not visited.all()
    assert np.allclose(ratio[visited], 1 - full["visit_effect"][visited])
    assert full["visit_effect"].between(0.05, 0.40).all()


def test_the_effect_is_of_home_visits_that_the_register_holds(
    programme: Simulated, risks: pd.DataFrame
) -> None:
    visits = programme.tables["visits"].query("kind == 'home' and outcome == 'seen'")
    full = risks[risks["horizon_days"] == 180]
    for day, rows in full.groupby("as_of"):
        days = (day - visits["visited_on"]).dt.days
        seen = visits.loc[days.between(0, 89), "person_id"]
        lowered = rows["probability"] < rows["probability_unvisited"]
        assert (rows["person_id"].isin(seen) == lowered).all(), day


def test_signs_before_an_event_are_not_seen_before_its_index_day(
    programme: Simulated, risks: pd.DataFrame
) -> None:
    # Were they, the register would know more than the truth it is to be judged by.
    found = programme.tables["observations"]
    signs = found[found["code"].isin(["chest-pain", "convulsions", "stroke-signs"])]
    shown = signs[signs["value_code"] == "yes"]
    before = risks.merge(shown[["person_id", "observed_on"]], on="person_id")
    days = (before["as_of"] - before["observed_on"]).dt.days
    recent = before[days.between(0, 5)].drop_duplicates(["person_id", "as_of"])
    assert len(recent)
    within_days = (recent["happened_on"] - recent["as_of"]).dt.days <= 5
    assert within_days.mean() < 0.1
