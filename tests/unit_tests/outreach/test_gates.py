"""Each gate lets pass and refuses as specified, and none can be left out unseen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from chw_tools.outreach import gates
from chw_tools.outreach.gates import Contact, Enrolled, Facts, Standing, Switch, judge
from chw_tools.outreach.messages import HOLDOUT, REPLY, STOP_REPLY, Message
from chw_tools.programme.outreach import load_outreach

POLICY = load_outreach()
#: A Wednesday, noon in Nairobi.
NOON = datetime(2026, 3, 4, 9, tzinfo=UTC)
NIGHT = datetime(2026, 3, 4, 20, tzinfo=UTC)
SUNDAY = datetime(2026, 3, 8, 9, tzinfo=UTC)
MESSAGE = Message(
    id="m1",
    dedupe_key="e1:due_day:1:1:sms",
    person_id="p1",
    purpose="outreach",
    step="due_day",
    channel="sms",
    template="come",
    number="+254700000001",
    due_at=NOON - timedelta(hours=1),
    not_after=NOON + timedelta(days=9),
    enrolment_id="e1",
)


@dataclass(frozen=True)
class Filled:
    text: str = "Please come."
    language: str = "en"
    segments: int = 1
    faults: tuple[str, ...] = ()


FACTS = Facts(enrolled=Enrolled(), text=Filled())


def handed(*hours_ago: float) -> Contact:
    return Contact(handed_at=tuple(NOON - timedelta(hours=ago) for ago in hours_ago))


#: For each gate: what changes about the message, the facts or the instant; what comes of it.
REFUSED: list[tuple[str, str, str, dict[str, Any], dict[str, Any], datetime]] = [
    ("G1", "hold", "stopped", {}, {"switch": Switch(is_stopped=True)}, NOON),
    ("G1", "hold", "channel_broken", {}, {"switch": Switch(is_broken=True)}, NOON),
    ("G2", "suppress", "consent_missing", {}, {"consent": None}, NOON),
    ("G2", "suppress", "consent_withdrawn", {}, {"consent": "withdrawn"}, NOON),
    ("G2", "suppress", "consent_refused", {"is_urgent": True}, {"consent": "refused"}, NOON),
    ("G3", "suppress", "opted_out", {}, {"contact": Contact(is_opted_out=True)}, NOON),
    ("G3", "suppress", "opted_out", {"step": REPLY}, {"contact": Contact(is_opted_out=True)}, NOON),
    ("G3", "suppress", "number_bad", {}, {"contact": Contact(is_bad=True)}, NOON),
    ("G3", "suppress", "landline", {}, {"contact": Contact(kind="landline")}, NOON),
    ("G3", "suppress", "no_number", {"number": ""}, {}, NOON),
    ("G4", "suppress", "died", {}, {"person": Standing(has_died=True)}, NOON),
    ("G4", "suppress", "moved", {}, {"person": Standing(has_moved=True)}, NOON),
    ("G4", "suppress", "merged", {}, {"person": Standing(is_merged=True)}, NOON),
    ("G4", "suppress", "not_in_register", {}, {"person": Standing(is_known=False)}, NOON),
    ("G4", "suppress", "not_enrolled", {}, {"enrolled": Enrolled(state="withdrawn")}, NOON),
    ("G4", "suppress", "not_enrolled", {}, {"enrolled": None}, NOON),
    ("G4", "move", "muted", {}, {"person": Standing(muted_until=date(2026, 3, 6))}, NOON),
    ("G4", "expire", "muted", {}, {"person": Standing(muted_until=date(2026, 4, 6))}, NOON),
    ("G5", "suppress", "goal_met", {}, {"enrolled": Enrolled(is_visited=True)}, NOON),
    ("G6", "expire", "not_after", {"not_after": NOON}, {}, NOON),
    ("G7", "move", "quiet_hours", {}, {}, NIGHT),
    ("G7", "move", "quiet_hours", {"is_urgent": True}, {}, SUNDAY),
    ("G7", "expire", "quiet_hours", {"not_after": NIGHT + timedelta(hours=2)}, {}, NIGHT),
    ("G8", "move", "enough_today", {}, {"contact": handed(1)}, NOON),
    ("G8", "move", "enough_this_week", {}, {"contact": handed(30, 54, 78)}, NOON),
    ("G9", "suppress", "template_unknown", {}, {"text": None}, NOON),
    (
        "G9",
        "suppress",
        "variable_missing",
        {},
        {"text": Filled(faults=("variable_missing",))},
        NOON,
    ),
    ("G9", "suppress", "too_long", {}, {"text": Filled(segments=3)}, NOON),
    ("G10", "suppress", "holdout", {"arm": HOLDOUT}, {}, NOON),
    ("G10", "suppress", "holdout", {}, {"enrolled": Enrolled(arm=HOLDOUT)}, NOON),
    ("G11", "hold", "rate", {}, {"switch": Switch(messages_left=0)}, NOON),
    ("G11", "move", "budget", {}, {"switch": Switch(segments_left=0)}, NOON),
]

PASSED: list[tuple[str, dict[str, Any], dict[str, Any], datetime]] = [
    ("plain", {}, {}, NOON),
    ("an answer at night without consent", {"step": REPLY}, {"consent": None}, NIGHT),
    (
        "the confirmation of STOP",
        {"step": STOP_REPLY},
        {"contact": Contact(is_opted_out=True)},
        NIGHT,
    ),
    ("urgent beyond the caps", {"is_urgent": True}, {"contact": handed(1, 30, 54)}, NOON),
    ("yesterday's late message", {}, {"contact": handed(20)}, NOON),
    ("three in more than seven days", {}, {"contact": handed(30, 54, 24 * 8)}, NOON),
    ("muted until today", {}, {"person": Standing(muted_until=date(2026, 3, 4))}, NOON),
    ("no enrolment asked for", {"enrolment_id": None}, {"enrolled": None}, NOON),
    ("the rest of the budget", {}, {"switch": Switch(segments_left=1, messages_left=1)}, NOON),
    (
        "an e-mail of length",
        {"channel": "email", "number": "a@b"},
        {"text": Filled(segments=9)},
        NOON,
    ),
]


@pytest.mark.parametrize(("gate", "act", "reason", "message", "facts", "now"), REFUSED)
def test_refused(gate: str, act: str, reason: str, message: Any, facts: Any, now: datetime) -> None:
    verdict = judge(replace(MESSAGE, **message), replace(FACTS, **facts), policy=POLICY, now=now)
    assert (verdict.gate, verdict.act, verdict.reason) == (gate, act, reason)
    assert (verdict.due_at is not None) == (act == "move")


@pytest.mark.parametrize(("name", "message", "facts", "now"), PASSED)
def test_passed(name: str, message: Any, facts: Any, now: datetime) -> None:
    verdict = judge(replace(MESSAGE, **message), replace(FACTS, **facts), policy=POLICY, now=now)
    assert verdict == gates.SEND, name


@pytest.mark.parametrize("gate", gates.GATES)
def test_no_gate_can_be_left_out(gate: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every gate is the only one that refuses some message here: without it, that one goes."""
    cases = [case for case in REFUSED if case[0] == gate]
    assert cases
    monkeypatch.delitem(gates.GATES, gate)
    for _, _, reason, message, facts, now in cases:
        message, facts = replace(MESSAGE, **message), replace(FACTS, **facts)
        verdict = judge(message, facts, policy=POLICY, now=now)
        assert verdict.act == "send", reason


