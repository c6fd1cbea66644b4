"""A day's run on a store: twice is as once, nothing after an end, all or nothing."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import pandas as pd
import pytest

from chw_tools.data_processing import as_known_on
from chw_tools.errors import ModelNotFound
from chw_tools.monitoring import Evidence
from chw_tools.programme import load_programme
from chw_tools.programme.templates import load_templates
from chw_tools.records import TABLES, Register, conform, new_id
from chw_tools.records.codes import LOINC
from chw_tools.store import open_store
from chw_tools.store.casebook import Casebook
from chw_tools.store.outbox import Desk, Outbox
from chw_tools.workflows.monitor import follow_up, monitor

PROGRAMME = load_programme()
BEGIN = date(2026, 3, 2)


class NoModels:
    """A registry that holds nothing."""

    def find(self, *_):
        raise ModelNotFound("none")

    def find_shadow(self, *_):
        return None


class Place:
    """A store with a few people, looked after day by day."""

    def __init__(self, url="sqlite://", *, phones=True):
        self.store = open_store(url)
        self.store.set_population("simulated")
        self.cases = Casebook(self.store)
        self.outbox = Outbox(self.store, Desk(PROGRAMME.outreach, render=None))
        self.n = 0
        self.people = [self.person(phones) for _ in range(3)]

    def save(self, table, **row):
        row = {"id": new_id(), "source": "test", "known_on": pd.Timestamp(BEGIN), **row}
        self.store.save(table, conform(TABLES[table], pd.DataFrame([row])))
        return row["id"]

    def person(self, phone):
        self.n += 1
        key = self.save(
            "people",
            sex="female",
            born_on=pd.Timestamp("1970-01-01"),
            phone=f"+25471234567{self.n}" if phone else None,
        )
        for channel in ("sms", "call"):
            self.consent(key, "given", channel)
        for day in (60, 20):
            self.pressure(key, 150, BEGIN - timedelta(days=day))
        return key

    def consent(self, person, decision, channel=None, on=BEGIN):
        self.save(
            "consents",
            person_id=person,
            purpose="outreach",
            channel=channel,
            decision=decision,
            decided_on=pd.Timestamp(on),
            known_on=pd.Timestamp(on),
        )

    def pressure(self, person, value, on):
        self.save(
            "observations",
            person_id=person,
            system=LOINC,
            code="8480-6",
            value_number=float(value),
            observed_on=pd.Timestamp(on),
            known_on=pd.Timestamp(on),
        )

    def visit(self, person, on):
        self.save(
            "visits",
            person_id=person,
            visited_on=pd.Timestamp(on),
            kind="home",
            outcome="seen",
            known_on=pd.Timestamp(on),
        )

    def run(self, days=0, hours=7):
        """The run of a day without models and advice, which take their time."""
        day = BEGIN + timedelta(days=days)
        now = datetime(day.year, day.month, day.day, hours, tzinfo=UTC)
        known = as_known_on(self.store.load_register(), pd.Timestamp(day))
        messages, inbound = self.cases.heard(since=now - timedelta(days=60))
        evidence = Evidence(known, pd.Timestamp(day), messages=messages, inbound=inbound)
        return follow_up(
            evidence,
            programme=PROGRAMME,
            templates=load_templates().templates,
            cases=self.cases,
            outbox=self.outbox,
            now=now,
        )

    def run_whole(self):
        """The run of the first day with everything."""
        return monitor(
            store=self.store,
            models=NoModels(),
            programme=PROGRAMME,
            templates=load_templates().templates,
            cases=self.cases,
            outbox=self.outbox,
            now=datetime(2026, 3, 2, 7, tzinfo=UTC),
            as_of=BEGIN,
        )

    def states(self):
        rows = self.cases.load("messages")
        return rows.groupby("person_id")["state"].agg(lambda s: sorted(set(s))).to_dict()


@pytest.fixture
def place():
    found = Place()
    yield found
    found.store.close()


def test_everybody_is_found_raised_enrolled_and_written_to(place):
    first = place.run_whole()
    assert first.raised["pressure_uncontrolled"] == 3
    assert first.moved["begun"] == first.n_open
    assert first.n_planned >= 9
    follow_ups = place.cases.follow_ups(state="open")
    assert set(follow_ups["person_id"]) == set(place.people)
    assert place.run_whole().is_nothing


def test_a_second_run_changes_nothing(place):
    place.run()
    before = {
        name: place.cases.load(name) for name in ("follow_ups", "enrolments", "messages", "tasks")
    }
    assert place.run().is_nothing
    assert place.run(hours=9).is_nothing
    for name, table in before.items():
        pd.testing.assert_frame_equal(table, place.cases.load(name))


def test_a_measurement_closes_the_follow_up_and_takes_the_messages_out(place):
    place.run()
    person = place.people[0]
    place.pressure(person, 118, BEGIN + timedelta(days=2))
    after = place.run(2)
    assert after.closed == {"measured": 1}
    assert after.moved == {"goal_met": 1}
    assert after.n_cancelled == 3
    assert place.states()[person] == ["cancelled"]
    assert place.states()[place.people[1]] == ["planned"]


@pytest.mark.parametrize(("change", "reason"), [("died", "died"), ("moved", "moved")])
def test_whoever_died_or_left_is_left_in_peace(place, change, reason):
    place.run()
    person = place.people[0]
    day = BEGIN + timedelta(days=2)
    place.save(
        "person_changes", person_id=person, change=change,
        happened_on=pd.Timestamp(day), known_on=pd.Timestamp(day),
    )  # fmt: skip
    after = place.run(2)
    assert set(after.closed) == {reason}
    assert place.states()[person] == ["cancelled"]
    rows = place.cases.load("enrolments", column="person_id", keys=[person])
    assert set(rows["state"]) == {"closed"}
    assert set(rows["reason"]) == {reason}
    assert place.run(3).is_nothing


def test_a_merged_entry_is_left_and_the_one_that_stays_is_found(place):
    place.run()
    gone, stays = place.people[:2]
    day = pd.Timestamp(BEGIN + timedelta(days=2))
    place.save(
        "person_changes", person_id=gone, into_person_id=stays, change="merged",
        happened_on=day, known_on=day,
    )  # fmt: skip
    place.run(2)
    rows = place.cases.load("enrolments", column="person_id", keys=[gone])
    assert set(rows["state"]) == {"closed"}
    assert place.states()[gone] == ["cancelled"]


def test_whoever_withdrew_is_left_and_not_enrolled_again(place):
    place.run()
    person = place.people[0]
    place.consent(person, "withdrawn", on=BEGIN + timedelta(days=2))
    for channel in ("sms", "call"):
        place.consent(person, "withdrawn", channel, on=BEGIN + timedelta(days=2))
    place.run(2)
    assert place.states()[person] == ["cancelled"]
    rows = place.cases.load("enrolments", column="person_id", keys=[person])
    assert set(rows["state"]) == {"withdrawn"}
    assert place.run(60).moved.get("withdrawn") is None
    rows = place.cases.load("enrolments", column="person_id", keys=[person])
    assert set(rows["state"]) == {"withdrawn"}
    open_ones = place.cases.follow_ups(state="open")
    assert person in set(open_ones["person_id"])


def test_people_without_a_number_become_visits_for_the_plan():
    place = Place(phones=False)
    made = place.run()
    assert made.n_planned == 0
    assert made.tasks == {"visit": 3}
    place.store.close()


def test_a_run_that_fails_leaves_nothing_behind(place):
    place.outbox = SimpleNamespace(plan=_broken, cancel=lambda **_: 0)
    with pytest.raises(RuntimeError, match="full"):
        place.run()
    for name in ("follow_ups", "enrolments", "messages", "tasks"):
        assert place.cases.load(name).empty


def _broken(*_, **__):
    raise RuntimeError("full")


def test_an_empty_register_is_looked_after_too():
    assert Register.of().people.empty
    store = open_store("sqlite://")
    store.set_population("simulated")
    place = SimpleNamespace(
        store=store,
        cases=Casebook(store),
        outbox=Outbox(store, Desk(PROGRAMME.outreach, render=None)),
    )
    made = Place.run_whole(place)
    assert made.is_nothing
    store.close()
