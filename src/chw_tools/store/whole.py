"""A whole table of an SQLite store, read column by column rather than row by row.

The database joins each column of some thousands of rows to one text, so that texts and days
cost no object of Python each (:mod:`chw_tools.store.joined`). Numbers, which no text holds
exactly, are fetched as they are, and so is whatever cannot be taken apart again for certain.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import sqlalchemy as sa

from chw_tools.store.joined import END, NO_DAY, NO_TEXT, split_days, split_texts
from chw_tools.store.scope import table_named
from chw_tools.store.values import frame_of, series_of_texts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chw_tools.records.columns import Column
    from chw_tools.store.connection import Reader

#: Rows joined at a time.
_BLOCK = 65_536
#: SQLite's own number of a row; a range of it is read in its order.
_ROW = sa.literal_column("rowid", sa.Integer)
#: In place of a missing number: one that the store refuses.
_INFINITE = sa.literal_column("9e999", sa.Double)
#: Kinds that SQLite keeps as text.
_TEXTS = ("id", "text", "choice")


def read_whole(
    reader: Reader, name: str, columns: Sequence[Column], *where: sa.ColumnElement[bool]
) -> pd.DataFrame:
    """Every row of a table that fulfils the conditions, in trusted dtypes, as it was stored."""
    parts = []
    for first in _blocks(reader, name):
        of_block = (_ROW.between(first, first + _BLOCK - 1), *where)
        part = _read_joined(reader, name, columns, of_block)
        parts.append(_read_rows(reader, name, columns, of_block) if part is None else part)
    if not parts:
        return frame_of([(column.name, column.kind) for column in columns], [()] * len(columns))
    return parts[0] if len(parts) == 1 else pd.concat(parts, ignore_index=True)


def _blocks(reader: Reader, name: str) -> range:
    (low, high), *_ = reader.rows(reader.select(name, [sa.func.min(_ROW), sa.func.max(_ROW)]))
    return range(0) if low is None else range(low, high + 1, _BLOCK)


def _read_rows(
    reader: Reader, name: str, columns: Sequence[Column], where: Sequence[sa.ColumnElement[bool]]
) -> pd.DataFrame:
    chosen = reader.select(name, [column.name for column in columns])
    return reader.frame(chosen.where(*where).order_by(_ROW), columns)


def _read_joined(
    reader: Reader, name: str, columns: Sequence[Column], where: Sequence[sa.ColumnElement[bool]]
) -> pd.DataFrame | None:
    """The rows, or None where the joined columns cannot be taken apart for certain."""
    joined = [c for c in columns if c.kind in (*_TEXTS, "day")]
    stored = table_named(name).c
    asked = [asked for c in joined for asked in _joined(stored[c.name], c)]
    (n_rows, *given), *_ = reader.rows(reader.select(name, [sa.func.count(), *asked]).where(*where))
    if not n_rows:
        return _read_rows(reader, name, columns, where)
    held = {}
    for column, values, n_present in zip(joined, given[::2], given[1::2], strict=True):
        n_missing = 0 if n_present is None else n_rows - n_present
        apart = _apart(values, column, n_rows, n_missing)
        if apart is None:
            return None
        held[column.name] = apart
    numbers = [column for column in columns if column.kind == "number"]
    if numbers:
        held |= _read_numbers(reader, name, numbers, where, n_rows)
    others = [column for column in columns if column.name not in held]
    if others:
        held |= dict(_read_rows(reader, name, others, where).items())
    return pd.DataFrame({column.name: held[column.name] for column in columns})


def _read_numbers(
    reader: Reader,
    name: str,
    columns: Sequence[Column],
    where: Sequence[sa.ColumnElement[bool]],
    n_rows: int,
) -> dict[str, pd.Series[Any]]:
    """Columns of numbers, straight into an array; no infinite one is ever stored."""
    stored = table_named(name).c
    asked = [sa.func.ifnull(stored[column.name], _INFINITE) for column in columns]
    chosen = reader.select(name, asked).where(*where).order_by(_ROW)
    table = reader.numbers(chosen, n_rows, len(columns))
    table[np.isinf(table)] = np.nan
    return {c.name: pd.Series(table[:, at]) for at, c in enumerate(columns)}


def _joined(stored: sa.Column[Any], column: Column) -> list[sa.ColumnElement[Any]]:
    """The values of a column in one text, and how many are not missing."""
    gap = _literal(NO_DAY if column.kind == "day" else NO_TEXT)
    value = stored if column.required else sa.func.ifnull(stored, gap)
    text = sa.cast(sa.func.group_concat(value, _literal(END)), sa.LargeBinary)
    return [text, sa.null() if column.required else sa.func.count(stored)]


def _literal(mark: str) -> sa.ColumnElement[str]:
    # As a parameter the mark would be copied for every row, which takes as long as the rest.
    return sa.literal_column(f"'{mark}'", sa.Text)


def _apart(joined: bytes, column: Column, n_rows: int, n_missing: int) -> pd.Series[Any] | None:
    if column.kind == "day":
        days = split_days(joined, n_rows)
        return None if days is None else pd.Series(days.astype("datetime64[s]"))
    texts = split_texts(joined, n_rows, n_missing=n_missing)
    return None if texts is None else series_of_texts(texts)
