"""Receipts in any order, clocks that jump, a week down, STOP against the send."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chw_tools.outreach.claims import Answer
from chw_tools.outreach.windows import is_open, zone_of
from chw_tools.outreach.wire import Handed, Outgoing, ReceiptNews
from chw_tools.programme.outreach import load_outreach
from chw_tools.store import open_store
from chw_tools.store.outbox import Desk, Outbox
from chw_tools.store.outbox.changes import MESSAGES, select_messages
from chw_tools.testing.outbox import (
    NotingGateway,
    fill_plainly,
    open_all_hours,
    plan_for_many,
)
from chw_tools.workflows.sending import Sender, send_due

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

    from chw_tools.outreach.claims import Claim
    from chw_tools.outreach.messages import Message
    from chw_tools.store import Store

#: A Wednesday, noon in Nairobi.
NOON = datetime(2026, 3, 4, 9, tzinfo=UTC)
_reports = st.lists(
    st.tuples(
        st.sampled_from(["accepted", "sent", "delivered", "read", "failed"]),
        st.sampled_from(["", "absent", "busy"]),
    ),
    max_size=5,
)


def outbox_of(store: Store, policy: Any = None, by: str = "worker-1") -> Outbox:
    return Outbox(store, Desk(policy or open_all_hours(), fill_plainly, by, {"sms": "noting"}))


def state_of(outbox: Outbox, message: Message) -> tuple[str, str]:
    last = outbox.timeline(message.person_id)[-1]
    return last.after, last.reason


@pytest.fixture(scope="module")
def handed_over() -> Iterator[tuple[Outbox, list[Claim]]]:
    """Many messages whose sends have begun; each example takes two."""
    policy = open_all_hours()
    with open_store("sqlite://") as store:
        plan_for_many(store, policy, people=200, now=NOON)
        outbox = outbox_of(store, policy)
        outbox.wake(now=NOON)
        claims = outbox.claim("sms", now=NOON, limit=200).claims
        yield outbox, list(outbox.hand_over(claims, now=NOON).claims)


@settings(max_examples=15, deadline=None)
@given(reports=_reports, order=st.randoms(use_true_random=False))
def test_any_order_and_number_of_receipts_ends_in_the_same_state(
    handed_over: tuple[Outbox, list[Claim]], reports: list[tuple[Any, str]], order: random.Random
) -> None:
    """Also where they come before the provider's own answer is written."""
    outbox, claims = handed_over
    ended = set()
    for claim in (claims.pop(), claims.pop()):
        reference = claim.message.client_ref
        acts: list[Any] = [
            ReceiptNews("noting", f"p-{reference}", state, reason, client_ref=own)
            for state, reason in reports
            for own in (reference, "")
        ]
        said = Answer(claim, Handed("accepted", f"p-{reference}"), "noting")
        events = [*acts, *acts, said]
        order.shuffle(events)
        for event in events:
            if event is said:
                outbox.finish([said], now=NOON)
            else:
                outbox.apply_receipts([event], now=NOON)
        outbox.match_receipts(now=NOON)
        with outbox.store._reading() as reader:
            statement = select_messages(reader.connection, ["state", "provider_id"])
            found = reader.connection.execute(statement.where(MESSAGES.c.id == claim.message.id))
            state, provider_id = found.one()
        assert provider_id == f"p-{reference}"
        ended.add(state)
    assert len(ended) == 1
    assert outbox.status(now=NOON).n_unmatched_receipts == 0


def test_a_receipt_of_an_unknown_message_counts_once_it_is_known(any_store: Store) -> None:
    policy = open_all_hours()
    [message] = plan_for_many(any_store, policy, people=1, now=NOON)
    outbox = outbox_of(any_store, policy)
    news = ReceiptNews("noting", "later", "delivered")
    assert outbox.apply_receipts([news, news], now=NOON) == 1
    assert outbox.status(now=NOON).n_unmatched_receipts == 1
    outbox.wake(now=NOON)
    claims = outbox.hand_over(outbox.claim("sms", now=NOON, limit=9).claims, now=NOON).claims
    outbox.finish([Answer(claims[0], Handed("accepted", "later"), "noting")], now=NOON)
    assert state_of(outbox, message)[0] == "delivered"


