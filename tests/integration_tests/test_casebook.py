"""Follow-ups, enrolments, tasks and experiments on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from tests.unit_tests.workflows.test_monitor import BEGIN, PROGRAMME, Place

from chw_tools.errors import Conflict
from chw_tools.outreach.advancing import Move
from chw_tools.workflows.calls import asked_visits, record_outcome, show_calls

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.fixture
def place(any_url):
    found = Place(any_url)
    found.run()
    yield found
    found.store.close()


def test_a_day_and_the_day_after(place):
    """The whole way on either database: raised, enrolled, called, closed."""
    person = place.people[0]
    assert place.run().is_nothing
    place.pressure(person, 118, BEGIN + timedelta(days=2))
    assert place.run(2).closed == {"measured": 1}
    other = place.people[1]
    place.consent(other, "withdrawn", "sms", on=BEGIN + timedelta(days=2))
    messages = place.cases.load("messages", column="person_id", keys=[other])
    assert set(messages["state"]) == {"planned"}
    assert messages["due_at"].dt.tz is not None
    assert messages["variables"].iloc[0] in ({}, {"day": "2026-03-09"})


def test_moves_are_by_compare_and_swap(place):
    rows = place.cases.enrolments(live=True)
    first, second = rows["id"].iloc[:2]
    moves = [
        Move(first, "active", "escalated", "silent"),
        Move(second, "escalated", "resolved", "x"),
    ]
    assert place.cases.move_enrolments(moves, on=BEGIN, now=NOW) == {first}
    again = place.cases.enrolments().set_index("id")
    assert again.loc[first, "state"] == "escalated"
    assert again.loc[second, "state"] == "active"
    assert place.cases.move_enrolments(moves, on=BEGIN, now=NOW) == set()
    end = [Move(first, "escalated", "resolved", "seen")]
    place.cases.move_enrolments(end, on=BEGIN, now=NOW)
    row = place.cases.enrolments().set_index("id").loc[first]
    assert row["closed_on"] == pd.Timestamp(BEGIN)
    assert row["changed_at"] == pd.Timestamp(NOW)


def test_rows_are_added_once(place):
    rows = place.cases.follow_ups()
    assert place.cases.add("follow_ups", rows) == 0
    pd.testing.assert_frame_equal(place.cases.follow_ups(), rows)
    new = rows.head(1).assign(id=place.people[0], dedupe_key="another")
    assert place.cases.add("follow_ups", pd.concat([rows, new])) in (1, len(rows) + 1)
    assert len(place.cases.follow_ups()) == len(rows) + 1
    assert place.cases.follow_ups()["facts"].map(type).eq(dict).all()


def test_two_who_record_at_once_do_not_both_count(any_url):
    place = Place(any_url, phones=False)
    place.run()
    visits = asked_visits(cases=place.cases, programme=PROGRAMME)
    assert set(visits["person_id"]) == set(place.people)
    view = show_calls(
        store=place.store, cases=place.cases, programme=PROGRAMME, today=BEGIN, kinds=["visit"]
    )
    task = place.cases.task(view.rows[0].task_id)
    told = {"after": "in_progress", "outcome": "not_reachable", "snoozed_until": None, "now": NOW}
    place.cases.record_try(task, event_id=place.people[0], **told)
    with pytest.raises(Conflict, match="Somebody else"):
        place.cases.record_try(task, event_id=place.people[1], **told)
    assert place.cases.is_told(place.people[0])
    assert not place.cases.is_told(place.people[1])
    record_outcome(
        store=place.store, cases=place.cases, outbox=place.outbox, task_id=task["id"],
        outcome="died", on=BEGIN, today=BEGIN, now=NOW, country=PROGRAMME.country,
    )  # fmt: skip
    gone = place.store.load_register().person_changes
    assert gone["change"].tolist() == ["died"]
    assert place.run(1).moved == {}
    place.store.close()


def test_an_experiment_is_kept_as_declared(place):
    declared = {"name": "t", "arms": [{"name": "a", "share": 0.5}], "n": 1}
    place.cases.declare(declared, salt="s", now=NOW)
    row = place.cases.experiments().iloc[0]
    assert row["declared"] == declared
    assert row["state"] == "running"
    with pytest.raises(Conflict, match="never changed"):
        place.cases.declare({**declared, "n": 2}, salt="s", now=NOW)
    place.cases.close_experiment("t", "stopped", now=NOW)
    assert place.cases.experiments()["state"].tolist() == ["stopped"]
