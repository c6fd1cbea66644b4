"""What the outbox holds: counts, one person's timeline, and what lies ahead, with its facts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from chw_tools.store.connection import Reader
from chw_tools.store.instants import as_instant, as_instant_or_none, instant
from chw_tools.store.outbox.changes import (
    MESSAGES,
    message_of,
    select_messages,
)
from chw_tools.store.outbox.contacts import ALL, POINTS, switches
from chw_tools.store.outbox.facts import read_facts
from chw_tools.store.tables import WORK

if TYPE_CHECKING:
    from datetime import datetime

    from chw_tools.outreach.gates import Facts
    from chw_tools.outreach.messages import Message
    from chw_tools.store.outbox.claiming import Desk
    from chw_tools.store.scope import Scope


@dataclass(frozen=True)
class ChannelStatus:
    """One channel, or ``*`` for all: what a person may have to put right."""

    channel: str
    is_stopped: bool
    is_broken: bool
    reason: str
    n_sent_today: int
    changed_at: datetime | None


@dataclass(frozen=True)
class OutboxStatus:
    """Counts of messages by channel and state, switches, opt-outs, and what waits longest."""

    messages: tuple[tuple[str, str, int], ...]
    channels: tuple[ChannelStatus, ...]
    n_opted_out: int
    n_bad_numbers: int
    oldest_due_at: datetime | None
    n_unmatched_receipts: int


def status(connection: sa.Connection, desk: Desk, *, now: datetime) -> OutboxStatus:
    """How the outbox stands."""
    reader, table = Reader(connection), MESSAGES.c
    counted = reader.rows(
        reader.select("messages", ["channel", "state", sa.func.count()])
        .group_by(table.channel, table.state)
        .order_by(table.channel, table.state)
    )
    oldest = reader.value(
        reader.select("messages", [sa.func.min(table.due_at)]).where(table.state == "due")
    )
    receipts = WORK["receipts"].c
    unmatched = reader.select("receipts", [sa.func.count()]).where(receipts.message_id.is_(None))
    return OutboxStatus(
        messages=tuple((row[0], row[1], row[2]) for row in counted),
        channels=_channels(reader, desk, now=now),
        n_opted_out=reader.value(
            reader.select("contact_points", [sa.func.count()]).where(
                POINTS.c.is_opted_out.is_(True)
            )
        ),
        n_bad_numbers=reader.value(
            reader.select("contact_points", [sa.func.count()]).where(POINTS.c.is_bad.is_(True))
        ),
        oldest_due_at=as_instant_or_none(oldest),
        n_unmatched_receipts=reader.value(unmatched),
    )


def _channels(reader: Reader, desk: Desk, *, now: datetime) -> tuple[ChannelStatus, ...]:
    names = ("channel", "is_stopped", "is_broken", "reason", "budget_day", "n_sent", "changed_at")
    rows = {row[0]: row for row in reader.rows(reader.select("channel_states", names))}
    today = desk.today(now).isoformat()
    return tuple(
        ChannelStatus(
            channel=name,
            is_stopped=bool(row[1]),
            is_broken=bool(row[2]),
            reason=row[3] or "",
            n_sent_today=row[5] if str(row[4]) == today else 0,
            changed_at=as_instant_or_none(row[6]),
        )
        for name in (ALL, *desk.policy.channels)
        for row in [rows.get(name, (name, False, False, "", None, 0, None))]
    )


@dataclass(frozen=True)
class Happening:
    """One line of a person's timeline: a message's change, or a reply.

    ``gate`` names the gate that refused the message, where one did.
    """

    at: datetime
    kind: str
    message_id: str
    channel: str
    step: str
    before: str
    after: str
    reason: str
    attempt: int
    by: str
    gate: str = ""


def timeline(reader: Reader, person_id: str) -> list[Happening]:
    """Everything that was done about messages to one person, the oldest first.

    Holds no number and no text.
    """
    events = WORK["message_events"].c
    about = {
        row[0]: row
        for row in reader.rows(
            reader.select("messages", ["id", "channel", "step"]).where(
                MESSAGES.c.person_id == person_id
            )
        )
    }
    names = ("at", "message_id", "from_state", "to_state", "reason", "attempt", "by")
    rows = reader.rows(
        reader.select("message_events", names)
        .where(events.person_id == person_id)
        .order_by(events.id)
    )
    changes = [
        Happening(
            at=as_instant(at),
            kind="message",
            message_id=key,
            channel=about[key][1] if key in about else "",
            step=about[key][2] if key in about else "",
            before=before or "",
            after=after,
            reason=(reason or "").rpartition(":")[2],
            attempt=attempt or 0,
            by=by,
            gate=(reason or "").rpartition(":")[0],
        )
        for at, key, before, after, reason, attempt, by in rows
    ]
    replies = _replies(reader, person_id)
    return sorted(changes + replies, key=lambda one: one.at) if replies else changes


def _replies(reader: Reader, person_id: str) -> list[Happening]:
    inbound = WORK["inbound_messages"].c
    names = ("received_at", "id", "channel", "state", "reason", "provider")
    return [
        Happening(as_instant(at), "reply", key, channel, "", "", state, reason or "", 0, provider)
        for at, key, channel, state, reason, provider in reader.rows(
            reader.select("inbound_messages", names).where(inbound.person_id == person_id)
        )
    ]


def outlook(
    connection: sa.Connection,
    desk: Desk,
    *,
    now: datetime,
    until: datetime,
    scope: Scope | None = None,
) -> list[tuple[Message, Facts]]:
    """Messages that come due by an instant, each with what the gates would look at now."""
    statement = (
        select_messages(connection)
        .where(
            MESSAGES.c.state.in_(("planned", "due", "retry_wait")),
            MESSAGES.c.due_at <= instant(until),
        )
        .order_by(MESSAGES.c.priority, MESSAGES.c.due_at, MESSAGES.c.id)
    )
    messages = [message_of(row) for row in connection.execute(statement)]
    found = switches(
        connection, desk.policy.channels, now=now, day=desk.today(now), circuit=desk.circuit
    )
    ahead = []
    for at in range(0, len(messages), _BATCH):
        batch = messages[at : at + _BATCH]
        tally = read_facts(connection, batch, switches=found, now=now)
        ahead += [(m, tally.facts_of(m, _text(m, tally, desk))) for m in batch]
    return ahead


_BATCH = 1000


def _text(message: Message, tally: Any, desk: Desk) -> Any:
    return desk.render(message, message.language or tally.languages.get(message.person_id, ""))
