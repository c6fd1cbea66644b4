"""What a call comes to reaches the register, the machines and the messages at once."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pandas as pd
import pytest
from tests.unit_tests.workflows.test_monitor import BEGIN, PROGRAMME, Place

from chw_tools.errors import Conflict, InputError, NotFound
from chw_tools.outreach.tasks import new_tasks
from chw_tools.records import new_id
from chw_tools.store.tables import WORK
from chw_tools.workflows.calls import asked_visits, record_outcome, show_calls
from chw_tools.workflows.experiments import (
    declare_experiment,
    read_experiment_once,
    show_experiments,
)

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.fixture
def place():
    """People who may be called but not written to."""
    found = Place()
    for person in found.people:
        found.consent(person, "withdrawn", "sms", on=BEGIN)
    found.run()
    yield found
    found.store.close()


def calls(place, on=BEGIN):
    return show_calls(store=place.store, cases=place.cases, programme=PROGRAMME, today=on).rows


def tell(place, row, outcome, on=BEGIN, **more):
    return record_outcome(
        store=place.store,
        cases=place.cases,
        outbox=place.outbox,
        task_id=row.task_id,
        outcome=outcome,
        on=on,
        today=on,
        now=NOW + (on - BEGIN),
        country=PROGRAMME.country,
        **more,
    )


def events(place, table, person):
    found = getattr(place.store.load_register(), table)
    return found[found["person_id"] == person]


def test_the_list_says_who_why_and_what_number(place):
    rows = calls(place)
    assert [row.position for row in rows] == [1, 2, 3]
    assert {row.phone for row in rows} == {f"+25471234567{n}" for n in (1, 2, 3)}
    assert rows[0].reason.startswith("Blood pressure was 140/90 or more on 2 days")
    assert rows[0].why == "no_consent"
    assert "254" not in repr(rows[0])


@pytest.mark.parametrize(
    ("outcome", "visit"),
    [("agreed", "seen"), ("call_later", "seen"), ("not_reachable", "away"), ("refused", "refused")],
)
def test_a_call_is_a_visit_by_telephone(place, outcome, visit):
    row = calls(place)[0]
    tell(place, row, outcome)
    told = events(place, "visits", row.person_id)
    assert told[["kind", "outcome"]].to_numpy().tolist() == [["phone", visit]]
    assert place.cases.task(row.task_id)["tries"] == 1
    assert row.task_id not in {one.task_id for one in calls(place)}


def test_whoever_was_put_off_comes_back(place):
    row = calls(place)[0]
    tell(place, row, "call_later")
    assert len(calls(place, BEGIN + timedelta(days=6))) == 2
    assert len(calls(place, BEGIN + timedelta(days=7))) == 3


@pytest.mark.parametrize("outcome", ["died", "moved", "refused"])
def test_who_died_left_or_refused_is_left_in_peace_at_once(place, outcome):
    row = calls(place)[0]
    person = row.person_id
    tell(place, row, outcome)
    if outcome == "refused":
        told = events(place, "consents", person)
        assert (told["decision"] == "withdrawn").sum() == 2
    else:
        assert events(place, "person_changes", person)["change"].tolist() == [outcome]
    rows = place.cases.load("enrolments", column="person_id", keys=[person])
    assert set(rows["state"]) == {"withdrawn" if outcome == "refused" else "closed"}
    assert place.cases.follow_ups(state="open", person_ids=[person]).empty
    tasks = place.cases.load("tasks", column="person_id", keys=[person])
    assert not tasks["state"].isin(["requested", "accepted"]).any()
    after = place.run(1)
    assert after.moved == {}
    assert place.cases.follow_ups(state="open", person_ids=[person]).empty


def test_seen_elsewhere_closes_the_follow_up_and_its_machine_only(place):
    row = calls(place)[0]
    tell(place, row, "visited_elsewhere")
    rows = place.cases.load("enrolments", column="person_id", keys=[row.person_id])
    assert rows["state"].tolist() == ["resolved"]
    assert place.run(1).raised == {}


def test_three_days_without_an_answer_ask_for_a_visit_that_the_plan_takes(place):
    row = calls(place)[0]
    for day in range(3):
        on = BEGIN + timedelta(days=day)
        (mine,) = [one for one in calls(place, on) if one.task_id == row.task_id]
        assert mine.tries == day
        tell(place, row, "not_reachable", on)
        place.run(day)
    asked = asked_visits(cases=place.cases, programme=PROGRAMME)
    assert asked["person_id"].tolist() == [row.person_id]
    assert asked["reason_key"].tolist() == ["no_answers"]
    assert asked["reason"].iloc[0].startswith("Blood pressure was")
    assert asked["due_by"].iloc[0] == pd.Timestamp(BEGIN + timedelta(days=9))


def bad_numbers(place):
    with place.store.working() as connection:
        rows = connection.execute(WORK["contact_points"].select()).mappings()
        return {row["number"]: row["bad_reason"] for row in rows if row["is_bad"]}


def test_a_wrong_number_is_written_to_no_more(place):
    row = calls(place)[0]
    for outcome in ("not_reachable", "call_later"):
        tell(place, row, outcome)
    assert bad_numbers(place) == {}
    tell(place, row, "wrong_number")
    assert bad_numbers(place) == {row.phone: "wrong_number"}


@pytest.mark.parametrize(("kind", "phones"), [("visit", True), ("call", False)])
def test_where_no_number_was_called_none_is_blamed(kind, phones):
    place = Place(phones=phones)
    asked = {"dedupe_key": "t", "person_id": place.people[0], "kind": kind}
    asked |= {"urgency": "within_days", "due_on": pd.Timestamp(BEGIN)}
    place.cases.add("tasks", new_tasks([asked], now=NOW))
    (row,) = show_calls(
        store=place.store, cases=place.cases, programme=PROGRAMME, today=BEGIN, kinds=[kind]
    ).rows
    tell(place, row, "wrong_number")
    assert bad_numbers(place) == {}
    place.store.close()


def test_sent_twice_it_is_kept_once(place):
    row, key = calls(place)[0], new_id()
    assert tell(place, row, "not_reachable", event_id=key) == key
    assert tell(place, row, "not_reachable", event_id=key) == key
    assert place.cases.task(row.task_id)["tries"] == 1
    assert len(events(place, "visits", row.person_id)) == 1


def test_what_cannot_be_is_refused_and_changes_nothing(place):
    row = calls(place)[0]
    with pytest.raises(InputError, match="outcome"):
        tell(place, row, "asleep")
    with pytest.raises(InputError, match="future"):
        record_outcome(
            store=place.store, cases=place.cases, outbox=place.outbox, task_id=row.task_id,
            outcome="agreed", on=BEGIN + timedelta(days=9), today=BEGIN, now=NOW,
            country=PROGRAMME.country,
        )  # fmt: skip
    with pytest.raises(NotFound):
        record_outcome(
            store=place.store, cases=place.cases, outbox=place.outbox, task_id=new_id(),
            outcome="agreed", on=BEGIN, today=BEGIN, now=NOW, country=PROGRAMME.country,
        )  # fmt: skip
    tell(place, row, "wrong_number")
    with pytest.raises(Conflict, match="done already"):
        tell(place, row, "agreed")
    assert events(place, "visits", row.person_id).empty


DECLARED = {
    "name": "t",
    "question": "Do reminders help?",
    "protocol": "visit_reminder",
    "outcome": "visit_seen",
    "window_days": 3,
    "n_planned": 4,
    "design": "fixed",
    "arms": [
        {"name": "reminded", "share": 0.5},
        {"name": "holdout", "share": 0.5, "withholds": ["reminders"]},
    ],
}


def experiment(place, as_of):
    return show_experiments(
        store=place.store, cases=place.cases, programme=PROGRAMME, name="t", as_of=as_of
    )[0]


def test_an_experiment_is_declared_exposes_and_is_read_once():
    place = Place()
    place.people += [place.person(True) for _ in range(3)]
    given = {"cases": place.cases, "programme": PROGRAMME, "salt": "s", "now": NOW}
    assert show_experiments(store=place.store, cases=place.cases, programme=PROGRAMME) == ()
    declare_experiment(DECLARED, **given)
    with pytest.raises(Conflict, match="declared before"):
        declare_experiment(DECLARED, **given)
    with pytest.raises(Conflict, match="cannot begin before"):
        declare_experiment({**DECLARED, "name": "u", "starts_on": "2026-01-01"}, **given)
    place.run()
    exposures = place.cases.load("exposures")
    assert len(exposures) == 6
    place.visit(exposures["person_id"].iloc[0], BEGIN + timedelta(days=2))
    early = experiment(place, BEGIN + timedelta(days=2))
    assert sum(arm.n_exposed for arm in early.reading.arms) == 6
    assert not early.reading.is_final
    again = {"store": place.store, "cases": place.cases, "programme": PROGRAMME, "now": NOW}
    with pytest.raises(Conflict, match="read once"):
        read_experiment_once("t", as_of=BEGIN + timedelta(days=2), **again)
    late = read_experiment_once("t", as_of=BEGIN + timedelta(days=4), **again)
    assert sum(arm.events for arm in late.reading.arms) == 1
    assert experiment(place, date(2026, 3, 9)).state == "read"
    with pytest.raises(NotFound):
        read_experiment_once("other", **again)
    with pytest.raises(NotFound):
        place.cases.close_experiment("other", "read", now=NOW)
    place.store.close()
