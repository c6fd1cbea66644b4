"""The outbox on both databases: from plan to receipt, with every way out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from chw_tools.errors import Conflict
from chw_tools.outreach.claims import Answer, Claim
from chw_tools.outreach.messages import Message
from chw_tools.outreach.wire import Handed, ReceiptNews
from chw_tools.programme.outreach import load_outreach
from chw_tools.store.outbox import Desk, Outbox
from chw_tools.store.outbox.changes import Change, change_all

if TYPE_CHECKING:
    from collections.abc import Callable

    from chw_tools.store import Store

#: A Wednesday, noon in Nairobi.
NOON = datetime(2026, 3, 4, 9, tzinfo=UTC)


@dataclass(frozen=True)
class Filled:
    text: str = "Please come."
    language: str = "en"
    segments: int = 1
    faults: tuple[str, ...] = ()


def fill(message: Message, language: str) -> Filled:
    return Filled(language=language or "en")


@pytest.fixture
def outbox(any_store: Store, rows: Any) -> Outbox:
    """Ada and Ben, who agreed to messages; nothing planned."""
    any_store.save("people", rows("people", ada={"language": "sw"}, ben={}))
    return Outbox(any_store, Desk(load_outreach(), fill, "worker-1", {"sms": "file"}))


@pytest.fixture
def agreed(outbox: Outbox, rows: Any, key: Callable[[str, str], str]) -> Outbox:
    given = {"purpose": "outreach", "decision": "given", "channel": None}
    outbox.store.save(
        "consents", rows("consents", adas=given, bens={**given, "person_id": key("people", "ben")})
    )
    return outbox


@pytest.fixture
def to(key: Callable[[str, str], str]) -> Callable[..., Message]:
    def make(who: str = "ada", **other: Any) -> Message:
        given: dict[str, Any] = {
            "dedupe_key": f"{who}:due_day:1:1:sms",
            "person_id": key("people", who),
            "purpose": "outreach",
            "step": "due_day",
            "channel": "sms",
            "template": "come",
            "number": "+254700000001" if who == "ada" else "+254700000002",
            "due_at": NOON,
            "not_after": NOON + timedelta(days=3),
        }
        return Message(**given | other)

    return make


def states(outbox: Outbox) -> dict[str, int]:
    return {state: n for _, state, n in outbox.status(now=NOON).messages}


def claimed(outbox: Outbox, *, now: datetime = NOON, limit: int = 10) -> list[Claim]:
    outbox.wake(now=now)
    return list(outbox.claim("sms", now=now, limit=limit).claims)


def begun(outbox: Outbox, *, now: datetime = NOON) -> list[Claim]:
    return list(outbox.hand_over(claimed(outbox, now=now), now=now).claims)


def test_from_plan_to_read(agreed: Outbox, to: Callable[..., Message]) -> None:
    [planned] = agreed.plan([to()], now=NOON)
    assert agreed.plan([to()], now=NOON) == []
    [claim] = begun(agreed)
    assert (claim.message.id, claim.text.language) == (planned.id, "sw")
    assert begun(agreed) == []
    done = agreed.finish([Answer(claim, Handed("accepted", "p1"), "file")], now=NOON)
    assert done.states == ((planned.id, "accepted"),)
    for state in ("delivered", "sent", "read", "delivered"):
        agreed.apply_receipts([ReceiptNews("file", "p1", state)], now=NOON)  # type: ignore[arg-type]
    told = [(one.before, one.after) for one in agreed.timeline(planned.person_id)]
    assert told == [
        ("", "planned"),
        ("planned", "due"),
        ("due", "sending"),
        ("sending", "accepted"),
        ("accepted", "delivered"),
        ("delivered", "read"),
    ]


def test_without_consent_nothing_goes(outbox: Outbox, to: Callable[..., Message]) -> None:
    outbox.plan([to()], now=NOON)
    assert claimed(outbox) == []
    assert states(outbox) == {"suppressed": 1}


def test_stop_between_claim_and_hand_over(agreed: Outbox, to: Callable[..., Message]) -> None:
    agreed.plan([to()], now=NOON)
    claims = claimed(agreed)
    assert agreed.stop_number("+254700000001", now=NOON)
    assert agreed.hand_over(claims, now=NOON).claims == ()
    assert states(agreed) == {"suppressed": 1}


def test_a_lapsed_claim_is_due_again_and_a_lapsed_send_unknown(
    agreed: Outbox, to: Callable[..., Message]
) -> None:
    agreed.plan([to(), to("ben")], now=NOON)
    claims = claimed(agreed)
    agreed.hand_over(claims[:1], now=NOON)
    later = NOON + timedelta(minutes=5)
    assert agreed.recover(now=NOON) == (0, 0)
    assert agreed.recover(now=later) == (1, 1)
    assert states(agreed) == {"due": 1, "unknown": 1}
    # Whoever held the claim can neither hand over nor finish.
    assert agreed.hand_over(claims[1:], now=later).claims == ()
    [found] = agreed.ambiguous()
    assert agreed.ask_humans(now=NOON + timedelta(minutes=20)) == 1
    assert agreed.ambiguous() == []
    assert found.client_ref == claims[0].message.client_ref
    # A late receipt still raises it.
    news = ReceiptNews("file", "p9", "delivered", client_ref=found.client_ref)
    agreed.apply_receipts([news], now=later)
    assert states(agreed) == {"due": 1, "delivered": 1}


@pytest.mark.parametrize(
    ("ending", "state"),
    [
        ("accepted", "accepted"),
        ("retry", "retry_wait"),
        ("permanent", "failed"),
        ("opted_out", "suppressed"),
        ("account", "due"),
        ("unknown", "unknown"),
    ],
)
def test_each_ending_has_its_state(
    agreed: Outbox, to: Callable[..., Message], ending: Any, state: str
) -> None:
    agreed.plan([to()], now=NOON)
    [claim] = begun(agreed)
    done = agreed.finish([Answer(claim, Handed(ending, "", "invalid_number"), "file")], now=NOON)
    assert states(agreed) == {state: 1}
    status = agreed.status(now=NOON)
    assert status.n_opted_out == (ending == "opted_out")
    assert status.n_bad_numbers == (ending == "permanent")
    assert bool(done.broken) == (ending == "account")
    assert [m.id for m in done.opted_out] == ([claim.message.id] if ending == "opted_out" else [])


def test_a_report_of_an_opt_out_stops_the_number(
    agreed: Outbox, to: Callable[..., Message]
) -> None:
    agreed.plan([to()], now=NOON)
    [claim] = begun(agreed)
    agreed.finish([Answer(claim, Handed("accepted", "p1"), "file")], now=NOON)
    news = ReceiptNews("file", "p1", "failed", "opted_out_at_provider")
    agreed.apply_receipts([news, news], now=NOON)
    assert states(agreed) == {"failed": 1}
    assert agreed.status(now=NOON).n_opted_out == 1


def test_a_change_from_another_state_keeps_nothing(
    agreed: Outbox, to: Callable[..., Message]
) -> None:
    [planned] = agreed.plan([to()], now=NOON)
    wrong = Change(planned.id, planned.person_id, "due", "sending")
    with pytest.raises(Conflict), agreed.store.working() as connection:
        change_all(connection, [wrong], by="test", now=NOON)
    assert states(agreed) == {"planned": 1}


def test_a_failed_report_on_the_number_marks_it(agreed: Outbox, to: Callable[..., Message]) -> None:
    agreed.plan([to(), to("ben")], now=NOON)
    answers = [Answer(c, Handed("accepted", c.message.id), "file") for c in begun(agreed)]
    agreed.finish(answers, now=NOON)
    for answer, reason in zip(answers, ("landline", "absent"), strict=True):
        news = ReceiptNews("file", answer.handed.provider_id, "failed", reason)
        agreed.apply_receipts([news], now=NOON)
    assert agreed.status(now=NOON).n_bad_numbers == 1
    agreed.plan([to(dedupe_key="again"), to("ben", dedupe_key="again too")], now=NOON)
    tomorrow = NOON + timedelta(days=1)
    assert len(claimed(agreed, now=tomorrow)) == 1


def test_what_the_provider_cannot_do_is_not_the_numbers_fault(
    agreed: Outbox, to: Callable[..., Message]
) -> None:
    agreed.plan([to()], now=NOON)
    [claim] = begun(agreed)
    agreed.finish([Answer(claim, Handed("permanent", "", "window_closed"), "file")], now=NOON)
    assert states(agreed) == {"failed": 1}
    assert agreed.status(now=NOON).n_bad_numbers == 0
