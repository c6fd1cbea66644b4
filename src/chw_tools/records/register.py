"""The register in memory: one trusted DataFrame for each declared table."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cache
from typing import TYPE_CHECKING

import pandas as pd

from chw_tools.records.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from chw_tools.records.columns import Table


def empty_table(table: Table) -> pd.DataFrame:
    """A table without rows, with the declared columns and dtypes."""
    return _empty(table).copy()


@cache
def _empty(table: Table) -> pd.DataFrame:
    # Made once: of one person's register most tables are empty.
    return pd.DataFrame({c.name: pd.Series(dtype=c.dtype) for c in table.columns})


def conform(table: Table, frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with exactly the declared columns, in order, in the declared dtypes.

    Columns that are absent come back as missing. Nothing is cleaned and nothing is dropped
    but undeclared columns; use :mod:`chw_tools.data_processing` for rows as received.

    Raises
    ------
    ValueError, TypeError
        If a value cannot be held in its declared dtype.
    """
    columns = {}
    for column in table.columns:
        if column.name in frame:
            columns[column.name] = frame[column.name].astype(column.dtype)
        else:
            columns[column.name] = pd.Series(None, index=frame.index, dtype=column.dtype)
    return pd.DataFrame(columns, index=frame.index).reset_index(drop=True)


@dataclass(frozen=True)
class Register:
    """Trusted tables, each as declared in :mod:`chw_tools.records.tables`.

    A register of one person is the same thing with fewer rows. As loaded it holds all that
    was ever recorded; :func:`chw_tools.data_processing.as_known_on` gives it as it was
    known on a day, with corrections, merges, moves and deaths resolved.

    Examples
    --------
    >>> register = Register.of()
    >>> len(register.people)
    0
    """

    areas: pd.DataFrame
    facilities: pd.DataFrame
    workers: pd.DataFrame
    households: pd.DataFrame
    people: pd.DataFrame
    person_changes: pd.DataFrame
    visits: pd.DataFrame
    observations: pd.DataFrame
    conditions: pd.DataFrame
    medications: pd.DataFrame
    pregnancies: pd.DataFrame
    immunisations: pd.DataFrame
    consents: pd.DataFrame
    outcomes: pd.DataFrame

    @classmethod
    def of(cls, tables: Mapping[str, pd.DataFrame] | None = None) -> Register:
        """A register of the given tables; those not given are empty.

        Raises
        ------
        KeyError
            If a name is not that of a declared table.
        """
        given = dict(tables or {})
        unknown = set(given) - set(TABLES)
        if unknown:
            raise KeyError(f"no such table: {', '.join(sorted(unknown))}")
        return cls(
            **{
                name: conform(table, given[name]) if name in given else empty_table(table)
                for name, table in TABLES.items()
            }
        )

    def tables(self) -> Iterator[tuple[str, pd.DataFrame]]:
        """Each table with its name, in the order of declaration."""
        for field in fields(self):
            yield field.name, getattr(self, field.name)

    def of_people(self, person_ids: Collection[str]) -> Register:
        """The part of the register about some people; places and workers stay whole."""
        wanted = pd.Index(list(person_ids))
        kept = {"people": self.people[self.people["id"].isin(wanted)]}
        for name, frame in self.tables():
            if "person_id" in frame:
                kept[name] = frame[frame["person_id"].isin(wanted)]
        return replace(self, **kept)
