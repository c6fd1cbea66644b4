"""What a declared table is made of: :class:`Column` and :class:`Table`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["id", "text", "choice", "number", "integer", "flag", "day", "instant", "json"]

#: The one dtype of each kind in every trusted table.
DTYPES: dict[Kind, str] = {
    "id": "str",
    "text": "str",
    "choice": "str",
    "number": "float64",
    "integer": "Int64",
    "flag": "boolean",
    "day": "datetime64[s]",
    "instant": "datetime64[us, UTC]",
    "json": "object",
}


@dataclass(frozen=True)
class Column:
    """One declared column.

    Parameters
    ----------
    name : str
        Name in the field's words; ``_on`` is a day, ``_at`` an instant, units in the name.
    kind : Kind
        What it holds; decides the dtype (see :data:`DTYPES`).
    meaning : str
        One sentence for the data dictionary.
    unit : str
        UCUM unit, or empty.
    required : bool
        Whether a row without it is refused.
    allowed : tuple of str
        The only values a choice may take.
    low, high : float or None
        Hard limits, inclusive; beyond them a value is impossible, not merely unusual.
    refers_to : str
        Table whose ``id`` this column holds.
    identifying : bool
        A direct identifier: never in logs, errors, metrics, URLs or model features.
    source : str
        Where the definition comes from.
    """

    name: str
    kind: Kind
    meaning: str
    unit: str = ""
    required: bool = False
    allowed: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    refers_to: str = ""
    identifying: bool = False
    source: str = ""

    @property
    def dtype(self) -> str:
        """The pandas dtype of the column in a trusted table."""
        return DTYPES[self.kind]


@dataclass(frozen=True)
class Table:
    """One declared table: the single source for checks, store, dictionary and import.

    Parameters
    ----------
    name : str
        Plural noun.
    meaning : str
        What one row is.
    columns : tuple of Column
        In their order; the first is the key.
    event_day : str
        Column that says when the thing happened, or empty.
    is_event : bool
        Rows are immutable; a correction is a new row whose ``supersedes_id`` names the old.
    key : str
        The key column.
    """

    name: str
    meaning: str
    columns: tuple[Column, ...]
    event_day: str = ""
    is_event: bool = False
    key: str = "id"

    @property
    def column_names(self) -> list[str]:
        """Names of the columns, in their declared order."""
        return [column.name for column in self.columns]

    def column(self, name: str) -> Column:
        """The column of that name.

        Raises
        ------
        KeyError
            If the table declares none of that name.
        """
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"table {self.name} declares no column {name}")

    def columns_of(self, kind: Kind) -> list[str]:
        """Names of the columns of one kind."""
        return [column.name for column in self.columns if column.kind == kind]
