"""Kept plans of more than a day: weeks, caseloads, posts, orders; none is rewritten."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import pandas as pd

from chw_tools.records import DERIVED_TABLES, conform, new_id
from chw_tools.store.connection import Reader, insert_rows, next_seqs
from chw_tools.store.imports import now
from chw_tools.store.tables import DERIVED, LONGER_PLANS, PLANNING_RUNS
from chw_tools.store.values import as_json, plain_columns

if TYPE_CHECKING:
    from collections.abc import Mapping

    import sqlalchemy as sa


@dataclass(frozen=True)
class StoredRun:
    """One kept plan of more than a day.

    Parameters
    ----------
    id, kind : str
        Its key, and what sort of plan it is.
    as_of, from_on : date
        Day whose knowledge it rests on; first day planned, where it has one.
    made_at : str
        Instant, ISO 8601.
    summary : dict
        Its figures.
    tables : mapping of str to DataFrame
        As declared; empty where only the run was asked for.
    """

    id: str
    kind: str
    as_of: date
    from_on: date | None
    made_at: str
    summary: dict[str, Any]
    tables: Mapping[str, pd.DataFrame]


def save_run(
    connection: sa.Connection,
    kind: str,
    *,
    tables: Mapping[str, pd.DataFrame],
    as_of: date,
    from_on: date | None,
    summary: Mapping[str, Any],
) -> str:
    """Add a plan with its tables; gives its key."""
    run_id = new_id()
    insert_rows(
        connection,
        PLANNING_RUNS,
        ("id", "kind", "as_of", "from_on", "made_at", "summary", "server_seq"),
        [
            (
                run_id,
                kind,
                _iso(as_of),
                None if from_on is None else _iso(from_on),
                now(),
                as_json(dict(summary)),
                next_seqs(connection, 1)[0],
            )
        ],
    )
    for name, frame in tables.items():
        if len(frame):
            _save_rows(connection, name, frame, run_id)
    return run_id


def _save_rows(connection: sa.Connection, name: str, frame: pd.DataFrame, run_id: str) -> None:
    declared = DERIVED_TABLES[name]
    columns = plain_columns(declared, conform(declared, frame))
    rows = zip(*columns, next_seqs(connection, len(frame)), strict=True)
    names = (*declared.column_names, "server_seq", "run_id")
    insert_rows(connection, DERIVED[name], names, ((*row, run_id) for row in rows))


def find_runs(reader: Reader, *, kind: str | None, limit: int) -> list[StoredRun]:
    """The newest kept plans, of a kind or of any, without their tables."""
    runs = PLANNING_RUNS.c
    statement = _runs(reader)
    if kind is not None:
        statement = statement.where(runs.kind == kind)
    rows = reader.rows(statement.order_by(runs.server_seq.desc()).limit(limit))
    return [_run(row, {}) for row in rows]


def load_run(reader: Reader, *, run_id: str) -> StoredRun | None:
    """A kept plan with its tables, or None."""
    rows = list(reader.rows(_runs(reader).where(PLANNING_RUNS.c.id == run_id)))
    if not rows:
        return None
    tables = {name: _rows_of(reader, name, run_id) for name in LONGER_PLANS}
    return _run(rows[0], {name: frame for name, frame in tables.items() if len(frame)})


def load_caseloads(reader: Reader) -> pd.Series | None:
    """The worker of each home by the newest caseloads kept, or None."""
    newest = find_runs(reader, kind="caseloads", limit=1)
    if not newest:
        return None
    rows = _rows_of(reader, "caseloads", newest[0].id)
    return rows.dropna(subset=["worker_id"]).set_index("home")["worker_id"]


def _runs(reader: Reader) -> sa.Select[Any]:
    names = ("id", "kind", "as_of", "from_on", "made_at", "summary")
    return reader.select("planning_runs", names)


def _run(row: Any, tables: Mapping[str, pd.DataFrame]) -> StoredRun:
    return StoredRun(
        id=str(row[0]),
        kind=row[1],
        as_of=date.fromisoformat(str(row[2])),
        from_on=None if row[3] is None else date.fromisoformat(str(row[3])),
        made_at=str(row[4]),
        summary=row[5] or {},
        tables=tables,
    )


def _rows_of(reader: Reader, name: str, run_id: str) -> pd.DataFrame:
    table, declared = DERIVED[name].c, DERIVED_TABLES[name]
    statement = (
        reader.select(name, declared.column_names)
        .where(table.run_id == run_id)
        .order_by(table.server_seq)
    )
    return conform(declared, reader.frame(statement, declared.columns))


def _iso(day: date) -> str:
    return str(pd.Timestamp(day).date())
