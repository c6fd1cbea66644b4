"""Reads and writes on one open connection, in the terms of declared tables."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import sqlalchemy as sa

from chw_tools.store.scope import WHOLE, Scope, among, select_from
from chw_tools.store.tables import STORE_INFO
from chw_tools.store.values import frame_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from chw_tools.records.columns import Column, Kind
    from chw_tools.store.values import Row

#: Values of a column turned into an array at a time, so that a large table is never held twice.
_CHUNK = 50_000
#: Rows fetched at a time: so few that they are gone before the collector of garbage looks at
#: them, which takes longer than reading them (measured: 7.0 s for 1.7 million rows, not 2.6).
_FETCH = 500


@dataclass(frozen=True)
class Reader:
    """A connection inside a transaction, with the scope of whoever reads."""

    connection: sa.Connection
    scope: Scope = WHOLE

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self.connection.dialect.name

    def select(
        self, table: str, columns: Collection[str | sa.ColumnElement[Any]]
    ) -> sa.Select[Any]:
        """A SELECT within the scope."""
        return select_from(table, columns, scope=self.scope)

    def among(self, column: sa.ColumnElement[Any], ids: Collection[str]) -> Any:
        """Whether a column is one of some keys."""
        return among(column, ids, self.dialect)

    def rows(self, statement: sa.Select[Any]) -> list[Row]:
        """All rows, as the driver gives them."""
        return [tuple(row) for row in self.connection.execute(statement)]

    def value(self, statement: sa.Select[Any]) -> Any:
        """The one value of the first row, or None."""
        return self.connection.execute(statement).scalar()

    def numbers(
        self, statement: sa.Select[Any], n_rows: int, n_columns: int
    ) -> NDArray[np.float64]:
        """The rows of a SELECT of numbers, of which none is missing, in one array."""
        result = self.connection.execute(statement)
        rows: Any = result.cursor
        numbers: Iterator[float] = chain.from_iterable(rows)
        found = np.fromiter(numbers, dtype=np.float64, count=n_rows * n_columns)
        result.close()
        return found.reshape(n_rows, n_columns)

    def frame(self, statement: sa.Select[Any], columns: Sequence[Column]) -> pd.DataFrame:
        """The rows of a SELECT whose columns are those declared, in trusted dtypes.

        Raw tuples of the driver are used, since a row object for each of millions of
        observations would cost more than reading them.
        """
        kinds: list[tuple[str, Kind]] = [(column.name, column.kind) for column in columns]
        result = self.connection.execute(self._as_text(statement, columns))
        parts = [frame_of(kinds, held) for held in _columns(result.cursor, len(kinds))]
        result.close()
        if not parts:
            return frame_of(kinds, [()] * len(kinds))
        return parts[0] if len(parts) == 1 else pd.concat(parts, ignore_index=True)

    def _as_text(self, statement: sa.Select[Any], columns: Sequence[Column]) -> sa.Select[Any]:
        """Days, keys and JSON as text, as SQLite keeps them anyway."""
        if self.dialect == "sqlite":
            return statement
        given = zip(statement.selected_columns, columns, strict=True)
        return statement.with_only_columns(*(_text_of(got, c.kind) for got, c in given))


def _columns(cursor: Any, width: int) -> Iterator[list[list[Any]]]:
    """What the cursor gives, column by column, some thousands of rows at a time."""
    held: list[list[Any]] = [[] for _ in range(width)]
    while rows := cursor.fetchmany(_FETCH):
        for column, values in zip(held, zip(*rows, strict=True), strict=True):
            column.extend(values)
        if len(held[0]) >= _CHUNK:
            yield held
            held = [[] for _ in range(width)]
    if held[0]:
        yield held


def _text_of(column: sa.ColumnElement[Any], kind: Kind) -> sa.ColumnElement[Any]:
    if kind in ("day", "id", "json"):
        return sa.cast(column, sa.Text)
    if kind == "instant":
        iso = sa.func.timezone("UTC", column)
        return sa.func.to_char(iso, 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"')
    return column


def insert_rows(
    connection: sa.Connection, table: sa.Table, names: Sequence[str], rows: Iterable[Row]
) -> None:
    """Insert tuples in the order of ``names``; the driver takes them as they are."""
    given = list(rows)
    if not given:
        return
    mark = "?" if connection.dialect.name == "sqlite" else "%s"
    columns = ", ".join(f'"{name}"' for name in names)
    marks = ", ".join([mark] * len(names))
    # Names come from the declarations, never from outside; values only as parameters.
    connection.exec_driver_sql(
        f'INSERT INTO "{table.name}" ({columns}) VALUES ({marks})',  # noqa: S608 (names of our own tables)
        given,
    )


def next_seqs(connection: sa.Connection, n_rows: int) -> range:
    """The next places in the order of commits.

    A plain sequence would hand out numbers that become visible out of order. The counter is
    a row, and whoever takes from it holds it until commit, so no place below one already
    seen can appear later.
    """
    last = connection.execute(
        STORE_INFO.update()
        .values(last_seq=STORE_INFO.c.last_seq + n_rows)
        .returning(STORE_INFO.c.last_seq)
    ).scalar_one()
    return range(last - n_rows + 1, last + 1)
