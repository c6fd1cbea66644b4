"""A message as it is planned."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from chw_tools.outreach.claims import Finished, Judged
from chw_tools.outreach.messages import REPLY, STOP_REPLY, Message, dedupe_key

NOON = datetime(2026, 3, 4, 9, tzinfo=UTC)


def test_the_key_names_step_occurrence_version_and_channel() -> None:
    key = dedupe_key("e1", step="due_day", occurrence=2, template_version=3, channel="sms")
    assert key == "e1:due_day:2:3:sms"


@pytest.mark.parametrize(
    ("step", "is_reply"), [("due_day", False), (REPLY, True), (STOP_REPLY, True)]
)
def test_answers_are_told_by_their_step_and_nothing_personal_is_shown(
    step: str, is_reply: bool
) -> None:
    message = Message(
        dedupe_key="k",
        person_id="p",
        purpose="outreach",
        step=step,
        channel="sms",
        template="t",
        number="+254700000001",
        variables={"day": "2026-03-05"},
        due_at=NOON,
        not_after=NOON + timedelta(days=1),
    )
    assert message.is_reply is is_reply
    assert "+254" not in repr(message)
    assert "2026-03-05" not in repr(message)


def test_nothing_came_of_nothing() -> None:
    assert Judged().claims == ()
    assert Finished().states == ()
