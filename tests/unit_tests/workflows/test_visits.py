"""Entering and correcting visits on a real store in memory."""

from dataclasses import replace
from datetime import date

import pandas as pd
import pytest

from chw_tools.data_processing import as_known_on
from chw_tools.errors import Conflict, InputError, NotFound
from chw_tools.feature_engineering import build_features
from chw_tools.records import TABLES, conform, load_catalogue, new_id
from chw_tools.store import open_store
from chw_tools.workflows.views import VisitEntry
from chw_tools.workflows.visits import record_visit

AMINA = "018bcfe5-6800-7cc0-8b4f-00000000000a"
DAY = date(2026, 1, 5)
TODAY = date(2026, 1, 31)


@pytest.fixture
def store():
    person = {
        "id": AMINA,
        "sex": "female",
        "born_on": pd.Timestamp("1970-05-01"),
        "source": "test",
        "known_on": pd.Timestamp("2025-01-01"),
    }
    with open_store("sqlite://") as store:
        store.set_population("simulated")
        store.save("people", conform(TABLES["people"], pd.DataFrame([person])))
        yield store


def enter(store, **fields):
    entry = VisitEntry(person_id=AMINA, **{"visited_on": DAY, **fields})
    return record_visit(store=store, catalogue=load_catalogue(), entry=entry, today=TODAY)


def values(store, as_of="2026-02-01"):
    return build_features(store.load_register(), as_of=pd.Timestamp(as_of)).frame.loc[AMINA]


def test_what_was_measured_is_known_afterwards(store):
    enter(store, measurements={"systolic_mmhg": 168.0, "tobacco": "current"})
    assert values(store)["systolic_mmhg"] == 168
    assert values(store)["tobacco"] == "current"


def test_a_sign_asked_and_absent_is_a_no_and_a_sign_not_asked_is_nothing(store):
    enter(store, danger_signs={})
    assert values(store)["danger_chest_pain"] == "no"
    other = VisitEntry(person_id=AMINA, visited_on=DAY)
    assert other.danger_signs is None
    with open_store("sqlite://") as untouched:
        assert len(untouched.load_register().observations) == 0


def test_each_sign_asked_about_is_answered_and_no_other(store):
    enter(store, danger_signs={"danger_chest_pain": True, "danger_stroke_signs": False})
    assert values(store)["danger_chest_pain"] == "yes"
    assert values(store)["danger_stroke_signs"] == "no"
    assert pd.isna(values(store)["danger_convulsions"])


def test_a_correction_replaces_the_whole_visit_and_the_old_one_stays(store):
    first = enter(store, measurements={"systolic_mmhg": 268.0, "weight_kg": 60.0})
    enter(store, measurements={"systolic_mmhg": 168.0}, supersedes_id=first)
    assert values(store)["systolic_mmhg"] == 168
    assert pd.isna(values(store)["weight_kg"])
    assert len(store.load_register().visits) == 2
    assert len(as_known_on(store.load_register(), pd.Timestamp("2026-02-01")).visits) == 1


def test_a_visit_is_corrected_once_only_its_newest_form(store):
    first = enter(store, measurements={"systolic_mmhg": 168.0})
    enter(store, measurements={"systolic_mmhg": 158.0}, supersedes_id=first)
    with pytest.raises(Conflict, match="newest"):
        enter(store, measurements={"systolic_mmhg": 148.0}, supersedes_id=first)


def test_the_same_visit_sent_twice_is_kept_once(store):
    key = new_id()
    for _ in range(2):
        enter(store, visit_id=key, measurements={"systolic_mmhg": 168.0})
    register = store.load_register()
    assert (len(register.visits), len(register.observations)) == (1, 1)


