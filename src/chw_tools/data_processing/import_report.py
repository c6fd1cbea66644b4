"""What came of an import: counted while it runs, told at the end.

The builder keeps counts, never rows, so that it stays small however much is read. A report
names tables, columns, codes, reasons and places in files; it holds no person's values.
"""

from __future__ import annotations

from collections import Counter
from copy import copy
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from chw_tools.data_processing.likely_duplicates import LikelyDuplicates, Likeness
from chw_tools.data_processing.mapping_advice import suggest_observable
from chw_tools.records.catalogue import load_catalogue
from chw_tools.records.codes import DANGER_SIGN, Code

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from chw_tools.data_processing.clean import Cleaned
    from chw_tools.records.catalogue import Catalogue
    from chw_tools.records.columns import Table

#: Places named for each reason; the rest are counted.
MOST_PLACES = 3
_PRESSURES = ("systolic_mmhg", "diastolic_mmhg")


class SaveCounts(Protocol):
    """What a store says of rows it was given."""

    @property
    def new(self) -> int: ...
    @property
    def unchanged(self) -> int: ...
    @property
    def changed(self) -> int: ...


@dataclass(frozen=True)
class TableCounts:
    """What became of the rows of one table."""

    table: str
    trusted: int = 0
    rejected: int = 0
    identical: int = 0
    new: int = 0
    unchanged: int = 0
    changed: int = 0


@dataclass(frozen=True)
class Rejection:
    """One reason for which records did not go in."""

    table: str
    column: str
    reason: str
    cure: str
    n: int
    places: tuple[str, ...]


@dataclass(frozen=True)
class UnmappedCode:
    """A code of observations that the catalogue does not know."""

    system: str
    code: str
    display: str
    unit: str
    n: int
    at: str
    suggestion: str

    @property
    def is_danger_sign(self) -> bool:
        """Whether it is a danger sign under a name that is not known here."""
        return self.system == DANGER_SIGN


@dataclass(frozen=True)
class ObservableCounts:
    """How often one observable was read, and how often something was odd about it."""

    name: str
    label: str
    n: int
    impossible: int
    unusual: int
    unreadable_unit: int
    assumed_unit: int


@dataclass(frozen=True)
class DigitPreference:
    """Last digits of whole blood pressures.

    Parameters
    ----------
    share_0, share_5 : float
        Share of values that end in 0 or 5; 0.1 each if every digit is as likely.
    index : float
        Half the sum of the ten deviations from 0.1, as in Myers' index of heaping:
        0 where no digit is preferred, 0.9 where all values end in one.
    """

    name: str
    label: str
    n: int
    share_0: float
    share_5: float
    index: float


@dataclass(frozen=True)
class Missing:
    """How many trusted rows lack a value in one column."""

    table: str
    column: str
    n_missing: int
    n: int


@dataclass(frozen=True)
class ImportReport:
    """What came of an import.

    Examples
    --------
    >>> ReportBuilder().build().n_rejected
    0
    """

    files: tuple[str, ...]
    file_faults: tuple[tuple[str, str], ...]
    resources: Mapping[str, Mapping[str, int]]
    tables: tuple[TableCounts, ...]
    rejections: tuple[Rejection, ...]
    unmapped: tuple[UnmappedCode, ...]
    observables: tuple[ObservableCounts, ...]
    digit_preference: tuple[DigitPreference, ...]
    duplicates: LikelyDuplicates
    missing: tuple[Missing, ...]
    notes: tuple[tuple[str, int], ...]

    @property
    def n_trusted(self) -> int:
        """Rows that can be trusted, new or not."""
        return sum(table.trusted for table in self.tables)

    @property
    def n_rejected(self) -> int:
        """Records that did not go in."""
        return sum(table.rejected for table in self.tables)

    @property
    def n_new(self) -> int:
        """Rows that the store did not have."""
        return sum(table.new for table in self.tables)

    @property
    def n_changed(self) -> int:
        """Rows that the store had otherwise."""
        return sum(table.changed for table in self.tables)

    def as_text(self) -> str:
        """The report as plain lines."""
        from chw_tools.data_processing.report_page import text

        return text(self)

    def to_html(self) -> str:
        """The report as one page that needs nothing else, readable on a phone."""
        from chw_tools.data_processing.report_page import page

        return page(self)