class _Hours(NotingGateway):
    """Notes the hour of each call."""

    def __init__(self, clock: Any) -> None:
        super().__init__()
        self.clock, self.calls = clock, list[tuple[datetime, str]]()

    def send(self, message: Outgoing) -> Handed:
        self.calls.append((self.clock(), message.number))
        return super().send(message)


@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    zone=st.sampled_from(["Africa/Casablanca", "America/New_York", "Australia/Lord_Howe"]),
    began=st.datetimes(
        datetime(2025, 1, 1),  # noqa: DTZ001 (the strategy adds the zone)
        datetime(2026, 1, 1),  # noqa: DTZ001
        timezones=st.just(UTC),
    ),
    jumps=st.lists(
        st.one_of(
            st.integers(1, 900).map(lambda minutes: timedelta(minutes=minutes)),
            st.sampled_from([timedelta(days=7), timedelta(days=-2), timedelta(hours=-1)]),
        ),
        min_size=8,
        max_size=14,
    ),
)
def test_whatever_the_clock_does_nothing_goes_out_of_hours_or_stale(
    zone: str, began: datetime, jumps: list[timedelta]
) -> None:
    policy = load_outreach()
    hours = replace(policy.quiet_hours, time_zone=zone)
    policy = replace(policy, quiet_hours=hours)
    now = began
    with open_store("sqlite://") as store:
        planned = plan_for_many(store, policy, people=12, now=began)
        gateway = _Hours(lambda: now)
        outbox = outbox_of(store, policy)
        for jump in jumps:
            now += jump
            send_due(Sender(outbox, store, {"sms": gateway}, policy, lambda: now))  # noqa: B023
        counted = {state for _, state, _ in outbox.status(now=now).messages}
    assert len(gateway.calls) == len({number for _, number in gateway.calls})
    for at, number in gateway.calls:
        assert is_open(at, zone_of(number, hours), hours)
        assert at < planned[0].not_after
    assert counted <= {"planned", "due", "accepted", "expired"}


def test_after_a_week_down_what_is_stale_expires_and_the_rest_goes(any_store: Store) -> None:
    policy = open_all_hours()
    planned = plan_for_many(any_store, policy, people=6, now=NOON)
    outbox = outbox_of(any_store, policy)
    later = [replace(m, dedupe_key=f"{m.dedupe_key}:2", due_at=NOON, id="") for m in planned[:2]]
    outbox.plan([replace(m, not_after=NOON + timedelta(days=9)) for m in later], now=NOON)
    gateway = NotingGateway()
    now = NOON + timedelta(days=7)
    sent = send_due(Sender(outbox, any_store, {"sms": gateway}, policy, lambda: now))
    assert gateway.n_calls == 2
    assert sent.states == {("", "expired"): 6, ("sms", "accepted"): 2}


def test_no_send_begins_after_stop(any_url: str) -> None:
    """Workers and STOP race for the same numbers; whatever began, began before."""
    policy = open_all_hours()
    with open_store(any_url) as store:
        planned = plan_for_many(store, policy, people=60, now=NOON)
        gateway = _Hours(lambda: NOON)
        senders = [
            Sender(outbox_of(store, policy, f"w{n}"), store, {"sms": gateway}, policy, lambda: NOON)
            for n in range(2)
        ]
        stopper, unbegun = outbox_of(store, policy, "stopper"), []

        def stop_all() -> None:
            for message in reversed(planned):
                stopper.stop_number(message.number, now=NOON)
                begun = {one.after for one in stopper.timeline(message.person_id)}
                with store._reading() as reader:
                    row = reader.connection.execute(
                        select_messages(reader.connection, ["handed_at"]).where(
                            MESSAGES.c.id == message.id
                        )
                    ).one()
                if row[0] is None and "accepted" not in begun:
                    unbegun.append(message.number)

        acts = [threading.Thread(target=stop_all)]
        acts += [threading.Thread(target=send_due, args=(sender,)) for sender in senders]
        for act in acts:
            act.start()
        for act in acts:
            act.join()
    called = [number for _, number in gateway.calls]
    assert len(called) == len(set(called))
    assert not set(called) & set(unbegun)
    assert len(unbegun) + len(called) == len(planned)


