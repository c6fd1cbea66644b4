"""Counts of the outbox as a reader needs them."""

from __future__ import annotations

from datetime import UTC, datetime

from chw_tools.records.contacting import MESSAGE_STATES, TASK_STATES
from chw_tools.store.outbox import ChannelStatus, OutboxStatus
from chw_tools.workflows.outreach_views import STAGES, show_outreach

NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)


class _Outbox:
    def status(self, *, now):
        return OutboxStatus(
            messages=tuple(("sms", state, 1) for state in MESSAGE_STATES),
            channels=tuple(
                ChannelStatus(name, name == "*", False, "by_hand", 2, NOW) for name in ("*", "sms")
            ),
            n_opted_out=3,
            n_bad_numbers=4,
            oldest_due_at=NOW,
            n_unmatched_receipts=5,
        )


class _Store:
    population = "simulated"

    def count_work(self, table, *, by):
        if table == "follow_ups":
            return {("routine", "open"): 7, ("routine", "closed"): 9}
        return {("call", state): 1 for state in TASK_STATES}


def test_every_state_is_in_exactly_one_stage():
    states = [state for group in STAGES.values() for state in group]
    assert sorted(states) == sorted(MESSAGE_STATES)


def test_no_message_is_lost_in_the_counts():
    view = show_outreach(store=_Store(), outbox=_Outbox(), now=NOW)
    (sms,) = view.channels
    assert sms.n_messages == len(MESSAGE_STATES)
    assert view.n_unknown == 1
    assert view.everything_stopped


def test_nothing_found_is_told_apart_from_never_looked():
    class _Untouched(_Store):
        def count_work(self, table, *, by):
            return {}

    assert show_outreach(store=_Store(), outbox=_Outbox(), now=NOW).was_looked
    assert not show_outreach(store=_Untouched(), outbox=_Outbox(), now=NOW).was_looked


def test_what_ended_waits_for_nobody():
    view = show_outreach(store=_Store(), outbox=_Outbox(), now=NOW)
    assert view.follow_ups == {"routine": 7}
    assert view.tasks == {"call": 4}
    assert view.n_tasks == 4
