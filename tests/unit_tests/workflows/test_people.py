"""Decisions about entries, each reversible, on a real store in memory."""

from datetime import date

import pandas as pd
import pytest

from chw_tools.errors import Conflict, InputError, NotFound
from chw_tools.feature_engineering import build_features
from chw_tools.records import TABLES, conform, new_id
from chw_tools.store import open_store
from chw_tools.workflows.people import merge_person, move_person, report_death, undo_change

AMINA = "018bcfe5-6800-7cc0-8b4f-00000000000a"
BINTU = "018bcfe5-6800-7cc0-8b4f-00000000000b"
DAY = date(2026, 1, 5)
TODAY = date(2026, 1, 31)


@pytest.fixture
def store():
    people = [
        {
            "id": key,
            "sex": "female",
            "born_on": pd.Timestamp("1970-05-01"),
            "source": "test",
            "known_on": pd.Timestamp("2025-01-01"),
        }
        for key in (AMINA, BINTU)
    ]
    with open_store("sqlite://") as store:
        store.set_population("simulated")
        store.save("people", conform(TABLES["people"], pd.DataFrame(people)))
        yield store


def listed(store, as_of="2026-02-01"):
    return set(build_features(store.load_register(), as_of=pd.Timestamp(as_of)).frame.index)


@pytest.mark.parametrize("act", [report_death, move_person])
def test_who_died_or_moved_is_listed_no_more_and_again_when_undone(store, act):
    change = act(store=store, person_id=AMINA, on=DAY, today=TODAY)
    assert listed(store) == {BINTU}
    assert listed(store, "2026-01-04") == {AMINA, BINTU}
    undo_change(store=store, person_id=AMINA, change_id=change, on=date(2026, 1, 9), today=TODAY)
    assert listed(store) == {AMINA, BINTU}
    assert listed(store, "2026-01-08") == {BINTU}


def test_merged_entries_are_one_person_and_two_again_when_undone(store):
    change = merge_person(store=store, person_id=AMINA, into_person_id=BINTU, on=DAY, today=TODAY)
    assert listed(store) == {BINTU}
    undo_change(store=store, person_id=AMINA, change_id=change, on=DAY, today=TODAY)
    assert listed(store) == {AMINA, BINTU}


def test_a_death_told_late_was_not_known_before(store):
    move_person(store=store, person_id=BINTU, on=date(2026, 1, 20), today=TODAY)
    report_death(store=store, person_id=AMINA, on=DAY, today=TODAY)
    assert AMINA in listed(store, "2026-01-19")
    assert AMINA not in listed(store, "2026-01-20")


def test_an_entry_is_not_merged_into_itself(store):
    with pytest.raises(Conflict):
        merge_person(store=store, person_id=AMINA, into_person_id=AMINA, on=DAY, today=TODAY)


def test_nobody_unknown_is_decided_about(store):
    with pytest.raises(NotFound):
        report_death(store=store, person_id=new_id(), on=DAY, today=TODAY)
    with pytest.raises(NotFound):
        merge_person(store=store, person_id=AMINA, into_person_id=new_id(), on=DAY, today=TODAY)


def test_a_decision_is_taken_back_once_and_only_by_its_own_person(store):
    change = report_death(store=store, person_id=AMINA, on=DAY, today=TODAY)
    with pytest.raises(NotFound):
        undo_change(store=store, person_id=BINTU, change_id=change, on=DAY, today=TODAY)
    undo_change(store=store, person_id=AMINA, change_id=change, on=DAY, today=TODAY)
    with pytest.raises(Conflict, match="already"):
        undo_change(store=store, person_id=AMINA, change_id=change, on=DAY, today=TODAY)


@pytest.mark.parametrize("act", [report_death, move_person])
@pytest.mark.parametrize("on", [date(2062, 1, 5), date(1801, 1, 5), date(1970, 4, 30)])
def test_nobody_dies_or_moves_in_the_future_or_before_birth(store, act, on):
    with pytest.raises(InputError):
        act(store=store, person_id=AMINA, on=on, today=TODAY)
    assert len(store.load_register().person_changes) == 0
