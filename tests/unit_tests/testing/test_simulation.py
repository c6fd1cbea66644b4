"""The simulated programme: repeatable, part by part, sound, and without its truth."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chw_tools.records import TABLES, load_catalogue
from chw_tools.records.checks import find_problems
from chw_tools.testing import simulate_part, simulate_programme, spoil
from chw_tools.testing import simulation as simulation_module
from chw_tools.testing.assumptions import Assumption, Assumptions, load_assumptions

if TYPE_CHECKING:
    from chw_tools.records import Register
    from chw_tools.testing import Simulated


@pytest.fixture
def parts_of_200(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts so small that several fit into a test."""
    entries = dict(load_assumptions().entries)
    entries["programme.part_people"] = Assumption(200, "this test")
    monkeypatch.setattr(simulation_module, "load_assumptions", lambda: Assumptions(entries))


def test_same_seed_same_programme(small_programme: Simulated) -> None:
    again = simulate_programme(people=300, seed=7)
    for name, frame in small_programme.tables.items():
        pd.testing.assert_frame_equal(frame, again.tables[name])
    for name, frame in small_programme.truth.items():
        pd.testing.assert_frame_equal(frame, again.truth[name])


def test_other_seed_other_programme(small_programme: Simulated) -> None:
    other = simulate_programme(people=300, seed=8)
    assert not small_programme.tables["people"].equals(other.tables["people"])
    assert not small_programme.tables["observations"].equals(other.tables["observations"])


@pytest.mark.usefixtures("parts_of_200")
def test_a_part_alone_is_the_part_in_the_whole() -> None:
    whole = simulate_programme(people=500, seed=3)
    alone = simulate_part(1, people=500, seed=3)
    for name, frame in alone.tables.items():
        inside = whole.tables[name]
        inside = inside[inside["id"].isin(frame["id"])].reset_index(drop=True)
        pd.testing.assert_frame_equal(inside, frame)
    risks = whole.truth["risks"]
    of_part = risks[risks["person_id"].isin(alone.truth["risks"]["person_id"])]
    pd.testing.assert_frame_equal(of_part.reset_index(drop=True), alone.truth["risks"])


@pytest.mark.usefixtures("parts_of_200")
def test_parts_do_not_share_identifiers() -> None:
    whole = simulate_programme(people=500, seed=3)
    for name, frame in whole.tables.items():
        assert frame["id"].is_unique, name
    assert len(whole.tables["people"]) >= 500
    levels = whole.tables["areas"]["level"].value_counts()
    assert levels["district"] == 1
    assert levels["subdistrict"] == 3


def test_every_table_is_as_declared_and_filled(small_register: Register) -> None:
    for name, frame in small_register.tables():
        assert find_problems(TABLES[name], frame).empty, name
        assert len(frame), name


def test_every_reference_finds_its_row(small_register: Register) -> None:
    tables = dict(small_register.tables())
    for name, frame in tables.items():
        for column in TABLES[name].columns:
            if column.refers_to:
                known = set(tables[column.refers_to]["id"])
                assert set(frame[column.name].dropna()) <= known, (name, column.name)


def test_every_code_and_answer_is_in_the_catalogue(small_register: Register) -> None:
    by_code = load_catalogue().by_code()
    found = small_register.observations
    for (system, code), rows in found.groupby(["system", "code"]):
        entry = by_code[(system, code)]
        if entry.kind == "choice":
            assert set(rows["value_code"]) <= set(entry.allowed), entry.name
        else:
            assert rows["value_number"].between(entry.low, entry.high).all(), entry.name
            assert set(rows["unit"]) == {entry.unit}, entry.name


def test_the_truth_is_not_in_the_register(small_programme: Simulated) -> None:
    hidden = {"probability", "visit_effect", "frailty", "sbp", "whz", "happened"}
    for name, frame in small_programme.register.tables():
        assert not hidden & set(frame.columns), name
    assert hidden & set(small_programme.truth["risks"].columns)


