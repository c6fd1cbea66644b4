"""A network of nobody: it delays, loses, doubles and disorders, and answers; all by a seed.

For demonstrations and tests, and for simulated people, whose numbers (+999) are nobody's. What
becomes of a message depends on the seed and its reference alone, so a run can be repeated, in
whatever order messages are handed over.

>>> from datetime import UTC, datetime
>>> from chw_tools.outreach.wire import Outgoing
>>> noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
>>> network = SimulatedNetwork(seed=2, clock=lambda: noon)
>>> network.send(Outgoing("m1", "ref-1", "+9995501234567", "Hello")).ending
'accepted'
"""

from __future__ import annotations

import heapq
import threading
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import TYPE_CHECKING, Literal

from chw_tools.outreach.wire import Handed, InboundNews, ReceiptNews, Reported

if TYPE_CHECKING:
    from collections.abc import Callable

    from chw_tools.outreach.wire import Outgoing

NAME = "simulated"


@dataclass(frozen=True)
class Habits:
    """How the network and its people behave: shares of messages, minutes. All invented.

    Parameters
    ----------
    busy, lost_answer, wrong_number, opted_out : float
        Of hand-overs: refused for now; taken with the answer lost; never possible; stopped there.
    undelivered, doubled, silent : float
        Of messages taken: failing later; of reports coming twice; of messages without any report.
    answers, unwell, stops : float
        Of messages delivered: answered at all; of answers "2"; of answers STOP.
    delay_minutes : float
        Longest delay of a report.
    answer_minutes : float
        Longest time until an answer.
    """

    busy: float = 0.02
    lost_answer: float = 0.01
    wrong_number: float = 0.01
    opted_out: float = 0.005
    undelivered: float = 0.05
    doubled: float = 0.05
    silent: float = 0.05
    answers: float = 0.4
    unwell: float = 0.1
    stops: float = 0.02
    delay_minutes: float = 30.0
    answer_minutes: float = 600.0


@dataclass(frozen=True)
class News:
    """What came back by an instant, in the order in which it came."""

    receipts: tuple[ReceiptNews, ...] = ()
    inbound: tuple[InboundNews, ...] = ()


@dataclass
class SimulatedNetwork:
    """The gateway; :meth:`collect` gives what came back.

    Parameters
    ----------
    seed : int
        Decides everything together with each message's reference.
    clock : callable
        The instant of a hand-over, aware.
    habits : Habits
        Shares and delays.
    """

    seed: int
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    habits: Habits = field(default_factory=Habits)
    channel: Literal["sms", "whatsapp", "email"] = "sms"
    name: str = NAME
    #: Messages that the network took, by reference: what a person would see on the telephone.
    taken: dict[str, Outgoing] = field(default_factory=dict, repr=False)
    _waiting: list[tuple[datetime, int, ReceiptNews | InboundNews]] = field(
        default_factory=list, repr=False
    )
    _tries: Counter[str] = field(default_factory=Counter, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def send(self, message: Outgoing) -> Handed:
        """Hand one message over, once."""
        habits, ref = self.habits, message.client_ref
        # The number decides what holds for the number, the reference what holds for the message.
        if self._share(message.number, "wrong") < habits.wrong_number:
            return Handed("permanent", reason="invalid_number")
        if self._share(message.number, "stopped") < habits.opted_out:
            return Handed("opted_out", reason="opted_out_at_provider")
        with self._lock:
            # Busy for one try is not busy for the next.
            self._tries[ref] += 1
            if self._share(ref, "busy", str(self._tries[ref])) < habits.busy:
                return Handed("retry", reason="provider_error")
            # A network that is told a reference drops its second coming.
            if ref not in self.taken:
                self.taken[ref] = message
                self._plan(message)
        if self._share(ref, "lost") < habits.lost_answer:
            return Handed("unknown", reason="no_answer")
        return Handed("accepted", self._provider_id(ref))

    def look_up(self, client_ref: str, provider_id: str) -> Handed | None:
        """Whether the network took the message."""
        if client_ref in self.taken:
            return Handed("accepted", self._provider_id(client_ref))
        return Handed("retry", reason="never_arrived")

    def collect(self, now: datetime) -> News:
        """Everything that came back by now and was not collected before."""
        found = []
        with self._lock:
            while self._waiting and self._waiting[0][0] <= now:
                found.append(heapq.heappop(self._waiting)[2])
        return News(
            tuple(one for one in found if isinstance(one, ReceiptNews)),
            tuple(one for one in found if isinstance(one, InboundNews)),
        )

    def _plan(self, message: Outgoing) -> None:
        habits, ref = self.habits, message.client_ref
        is_lost = self._share(ref, "undelivered") < habits.undelivered
        if self._share(ref, "silent") >= habits.silent:
            states: tuple[Reported, ...] = ("sent", "failed") if is_lost else ("sent", "delivered")
            for state in states:
                self._report(ref, state, f"{state}1")
                if self._share(ref, f"{state}2") < habits.doubled:
                    self._report(ref, state, f"{state}3")
        if not is_lost and self._share(ref, "answers") < habits.answers:
            self._answer(message)

    def _report(self, ref: str, state: Reported, what: str) -> None:
        reason = "not_reached" if state == "failed" else ""
        news = ReceiptNews(NAME, self._provider_id(ref), state, reason, ref)
        at = self._later(ref, what, self.habits.delay_minutes)
        heapq.heappush(self._waiting, (at, self._place(ref, what), news))

    def _answer(self, message: Outgoing) -> None:
        ref, which = message.client_ref, self._share(message.client_ref, "which")
        said = "STOP" if which < self.habits.stops else "1"
        if self.habits.stops <= which < self.habits.stops + self.habits.unwell:
            said = "2"
        at = self._later(ref, "answered", self.habits.answer_minutes)
        news = InboundNews(NAME, f"in-{ref}", self.channel, message.number, said, at)
        heapq.heappush(self._waiting, (at, self._place(ref, "answered"), news))

    def _later(self, ref: str, what: str, minutes: float) -> datetime:
        return self.clock() + timedelta(minutes=self._share(ref, what) * minutes)

    def _provider_id(self, ref: str) -> str:
        return f"sim-{ref}"

    def _place(self, *parts: str) -> int:
        digest = blake2b("\x1f".join((str(self.seed), *parts)).encode(), digest_size=8)
        return int.from_bytes(digest.digest(), "big")

    def _share(self, *parts: str) -> float:
        return self._place(*parts) / 2**64
