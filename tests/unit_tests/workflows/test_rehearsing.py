"""A rehearsal hour by hour: counts add up, and what stays says its gate."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from chw_tools.outreach.gates import Facts
from chw_tools.outreach.messages import Message
from chw_tools.programme.outreach import load_outreach
from chw_tools.testing.outbox import fill_plainly, number_of
from chw_tools.workflows.rehearsing import show_rehearsal

#: A Wednesday, eight in the evening in Nairobi.
EVENING = datetime(2026, 3, 4, 17, tzinfo=UTC)
POLICY = load_outreach()


def _ahead(n: int, **facts):
    for at in range(n):
        message = Message(
            id=f"m{at}",
            dedupe_key=f"m{at}",
            person_id=f"p{at}",
            purpose="outreach",
            step="due_day",
            channel="sms",
            template="come",
            number=number_of(at),
            due_at=EVENING,
            not_after=EVENING + timedelta(days=3),
        )
        yield message, Facts(text=fill_plainly(message, "en"), **facts)


def _shown(ahead):
    return show_rehearsal(ahead, policy=POLICY, now=EVENING, days=2, population="simulated")


def test_the_evening_moves_all_to_the_morning():
    view = _shown(_ahead(5))
    evening, morning = view.hours
    assert (evening.n_sent, evening.refused) == (0, {("G7", "quiet_hours"): 5})
    assert (morning.n_sent, morning.n_sent_so_far, morning.at.hour) == (5, 5, 9)
    assert morning.text == "Please come to the clinic."
    assert view.n_sent == 5


def test_no_consent_is_counted_and_no_text_is_shown():
    view = _shown(_ahead(3, consent=""))
    assert view.refused == {("G2", "consent_missing"): 3}
    assert [hour.text for hour in view.hours] == [""]
    assert view.n_sent == 0


def test_nothing_ahead_is_an_empty_rehearsal():
    view = _shown([])
    assert (view.hours, view.n_sent) == ((), 0)
