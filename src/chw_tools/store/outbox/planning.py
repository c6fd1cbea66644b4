"""Putting messages into the outbox, each once, and taking planned ones out again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from chw_tools.records import new_id
from chw_tools.store.connection import Reader, insert_rows
from chw_tools.store.instants import as_text
from chw_tools.store.outbox.changes import (
    COLUMNS,
    MESSAGES,
    Change,
    change_all,
    locked,
    note_planned,
    select_messages,
)
from chw_tools.store.outbox.contacts import meet
from chw_tools.store.values import as_json

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    import sqlalchemy as sa

    from chw_tools.outreach.messages import Message

#: States out of which a message can still be taken.
WAITING = ("planned", "due", "retry_wait")


def plan_messages(
    connection: sa.Connection,
    messages: Sequence[Message],
    *,
    by: str,
    now: datetime,
    kinds: Mapping[str, str],
) -> list[Message]:
    """Add messages whose key is not known yet; those that were new, with their keys.

    ``kinds`` tells which sort of number each is (mobile, landline, …), where known.
    """
    first = {message.dedupe_key: message for message in reversed(messages)}
    known = _known(connection, list(first))
    new = [
        replace(m, id=new_id(), client_ref=str(uuid4()))
        for m in reversed(first.values())
        if m.dedupe_key not in known
    ]
    if not new:
        return []
    meet(connection, {m.number: kinds.get(m.number, _kind_of(m)) for m in new}, now=now)
    names = (*COLUMNS, "state", "made_at", "changed_at")
    rows = [_row(message, now=as_text(now)) for message in new]
    added = _insert(connection, names, rows)
    new = [message for message in new if message.id in added]
    note_planned(connection, new, by=by, now=now)
    return new


def _known(connection: sa.Connection, keys: list[str]) -> set[str]:
    among = Reader(connection).among(MESSAGES.c.dedupe_key, keys)
    return {
        row[0]
        for row in connection.execute(select_messages(connection, ["dedupe_key"]).where(among))
    }


def _kind_of(message: Message) -> str:
    return "email" if message.channel == "email" else "unknown"


def _row(message: Message, *, now: str) -> tuple[Any, ...]:
    values = {name: getattr(message, name) for name in COLUMNS}
    values |= {
        "due_at": as_text(message.due_at),
        "not_after": as_text(message.not_after),
        "variables": as_json(dict(message.variables)),
        "language": message.language or None,
        "number": message.number or None,
    }
    return (*values.values(), "planned", now, now)


def _insert(
    connection: sa.Connection, names: Sequence[str], rows: list[tuple[Any, ...]]
) -> set[str]:
    """Insert rows; the keys of those that no other planner had put in meanwhile."""
    if connection.dialect.name == "sqlite":  # whose writer is alone
        insert_rows(connection, MESSAGES, names, rows)
        return {row[0] for row in rows}
    from sqlalchemy.dialects import postgresql

    given = [dict(zip(names, row, strict=True)) for row in rows]
    for row in given:
        row["variables"] = None if row["variables"] is None else _plain(row["variables"])
    statement = postgresql.insert(MESSAGES).on_conflict_do_nothing().returning(MESSAGES.c.id)
    return {row[0] for row in connection.execute(statement, given)}


def _plain(text: str) -> Any:
    import orjson

    return orjson.loads(text)


def cancel(
    connection: sa.Connection,
    *,
    reason: str,
    by: str,
    now: datetime,
    message_ids: Collection[str] | None = None,
    enrolment_ids: Collection[str] | None = None,
    person_ids: Collection[str] | None = None,
) -> int:
    """Take messages out that nobody holds and no provider has; how many."""
    reader = Reader(connection)
    chosen = [
        reader.among(column, list(ids))
        for column, ids in (
            (MESSAGES.c.id, message_ids),
            (MESSAGES.c.enrolment_id, enrolment_ids),
            (MESSAGES.c.person_id, person_ids),
        )
        if ids is not None
    ]
    if not chosen:
        raise ValueError("name messages, enrolments or people")
    statement = (
        select_messages(connection, ("id", "person_id", "state", "attempt"))
        .where(MESSAGES.c.state.in_(WAITING), *chosen)
        .order_by(MESSAGES.c.id)
    )
    rows = connection.execute(locked(statement, connection, skip=False)).all()
    changes = [
        Change(key, person_id, state, "cancelled", reason, attempt)
        for key, person_id, state, attempt in rows
    ]
    change_all(connection, changes, by=by, now=now)
    return len(changes)
