"""What holds for numbers and channels: opt-outs, numbers that do not work, switches, budgets."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from chw_tools.outreach.gates import Switch
from chw_tools.store.connection import Reader
from chw_tools.store.instants import as_day_or_none, as_instant, as_instant_or_none, as_text
from chw_tools.store.outbox.changes import locked
from chw_tools.store.scope import WHOLE, update_of
from chw_tools.store.tables import WORK

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import date, datetime

    from chw_tools.programme.outreach import ChannelLimits

#: The switch of all channels.
ALL = "*"
POINTS = WORK["contact_points"]
CHANNELS = WORK["channel_states"]


def meet(connection: sa.Connection, numbers: Mapping[str, str], *, now: datetime) -> None:
    """Give each number (with its kind) a row, so that whoever hands over can lock it."""
    at = as_text(now)
    rows = [
        {"number": number, "kind": kind, "is_opted_out": False, "is_bad": False, "changed_at": at}
        for number, kind in sorted(numbers.items())
    ]
    _insert(connection, POINTS, rows)


def _insert(connection: sa.Connection, table: sa.Table, rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    from sqlalchemy.dialects import postgresql, sqlite

    insert: Any = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    connection.execute(insert(table).on_conflict_do_nothing(), rows)


def stop_number(connection: sa.Connection, number: str, *, now: datetime) -> bool:
    """Note that STOP was said from a number; whether it was news.

    Once this is committed no hand-over to the number begins: a hand-over locks the same row
    and looks at it before it commits.
    """
    meet(connection, {number: "unknown"}, now=now)
    found = update_of("contact_points", scope=WHOLE).where(
        POINTS.c.number == number, POINTS.c.is_opted_out.is_(False)
    )
    values = {"is_opted_out": True, "opted_out_at": as_text(now), "changed_at": as_text(now)}
    return connection.execute(found.values(values)).rowcount > 0


def start_number(connection: sa.Connection, number: str, *, now: datetime) -> bool:
    """Note that START was said from a number; whether it was stopped."""
    found = update_of("contact_points", scope=WHOLE).where(
        POINTS.c.number == number, POINTS.c.is_opted_out.is_(True)
    )
    values = {"is_opted_out": False, "opted_out_at": None, "changed_at": as_text(now)}
    return connection.execute(found.values(values)).rowcount > 0


def mark_bad(connection: sa.Connection, numbers: Mapping[str, str], *, now: datetime) -> None:
    """Note numbers that do not work for messages, with the reason's key."""
    meet(connection, dict.fromkeys(numbers, "unknown"), now=now)
    for number, reason in sorted(numbers.items()):
        found = update_of("contact_points", scope=WHOLE).where(POINTS.c.number == number)
        values = {"is_bad": True, "bad_reason": reason, "changed_at": as_text(now)}
        connection.execute(found.values(values))


def lock_points(connection: sa.Connection, numbers: Collection[str]) -> None:
    """Hold the rows of numbers until commit, always in the same order."""
    if connection.dialect.name == "sqlite":
        return
    reader = Reader(connection)
    statement = reader.select("contact_points", ["number"])
    among = reader.among(POINTS.c.number, sorted(numbers))
    ordered = statement.where(among).order_by(POINTS.c.number)
    connection.execute(locked(ordered, connection, skip=False)).all()


# -- channels ----------------------------------------------------------------------


def switches(
    connection: sa.Connection,
    limits: Mapping[str, ChannelLimits],
    *,
    now: datetime,
    day: date,
    circuit: timedelta,
    lock: bool = False,
) -> dict[str, Switch]:
    """What holds for each channel now, with what is left of its budget and rate.

    A channel whose provider refused the account is broken for the time of ``circuit``; then
    one message tries it. With ``lock`` the rows are held until commit, so that no two workers
    spend the same rest.
    """
    reader = Reader(connection)
    names = ("channel", "is_stopped", "is_broken", "budget_day", "n_sent", "minute_at")
    statement = reader.select("channel_states", (*names, "n_in_minute", "changed_at")).order_by(
        CHANNELS.c.channel
    )
    if lock:
        statement = locked(statement, connection, skip=False)
    rows = {row[0]: row for row in reader.rows(statement)}
    is_all_stopped = bool(rows.get(ALL, (ALL, False))[1])
    return {
        channel: _switch(
            rows.get(channel), limit, is_all_stopped, now=now, day=day, circuit=circuit
        )
        for channel, limit in limits.items()
    }


