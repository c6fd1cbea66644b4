"""News of providers: kept, then read; a gateway that is asked for its news is asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from chw_tools.messaging.simulated import Habits, SimulatedNetwork
from chw_tools.outreach.wire import InboundNews, Outgoing, ReceiptNews
from chw_tools.workflows.replies import Taken, collect_news, read_replies, take_news

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
REPORT = ReceiptNews("x", "p1", "delivered")
MESSAGE = InboundNews("x", "i1", "sms", "+254712345678", "1")


@dataclass
class Keeper:
    """Remembers what it was given, once each."""

    reports: list[Any] = field(default_factory=list)
    messages: list[Any] = field(default_factory=list)

    def apply_receipts(self, news: Sequence[ReceiptNews], *, now: datetime) -> int:
        new = [one for one in news if one not in self.reports]
        self.reports += new
        return len(new)

    def receive(self, news: Sequence[InboundNews], *, now: datetime) -> int:
        new = [one for one in news if one not in self.messages]
        self.messages += new
        return len(new)

    def read_all(self, *, now: datetime, limit: int = 500) -> Mapping[str, int]:
        return {"answered": len(self.messages)}


def test_a_replay_brings_nothing() -> None:
    keeper = Keeper()
    given = {"receipts": [REPORT], "inbound": [MESSAGE], "now": NOON}
    assert take_news(outbox=keeper, inbox=keeper, **given) == Taken(1, 1)
    assert take_news(outbox=keeper, inbox=keeper, **given) == Taken(0, 0)
    assert take_news(outbox=keeper, inbox=keeper, receipts=[], inbound=[], now=NOON) == Taken(0, 0)
    assert read_replies(inbox=keeper, now=NOON) == {"answered": 1}


def test_only_the_simulated_network_is_asked() -> None:
    habits = Habits(busy=0, wrong_number=0, opted_out=0, lost_answer=0, silent=0, answers=1)
    network = SimulatedNetwork(3, clock=lambda: NOON, habits=habits)
    for at in range(20):
        network.send(Outgoing(f"m{at}", f"r{at}", f"+99955{at:08d}", "Hello"))
    keeper = Keeper()
    later = NOON + timedelta(days=1)
    collect_news(gateways=[object(), network], outbox=keeper, inbox=keeper, now=later)
    assert len(keeper.reports) >= 38
    assert 15 <= len(keeper.messages) <= 20
