"""Rows of follow-up and outreach: added once, read as declared, moved by compare-and-swap."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from chw_tools.records import WORK_TABLES, conform
from chw_tools.store.instants import as_text
from chw_tools.store.scope import WHOLE, update_of
from chw_tools.store.tables import WORK
from chw_tools.store.values import plain_columns

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import datetime

    import pandas as pd

    from chw_tools.outreach.advancing import Move
    from chw_tools.store.connection import Reader


def add_rows(connection: sa.Connection, table: str, frame: pd.DataFrame) -> int:
    """Add rows as declared; those whose key is there already are left out. How many were new."""
    if frame.empty:
        return 0
    declared = WORK_TABLES[table]
    rows = list(zip(*plain_columns(declared, conform(declared, frame)), strict=True))
    mark = "?" if connection.dialect.name == "sqlite" else "%s"
    columns = ", ".join(f'"{name}"' for name in declared.column_names)
    marks = ", ".join([mark] * len(declared.columns))
    # Names come from the declarations, never from outside; values only as parameters.
    added = connection.exec_driver_sql(
        f'INSERT INTO "{table}" ({columns}) VALUES ({marks}) '  # noqa: S608
        "ON CONFLICT DO NOTHING",
        rows,
    )
    return max(added.rowcount, 0)


def read_rows(reader: Reader, table: str, *conditions: sa.ColumnElement[bool]) -> pd.DataFrame:
    """Rows as declared, in the order of their key."""
    declared = WORK_TABLES[table]
    statement = reader.select(table, declared.column_names).where(*conditions)
    return reader.frame(statement.order_by(WORK[table].c[declared.key]), declared.columns)


def of_keys(reader: Reader, table: str, column: str, keys: Iterable[Any]) -> pd.DataFrame:
    """Rows whose column is one of some keys; missing keys are none."""
    wanted = sorted({key for key in keys if isinstance(key, str)})
    return read_rows(reader, table, reader.among(WORK[table].c[column], wanted))


def move_rows(
    connection: sa.Connection,
    table: str,
    moves: Collection[Move],
    *,
    now: datetime,
    values: Mapping[str, Any] | None = None,
) -> set[str]:
    """Change states, each from the one it is thought to be in; the keys of those that moved.

    Who came too late moves nothing: somebody else's change stands.
    """
    from chw_tools.store.connection import Reader

    reader, rows = Reader(connection), WORK[table]
    groups: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for move in moves:
        groups[move.before, move.after, move.reason].append(move.id)
    moved: set[str] = set()
    for (before, after, reason), ids in sorted(groups.items()):
        statement = (
            update_of(table, scope=WHOLE)
            .where(reader.among(rows.c.id, sorted(ids)), rows.c.state == before)
            .values(state=after, reason=reason, **_changed(rows, now), **(values or {}))
            .returning(rows.c.id)
        )
        moved |= {str(row[0]) for row in connection.execute(statement)}
    return moved


def _changed(rows: sa.Table, now: datetime) -> dict[str, Any]:
    return {"changed_at": sa.literal(as_text(now), rows.c.changed_at.type)}