def test_nobody_is_seen_after_death_or_before_birth(small_programme: Simulated) -> None:
    died = small_programme.truth["people"].set_index("person_id")["died_on"]
    born = small_programme.tables["people"].set_index("id")["born_on"]
    visits = small_programme.tables["visits"]
    seen = visits[visits["outcome"] == "seen"]
    death = seen["person_id"].map(died)
    assert death.notna().any()
    assert not (seen["visited_on"] > death).any()
    # The register rounds births to the middle of the month or year.
    slack = pd.to_timedelta(200, unit="D")
    assert (seen["visited_on"] >= seen["person_id"].map(born) - slack).all()


def test_nothing_befalls_anybody_before_birth() -> None:
    tables = simulate_programme(people=8_000, seed=12).tables
    born = tables["people"].set_index("id")["born_on"]
    for name in ("conditions", "medications", "immunisations", "observations", "consents"):
        frame = tables[name]
        day = frame[TABLES[name].event_day]
        assert not (day < frame["person_id"].map(born)).any(), name


def test_nothing_is_known_before_it_happened_nor_after_the_last_day(
    small_register: Register,
) -> None:
    last = pd.Timestamp("2025-12-31")
    for name, frame in small_register.tables():
        assert frame["known_on"].max() <= last, name
        if TABLES[name].is_event:
            assert (frame["known_on"] >= frame[TABLES[name].event_day]).all(), name


def test_some_things_are_known_late(small_register: Register) -> None:
    changes = small_register.person_changes
    assert (changes["known_on"] > changes["happened_on"]).any()
    facility = small_register.visits.query("kind == 'facility'")
    assert (facility["known_on"] > facility["visited_on"]).any()


def test_there_are_pregnancies_now_and_pregnancies_past(small_register: Register) -> None:
    begun = small_register.pregnancies
    assert begun["ended_on"].isna().any()
    ended = begun[begun["ended_on"].notna()]
    assert ended["outcome"].notna().all()
    assert (ended["ended_on"] > ended["last_period_on"]).all()
    assert set(begun["outcome"].dropna()) <= set(TABLES["pregnancies"].column("outcome").allowed)


def test_the_last_day_may_be_another(small_programme: Simulated) -> None:
    earlier = simulate_programme(people=300, seed=7, ends_on=date(2024, 12, 31))
    moved = earlier.tables["visits"]["visited_on"] + pd.to_timedelta(365, unit="D")
    assert (moved == small_programme.tables["visits"]["visited_on"]).all()


def test_households_hold_an_adult_and_a_worker_of_their_village(small_register: Register) -> None:
    homes = small_register.households.merge(
        small_register.workers, left_on="worker_id", right_on="id", suffixes=("", "_worker")
    )
    assert (homes["area_id"] == homes["area_id_worker"]).all()
    people = small_register.people
    adults = people[people["born_on"] < "2004-01-01"]["household_id"]
    assert np.isin(people["household_id"], adults).mean() > 0.95


@settings(max_examples=6, deadline=None)
@given(people=st.integers(1, 90), seed=st.integers(0, 2**32))
def test_any_size_and_seed_gives_a_sound_programme(people: int, seed: int) -> None:
    tables = simulate_programme(people=people, seed=seed).tables
    assert len(tables["people"]) >= people
    spoiled, log = spoil(tables, part=0, seed=seed)
    assert set(log["table"]) <= set(spoiled)
    for name, frame in tables.items():
        assert frame["id"].is_unique
        assert len(spoiled[name]) >= len(frame)
        for column in TABLES[name].columns:
            if column.name in frame and column.required:
                assert frame[column.name].notna().all(), (name, column.name)
            if column.refers_to and len(frame):
                known = tables[column.refers_to]["id"]
                assert frame[column.name].dropna().isin(known).all(), (name, column.name)