def test_another_visit_under_the_same_key_is_refused_and_changes_nothing(store):
    key = new_id()
    enter(store, visit_id=key, minutes=20)
    with pytest.raises(Conflict):
        enter(store, visit_id=key, minutes=50)
    assert list(store.load_register().visits["minutes"]) == [20]


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"outcome": "gone fishing"}, "outcome"),
        ({"outcome": "away", "measurements": {"systolic_mmhg": 120.0}}, "seen"),
        ({"measurements": {"systolic_mmhg": 1200.0}}, "systolic_mmhg"),
        ({"measurements": {"systolic_mmhg": float("nan")}}, "systolic_mmhg"),
        ({"measurements": {"systolic_mmhg": "high"}}, "systolic_mmhg"),
        ({"measurements": {"tobacco": "often"}}, "tobacco"),
        ({"measurements": {"shoe_size": 38.0}}, "shoe_size"),
        ({"measurements": {"danger_chest_pain": "yes"}}, "danger_chest_pain"),
        ({"danger_signs": {"bmi": True}}, "bmi"),
        ({"minutes": -5}, "minutes"),
    ],
)
def test_what_cannot_be_is_refused_by_field_without_its_value(store, fields, named):
    with pytest.raises(InputError, match=named) as refused:
        enter(store, **fields)
    assert not {"1200", "fishing", "often", "38"} & set(
        str(refused.value).replace(".", " ").split()
    )
    assert len(store.load_register().visits) == 0


def test_all_problems_are_told_at_once(store):
    with pytest.raises(InputError) as refused:
        enter(store, minutes=-5, measurements={"systolic_mmhg": 5.0, "weight_kg": 9000.0})
    assert all(name in str(refused.value) for name in ("minutes", "systolic_mmhg", "weight_kg"))


@pytest.mark.parametrize("field", ["person_id", "worker_id", "supersedes_id"])
def test_what_is_not_in_the_register_is_not_found(store, field):
    entry = replace(VisitEntry(person_id=AMINA, visited_on=DAY), **{field: new_id()})
    with pytest.raises(NotFound):
        record_visit(store=store, catalogue=load_catalogue(), entry=entry, today=TODAY)


def test_a_visit_told_late_counts_from_the_day_it_was_known(store):
    entry = VisitEntry(person_id=AMINA, visited_on=DAY, measurements={"systolic_mmhg": 168.0})
    record_visit(
        store=store,
        catalogue=load_catalogue(),
        entry=entry,
        today=TODAY,
        known_on=date(2026, 1, 20),
    )
    assert pd.isna(values(store, "2026-01-19")["systolic_mmhg"])
    assert values(store, "2026-01-20")["systolic_mmhg"] == 168


def test_a_key_sent_again_with_another_measurement_is_no_repetition(store):
    key = enter(store, measurements={"systolic_mmhg": 168.0})
    assert enter(store, measurements={"systolic_mmhg": 168.0}, visit_id=key) == key
    with pytest.raises(Conflict):
        enter(store, measurements={"systolic_mmhg": 132.0}, visit_id=key)
    with pytest.raises(Conflict):
        enter(store, visit_id=key)
    assert values(store)["systolic_mmhg"] == 168


@pytest.mark.parametrize(
    "day", [date(2026, 2, 2), date(2062, 1, 5), date(1970, 4, 30), date(1, 1, 1)]
)
def test_a_visit_in_the_future_or_before_birth_is_refused(store, day):
    """One typing error would become the last recorded day, and every plan one of that day."""
    with pytest.raises(InputError):
        enter(store, visited_on=day)
    assert len(store.load_register().visits) == 0


@pytest.mark.parametrize("known_on", [date(2026, 1, 4), date(2062, 1, 5)])
def test_a_visit_is_not_known_before_it_was_made_or_in_the_future(store, known_on):
    entry = VisitEntry(person_id=AMINA, visited_on=DAY)
    with pytest.raises(InputError):
        record_visit(store=store, catalogue=load_catalogue(), entry=entry, today=TODAY,
                     known_on=known_on)  # fmt: skip


def test_a_visit_of_tomorrow_is_taken_since_clocks_differ(store):
    assert enter(store, visited_on=date(2026, 2, 1))
