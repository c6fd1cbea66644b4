"""How many sends begin with one commit, and that a tick leaves nothing claimed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chw_tools.outreach.claims import Ambiguous, Claim, Finished, Judged
from chw_tools.outreach.messages import Message
from chw_tools.outreach.wire import Handed
from chw_tools.programme.outreach import load_outreach
from chw_tools.testing.outbox import NotingGateway, PlainText
from chw_tools.workflows.sending import Pace, Sender, outgoing, send_due, settle_unknown

NOON = datetime(2026, 3, 4, 9, tzinfo=UTC)
SECONDS = timedelta(seconds=2)


def test_a_gateway_gets_as_many_as_it_takes_while_a_hand_over_holds() -> None:
    pace = Pace(most=100)
    assert pace.at_once("sms", SECONDS) == 5
    pace.note("sms", 5, timedelta(seconds=1))
    assert pace.at_once("sms", SECONDS) == 10
    pace.note("sms", 1, timedelta(seconds=30))
    assert pace.at_once("sms", SECONDS) == 1
    pace.note("sms", 10, timedelta(0))
    assert pace.at_once("sms", SECONDS) == 100
    pace.note("sms", 10, timedelta(seconds=-9))  # a clock set back
    assert pace.at_once("sms", SECONDS) == 100
    assert pace.at_once("email", SECONDS) == 5


def claim(at: int) -> Claim:
    message = Message(
        id=f"m{at}",
        client_ref=f"c{at}",
        dedupe_key=f"m{at}",
        person_id="p",
        purpose="outreach",
        step="due_day",
        channel="sms",
        template="t",
        number="+254700000001",
        variables={"day": 5},
        due_at=NOON,
        not_after=NOON + timedelta(days=1),
    )
    return Claim(message, PlainText(), "token")


@dataclass
class Box:
    """An outbox in memory that takes note of what is done with claims."""

    due: list[Claim] = field(default_factory=lambda: [claim(at) for at in range(12)])
    given_back: list[str] = field(default_factory=list)
    finished: list[str] = field(default_factory=list)
    asked: int = 0

    def recover(self, **_: Any) -> tuple[int, int]:
        return 0, 0

    def wake(self, **_: Any) -> tuple[int, int]:
        return 0, 0

    def match_receipts(self, **_: Any) -> int:
        return 0

    def claim(self, channel: str, *, now: datetime, limit: int) -> Judged:
        taken, self.due = self.due[:limit], self.due[limit:]
        return Judged(tuple(taken))

    def hand_over(self, claims: Any, **_: Any) -> Judged:
        return Judged(tuple(claims))

    def release(self, claims: Any, **_: Any) -> int:
        self.given_back += [one.message.id for one in claims]
        return len(claims)

    def finish(self, answers: Any, **_: Any) -> Finished:
        self.finished += [one.claim.message.id for one in answers]
        return Finished(tuple((one.claim.message.id, "accepted") for one in answers))

    def ambiguous(self, **_: Any) -> list[Ambiguous]:
        one = Ambiguous("m1", "p", "sms", "c1", "", NOON)
        return [one, Ambiguous("m2", "p", "email", "c2", "", NOON)]

    def resolve(self, message_id: str, handed: Handed, **_: Any) -> bool:
        return handed.ending == "accepted"

    def ask_humans(self, **_: Any) -> int:
        return 3


def sender(box: Box, gateway: Any = None, **other: Any) -> Sender:
    return Sender(
        box, Any, {"sms": gateway or NotingGateway()}, load_outreach(), lambda: NOON, **other
    )


def test_a_tick_sends_all_and_counts() -> None:
    box = Box()
    sent = send_due(sender(box, batch=5))
    assert box.finished == [f"m{at}" for at in range(12)]
    assert sent.states == {("sms", "accepted"): 12}
    assert sent.n_done == 12


def test_a_worker_that_is_told_to_stop_gives_back_what_has_not_begun() -> None:
    box, calls = Box(), NotingGateway()
    working = sender(box, calls, is_stopping=lambda: calls.n_calls > 0)
    send_due(working)
    # The five of the first hand-over are done; what was claimed with them goes back.
    assert box.finished == [f"m{at}" for at in range(5)]
    assert box.given_back == [f"m{at}" for at in range(5, 12)]


def test_a_fault_of_a_gateway_leaves_one_unknown_and_gives_back_the_others() -> None:
    class Broken(NotingGateway):
        def send(self, message: Any) -> Handed:
            raise RuntimeError("a fault of ours")

    box = Box()
    with pytest.raises(RuntimeError):
        send_due(sender(box, Broken()))
    assert box.finished == ["m0"]
    assert box.given_back == [f"m{at}" for at in range(1, 12)]


def test_what_is_unknown_is_asked_after_and_then_given_to_humans() -> None:
    class Knowing(NotingGateway):
        def look_up(self, client_ref: str, provider_id: str) -> Handed:
            return Handed("accepted", f"p-{client_ref}")

    assert settle_unknown(sender(Box(), Knowing())) == (1, 3)
    assert settle_unknown(sender(Box())) == (0, 3)


def test_a_gateway_is_told_our_reference_and_the_text() -> None:
    told = outgoing(claim(1))
    assert (told.client_ref, told.text) == ("c1", "Please come to the clinic.")
    assert (told.number, told.template, told.language) == ("+254700000001", "t", "en")
