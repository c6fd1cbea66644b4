"""The rehearsal says what the worker would do, and does nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from chw_tools.outreach.gates import Contact, Facts, Switch
from chw_tools.outreach.messages import REPLY, Message
from chw_tools.outreach.rehearsal import Foreseen, rehearse
from chw_tools.programme.outreach import ChannelLimits, load_outreach

POLICY = load_outreach()
#: A Wednesday, eight in the evening in Nairobi.
EVENING = datetime(2026, 3, 4, 17, tzinfo=UTC)


@dataclass(frozen=True)
class Filled:
    text: str = "Please come."
    language: str = "en"
    segments: int = 1
    faults: tuple[str, ...] = ()


FACTS = Facts(text=Filled())


def message(at: int, **other: Any) -> Message:
    given: dict[str, Any] = {
        "id": f"m{at}",
        "dedupe_key": f"m{at}",
        "person_id": f"p{at}",
        "purpose": "outreach",
        "step": "due_day",
        "channel": "sms",
        "template": "come",
        "number": f"+25470000000{at}",
        "due_at": EVENING,
        "not_after": EVENING + timedelta(days=9),
    }
    return Message(**given | other)


def acts(told: list[Foreseen]) -> list[tuple[str, str, str]]:
    return [(one.message.id, one.verdict.act, one.verdict.gate) for one in told]


def test_an_evening_message_waits_for_the_morning() -> None:
    told = rehearse([(message(1), FACTS)], policy=POLICY, now=EVENING, days=2)
    assert acts(told) == [("m1", "move", "G7"), ("m1", "send", "")]
    assert told[1].at == told[0].verdict.due_at
    assert told[1].text == Filled()


def test_what_goes_out_counts_against_the_caps() -> None:
    same = "+254700000001"
    ahead = [(message(n, number=same), FACTS) for n in range(1, 5)]
    told = rehearse(ahead, policy=POLICY, now=EVENING, days=8)
    sent = [one.at.date() for one in told if one.verdict.act == "send"]
    # One a day, three in seven days; the fourth has no day left but the eleventh.
    assert [day.day for day in sent] == [5, 6, 7, 12]


def test_budget_and_rate() -> None:
    limits = {**POLICY.channels, "sms": ChannelLimits(segments_per_day=3, per_minute=2)}
    policy = replace(POLICY, channels=limits)
    noon = EVENING - timedelta(hours=8)
    facts = replace(FACTS, switch=Switch(segments_left=2, messages_left=2))
    ahead = [(message(n, due_at=noon), facts) for n in range(1, 5)]
    told = rehearse(ahead, policy=policy, now=noon, days=2)
    sent = [one for one in told if one.verdict.act == "send"]
    assert [one.at - noon for one in sent[:2]] == [timedelta(0)] * 2
    assert [one.at.day for one in sent[2:]] == [5, 5]
    free = replace(POLICY, channels={**limits, "sms": ChannelLimits(0, 3)})
    told = rehearse([(one, FACTS) for one, _ in ahead], policy=free, now=noon, days=1)
    assert [one.at - noon for one in told] == [timedelta(0)] * 3 + [timedelta(minutes=1)]


def test_answers_have_a_count_of_their_own() -> None:
    number = "+254700000009"
    ahead = [(message(n, step=REPLY, number=number), FACTS) for n in range(1, 5)]
    told = rehearse(ahead, policy=POLICY, now=EVENING, days=1)
    assert [act for _, act, _ in acts(told)] == ["send"] * 3 + ["suppress"]


def test_a_suppression_names_its_gate_and_a_stopped_channel_is_told_once() -> None:
    ahead = [
        (message(1), replace(FACTS, contact=Contact(is_opted_out=True))),
        (message(2), replace(FACTS, switch=Switch(is_stopped=True))),
        (message(3, due_at=EVENING + timedelta(days=5)), FACTS),
    ]
    told = rehearse(ahead, policy=POLICY, now=EVENING, days=3)
    assert acts(told) == [("m1", "suppress", "G3"), ("m2", "hold", "G1")]
