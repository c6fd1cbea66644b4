"""Taking messages in: each once, whoever delivers it how often."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chw_tools.outreach.numbers import read_number
from chw_tools.records import new_id
from chw_tools.store.instants import as_text
from chw_tools.store.tables import WORK

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import sqlalchemy as sa

    from chw_tools.outreach.wire import InboundNews

#: No provider's reference is longer; what is longer is cut, and a replay is cut alike.
_LONGEST_REFERENCE = 200
_LONGEST_NUMBER = 60
#: No text message is longer; callbacks are limited in size anyway.
_LONGEST_TEXT = 65_536


def receive(
    connection: sa.Connection, news: Sequence[InboundNews], *, country: str, now: datetime
) -> int:
    """Keep messages that were not taken before; how many those were."""
    return sum(_keep(connection, one, country=country, now=now) for one in news)


def insert_if_new(connection: sa.Connection, table: sa.Table, row: dict[str, Any]) -> bool:
    """Insert a row unless its key is taken; whether it was new."""
    from sqlalchemy.dialects import postgresql, sqlite

    insert: Any = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = insert(table).values(**row).on_conflict_do_nothing().returning(table.c.id)
    return connection.execute(statement).first() is not None


def _keep(connection: sa.Connection, one: InboundNews, *, country: str, now: datetime) -> bool:
    number = one.number
    if one.channel != "email":
        # What cannot be read is kept as it came, for a human to look at.
        number = read_number(one.number, country=country).e164 or one.number
    # A provider's clock may be wrong; nobody wrote later than now.
    received_at = min(one.received_at or now, now)
    row = {
        "id": new_id(),
        "provider": one.provider,
        "provider_id": _clean(one.provider_id)[:_LONGEST_REFERENCE],
        "channel": one.channel,
        "number": _clean(number)[:_LONGEST_NUMBER],
        "text": _clean(one.text)[:_LONGEST_TEXT],
        "state": "received",
        "received_at": as_text(received_at),
        "changed_at": as_text(now),
    }
    return insert_if_new(connection, WORK["inbound_messages"], row)


def _clean(text: str) -> str:
    """Without what no database keeps: NUL, and halves of characters."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()