def _switch(
    row: tuple[Any, ...] | None,
    limit: ChannelLimits,
    is_all_stopped: bool,
    *,
    now: datetime,
    day: date,
    circuit: timedelta,
) -> Switch:
    n_sent = n_in_minute = 0
    is_broken = bool(row and row[2])
    # Half open: the account may be in order again, and one message finds out.
    is_tried = row is not None and is_broken and now - as_instant(row[7]) >= circuit
    if row is not None:
        n_sent = row[4] if as_day_or_none(row[3]) == day else 0
        n_in_minute = row[6] or 0 if is_this_minute(row[5], now) else 0
    return Switch(
        is_stopped=is_all_stopped or bool(row and row[1]),
        is_broken=is_broken and not is_tried,
        segments_left=_left(limit.segments_per_day, n_sent),
        messages_left=1 if is_tried else _left(limit.per_minute, n_in_minute),
    )


def _left(most: int, n_spent: int) -> int | None:
    return most - n_spent if most else None


def is_this_minute(began: Any, now: datetime) -> bool:
    """Whether a count that began then still holds; a clock set back ends it too."""
    at = as_instant_or_none(began)
    return at is not None and at <= now < at + timedelta(minutes=1)


def spend(
    connection: sa.Connection,
    spent: Mapping[str, tuple[int, int]],
    *,
    now: datetime,
    day: date,
) -> None:
    """Count segments and messages handed over by each channel (rows held by :func:`switches`)."""
    reader = Reader(connection)
    for channel, (n_segments, n_messages) in sorted(spent.items()):
        columns = ("budget_day", "n_sent", "minute_at", "n_in_minute")
        statement = reader.select("channel_states", columns).where(CHANNELS.c.channel == channel)
        row = reader.rows(statement)[0]
        is_today, is_minute = as_day_or_none(row[0]) == day, is_this_minute(row[2], now)
        values = {
            "budget_day": day.isoformat(),
            "n_sent": n_segments + (row[1] if is_today else 0),
            "minute_at": as_text(as_instant(row[2]) if is_minute else now),
            "n_in_minute": n_messages + ((row[3] or 0) if is_minute else 0),
        }
        found = update_of("channel_states", scope=WHOLE).where(CHANNELS.c.channel == channel)
        connection.execute(found.values(values))


def meet_channels(connection: sa.Connection, channels: Collection[str], *, now: datetime) -> None:
    """Give each channel a row."""
    rows = [
        {
            "channel": channel,
            "is_stopped": False,
            "is_broken": False,
            "n_sent": 0,
            "changed_at": as_text(now),
        }
        for channel in sorted(channels)
    ]
    _insert(connection, CHANNELS, rows)


def broke(connection: sa.Connection, channel: str, *, now: datetime, reason: str) -> bool:
    """Note that a provider refuses the whole account; whether that was news."""
    is_news = turn(connection, channel, now=now, reason=reason, is_broken=True)
    if not is_news:  # tried again, and refused again: the wait begins anew
        found = update_of("channel_states", scope=WHOLE).where(CHANNELS.c.channel == channel)
        connection.execute(found.values(reason=reason, changed_at=as_text(now)))
    return is_news


def mend(connection: sa.Connection, channels: Collection[str], *, now: datetime) -> None:
    """Close the circuit of channels whose provider took a message again."""
    reader = Reader(connection)
    broken = reader.select("channel_states", ["channel"]).where(CHANNELS.c.is_broken.is_(True))
    for (channel,) in reader.rows(broken):
        if channel in channels:
            turn(connection, channel, now=now, reason=None, is_broken=False)


def turn(
    connection: sa.Connection, channel: str, *, now: datetime, reason: str | None, **flags: bool
) -> bool:
    """Set a channel's switches (``is_stopped``, ``is_broken``); whether anything changed."""
    meet_channels(connection, [channel], now=now)
    differs = [CHANNELS.c[name].is_not(value) for name, value in flags.items()]
    found = update_of("channel_states", scope=WHOLE).where(
        CHANNELS.c.channel == channel, sa.or_(*differs)
    )
    values = {**flags, "reason": reason, "changed_at": as_text(now)}
    return connection.execute(found.values(values)).rowcount > 0
