"""A mapping: how the columns of somebody's file become declared tables, as TOML.

One file may feed several tables. A column is renamed, its values translated, its days read
by a format; a wide file gives one observation for each measured column, a condition where a
code says so, an outcome where it is known to have happened or not.

Here lie the parts of a mapping, its reading and its checks; applying it lies in
:mod:`chw_tools.exchange.mapped`.

Examples
--------
>>> said = '''
... source = "clinic"
... [[file]]
... name = "visits.csv"
... person = "PatientNo"
... as_of = { column = "Date", format = "%d/%m/%Y" }
... [[file.observations]]
... name = "systolic_mmhg"
... column = "BPSys"
... unit = "mm[Hg]"
... '''
>>> parse_mapping(said, where="clinic.toml").files[0].source_columns()
['PatientNo', 'Date', 'BPSys']
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Literal

from chw_tools.errors import MappingFault
from chw_tools.records import TABLES, load_catalogue
from chw_tools.records.codes import ICD10

if TYPE_CHECKING:
    from collections.abc import Iterator

OPERATORS = ("==", "!=", "<", "<=", ">", ">=", "in", "is_known", "is_missing")


@dataclass(frozen=True)
class Condition:
    """A test of one source column; a missing value meets only ``is_missing``."""

    column: str
    operator: str
    value: Any = None


@dataclass(frozen=True)
class Case:
    """A value that holds where all its conditions are met."""

    when: tuple[Condition, ...]
    value: Any


@dataclass(frozen=True)
class Value:
    """Where a declared column's values come from: exactly one of the first six.

    Parameters
    ----------
    column : str
        Source column, as it is.
    constant : object
        The same for every row.
    cases : tuple of Case
        The first that holds; none: missing.
    age : str
        Source column with an age on the day of the record, from which a birth follows.
    row_number : bool
        The row's number, where a file names nobody.
    days : str
        Source column with a number of days, from which a day follows.
    after : str
        The day, as ISO, from which those days are counted.
    translation : dict
        Translation of source values; what is not in it stays as it is (and is refused if it
        is not allowed). An empty translation means missing.
    format : str
        How a day is written, as in ``strptime``.
    unit : str
        Of an age: ``years`` or ``months``.
    """

    column: str = ""
    constant: Any = None
    cases: tuple[Case, ...] = ()
    age: str = ""
    row_number: bool = False
    days: str = ""
    after: str = ""
    translation: dict[str, str] = field(default_factory=dict)
    format: str = ""
    unit: Literal["years", "months"] = "years"

    def source_columns(self) -> Iterator[str]:
        """The columns of the file that it reads."""
        yield from filter(None, (self.column, self.age, self.days))
        for case in self.cases:
            yield from (condition.column for condition in case.when)


@dataclass(frozen=True)
class TableMapping:
    """How a file feeds one declared table.

    ``suffix`` tells apart the rows that one person has in the table; ``value`` is the column
    without which there is no row.
    """

    table: str
    columns: dict[str, Value]
    suffix: str = ""
    when: tuple[Condition, ...] = ()
    value: str = ""


@dataclass(frozen=True)
class FileMapping:
    """How one file, or files named alike, feed declared tables."""

    name: str
    tables: tuple[TableMapping, ...]
    person: Value | None = None
    as_of: Value | None = None
    only: tuple[Condition, ...] = ()
    encoding: str = "utf-8"
    missing: tuple[str, ...] = ("",)

    def source_columns(self) -> list[str]:
        """Every column of the file that the mapping reads, each once."""
        names: list[str] = []
        for value in (self.person, self.as_of):
            names.extend(value.source_columns() if value else ())
        names.extend(condition.column for condition in self.only)
        for table in self.tables:
            names.extend(condition.column for condition in table.when)
            for value in table.columns.values():
                names.extend(value.source_columns())
        return list(dict.fromkeys(names))


@dataclass(frozen=True)
class Mapping:
    """A whole mapping file."""

    source: str
    files: tuple[FileMapping, ...]
    population: Literal["simulated", "real"] = "real"
    where: str = "mapping"

    def for_file(self, name: str) -> FileMapping | None:
        """The mapping of a file, by its name or its path in the folder."""
        own = PurePosixPath(name).name
        for file in self.files:
            if fnmatchcase(own, file.name) or fnmatchcase(name, file.name):
                return file
        return None


def load_mapping(path: Path) -> Mapping:
    """Read and check a mapping file.

    Raises
    ------
    MappingFault
        If it is not TOML, or with everything in it that is wrong.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise MappingFault("It cannot be read.", where=str(path), cure="Check the path.") from error
    return parse_mapping(text, where=path.name)


