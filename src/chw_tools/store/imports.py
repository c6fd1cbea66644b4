"""Records of imports: runs, rejected records, and what is not modelled."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from chw_tools.records import DERIVED_TABLES, conform, new_id
from chw_tools.store.connection import Reader, insert_rows
from chw_tools.store.tables import IMPORT_RUNS, REJECTED, UNMODELLED
from chw_tools.store.values import as_json, digest_body, plain_columns, without_nul

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pandas as pd

    from chw_tools.store.values import Row

_DECLARED = DERIVED_TABLES["rejected"]


def now() -> str:
    """This instant in UTC, as ISO 8601 text."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def save_run(connection: sa.Connection, *, source: str, summary: Mapping[str, Any]) -> str:
    """Note an import; gives its key."""
    run_id = new_id()
    row = (run_id, source, now(), as_json(dict(summary)))
    insert_rows(connection, IMPORT_RUNS, ("id", "source", "made_at", "summary"), [row])
    return run_id


def load_runs(reader: Reader) -> list[dict[str, Any]]:
    """Every import: when, from where, and what it came to; the oldest first."""
    made_at = sa.cast(IMPORT_RUNS.c.made_at, sa.Text)
    chosen = sa.select(IMPORT_RUNS.c.source, made_at, IMPORT_RUNS.c.summary)
    return [
        {"source": source, "made_at": made_at, "summary": summary}
        for source, made_at, summary in reader.rows(chosen.order_by(IMPORT_RUNS.c.made_at))
    ]


def save_rejected(connection: sa.Connection, frame: pd.DataFrame, *, run_id: str | None) -> int:
    """Keep rejected records that were not kept before."""
    rows = list(zip(*plain_columns(_DECLARED, conform(_DECLARED, frame)), strict=True))
    keyed = {digest_body(*row): (*row, run_id) for row in rows}
    names = (*_DECLARED.column_names, "run_id")
    return _add_unknown(connection, "rejected", REJECTED, names, keyed)


def load_rejected(reader: Reader) -> pd.DataFrame:
    """Every rejected record, by place."""
    statement = reader.select("rejected", _DECLARED.column_names)
    return reader.frame(statement.order_by(REJECTED.c.at), _DECLARED.columns)


def save_unmodelled(connection: sa.Connection, rows: Iterable[Mapping[str, Any]]) -> int:
    """Keep bodies that were not kept before."""
    keyed: dict[str, Row] = {}
    for row in rows:
        body = _body(row.get("body"))
        kept = (row["source"], row["file"], row["type"], body)
        keyed[digest_body(*kept)] = kept
    names = ("source", "file", "type", "body")
    return _add_unknown(connection, "unmodelled", UNMODELLED, names, keyed)


def _body(body: Any) -> str | None:
    """A body as JSON text; text and bytes are taken for JSON already."""
    if isinstance(body, bytes):
        body = body.decode()
    if body is None or isinstance(body, str):
        return body and without_nul(body)
    return as_json(body)


def _add_unknown(
    connection: sa.Connection,
    name: str,
    table: sa.Table,
    names: Iterable[str],
    keyed: dict[str, Row],
) -> int:
    if not keyed:
        return 0
    reader = Reader(connection)
    known = reader.select(name, ["row_digest"]).where(reader.among(table.c.row_digest, list(keyed)))
    held = {row[0] for row in reader.rows(known)}
    new = [(digest, *row) for digest, row in keyed.items() if digest not in held]
    insert_rows(connection, table, ("row_digest", *names), new)
    return len(new)
