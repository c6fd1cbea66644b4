"""Enrolment: who is enrolled, what is planned, who is asked at once."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pandas as pd
import pytest

from chw_tools.outreach.enrolment import Hours, Reach, Running, enrol
from chw_tools.outreach.experiments import Arm, Experiment
from chw_tools.outreach.messages import HOLDOUT
from chw_tools.programme.protocols import load_protocols
from chw_tools.programme.templates import load_templates
from chw_tools.records import conform, empty_table, new_id
from chw_tools.records.contacting import ENROLMENTS, FOLLOW_UPS

TODAY = date(2026, 3, 2)
NOW = datetime(2026, 3, 2, 5, tzinfo=UTC)
PERSON = "018bcfe5-6800-7cc0-8b4f-000000000001"
PROTOCOLS = load_protocols()
TEMPLATES = load_templates().templates
REACH = Reach("+254712345678", True, frozenset({"sms", "call"}), "sw", "worker-1")


def follow_up(rule="pressure_rising", urgency="within_days", due=7, person=PERSON, found=0):
    return {
        "id": new_id(),
        "dedupe_key": f"{rule}:{person}",
        "person_id": person,
        "rule_id": rule,
        "urgency": urgency,
        "state": "open",
        "facts": {"day": "2026-03-01"},
        "as_of": pd.Timestamp(TODAY) - pd.Timedelta(days=found),
        "due_from": pd.Timestamp(TODAY),
        "due_by": pd.Timestamp(TODAY) + pd.Timedelta(days=due),
        "made_at": NOW,
        "changed_at": NOW,
    }


def begun(
    *rows, reach=REACH, held=None, running=(), as_of=TODAY, now=NOW, protocols=PROTOCOLS, hours=None
):
    return enrol(
        conform(FOLLOW_UPS, pd.DataFrame(list(rows))),
        protocols=protocols,
        templates=TEMPLATES,
        reaches={} if reach is None else {PERSON: reach},
        held=empty_table(ENROLMENTS) if held is None else held,
        running=running,
        hours=hours,
        as_of=as_of,
        now=now,
    )


def test_reminders_are_planned_around_the_day_it_is_due():
    made = begun(follow_up())
    assert [(m.step, m.template, m.due_at.isoformat()) for m in made.messages] == [
        ("before", "visit_before", "2026-03-06T09:00:00+00:00"),
        ("on_the_day", "visit_today", "2026-03-09T09:00:00+00:00"),
        ("after", "visit_missed", "2026-03-12T09:00:00+00:00"),
    ]
    assert made.messages[0].not_after.isoformat() == "2026-03-08T00:00:00+00:00"
    assert made.messages[0].variables == {"day": "2026-03-09"}
    assert {m.language for m in made.messages} == {"sw"}
    row = made.enrolments.iloc[0]
    assert (row["state"], row["protocol"]) == ("active", "visit_reminder")
    assert row["anchor_on"] == pd.Timestamp("2026-03-09")
    assert row["goal_from"] == pd.Timestamp("2026-03-03")
    assert made.tasks.empty


def test_hours_are_those_of_the_programmes_zone():
    from zoneinfo import ZoneInfo

    made = begun(follow_up(), hours=Hours(ZoneInfo("Africa/Nairobi")))
    assert made.messages[0].due_at.isoformat() == "2026-03-06T06:00:00+00:00"


def test_a_step_that_lies_behind_is_not_planned():
    made = begun(follow_up(due=1))
    assert [m.step for m in made.messages] == ["on_the_day", "after"]


def test_enrolling_twice_is_enrolling_once():
    one = follow_up()
    first = begun(one)
    again = begun(one)
    pd.testing.assert_frame_equal(first.enrolments, again.enrolments)
    assert first.messages == again.messages
    assert begun(one, held=first.enrolments).enrolments.empty


@pytest.mark.parametrize(
    ("reach", "why", "kind"),
    [
        (None, "no_number", "visit"),
        (replace(REACH, can_text=False), "no_number", "call"),
        (replace(REACH, consents=frozenset({"call"})), "no_consent", "call"),
        (replace(REACH, consents=frozenset()), "no_consent", "visit"),
    ],
)
def test_whoever_cannot_be_written_to_is_given_to_a_human(reach, why, kind):
    made = begun(follow_up(), reach=reach)
    assert not made.messages
    assert made.enrolments["state"].tolist() == ["escalated"]
    assert made.tasks[["kind", "reason"]].to_numpy().tolist() == [[kind, why]]
    routine = begun(follow_up(urgency="routine"), reach=reach)
    assert routine.enrolments.empty
    within = {"call": 2, "visit": 7}[kind]
    assert made.tasks["due_on"].iloc[0] == pd.Timestamp(TODAY) + pd.Timedelta(days=within)


@pytest.mark.parametrize("urgency", ["emergency", "same_day"])
def test_what_is_urgent_is_a_visit_today(urgency):
    made = begun(follow_up(urgency=urgency, due=0))
    assert not made.messages
    assert made.tasks[["kind", "urgency"]].to_numpy().tolist() == [["visit", urgency]]
    assert made.tasks["due_on"].iloc[0] == pd.Timestamp(TODAY)


def test_a_silent_person_is_called():
    made = begun(follow_up(rule="silent_after_message"))
    assert made.tasks[["kind", "reason", "worker_id"]].to_numpy().tolist() == [
        ["call", "first_call", "worker-1"]
    ]


@pytest.mark.parametrize("protocol", PROTOCOLS.values(), ids=PROTOCOLS)
def test_every_template_of_a_shipped_protocol_is_there(protocol):
    for step in protocol.steps:
        assert step.template in TEMPLATES


def test_a_protocol_with_a_template_that_is_gone_asks_a_human():
    steps = (replace(PROTOCOLS["visit_reminder"].steps[0], template="gone"),)
    protocols = {"visit_reminder": replace(PROTOCOLS["visit_reminder"], steps=steps)}
    made = begun(follow_up(), protocols=protocols)
    assert made.tasks["reason"].tolist() == ["no_template"]


def test_a_follow_up_of_no_protocol_waits_on_the_list():
    assert begun(follow_up(), protocols={}).enrolments.empty


def test_an_enrolment_that_ended_while_the_follow_up_is_open_begins_again_later():
    one = follow_up()
    first = begun(one).enrolments.assign(state="expired", closed_on=pd.Timestamp("2026-05-08"))
    early = begun(one, held=first, as_of=date(2026, 5, 21), now=NOW + timedelta(days=80))
    assert early.enrolments.empty
    later = begun(one, held=first, as_of=date(2026, 5, 22), now=NOW + timedelta(days=81))
    assert later.enrolments["anchor_on"].tolist() == [pd.Timestamp("2026-05-22")]
    assert later.enrolments["dedupe_key"].iloc[0].endswith(":2")
    assert [m.step for m in later.messages] == ["on_the_day", "after"]


def test_whoever_took_leave_is_not_enrolled_again():
    one = follow_up()
    left = begun(one).enrolments.assign(state="withdrawn", closed_on=pd.Timestamp("2026-03-08"))
    assert begun(
        one, held=left, as_of=date(2027, 5, 22), now=NOW + timedelta(days=450)
    ).enrolments.empty


TRIAL = Experiment(
    "warm",
    "Do warmer words help?",
    "visit_reminder",
    (
        Arm("warm", 0.5, templates={"before": "check_in"}),
        Arm(HOLDOUT, 0.5, withholds=("reminders",)),
    ),
    "visit_seen",
    14,
    100,
    date(2026, 3, 1),
)


def test_an_arm_changes_words_only_and_is_kept_from_the_first_day():
    seen = {}
    for n in range(40):
        made = begun(follow_up(), running=[Running(TRIAL, f"salt {n}")])
        row = made.enrolments.iloc[0]
        assert made.exposures[["experiment", "arm"]].to_numpy().tolist() == [["warm", row["arm"]]]
        assert made.exposures["exposed_on"].iloc[0] == pd.Timestamp(TODAY)
        assert {m.arm for m in made.messages} == {row["arm"]}
        seen[row["arm"]] = [m.template for m in made.messages]
    assert seen["warm"][0] == "check_in"
    assert seen[HOLDOUT] == ["visit_before", "visit_today", "visit_missed"]


def test_no_experiment_before_its_day_nor_with_the_urgent_nor_with_another_protocol():
    later = Running(replace(TRIAL, starts_on=date(2026, 3, 3)), "salt")
    assert begun(follow_up(), running=[later]).exposures.empty
    now = Running(TRIAL, "salt")
    assert begun(follow_up(urgency="same_day"), running=[now]).exposures.empty
    assert begun(follow_up(rule="missed_refill"), running=[now]).exposures.empty


def test_whoever_withdrew_is_not_enrolled_but_no_withdrawal_keeps_an_urgent_visit_away():
    withdrawn = {(PERSON, "outreach")}
    asked = {
        "protocols": PROTOCOLS,
        "templates": TEMPLATES,
        "reaches": {PERSON: REACH},
        "held": empty_table(ENROLMENTS),
        "withdrawn": withdrawn,
        "as_of": TODAY,
        "now": NOW,
    }
    calm = conform(FOLLOW_UPS, pd.DataFrame([follow_up()]))
    assert enrol(calm, **asked).enrolments.empty
    urgent = conform(FOLLOW_UPS, pd.DataFrame([follow_up(urgency="same_day")]))
    assert enrol(urgent, **asked).tasks["kind"].tolist() == ["visit"]