def test_the_caps_move_to_the_first_day_that_is_free() -> None:
    # Handed on 1, 2 and 3 March: three in seven days until the 8th, a Sunday.
    facts = replace(FACTS, contact=handed(30, 54, 78))
    verdict = judge(MESSAGE, facts, policy=POLICY, now=NOON)
    assert verdict.due_at is not None
    assert verdict.due_at.date() == date(2026, 3, 9)


def test_answers_have_a_cap_of_their_own() -> None:
    answer = replace(MESSAGE, step=REPLY)
    contact = Contact(replied_at=(NOON,) * 3, handed_at=(NOON,) * 9)
    refused = judge(answer, replace(FACTS, contact=contact), policy=POLICY, now=NOON)
    assert (refused.gate, refused.reason) == ("G8", "enough_replies")
    fewer = replace(contact, replied_at=(NOON, NOON, NOON - timedelta(days=1)))
    assert judge(answer, replace(FACTS, contact=fewer), policy=POLICY, now=NOON) == gates.SEND


def test_what_is_moved_waits_for_no_closed_programme() -> None:
    hours = replace(POLICY.quiet_hours, closed_weekdays=frozenset(range(7)))
    verdict = judge(MESSAGE, FACTS, policy=replace(POLICY, quiet_hours=hours), now=NOON)
    assert (verdict.act, verdict.gate) == ("expire", "G7")


def test_no_send_begins_that_would_end_after_closing() -> None:
    closing = datetime(2026, 3, 4, 15, tzinfo=UTC)
    just_before = judge(MESSAGE, FACTS, policy=POLICY, now=closing - timedelta(seconds=1))
    assert just_before.act == "move"
    assert just_before.due_at is not None
    assert just_before.due_at.date() == date(2026, 3, 5)
    earlier = judge(MESSAGE, FACTS, policy=POLICY, now=closing - timedelta(seconds=3))
    assert earlier == gates.SEND
