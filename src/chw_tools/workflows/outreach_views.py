"""What the pages of outreach show: how it stands, and one person's messages in order."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

#: States of a message under the one word that a reader needs, in the order of its life.
STAGES: dict[str, tuple[str, ...]] = {
    "planned": ("planned",),
    "going": ("due", "sending", "retry_wait"),
    "with_provider": ("accepted", "sent"),
    "arrived": ("delivered", "read"),
    "unknown": ("unknown",),
    "not_sent": ("suppressed", "cancelled", "expired"),
    "failed": ("failed",),
}


@dataclass(frozen=True)
class ChannelView:
    """One channel: whether it sends, and its messages by stage."""

    channel: str
    is_stopped: bool
    is_broken: bool
    reason: str
    n_sent_today: int
    stages: Mapping[str, int]

    @property
    def n_messages(self) -> int:
        """Every message of the channel."""
        return sum(self.stages.values())


@dataclass(frozen=True)
class OutreachView:
    """How outreach stands: what is stopped, what goes out, and what waits for a human."""

    as_of: datetime
    everything_stopped: bool
    stop_reason: str
    channels: tuple[ChannelView, ...]
    was_looked: bool
    follow_ups: Mapping[str, int]
    tasks: Mapping[str, int]
    n_opted_out: int
    n_bad_numbers: int
    oldest_due_at: datetime | None
    n_unmatched_receipts: int
    population: str | None

    @property
    def n_tasks(self) -> int:
        """What humans are asked to do."""
        return sum(self.tasks.values())

    @property
    def n_unknown(self) -> int:
        """Messages of which nobody knows whether they arrived."""
        return sum(channel.stages["unknown"] for channel in self.channels)


class OutreachStore(Protocol):
    """What the overview counts."""

    @property
    def population(self) -> str | None: ...
    def count_work(self, table: str, *, by: str) -> dict[tuple[str, str], int]: ...


class ChannelStatus(Protocol):
    """One channel as the outbox tells it; ``*`` is the switch of all."""

    @property
    def channel(self) -> str: ...
    @property
    def is_stopped(self) -> bool: ...
    @property
    def is_broken(self) -> bool: ...
    @property
    def reason(self) -> str: ...
    @property
    def n_sent_today(self) -> int: ...


class OutboxStatus(Protocol):
    """The outbox's own counts."""

    @property
    def messages(self) -> Sequence[tuple[str, str, int]]: ...
    @property
    def channels(self) -> Sequence[ChannelStatus]: ...
    @property
    def n_opted_out(self) -> int: ...
    @property
    def n_bad_numbers(self) -> int: ...
    @property
    def oldest_due_at(self) -> datetime | None: ...
    @property
    def n_unmatched_receipts(self) -> int: ...


class OutreachOutbox(Protocol):
    """What the overview asks of the outbox."""

    def status(self, *, now: datetime) -> OutboxStatus: ...


def show_outreach(*, store: OutreachStore, outbox: OutreachOutbox, now: datetime) -> OutreachView:
    """How outreach stands now.

    Parameters
    ----------
    store : OutreachStore
        Where follow-ups and tasks are counted.
    outbox : OutreachOutbox
        The messages.
    now : datetime
        An aware instant, in the time zone that the page is to tell.
    """
    status = outbox.status(now=now)
    follow_ups = store.count_work("follow_ups", by="urgency")
    everything = next((c for c in status.channels if c.channel == "*"), None)
    return OutreachView(
        as_of=now,
        everything_stopped=everything is not None and everything.is_stopped,
        stop_reason=everything.reason if everything else "",
        channels=tuple(
            _channel(one, status.messages) for one in status.channels if one.channel != "*"
        ),
        was_looked=bool(follow_ups),
        follow_ups=_open(follow_ups, ("open",)),
        tasks=_open(store.count_work("tasks", by="kind"), _OPEN_TASKS),
        n_opted_out=status.n_opted_out,
        n_bad_numbers=status.n_bad_numbers,
        oldest_due_at=status.oldest_due_at and status.oldest_due_at.astimezone(now.tzinfo),
        n_unmatched_receipts=status.n_unmatched_receipts,
        population=store.population,
    )


_OPEN_TASKS = ("requested", "received", "accepted", "in_progress")


def _open(counts: Mapping[tuple[str, str], int], states: Sequence[str]) -> dict[str, int]:
    """Counts by the first key, over the states that are not ended."""
    found: Counter[str] = Counter()
    for (name, state), n in counts.items():
        if state in states:
            found[name] += n
    return dict(found)


def _channel(one: ChannelStatus, counts: Sequence[tuple[str, str, int]]) -> ChannelView:
    by_state = {state: n for channel, state, n in counts if channel == one.channel}
    return ChannelView(
        channel=one.channel,
        is_stopped=one.is_stopped,
        is_broken=one.is_broken,
        reason=one.reason,
        n_sent_today=one.n_sent_today,
        stages={
            stage: sum(by_state.get(state, 0) for state in states)
            for stage, states in STAGES.items()
        },
    )
