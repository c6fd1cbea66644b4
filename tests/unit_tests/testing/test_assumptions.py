"""What is assumed is sourced, and what is drawn is what was assumed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from chw_tools.testing import Simulated, simulate_programme
from chw_tools.testing.assumptions import load_assumptions
from chw_tools.testing.chance import choose, stream


@pytest.fixture(scope="module")
def programme() -> Simulated:
    return simulate_programme(people=12_000, seed=5)


@pytest.fixture(scope="module")
def people(programme: Simulated) -> pd.DataFrame:
    """People of the first day, the true state beside what the register says."""
    everybody = programme.tables["people"].merge(
        programme.truth["people"], left_on="id", right_on="person_id", suffixes=("", "_true")
    )
    first = pd.Timestamp("2023-01-16")
    everybody["age"] = (first - everybody["born_on"]).dt.days / 365.25
    return everybody[everybody["age"] > 0]


def _share_is(observed: float, assumed: float, n: int) -> bool:
    return abs(observed - assumed) < 4 * np.sqrt(assumed * (1 - assumed) / n) + 0.005


def test_every_assumption_names_its_source() -> None:
    entries = load_assumptions().entries
    assert entries
    for name, entry in entries.items():
        assert len(entry.source) > 15, name


def test_ages_and_sexes(people: pd.DataFrame) -> None:
    assumed = load_assumptions()
    for age, share in zip(
        assumed.numbers("people.age_from"), assumed.numbers("people.age_share"), strict=True
    ):
        top = age + (5 if age < 80 else 30)
        assert _share_is(people["age"].between(age, top).mean(), share, len(people)), age
    assert _share_is(
        (people["sex"] == "male").mean(), assumed.number("people.male_share"), len(people)
    )


def test_household_size(programme: Simulated, people: pd.DataFrame) -> None:
    size = len(people) / len(programme.tables["households"])
    assert size == pytest.approx(load_assumptions().number("household.mean_size"), rel=0.02)


def test_people_for_each_worker(programme: Simulated) -> None:
    n = programme.tables["workers"]["id"].nunique()
    assert 12_000 / n == pytest.approx(650, rel=0.15)


def test_smoking_and_diabetes(people: pd.DataFrame) -> None:
    assumed = load_assumptions()
    adults = people[people["age"] >= 19]
    for sex, name in (("male", "men"), ("female", "women")):
        rows = adults[adults["sex"] == sex]
        share = assumed.number(f"health.smoking_{name}")
        assert _share_is((rows["smoking"] == 2).mean(), share, len(rows)), sex
    share = assumed.number("health.diabetes_share")
    assert _share_is(adults["diabetes"].mean(), share, len(adults))


def test_blood_pressure_rises_with_age_as_assumed(people: pd.DataFrame) -> None:
    assumed = load_assumptions()
    knots = assumed.numbers("health.sbp_age")
    for sex, name in (("male", "men"), ("female", "women")):
        rows = people[(people["sex"] == sex) & (people["age"] >= 19)]
        usual = np.interp(rows["age"], knots, assumed.numbers(f"health.sbp_{name}"))
        # Weight adds its own: 1 mm[Hg] for each kg/m2 above 22.5.
        expected = usual + (rows["bmi"] - 22.5)
        error = (rows["sbp"] - expected).std() / np.sqrt(len(rows))
        assert abs((rows["sbp"] - expected).mean()) < 4 * error + 0.2


def test_children_are_wasted_and_stunted_as_often_as_published(people: pd.DataFrame) -> None:
    small = people[people["age"] < 5]
    # UNICEF/WHO/World Bank JME 2023, Africa: about 6 % wasted and 30 % stunted.
    assert 0.03 < (small["whz"] < -2).mean() < 0.08
    assert 0.25 < (small["haz"] < -2).mean() < 0.35


def test_fertility_is_near_the_published_total(programme: Simulated) -> None:
    everybody = programme.tables["people"]
    begun = programme.tables["pregnancies"]
    years = 1080 / 365.25
    first, last = pd.Timestamp("2023-01-16"), pd.Timestamp("2025-12-31")
    births = begun[(begun["outcome"] == "live_birth") & begun["ended_on"].between(first, last)]
    women = everybody[everybody["sex"] == "female"].set_index("id")["born_on"]
    total = 0.0
    for age in range(15, 50, 5):
        age_then = (births["ended_on"] - births["person_id"].map(women)).dt.days / 365.25
        n_births = age_then.between(age, age + 5).sum()
        middle = (first + (last - first) / 2 - women).dt.days / 365.25
        total += 5 * n_births / (middle.between(age, age + 5).sum() * years)
    # UN WPP 2022: 4.6; some births are of women who left or whom nobody noticed.
    assert 3.6 < total < 5.2


def test_antenatal_contacts_fall_off_as_assumed(programme: Simulated) -> None:
    begun = programme.tables["pregnancies"]
    ended = begun[begun["outcome"] == "live_birth"].reset_index(drop=True)
    visits = programme.tables["visits"].query("kind == 'facility'")
    near = ended.merge(visits, on="person_id", suffixes=("", "_visit"))
    within = near["visited_on"].between(near["last_period_on"], near["ended_on"])
    n = near[within].groupby("id").size().reindex(ended["id"], fill_value=0)
    assert 0.70 < (n >= 1).mean() < 0.97
    assert 0.45 < (n >= 4).mean() < 0.75
    assert (n >= 8).mean() < 0.15


def test_vaccine_dropout(programme: Simulated) -> None:
    doses = programme.tables["immunisations"].query("code == '198'").groupby("dose_number").size()
    assert 0.04 < 1 - doses[3] / doses[1] < 0.25


def test_the_sick_are_measured_more(programme: Simulated) -> None:
    measured = programme.tables["observations"].groupby("person_id").size()
    state = programme.truth["people"].set_index("person_id")
    n = measured.reindex(state.index, fill_value=0)
    grown = state[state["hypertension"]].index
    assert n[grown].mean() > 1.2 * n[state.index.difference(grown)].mean()


def test_a_stream_depends_on_seed_part_and_subject() -> None:
    base = stream(1, 2, "people").random()
    assert base == stream(1, 2, "people").random()
    assert base not in {
        stream(2, 2, "people").random(),
        stream(1, 3, "people").random(),
        stream(1, 2, "visits").random(),
    }


def test_shares_need_not_add_up() -> None:
    drawn = choose(stream(1, 0, "test"), np.array([2.0, 6.0]), 10_000)
    assert _share_is((drawn == 1).mean(), 0.75, 10_000)
