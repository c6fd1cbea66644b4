"""Instants between Python and both databases: one fixed text, so that SQLite can compare it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa

from chw_tools.store.tables import REGISTER, WORK


def as_text(instant: datetime) -> str:
    """The one form in which instants are kept and compared.

    >>> as_text(datetime(2024, 3, 1, 9, tzinfo=UTC))
    '2024-03-01T09:00:00.000000+00:00'
    """
    return instant.astimezone(UTC).isoformat(timespec="microseconds")


def as_instant(value: Any) -> datetime:
    """An instant as a database gave it, in UTC."""
    found = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return found.astimezone(UTC)


def as_instant_or_none(value: Any) -> datetime | None:
    """The same where none may be kept."""
    return None if value is None else as_instant(value)


def as_day_or_none(value: Any) -> date | None:
    """A day as a database gave it."""
    return date.fromisoformat(value) if isinstance(value, str) else value


def instant(at: datetime) -> sa.BindParameter[Any]:
    """An instant as a parameter to compare a column of instants with."""
    return sa.literal(as_text(at), WORK["messages"].c.due_at.type)


def day(on: date) -> sa.BindParameter[Any]:
    """A day as a parameter to compare a column of days with."""
    return sa.literal(on.isoformat(), REGISTER["visits"].c.visited_on.type)
