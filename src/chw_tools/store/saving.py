"""Saving declared rows so that doing it twice changes nothing.

A row is compared with what is stored by its key and the digest of its content. Same
content: unchanged. Other content: rows of events stay and gain one correction; all other
rows are brought up to date in place. Content that was ever stored under a key, as the
event itself or as its correction, is known and is not stored again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from chw_tools.errors import Conflict, NotFound, TableFault
from chw_tools.records import Source, Table, conform, derived_id
from chw_tools.store.connection import Reader, insert_rows, next_seqs
from chw_tools.store.scope import WHOLE, Scope, update_of
from chw_tools.store.tables import REGISTER
from chw_tools.store.values import digest_rows, plain_columns

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    import pandas as pd

    from chw_tools.store.values import Row

_UUID_LENGTH = 36

#: Rows compared and inserted at a time, to bound what is held as Python objects.
_CHUNK = 50_000

#: The map and the staff are not written from within a limited scope.
_WHOLE_ONLY = ("areas", "facilities", "workers")


class SaveCounts(NamedTuple):
    """How many rows were new, already stored, and stored with other content."""

    new: int = 0
    unchanged: int = 0
    changed: int = 0


def save_table(
    connection: sa.Connection, table: Table, frame: pd.DataFrame, *, scope: Scope = WHOLE
) -> SaveCounts:
    """Save trusted rows of one declared table.

    Raises
    ------
    TableFault
        If a key is no UUID, or a value cannot be kept.
    Conflict
        If two rows of the frame share a key and differ.
    NotFound
        If a row is about somebody outside the scope, before or after the change.
    """
    if len(frame) > _CHUNK and not frame["id"].duplicated().any():
        parts = (frame.iloc[at : at + _CHUNK] for at in range(0, len(frame), _CHUNK))
        saved = [save_table(connection, table, part, scope=scope) for part in parts]
        return SaveCounts(*(sum(counts) for counts in zip(*saved, strict=True)))
    columns = plain_columns(table, conform(table, frame))
    rows, digests = _distinct(table, columns)
    if not rows:
        return SaveCounts()
    reader = Reader(connection)
    known = _known_digests(reader, table, [row[0] for row in rows])
    _check_scope(connection, table, rows, known, scope=scope)
    new, other = [], []
    for row, digest in zip(rows, digests, strict=True):
        before = known.get(row[0])
        if before is None:
            new.append((row, digest))
        elif before != digest:
            other.append((row, digest))
    _insert(connection, table, new)
    if table.is_event:
        n_changed = _correct(reader, table, other)
    else:
        n_changed = _update(connection, table, other, scope=scope)
    _check_after(connection, table, rows, scope=scope)
    return SaveCounts(len(new), len(frame) - len(new) - n_changed, n_changed)


def _distinct(table: Table, columns: list[list[Any]]) -> tuple[list[Row], list[str]]:
    rows: list[Row] = list(zip(*columns, strict=True))
    digests = digest_rows(table.column_names, rows)
    if any(len(row[0]) != _UUID_LENGTH for row in rows):
        raise TableFault("must be a UUID", where=f"{table.name}.id", cure="See records.ids.")
    if len(set(columns[0])) == len(rows):
        return rows, digests
    first: dict[str, tuple[Row, str]] = {}
    for row, digest in zip(rows, digests, strict=True):
        if first.setdefault(row[0], (row, digest))[1] != digest:
            raise Conflict("Two rows share a key and differ.", where=table.name)
    return [row for row, _ in first.values()], [digest for _, digest in first.values()]


def _known_digests(reader: Reader, table: Table, ids: Sequence[str]) -> dict[str, str]:
    stored = REGISTER[table.name]
    if reader.value(reader.select(table.name, ["id"]).limit(1)) is None:
        return {}
    rows = reader.rows(
        reader.select(table.name, ["id", "row_digest"]).where(reader.among(stored.c.id, ids))
    )
    return {key: digest for key, digest in rows}


def _insert(connection: sa.Connection, table: Table, rows: list[tuple[Row, str]]) -> None:
    if not rows:
        return
    names = [*table.column_names, "row_digest"]
    made: list[Row] = [(*row, digest) for row, digest in rows]
    if table.is_event:
        names.append("server_seq")
        seqs = next_seqs(connection, len(made))
        made = [(*row, seq) for row, seq in zip(made, seqs, strict=True)]
    insert_rows(connection, REGISTER[table.name], names, made)


def _update(
    connection: sa.Connection, table: Table, rows: list[tuple[Row, str]], *, scope: Scope
) -> int:
    if rows:
        stored = REGISTER[table.name]
        names = table.column_names[1:]
        changed = [*names, "row_digest"]
        values = {name: _from_plain(stored.c[name], connection.dialect.name) for name in changed}
        statement = update_of(table.name, scope=scope).values(values)
        connection.execute(
            statement.where(stored.c.id == sa.bindparam("key")),
            [
                {"key": row[0], "new_row_digest": digest}
                | {f"new_{name}": value for name, value in zip(names, row[1:], strict=True)}
                for row, digest in rows
            ],
        )
    return len(rows)


def _from_plain(column: sa.Column[Any], dialect: str) -> sa.ColumnElement[Any]:
    """A parameter of a plain value for a column; PostgreSQL reads day, key, JSON from text."""
    if dialect == "sqlite":
        return sa.bindparam(f"new_{column.name}", type_=sa.types.NullType())
    as_it_is = isinstance(column.type, sa.Boolean | sa.BigInteger | sa.Double)
    sent = sa.bindparam(f"new_{column.name}", type_=column.type if as_it_is else sa.Text())
    return sa.cast(sent, column.type)


def _correct(reader: Reader, table: Table, rows: list[tuple[Row, str]]) -> int:
    """Add one correction for each row whose content was never seen under its key."""
    if not rows:
        return 0
    at = table.column_names.index("supersedes_id")
    keys = [_correction_id(table, row[0], digest) for row, digest in rows]
    known = _known_digests(reader, table, keys)
    unseen = [
        (row, digest, key)
        for (row, digest), key in zip(rows, keys, strict=True)
        if key not in known
    ]
    latest = _latest_versions(reader, table, [row[0] for row, _, _ in unseen])
    made = [
        ((key, *row[1:at], latest[row[0]], *row[at + 1 :]), digest) for row, digest, key in unseen
    ]
    _insert(reader.connection, table, made)
    return len(made)


def _correction_id(table: Table, key: str, digest: str) -> str:
    # The time field of the key is kept, so a correction sorts beside what it corrects.
    stamp = int(key[:8] + key[9:13], 16)
    return derived_id(Source("correction", first_seen_ms=stamp), table.name, f"{key}\x1f{digest}")


def _latest_versions(reader: Reader, table: Table, keys: Collection[str]) -> dict[str, str]:
    """The newest version of each event, by following who corrects whom."""
    stored = REGISTER[table.name]
    latest = {key: key for key in keys}
    origin = {key: key for key in keys}
    while origin:
        later = reader.rows(
            reader.select(table.name, ["id", "supersedes_id"])
            .where(reader.among(stored.c.supersedes_id, list(origin)))
            .order_by(stored.c.server_seq)
        )
        origin = {key: origin[before] for key, before in later}
        latest |= {first: key for key, first in origin.items()}
    return latest


def _check_scope(
    connection: sa.Connection,
    table: Table,
    rows: list[Row],
    known: dict[str, str],
    *,
    scope: Scope,
) -> None:
    """What is changed lies inside before, and so does all that the rows refer to."""
    if scope.kind == "whole":
        return
    if table.name in _WHOLE_ONLY:
        raise NotFound("No such record.", where=table.name)
    _check_inside(connection, table.name, known, scope=scope)
    made_here = {row[0] for row in rows}
    for at, column in enumerate(table.columns):
        if column.refers_to and column.refers_to not in _WHOLE_ONLY:
            named = {row[at] for row in rows if row[at] is not None} - made_here
            _check_inside(connection, column.refers_to, named, scope=scope)


def _check_after(connection: sa.Connection, table: Table, rows: list[Row], *, scope: Scope) -> None:
    if scope.kind != "whole":
        _check_inside(connection, table.name, {row[0] for row in rows}, scope=scope)


def _check_inside(
    connection: sa.Connection, table: str, ids: Collection[str], *, scope: Scope
) -> None:
    if find_ids(Reader(connection, scope), table, ids) != set(ids):
        # Outside the scope and not there at all read the same on purpose.
        raise NotFound("No such record.", where=table)


def find_ids(reader: Reader, table: str, ids: Collection[str]) -> set[str]:
    """Those of the keys that the reader's scope holds."""
    if not ids:
        return set()
    column = REGISTER[table].c.id
    return {
        row[0]
        for row in reader.rows(reader.select(table, ["id"]).where(reader.among(column, list(ids))))
    }
