"""Protocols: what is shipped can be carried out; faults are named by file and line."""

from dataclasses import replace

import pytest

from chw_tools.errors import ProgrammeFault
from chw_tools.programme.protocols import load_protocols, protocol_for
from chw_tools.records.derived import URGENCIES

SHIPPED = load_protocols()


@pytest.mark.parametrize("urgency", URGENCIES)
def test_every_urgency_has_a_protocol_for_any_rule(urgency):
    assert protocol_for(SHIPPED, rule_id="anything", urgency=urgency) is not None


def test_what_is_urgent_waits_for_no_message():
    for urgency in ("emergency", "same_day"):
        found = protocol_for(SHIPPED, rule_id="anything", urgency=urgency)
        assert found.first == "visit"
        assert not found.steps


def test_reminders_go_three_days_before_on_the_day_and_three_days_after():
    reminder = SHIPPED["visit_reminder"]
    assert [step.day for step in reminder.steps] == [-3, 0, 3]
    assert reminder.ladder.silent_hours == 48
    assert reminder.ladder.no_answers == 3


OWN = """
[refill]
label = "Refill"
version = 1
for_rules = ["glucose_worsening"]
urgencies = ["within_days"]
first = "call"
anchor = "found_on"
goal_from_days = 0
purpose = "outreach"
channels = []
carries_care = true
ends_after_days = 30
again_days = 7
source = "This programme"

[refill.ladder]
silent_hours = 24
call_within_days = 1
no_answers = 2
visit_within_days = 3
supervise_after_days = 2
source = "This programme"
"""


def test_a_folder_adds_a_protocol_that_goes_before_the_one_for_any_rule(tmp_path):
    (tmp_path / "protocols.toml").write_text(OWN)
    protocols = load_protocols(tmp_path)
    found = protocol_for(protocols, rule_id="glucose_worsening", urgency="within_days")
    assert found.name == "refill"
    other = protocol_for(protocols, rule_id="unseen", urgency="within_days")
    assert other.name == "visit_reminder"


@pytest.mark.parametrize(
    ("was", "now", "said"),
    [
        ('first = "call"', 'first = "letter"', r"protocols.toml:7, refill.first"),
        ('first = "call"', 'first = "message"', "messages need steps"),
        ('anchor = "found_on"', 'anchor = "birth"', "refill.anchor"),
        ('urgencies = ["within_days"]', 'urgencies = ["soon"]', "refill.urgencies"),
        ("channels = []", 'channels = ["pigeon"]', "refill.channels"),
        ("channels = []", 'channels = "sms"', "list of names"),
        ("silent_hours = 24", "silent_hours = -1", "protocols.toml:18, refill.ladder.silent_hours"),
        ("no_answers = 2", "no_answers = 2.5", "whole number"),
        ('source = "This programme"', 'source = ""', "without a source"),
        ("version = 1", "version = 1\nversoin = 2", "versoin: is not a key"),
        ("[refill]", "refill2 = 3\n[refill]", "must be a table"),
        (
            "[refill.ladder]",
            '[[refill.steps]]\nname = "a"\nday = 3\ntemplate = "t"\nnot_after_days = 1\n'
            '[[refill.steps]]\nname = "b"\nday = 1\ntemplate = "t"\nnot_after_days = 1\n'
            "[refill.ladder]",
            "in order of days",
        ),
    ],
)
def test_a_fault_is_told_with_its_place(tmp_path, was, now, said):
    (tmp_path / "protocols.toml").write_text(OWN.replace(was, now))
    with pytest.raises(ProgrammeFault, match=said):
        load_protocols(tmp_path)


def test_a_follow_up_that_no_protocol_names_has_none():
    some = {name: one for name, one in load_protocols().items() if name == "checkup_reminder"}
    assert protocol_for(some, rule_id="unseen", urgency="within_days") is None


def test_a_folder_changes_one_step_of_a_ladder_and_keeps_the_others(tmp_path):
    (tmp_path / "protocols.toml").write_text(
        '[visit_reminder.ladder]\nno_answers = 5\nsource = "Ours"\n'
    )
    shipped, own = load_protocols()["visit_reminder"], load_protocols(tmp_path)["visit_reminder"]
    assert own.ladder == replace(shipped.ladder, no_answers=5, source="Ours", verified=False)
    assert replace(own, ladder=shipped.ladder) == shipped


def test_a_changed_ladder_does_not_borrow_the_source_of_the_shipped_one(tmp_path):
    (tmp_path / "protocols.toml").write_text(
        '[visit_reminder]\nsource = "Ours"\n\n[visit_reminder.ladder]\nno_answers = 5\n'
    )
    with pytest.raises(ProgrammeFault, match=r"protocols.toml:4, visit_reminder.ladder: a changed"):
        load_protocols(tmp_path)
