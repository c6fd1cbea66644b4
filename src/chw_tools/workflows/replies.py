"""News from providers: kept at once, so that the answer is quick; then read, one by one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from chw_tools.outreach.wire import InboundNews, ReceiptNews


class ReceiptKeeper(Protocol):
    """Where reports on messages go: the outbox."""

    def apply_receipts(self, news: Sequence[ReceiptNews], *, now: datetime) -> int: ...


class MessageKeeper(Protocol):
    """Where messages received go: the inbox."""

    def receive(self, news: Sequence[InboundNews], *, now: datetime) -> int: ...
    def read_all(self, *, now: datetime, limit: int = ...) -> Mapping[str, int]: ...


class News(Protocol):
    """What came back from a gateway that is asked for it, since nobody calls back."""

    @property
    def receipts(self) -> Sequence[ReceiptNews]: ...
    @property
    def inbound(self) -> Sequence[InboundNews]: ...


@dataclass(frozen=True)
class Taken:
    """What a callback brought that was not known."""

    n_receipts: int
    n_messages: int


def take_news(
    *,
    outbox: ReceiptKeeper,
    inbox: MessageKeeper,
    receipts: Sequence[ReceiptNews],
    inbound: Sequence[InboundNews],
    now: datetime,
) -> Taken:
    """Keep the news of one callback; a replay brings nothing.

    Parameters
    ----------
    outbox, inbox
        Where it is kept.
    receipts, inbound : sequence
        As read from a callback that was found to be the provider's.
    now : datetime
        Aware.
    """
    return Taken(
        outbox.apply_receipts(receipts, now=now) if receipts else 0,
        inbox.receive(inbound, now=now) if inbound else 0,
    )


def collect_news(
    *,
    gateways: Iterable[object],
    outbox: ReceiptKeeper,
    inbox: MessageKeeper,
    now: datetime,
) -> None:
    """Keep what came back from the gateways that are asked for it."""
    for gateway in gateways:
        collect = getattr(gateway, "collect", None)
        if collect is not None:
            news: News = collect(now)
            take_news(
                outbox=outbox, inbox=inbox, receipts=news.receipts, inbound=news.inbound, now=now
            )


def read_replies(*, inbox: MessageKeeper, now: datetime) -> Mapping[str, int]:
    """Read every message that waits; how many ended in which state."""
    return inbox.read_all(now=now)