def parse_mapping(text: str, *, where: str) -> Mapping:
    """A mapping from TOML text, checked against the declared tables and the catalogue.

    Raises
    ------
    MappingFault
        With everything that is wrong, by file and table.
    """
    try:
        said = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise MappingFault(f"It is not TOML: {error}.", where=where, cure="Mend it.") from error
    problems = _Problems()
    files = said.get("file", [])
    mapping = Mapping(
        source=str(said.get("source", "")),
        files=tuple(_file(one, problems) for one in files if isinstance(one, dict)),
        population=said.get("population", "real"),
        where=where,
    )
    problems.unless(bool(mapping.source), "", "it has no `source`, the name of the system")
    problems.unless(mapping.population in ("real", "simulated"), "", "`population` must be "
                    "real or simulated")  # fmt: skip
    problems.unless(bool(mapping.files), "", "it has no [[file]]")
    problems.keys("", said, {"source", "population", "file"})
    problems.raise_any(where)
    return mapping


class _Problems:
    """Everything that is wrong, said at once."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def add(self, place: str, what: str) -> None:
        self.found.append(f"{place}: {what}" if place else what)

    def unless(self, is_right: bool, place: str, what: str) -> None:
        if not is_right:
            self.add(place, what)

    def keys(self, place: str, said: dict[str, Any], known: set[str]) -> None:
        for key in said.keys() - known:
            self.add(place, f"unknown key `{key}`")

    def raise_any(self, where: str) -> None:
        if self.found:
            raise MappingFault(
                "; ".join(dict.fromkeys(self.found)) + ".",
                where=where,
                cure="See docs/data_dictionary.md for tables and columns.",
            )


_FILE_KEYS = {"name", "person", "as_of", "only", "encoding", "missing", *TABLES}


def _file(said: dict[str, Any], problems: _Problems) -> FileMapping:
    name = str(said.get("name", ""))
    problems.unless(bool(name), "", "a [[file]] has no `name`")
    problems.keys(name, said, _FILE_KEYS)
    tables: list[TableMapping] = []
    for table in TABLES:
        parts = said.get(table, [])
        for part in parts if isinstance(parts, list) else [parts]:
            tables.append(_table(table, part, f"{name}: {table}", problems))
    problems.unless(bool(tables), name, "it feeds no table")
    file = FileMapping(
        name=name,
        tables=tuple(tables),
        person=_value(said["person"], f"{name}: person", problems) if "person" in said else None,
        as_of=_value(said["as_of"], f"{name}: as_of", problems) if "as_of" in said else None,
        only=_conditions(said.get("only", []), f"{name}: only", problems),
        encoding=said.get("encoding", "utf-8"),
        missing=tuple(said.get("missing", [""])),
    )
    _check_file(file, problems)
    return file


def _table(table: str, said: dict[str, Any], place: str, problems: _Problems) -> TableMapping:
    if (table == "observations" and "column" in said) or "cases" in said:
        return _observation(said, place, problems)
    if table == "conditions" and "when" in said and "code" in said:
        return _condition_rows(said, place, problems)
    if table == "outcomes" and "positive" in said:
        return _outcome(said, place, problems)
    when = _conditions(said.get("when", []), place, problems)
    columns = {
        name: _value(value, f"{place}.{name}", problems)
        for name, value in said.items()
        if name != "when"
    }
    return TableMapping(table, columns, when=when)


def _observation(said: dict[str, Any], place: str, problems: _Problems) -> TableMapping:
    name = said.get("name") or f"{said.get('system', '')}|{said.get('code', '')}"
    place = f"{place}.{name}"
    entry = load_catalogue().entries.get(name)
    if "name" in said:
        problems.unless(entry is not None, place, "the catalogue has no such observable")
    else:
        problems.unless(
            "system" in said and "code" in said, place, "needs name, or system and code"
        )
    is_number = entry.kind == "number" if entry else "unit" in said
    content = "value_number" if is_number else "value_code"
    own = {"name", "system", "code", "unit", "when", "observed_on", "known_on", "visit_id"}
    columns = {
        "system": Value(constant=entry.code.system if entry else said.get("system")),
        "code": Value(constant=entry.code.code if entry else said.get("code")),
        content: _value({k: v for k, v in said.items() if k not in own}, place, problems),
    }
    unit = said.get("unit", entry.unit if entry else "")
    if is_number and unit:
        columns["unit"] = Value(constant=unit)
    columns |= _given(said, ("observed_on", "known_on", "visit_id"), place, problems)
    when = _conditions(said.get("when", []), place, problems)
    return TableMapping("observations", columns, suffix=name, when=when, value=content)


def _condition_rows(said: dict[str, Any], place: str, problems: _Problems) -> TableMapping:
    place = f"{place}.{said['code']}"
    columns = {
        "system": Value(constant=said.get("system", ICD10)),
        "code": Value(constant=said["code"]),
    }
    columns |= _given(said, ("onset_on", "resolved_on", "known_on", "visit_id"), place, problems)
    problems.keys(place, said, {"system", "code", "when", *columns})
    when = _conditions(said["when"], place, problems)
    return TableMapping("conditions", columns, suffix=str(said["code"]), when=when)


def _outcome(said: dict[str, Any], place: str, problems: _Problems) -> TableMapping:
    name = str(said.get("outcome", ""))
    place = f"{place}.{name}"
    problems.unless(bool(name), place, "it has no `outcome`")
    cases = [Case(_conditions(said["positive"], place, problems), True)]
    if "negative" in said:
        cases.append(Case(_conditions(said["negative"], place, problems), False))
    columns = {"outcome": Value(constant=name), "is_positive": Value(cases=tuple(cases))}
    columns |= _given(said, ("happened_on", "known_on"), place, problems)
    problems.keys(place, said, {"positive", "negative", "when", *columns})
    when = _conditions(said.get("when", []), place, problems)
    return TableMapping("outcomes", columns, suffix=name, when=when, value="is_positive")


def _given(
    said: dict[str, Any], names: tuple[str, ...], place: str, problems: _Problems
) -> dict[str, Value]:
    return {name: _value(said[name], f"{place}.{name}", problems) for name in names if name in said}


_WAYS = ("column", "constant", "cases", "age", "row_number", "days")


def _value(said: Any, place: str, problems: _Problems) -> Value:
    if isinstance(said, str):
        return Value(column=said)
    if not isinstance(said, dict):
        return Value(constant=said)
    problems.keys(
        place, said,
        {"column", "constant", "cases", "age", "row_number", "days", "after", "values", "format",
         "unit"},
    )  # fmt: skip
    ways = [way for way in _WAYS if way in said]
    problems.unless(len(ways) == 1, place, f"needs exactly one of {', '.join(_WAYS)}")
    is_day = hasattr(said.get("after"), "isoformat")
    problems.unless(("days" in said) == is_day, place, "days needs a day: after = 2004-01-01")
    cases = tuple(
        Case(_conditions(case.get("when", []), place, problems), case.get("value"))
        for case in said.get("cases", [])
    )
    problems.unless(said.get("unit", "years") in ("years", "months"), place, "unknown unit of age")
    return Value(
        column=said.get("column", ""),
        constant=said.get("constant"),
        cases=cases,
        age=said.get("age", ""),
        row_number=bool(said.get("row_number")),
        days=said.get("days", ""),
        after=said["after"].isoformat() if is_day else "",
        translation={str(key): str(value) for key, value in said.get("values", {}).items()},
        format=said.get("format", ""),
        unit=said.get("unit", "years"),
    )


def _conditions(said: Any, place: str, problems: _Problems) -> tuple[Condition, ...]:
    conditions = []
    for one in said if isinstance(said, list) else [said]:
        is_right = isinstance(one, list) and 2 <= len(one) <= 3 and one[1] in OPERATORS
        problems.unless(is_right, place, "a condition is [column, operator, value]")
        if is_right:
            conditions.append(Condition(*map(_frozen, one)))
    return tuple(conditions)


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _check_file(file: FileMapping, problems: _Problems) -> None:
    for table in file.tables:
        declared = TABLES[table.table]
        place = f"{file.name}: {table.table}"
        for name in table.columns:
            problems.unless(name in declared.column_names, place, f"declares no column `{name}`")
        if "person_id" in declared.column_names and "person_id" not in table.columns:
            problems.unless(file.person is not None, place, "nobody it is about: say `person`")
        if table.table == "people" and "id" not in table.columns:
            problems.unless(file.person is not None, place, "needs `person` or `id`")
        needs_day = declared.event_day and declared.column(declared.event_day).required
        if needs_day and declared.event_day not in table.columns:
            problems.unless(
                file.as_of is not None, place, f"needs `{declared.event_day}` or the file's `as_of`"
            )


def check_columns(mapping: FileMapping, name: str, columns: list[str], where: str) -> None:
    """Stop where a file has not the columns that its mapping reads.

    Raises
    ------
    MappingFault
        Naming the columns.
    """
    absent = [column for column in mapping.source_columns() if column not in columns]
    if absent:
        raise MappingFault(
            f"{name} has no column {', '.join(absent)}.",
            where=where,
            cure="Correct the names in the mapping; they are compared letter by letter.",
        )
