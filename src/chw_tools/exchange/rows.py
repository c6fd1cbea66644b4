"""Rows on their way in: lists while a file is read, a DataFrame when the batch is full.

A bundle holds some three hundred resources of a dozen types; making a DataFrame for each
would cost more than reading it. So rows of many files are gathered as tuples, and what a
bad file added is taken back by cutting each list to its old length.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson
import pandas as pd

from chw_tools.records import DERIVED_TABLES, TABLES, conform, derived_ids

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from chw_tools.records import Source

#: Rows in a batch: large enough that the fixed cost of pandas per call is small, small enough
#: that an import of bundles stays under 250 MB (measured: 233 MB; 249 MB at twice as many).
BATCH_ROWS = 10_000

_REJECTED = DERIVED_TABLES["rejected"]


@dataclass(frozen=True)
class RawBatch:
    """Rows as received for one declared table, with their place ``at``.

    ``rows`` has any of the declared columns; ``id`` and references are the source's own
    identifiers until :meth:`keyed` derives keys from them.
    """

    table: str
    rows: pd.DataFrame

    def keyed(self, source: Source) -> RawBatch:
        """The batch with derived keys, and ``source`` and ``source_id`` set.

        A row without an identifier of its own keeps a missing key, and is refused with
        that reason.
        """
        rows = self.rows.copy(deep=False)
        if "id" not in rows:
            rows["id"] = pd.Series(None, index=rows.index, dtype="str")
        if "source_id" not in rows:
            rows["source_id"] = rows["id"]
        for column in TABLES[self.table].columns:
            if column.kind == "id" and column.name in rows:
                target = column.refers_to or self.table
                keys = _each_key if column.name == "id" else _keys
                rows[column.name] = keys(source, target, rows[column.name])
        rows["source"] = source.name
        return RawBatch(self.table, rows)


def _keys(source: Source, table: str, identifiers: pd.Series) -> pd.Series:
    # References repeat (one person, many observations): each is hashed once.
    codes, known = pd.factorize(identifiers)
    keys = pd.array([*derived_ids(source, table, known.astype(str).tolist()), None], dtype="str")
    return pd.Series(keys.take(codes), index=identifiers.index)


def _each_key(source: Source, table: str, identifiers: pd.Series) -> pd.Series:
    # A row's own identifier is its own: nothing to find again.
    if identifiers.isna().any():
        return _keys(source, table, identifiers)
    keys = derived_ids(source, table, identifiers.astype("str").tolist())
    return pd.Series(keys, index=identifiers.index, dtype="str")


@dataclass
class Gathered:
    """What was read and not yet handed on."""

    rows: dict[str, list[tuple[Any, ...]]] = field(default_factory=dict)
    rejected: list[tuple[Any, ...]] = field(default_factory=list)
    unmodelled: list[dict[str, Any]] = field(default_factory=list)
    counts: dict[str, dict[str, int]] = field(default_factory=dict)

    def count(self, resource_type: str, what: str, n: int = 1) -> None:
        """Count resources of a type as ``read`` or ``not_modelled``."""
        counts = self.counts.get(resource_type)
        if counts is None:
            counts = self.counts[resource_type] = {}
        counts[what] = counts.get(what, 0) + n

    def reject(
        self,
        table: str,
        at: str,
        reason: str,
        *,
        cure: str = "",
        column: str = "",
        body: Any = None,
    ) -> None:
        """List a record that does not go in, with its place and a reason to act on."""
        self.rejected.append((table, at, column or None, reason, cure or None, body))

    def __len__(self) -> int:
        return sum(map(len, self.rows.values())) + len(self.rejected) + len(self.unmodelled)

    def absorb(self, other: Gathered) -> None:
        """Add what one file gave, once it is known to be whole."""
        for table, rows in other.rows.items():
            self.rows.setdefault(table, []).extend(rows)
        self.rejected.extend(other.rejected)
        self.unmodelled.extend(other.unmodelled)
        for resource_type, counts in other.counts.items():
            for what, n in counts.items():
                self.count(resource_type, what, n)

    def batches(self, columns: Mapping[str, Sequence[str]]) -> list[RawBatch]:
        """The gathered rows as one batch for each table, tables in declared order."""
        return [
            RawBatch(table, frame_of(columns[table], self.rows[table]))
            for table in TABLES
            if self.rows.get(table)
        ]

    def rejected_frame(self) -> pd.DataFrame:
        """The rejected records, as declared; each body as JSON text."""
        rows = [(*row[:-1], _as_json(row[-1])) for row in self.rejected]
        return conform(_REJECTED, frame_of(_REJECTED.column_names, rows))


def frame_of(columns: Sequence[str], rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    """A DataFrame of row tuples; columns without any value are left out."""
    lists = zip(*rows, strict=True) if rows else iter([()] * len(columns))
    return pd.DataFrame(
        {
            name: list(values)
            for name, values in zip(columns, lists, strict=True)
            if not rows or any(value is not None for value in values)
        }
    )


def _as_json(body: Any) -> str | None:
    return None if body is None else orjson.dumps(body).decode()
