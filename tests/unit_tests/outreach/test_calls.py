"""Call lists in order of need; outcomes put off, close or go on."""

from datetime import UTC, date, datetime, timedelta

import pandas as pd
import pytest

from chw_tools.outreach.calls import EFFECTS, call_list, snoozed_until, state_after
from chw_tools.outreach.tasks import OPEN, TASK, new_tasks, required_visits
from chw_tools.records import conform
from chw_tools.records.contacting import CALL_OUTCOMES, FOLLOW_UPS

TODAY = date(2026, 3, 10)
NOW = datetime(2026, 3, 10, 5, tzinfo=UTC)


def task(key, urgency="within_days", days=0, **values):
    row = {"dedupe_key": key, "person_id": key, "kind": "call", "urgency": urgency}
    row |= {"reason": "silent", "due_on": pd.Timestamp(TODAY), **values}
    return new_tasks([row], now=NOW - timedelta(days=days))


def listed(*tasks, risks=None):
    found = call_list(pd.concat(tasks, ignore_index=True), risks=risks or {}, today=TODAY)
    return found["person_id"].tolist()


def test_urgency_then_risk_then_days_waiting():
    rows = (
        task("a", days=1),
        task("b", days=9),
        task("c"),
        task("d", "routine"),
        task("e", "emergency"),
    )
    assert listed(*rows, risks={"a": 0.1, "b": 0.1, "c": 0.4, "d": 0.9}) == [
        "e",
        "c",
        "b",
        "a",
        "d",
    ]


def test_an_unknown_risk_stands_in_the_middle_and_never_last():
    rows = (task("low"), task("none"), task("high"))
    assert listed(*rows, risks={"low": 0.1, "high": 0.9}) == ["high", "none", "low"]
    assert set(listed(*rows)) == {"low", "none", "high"}


def test_whoever_was_put_off_is_not_shown_before():
    asleep = task("a").assign(snoozed_until=pd.Timestamp(TODAY) + pd.Timedelta(days=1))
    awake = task("b").assign(snoozed_until=pd.Timestamp(TODAY))
    done = task("c").assign(state="completed")
    assert listed(asleep, awake, done) == ["b"]


def test_days_waiting_and_days_late_are_told():
    row = call_list(task("a", days=4, due_on=pd.Timestamp("2026-03-08")), risks={}, today=TODAY)
    assert row[["position", "waiting_days", "late_days"]].to_numpy().tolist() == [[1, 4, 2]]


def test_every_outcome_has_its_effect_and_snoozes_are_30_and_7_days():
    assert set(EFFECTS) == set(CALL_OUTCOMES)
    assert snoozed_until("agreed", on=TODAY) == date(2026, 4, 9)
    assert snoozed_until("call_later", on=TODAY) == date(2026, 3, 17)
    assert snoozed_until("not_reachable", on=TODAY) == date(2026, 3, 11)
    assert snoozed_until("died", on=TODAY) is None


@pytest.mark.parametrize("outcome", CALL_OUTCOMES)
@pytest.mark.parametrize("state", OPEN)
def test_a_task_never_goes_back(state, outcome):
    after = state_after(state, outcome)
    assert after == state or TASK.may(state, after)


def test_visit_tasks_go_to_the_plan_with_their_window_and_reason():
    follow_ups = conform(
        FOLLOW_UPS, pd.DataFrame([{"id": "f", "rule_id": "high_risk_unseen", "facts": {"n": 1}}])
    )
    due = pd.Timestamp("2026-03-17")
    rows = pd.concat(
        [
            task("a", kind="visit", due_on=due, follow_up_id="f"),
            task("b", kind="visit", due_on=due, reason="no_answers"),
            task("c"),
            task("d", kind="visit").assign(state="completed"),
            task("e", kind="visit", due_on=due).assign(snoozed_until=pd.Timestamp("2026-03-12")),
        ],
        ignore_index=True,
    )
    found = required_visits(rows, follow_ups, say=lambda rule, facts: f"{rule} {facts['n']}")
    assert found["person_id"].tolist() == ["a", "b", "e"]
    assert found["reason"].fillna("").tolist() == ["high_risk_unseen 1", "", ""]
    assert found["reason_key"].tolist() == ["silent", "no_answers", "silent"]
    assert found["due_from"].dt.day.tolist() == [10, 10, 12]
    assert set(found["due_by"]) == {due}