def test_a_hand_over_that_grew_old_is_asked_again(any_store: Store) -> None:
    """A machine that slept after the hand-over finds that STOP was said meanwhile."""
    policy = open_all_hours()
    planned = plan_for_many(any_store, policy, people=3, now=NOON)
    now = NOON
    outbox = outbox_of(any_store, policy)

    class Slow(NotingGateway):
        def send(self, message: Outgoing) -> Handed:
            nonlocal now
            for one in planned:
                outbox.stop_number(one.number, now=now)
            now += timedelta(seconds=30)
            return super().send(message)

    gateway = Slow()
    sent = send_due(Sender(outbox, any_store, {"sms": gateway}, policy, lambda: now))
    assert gateway.n_calls == 1
    assert sent.states == {("sms", "accepted"): 1}
    assert sent.refused == {("sms", "suppress", "G3"): 2}
    assert outbox.recover(now=now + timedelta(days=1)) == (0, 0)


def test_a_broken_account_stops_the_channel_and_burns_no_try(any_store: Store) -> None:
    policy = open_all_hours()
    plan_for_many(any_store, policy, people=8, now=NOON)
    outbox = outbox_of(any_store, policy)

    class Refusing(NotingGateway):
        def send(self, message: Outgoing) -> Handed:
            super().send(message)
            return Handed("account", "", "no_credit")

    gateway = Refusing()
    sender = Sender(outbox, any_store, {"sms": gateway}, policy, lambda: NOON)
    assert send_due(sender).broken == [("sms", "no_credit")]
    assert (gateway.n_calls, send_due(sender).broken) == (1, [])
    assert [(state, n) for _, state, n in outbox.status(now=NOON).messages] == [("due", 8)]
    # After a while one message tries; refused again, the others wait again.
    later = NOON + timedelta(minutes=31)
    again = replace(sender, clock=lambda: later)
    assert send_due(again).broken == []
    assert send_due(again).broken == []
    assert gateway.n_calls == 2
    well, now = NotingGateway(), later + timedelta(minutes=31)
    mended = replace(sender, gateways={"sms": well}, clock=lambda: now)
    send_due(mended)
    assert not outbox.status(now=now).channels[1].is_broken
    send_due(mended)
    assert well.n_calls == 8


def test_an_opt_out_at_the_provider_withdraws_consent(any_store: Store) -> None:
    policy = open_all_hours()
    [message] = plan_for_many(any_store, policy, people=1, now=NOON)
    outbox = outbox_of(any_store, policy)

    class OptedOut(NotingGateway):
        def send(self, message: Outgoing) -> Handed:
            return Handed("opted_out", "", "21610")

    send_due(Sender(outbox, any_store, {"sms": OptedOut()}, policy, lambda: NOON))
    consents = any_store.load_register(tables=["consents"]).consents
    last = consents.sort_values("decided_on").iloc[-1]
    assert (last["person_id"], last["decision"]) == (message.person_id, "withdrawn")
    assert state_of(outbox, message) == ("suppressed", "opted_out_at_provider")


def test_a_gateway_that_breaks_leaves_one_message_unknown(any_store: Store) -> None:
    policy = open_all_hours()
    plan_for_many(any_store, policy, people=4, now=NOON)
    outbox = outbox_of(any_store, policy)

    class Broken(NotingGateway):
        def send(self, message: Outgoing) -> Handed:
            if self.n_calls == 1:
                raise RuntimeError("a fault of ours")
            return super().send(message)

    sender = Sender(outbox, any_store, {"sms": Broken()}, policy, lambda: NOON)
    with suppress(RuntimeError):
        send_due(sender)
    counts = {state: n for _, state, n in outbox.status(now=NOON).messages}
    assert counts == {"accepted": 1, "unknown": 1, "due": 2}


def test_budget_and_rate_hold_over_workers(any_store: Store) -> None:
    from chw_tools.programme.outreach import ChannelLimits

    policy = open_all_hours()
    policy = replace(
        policy, channels={**policy.channels, "sms": ChannelLimits(segments_per_day=5, per_minute=3)}
    )
    plan_for_many(any_store, policy, people=9, now=NOON)
    gateway, now = NotingGateway(), NOON
    for minute in range(4):
        now = NOON + timedelta(minutes=minute)
        for by in ("w1", "w2"):
            outbox = outbox_of(any_store, policy, by)
            send_due(Sender(outbox, any_store, {"sms": gateway}, policy, lambda: now))  # noqa: B023
        assert gateway.n_calls == min(3 * (minute + 1), 5)
    assert outbox.status(now=now).channels[1].n_sent_today == 5
