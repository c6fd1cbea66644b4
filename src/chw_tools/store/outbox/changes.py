"""Changing messages: along the machine's moves, by compare-and-swap, with a line in the diary."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from chw_tools.errors import Conflict
from chw_tools.outreach.machines import MESSAGE
from chw_tools.outreach.messages import Message
from chw_tools.records import new_id
from chw_tools.store.connection import Reader, insert_rows
from chw_tools.store.instants import as_instant, as_text
from chw_tools.store.scope import WHOLE, update_of
from chw_tools.store.tables import WORK

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime

MESSAGES = WORK["messages"]
#: Columns of a message as the gates judge it, in the order of :func:`message_of`.
COLUMNS = (
    "id",
    "dedupe_key",
    "person_id",
    "purpose",
    "step",
    "channel",
    "template",
    "template_version",
    "number",
    "due_at",
    "not_after",
    "occurrence",
    "enrolment_id",
    "language",
    "variables",
    "is_urgent",
    "priority",
    "experiment",
    "arm",
    "client_ref",
    "attempt",
)


@dataclass(frozen=True)
class Change:
    """One move of one message, with whatever else changes on the row."""

    message_id: str
    person_id: str
    before: str
    after: str
    reason: str | None = None
    attempt: int | None = None
    values: Mapping[str, Any] = field(default_factory=dict)


def message_of(row: Sequence[Any]) -> Message:
    """A message from its :data:`COLUMNS`."""
    given = dict(zip(COLUMNS, row, strict=True))
    given["due_at"] = as_instant(given["due_at"])
    given["not_after"] = as_instant(given["not_after"])
    given["number"] = given["number"] or ""
    given["language"] = given["language"] or ""
    given["variables"] = given["variables"] or {}
    given["is_urgent"] = bool(given["is_urgent"])
    return Message(**given)


def select_messages(
    connection: sa.Connection, columns: Collection[str] = COLUMNS
) -> sa.Select[Any]:
    """A SELECT of messages."""
    return Reader(connection).select("messages", columns)


def locked(statement: sa.Select[Any], connection: sa.Connection, *, skip: bool) -> sa.Select[Any]:
    """The same, with its rows locked until commit; on SQLite the writer holds them all."""
    if connection.dialect.name == "sqlite":
        return statement
    return statement.with_for_update(skip_locked=skip, key_share=True)


def change_all(
    connection: sa.Connection, changes: Iterable[Change], *, by: str, now: datetime
) -> None:
    """Make moves of messages, each from the state it is thought to be in.

    Raises
    ------
    Conflict
        If a message is in another state by now: nothing of the transaction may be kept then.
    ValueError
        For a move that the machine does not hold.
    """
    groups: dict[tuple[Any, ...], list[Change]] = defaultdict(list)
    made = list(changes)
    for change in made:
        MESSAGE.check(change.before, change.after)
        groups[change.before, tuple(sorted(change.values))].append(change)
    for (before, names), group in groups.items():
        _swap(connection, before, names, group, now=as_text(now))
    _note(connection, made, by=by, now=as_text(now))


def _swap(
    connection: sa.Connection, before: str, names: tuple[str, ...], group: list[Change], *, now: str
) -> None:
    first = group[0]
    shared = all(
        (one.after, one.reason, one.values) == (first.after, first.reason, first.values)
        for one in group
    )
    table = MESSAGES.c
    found = update_of("messages", scope=WHOLE).where(table.state == before)
    if shared:
        ids = [one.message_id for one in group]
        among = Reader(connection).among(table.id, ids)
        values = {"state": first.after, "reason": first.reason, "changed_at": now, **first.values}
        n_changed = connection.execute(found.where(among).values(values)).rowcount
    else:
        given = ("state", "reason", *names)
        statement = found.where(table.id == sa.bindparam("key")).values(
            {"changed_at": now, **{name: sa.bindparam(f"new_{name}") for name in given}}
        )
        rows = [
            {
                "key": one.message_id,
                "new_state": one.after,
                "new_reason": one.reason,
                **{f"new_{name}": one.values[name] for name in names},
            }
            for one in group
        ]
        n_changed = connection.execute(statement, rows).rowcount
    if n_changed != len(group):
        raise Conflict("A message changed meanwhile.", where="messages")


def _note(connection: sa.Connection, changes: list[Change], *, by: str, now: str) -> None:
    names = ("id", "message_id", "person_id", "from_state", "to_state", "reason", "attempt")
    insert_rows(
        connection,
        WORK["message_events"],
        (*names, "by", "at"),
        [
            (
                new_id(),
                one.message_id,
                one.person_id,
                one.before,
                one.after,
                one.reason,
                one.attempt,
                by,
                now,
            )
            for one in changes
        ],
    )


def note_planned(
    connection: sa.Connection, messages: Iterable[Message], *, by: str, now: datetime
) -> None:
    """The first line of each message's diary."""
    at = as_text(now)
    insert_rows(
        connection,
        WORK["message_events"],
        ("id", "message_id", "person_id", "to_state", "by", "at"),
        [(new_id(), m.id, m.person_id, MESSAGE.first, by, at) for m in messages],
    )
