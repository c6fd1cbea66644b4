"""Follow-ups and enrolments as they are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from chw_tools.store.connection import Reader
from chw_tools.store.instants import as_text, day
from chw_tools.store.scope import WHOLE, update_of
from chw_tools.store.tables import WORK
from chw_tools.store.work_rows import move_rows, of_keys, read_rows

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import date, datetime

    import pandas as pd

    from chw_tools.outreach.advancing import Move

#: States of enrolments that go on.
_LIVE = ("active", "escalated")


def load_follow_ups(
    reader: Reader,
    *,
    state: str | None = None,
    ids: Iterable[str] | None = None,
    person_ids: Collection[str] | None = None,
) -> pd.DataFrame:
    """Follow-ups: all, open or closed ones, those of some keys or people."""
    rows = WORK["follow_ups"].c
    conditions: list[sa.ColumnElement[bool]] = []
    if state is not None:
        conditions.append(rows.state == state)
    if person_ids is not None:
        conditions.append(reader.among(rows.person_id, list(person_ids)))
    if ids is not None:
        conditions.append(reader.among(rows.id, sorted({i for i in ids if isinstance(i, str)})))
    return read_rows(reader, "follow_ups", *conditions)


def close_follow_ups(connection: sa.Connection, closed: pd.DataFrame, *, now: datetime) -> int:
    """Close open follow-ups with their outcomes (``id``, ``outcome``, ``closed_on``)."""
    rows, reader, n = WORK["follow_ups"], Reader(connection), 0
    for (outcome, on), group in closed.groupby(["outcome", "closed_on"]):
        statement = (
            update_of("follow_ups", scope=WHOLE)
            .where(reader.among(rows.c.id, group["id"].tolist()), rows.c.state == "open")
            .values(
                state="closed",
                outcome=outcome,
                closed_on=day(on.date()),
                changed_at=_instant(rows, now),
            )
        )
        n += connection.execute(statement).rowcount
    return n


def load_enrolments(
    reader: Reader, *, live: bool = False, follow_up_ids: Iterable[str] | None = None
) -> pd.DataFrame:
    """Enrolments: all, those that go on, or those of some follow-ups."""
    if follow_up_ids is not None:
        return of_keys(reader, "enrolments", "follow_up_id", follow_up_ids)
    if live:
        return read_rows(reader, "enrolments", WORK["enrolments"].c.state.in_(_LIVE))
    return read_rows(reader, "enrolments")


def move_enrolments(
    connection: sa.Connection, moves: Collection[Move], *, on: date, now: datetime
) -> set[str]:
    """Move enrolments along their machine; those that end get their last day."""
    ends = [move for move in moves if move.after not in _LIVE]
    goes_on = [move for move in moves if move.after in _LIVE]
    ended = move_rows(connection, "enrolments", ends, now=now, values={"closed_on": day(on)})
    return ended | move_rows(connection, "enrolments", goes_on, now=now)


def _instant(rows: sa.Table, now: datetime) -> Any:
    return sa.literal(as_text(now), rows.c.changed_at.type)