class ReportBuilder:
    """Counts what becomes of files, resources and rows while they go in.

    A copy (:func:`copy.deepcopy`) is independent of the original and cheap.

    Parameters
    ----------
    catalogue : Catalogue, optional
        The catalogue that rows are cleaned with; the shipped one by default.
    """

    def __init__(self, catalogue: Catalogue | None = None) -> None:
        self._catalogue = catalogue or load_catalogue()
        self._files: tuple[str, ...] = ()
        self._file_faults: tuple[tuple[str, str], ...] = ()
        self._resources: Counter[tuple[str, str]] = Counter()
        self._rows: Counter[tuple[str, str]] = Counter()
        self._reasons: Counter[tuple[str, str, str, str]] = Counter()
        self._places: dict[tuple[str, str, str, str], tuple[str, ...]] = {}
        self._unmapped: Counter[Code] = Counter()
        self._first_unmapped: dict[Code, tuple[str, str, str]] = {}
        self._codes: Counter[Code] = Counter()
        self._odd: Counter[tuple[str, str]] = Counter()
        self._digits: Counter[tuple[str, int]] = Counter()
        self._missing: Counter[tuple[str, str]] = Counter()
        self._notes: Counter[str] = Counter()
        self._likeness = Likeness()

    def __deepcopy__(self, _memo: dict[int, Any]) -> ReportBuilder:
        # Every value is immutable but the counters, and those are flat.
        twin = copy(self)
        for name, value in vars(self).items():
            if isinstance(value, dict):
                setattr(twin, name, value.copy())
        return twin

    def add_file(self, name: str) -> None:
        """A file was read."""
        self._files = (*self._files, name)

    def add_file_fault(self, where: str, said: str) -> None:
        """A file could not be read, and left nothing behind."""
        self._file_faults = (*self._file_faults, (where, said))

    def add_counts(self, resource_type: str, **counts: int) -> None:
        """Resources of one type were ``read``, or ``not_modelled``."""
        for what, n in counts.items():
            self._resources[resource_type, what] += n

    def add_cleaned(self, table: Table, cleaned: Cleaned) -> None:
        """A batch was cleaned."""
        trusted = cleaned.trusted
        self._rows[table.name, "trusted"] += len(trusted)
        self._rows[table.name, "identical"] += cleaned.n_identical
        for column, n in trusted.isna().sum().items():
            self._missing[table.name, str(column)] += int(n)
        self.add_rejected(cleaned.rejected)
        self._add_notes(table, cleaned.notes)
        if table.name == "people":
            self._likeness = self._likeness.with_people(trusted)
        elif table.name == "households":
            self._likeness = self._likeness.with_households(trusted)
        elif table.name == "observations":
            self._add_observed(trusted)

    def add_rejected(self, rejected: pd.DataFrame) -> None:
        """Records did not go in; rows of ``REJECTED``."""
        shown = rejected[["table", "column", "reason", "cure", "at"]].fillna("")
        for table, column, reason, cure, at in shown.itertuples(index=False, name=None):
            key = (table, column, reason, cure)
            self._rows[table, "rejected"] += 1
            self._reasons[key] += 1
            if len(self._places.get(key, ())) < MOST_PLACES:
                self._places[key] = (*self._places.get(key, ()), at)

    def add_saved(self, table: str, counts: SaveCounts) -> None:
        """The store took rows."""
        self._rows[table, "new"] += counts.new
        self._rows[table, "unchanged"] += counts.unchanged
        self._rows[table, "changed"] += counts.changed

    def note(self, said: str, n: int = 1) -> None:
        """Something that a reader should know, without a person's values."""
        self._notes[said] += n

    def _add_notes(self, table: Table, notes: pd.DataFrame) -> None:
        for row in notes.itertuples(index=False):
            if row.kind == "unmapped_code":
                code = Code(str(row.system), str(row.code))
                self._unmapped[code] += row.n
                self._first_unmapped.setdefault(code, (row.display, row.unit, row.at))
            elif row.kind == "undeclared_column":
                self.note(f"{table.name}.{row.name}: no such column is declared; left out", row.n)
            else:
                self._odd[row.name, row.kind] += row.n

    def _add_observed(self, trusted: pd.DataFrame) -> None:
        sizes = trusted.groupby(["system", "code"], sort=False).size()
        self._codes.update({Code(*pair): int(n) for pair, n in sizes.items()})
        for name in _PRESSURES:
            codes = {code.code for code in self._catalogue[name].codes}
            systems = {code.system for code in self._catalogue[name].codes}
            rows = trusted["code"].isin(codes) & trusted["system"].isin(systems)
            values = trusted.loc[rows, "value_number"].dropna().to_numpy()
            last = values[values % 1 == 0].astype(np.int64) % 10
            counts = np.bincount(last, minlength=10)
            self._digits.update({(name, digit): int(n) for digit, n in enumerate(counts)})

    def build(self) -> ImportReport:
        """The report of all that was added so far."""
        return ImportReport(
            files=self._files,
            file_faults=self._file_faults,
            resources=self._resources_by_type(),
            tables=self._tables(),
            rejections=tuple(
                Rejection(*key, n, self._places[key]) for key, n in self._reasons.most_common()
            ),
            unmapped=self._unmapped_codes(),
            observables=self._observables(),
            digit_preference=tuple(filter(None, map(self._digit_preference, _PRESSURES))),
            duplicates=self._likeness.find(),
            missing=tuple(
                Missing(table, column, n, self._rows[table, "trusted"])
                for (table, column), n in self._missing.items()
                if n
            ),
            notes=tuple(self._notes.items()),
        )

    def _resources_by_type(self) -> dict[str, dict[str, int]]:
        by_type: dict[str, dict[str, int]] = {}
        for (resource_type, what), n in sorted(self._resources.items()):
            by_type.setdefault(resource_type, {})[what] = n
        return by_type

    def _tables(self) -> tuple[TableCounts, ...]:
        counted = [field.name for field in fields(TableCounts) if field.name != "table"]
        names = dict.fromkeys(table for table, _ in self._rows)
        return tuple(
            TableCounts(name, **{what: self._rows[name, what] for what in counted})
            for name in names
        )

    def _unmapped_codes(self) -> tuple[UnmappedCode, ...]:
        found = [self._unmapped_code(code, n) for code, n in self._unmapped.most_common()]
        # A danger sign that nobody reads comes before any number of laboratory codes.
        return tuple(sorted(found, key=lambda code: not code.is_danger_sign))

    def _unmapped_code(self, code: Code, n: int) -> UnmappedCode:
        display, unit, at = self._first_unmapped[code]
        suggestion = suggest_observable(self._catalogue, display or code.code, unit)
        return UnmappedCode(code.system, code.code, display, unit, n, at, suggestion)

    def _observables(self) -> tuple[ObservableCounts, ...]:
        odd = ("impossible_value", "unusual_value", "unreadable_unit", "assumed_unit")
        counted = []
        for entry in self._catalogue.entries.values():
            n = sum(self._codes[code] for code in entry.codes)
            oddities = [self._odd[entry.name, kind] for kind in odd]
            if n or any(oddities):
                counted.append(ObservableCounts(entry.name, entry.label, n, *oddities))
        return tuple(counted)

    def _digit_preference(self, name: str) -> DigitPreference | None:
        counts = np.array([self._digits[name, digit] for digit in range(10)])
        n = int(counts.sum())
        if not n:
            return None
        shares = counts / n
        index = float(np.abs(shares - 0.1).sum() / 2)
        label = self._catalogue[name].label
        return DigitPreference(name, label, n, float(shares[0]), float(shares[5]), index)
