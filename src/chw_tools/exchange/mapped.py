"""Apply a mapping: pieces of somebody's file become raw rows of declared tables.

Everything is done for whole columns at once. What cannot be translated stays as it is, so
that cleaning refuses it with its place; nothing is guessed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from chw_tools.exchange.csv_files import csv_columns, read_csv, read_parquet
from chw_tools.exchange.mapping import check_columns
from chw_tools.exchange.rows import BATCH_ROWS, Gathered, RawBatch
from chw_tools.records import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from chw_tools.exchange.archives import SourceFile
    from chw_tools.exchange.mapping import Condition, FileMapping, TableMapping, Value

#: Mean length of a year in the Gregorian calendar.
DAYS_PER_YEAR = 365.2425


def source_columns(file: SourceFile, mapping: FileMapping) -> list[str]:
    """The columns of a mapped file, from its header or schema."""
    if file.ending != ".parquet":
        return csv_columns(file, mapping.encoding)
    first = next(read_parquet(file), None)
    return [] if first is None else [str(name) for name in first]


def mapped_rows(
    file: SourceFile, mapping: FileMapping, bad: Gathered, where: str
) -> Iterator[list[RawBatch]]:
    """The raw rows of each table that a file feeds, some rows of the file at a time.

    Parameters
    ----------
    file : SourceFile
        CSV or Parquet.
    mapping : FileMapping
        How its columns become declared ones.
    bad : Gathered
        Where lines that are no rows are listed.
    where : str
        Name of the mapping file, for faults.

    Raises
    ------
    FileFault
        If the file cannot be read to its end.
    MappingFault
        If it has not the columns that the mapping reads.
    """

    def refuse(at: str, reason: str, text: str) -> None:
        bad.reject("", at, reason, cure="Mend the line and import again.", body={"text": text})

    if file.ending == ".parquet":
        frames = read_parquet(file)
    else:
        frames = read_csv(file, refuse, encoding=mapping.encoding, missing=mapping.missing)
    for number, frame in enumerate(frames):
        if number == 0:
            check_columns(mapping, file.name, list(frame), where)
        for start in range(0, len(frame), BATCH_ROWS):
            piece = frame.iloc[start : start + BATCH_ROWS]
            yield map_rows(piece, mapping, word="row " if file.ending == ".parquet" else "",
                           name=file.name)  # fmt: skip


def map_rows(
    frame: pd.DataFrame, mapping: FileMapping, *, name: str, word: str = ""
) -> list[RawBatch]:
    """Raw rows of declared tables from rows of a file whose index holds line numbers.

    Returns
    -------
    list of RawBatch
        One for each table, tables in declared order.
    """
    frame = pd.DataFrame({column: _as_text(frame[column]) for column in mapping.source_columns()},
                         index=frame.index)  # fmt: skip
    frame = frame[_met(mapping.only, frame)]
    shared = _shared(frame, mapping, f"{name}:{word}")
    parts: dict[str, list[pd.DataFrame]] = {}
    for table in mapping.tables:
        rows = _rows(frame, table, shared)
        if len(rows):
            parts.setdefault(table.table, []).append(rows)
    return [
        RawBatch(table, pd.concat(parts[table], ignore_index=True))
        for table in TABLES
        if table in parts
    ]


def _shared(frame: pd.DataFrame, mapping: FileMapping, prefix: str) -> pd.DataFrame:
    """What every table takes from the file: whom, as of when, and the place."""
    shared = pd.DataFrame({"at": prefix + frame.index.astype("str")}, index=frame.index)
    if mapping.person is not None:
        shared["person"] = _taken(frame, mapping.person, None)
    if mapping.as_of is not None:
        shared["as_of"] = _taken(frame, mapping.as_of, None)
    return shared


def _rows(frame: pd.DataFrame, mapping: TableMapping, shared: pd.DataFrame) -> pd.DataFrame:
    declared = TABLES[mapping.table]
    kept = _met(mapping.when, frame)
    if mapping.value:
        content = _taken(frame, mapping.columns[mapping.value], shared.get("as_of"))
        kept &= content.notna().to_numpy()
    frame, shared = frame[kept], shared[kept]
    as_of = shared.get("as_of")
    rows: dict[str, Any] = {}
    for name, value in mapping.columns.items():
        is_content = name == mapping.value
        rows[name] = content[kept] if is_content else _taken(frame, value, as_of)
        if value.age and name == "born_on":
            rows["born_precision"] = "year" if value.unit == "years" else "month"
    if "person_id" in declared.column_names:
        rows.setdefault("person_id", shared.get("person"))
    # A person's event is the birth, which no day of a record stands for.
    if as_of is not None:
        if declared.event_day and declared.column(declared.event_day).required:
            rows.setdefault(declared.event_day, as_of)
        rows.setdefault("known_on", as_of)
    if "id" not in rows:
        rows["id"] = _identifiers(declared.name, mapping, rows, shared)
    rows["at"] = shared["at"]
    return pd.DataFrame(rows, index=frame.index)


def _identifiers(
    table: str, mapping: TableMapping, rows: dict[str, Any], shared: pd.DataFrame
) -> pd.Series:
    """One person, one item, one day: the identity of a row that has no name of its own."""
    if "person" not in shared:
        return shared["at"]
    if table == "people":
        return shared["person"]
    day = rows.get(TABLES[table].event_day)
    identifiers = shared["person"] + f"#{mapping.suffix or table}"
    if isinstance(day, pd.Series):
        identifiers = identifiers + "#" + day.astype("str").fillna("")
    return identifiers


def _taken(frame: pd.DataFrame, value: Value, as_of: pd.Series | None) -> pd.Series:
    if value.column:
        return _translated(frame[value.column], value)
    if value.age:
        return _birth(_translated(frame[value.age], value), value, as_of)
    if value.days:
        return _counted(_translated(frame[value.days], value), value.after)
    if value.cases:
        return _by_cases(frame, value)
    if value.row_number:
        return pd.Series("row-" + frame.index.astype("str"), index=frame.index)
    constant = value.constant
    if hasattr(constant, "isoformat"):
        constant = constant.isoformat()
    return pd.Series(constant, index=frame.index)


def _translated(column: pd.Series, value: Value) -> pd.Series:
    if value.translation:
        translated = column.map(value.translation)
        column = translated.where(column.isin(list(value.translation)), column)
        column = column.mask((column == "").fillna(False))
    if value.format:
        days = pd.to_datetime(column, format=value.format, errors="coerce")
        # What cannot be read stays as it is, and cleaning refuses it with its place.
        column = days.dt.strftime("%Y-%m-%d").astype("str").fillna(column)
    return column


def _birth(column: pd.Series, value: Value, as_of: pd.Series | None) -> pd.Series:
    """Day of birth from an age: as far into the year or month of age as people are on average."""
    ages = pd.to_numeric(column, errors="coerce")
    per_unit = DAYS_PER_YEAR if value.unit == "years" else DAYS_PER_YEAR / 12
    days = np.round((ages + 0.5) * per_unit)
    on: Any = pd.NaT
    if as_of is not None:  # a day that is none gives no birth, and cleaning refuses the day
        on = pd.to_datetime(as_of, format="ISO8601", errors="coerce").astype("datetime64[s]")
    born = on - pd.to_timedelta(days, unit="D")
    return pd.Series(born, index=column.index).dt.strftime("%Y-%m-%d").astype("str")


def _counted(column: pd.Series, after: str) -> pd.Series:
    """The day so many days after another; what is no number of days stays as it is, refused."""
    days = pd.to_timedelta(pd.to_numeric(column, errors="coerce").round(), unit="D")
    on = pd.Timestamp(after).as_unit("s") + days.astype("timedelta64[s]")
    return pd.Series(on, index=column.index).dt.strftime("%Y-%m-%d").astype("str").fillna(column)


def _by_cases(frame: pd.DataFrame, value: Value) -> pd.Series:
    taken = pd.Series(None, index=frame.index, dtype="object")
    for case in reversed(value.cases):
        taken[_met(case.when, frame)] = case.value
    return taken


def _met(conditions: tuple[Condition, ...], frame: pd.DataFrame) -> NDArray[np.bool_]:
    met = np.ones(len(frame), dtype=bool)
    for condition in conditions:
        met &= _holds(condition, frame[condition.column])
    return met


def _holds(condition: Condition, column: pd.Series) -> NDArray[np.bool_]:
    operator, value = condition.operator, condition.value
    known: NDArray[np.bool_] = column.notna().to_numpy(dtype=bool)
    if operator == "is_known":
        return known
    if operator == "is_missing":
        return ~known
    if operator == "in":
        wanted = list(value) if isinstance(value, tuple) else [value]
        found = [_holds(type(condition)(condition.column, "==", one), column) for one in wanted]
        any_: NDArray[np.bool_] = np.logical_or.reduce(found)
        return any_
    left = column
    if isinstance(value, int | float) and not isinstance(value, bool):
        left = pd.to_numeric(column, errors="coerce")
    compare = {"==": "eq", "!=": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}[operator]
    held = getattr(left, compare)(value)
    met: NDArray[np.bool_] = (
        held.fillna(False).to_numpy(dtype=bool) & known & left.notna().to_numpy()
    )
    return met


def _as_text(column: pd.Series) -> pd.Series:
    """A source column as text: whole numbers without a point, days as ISO."""
    if isinstance(column.dtype, pd.StringDtype):
        return column
    if pd.api.types.is_datetime64_any_dtype(column):
        return column.dt.strftime("%Y-%m-%d").astype("str")
    if pd.api.types.is_float_dtype(column) and (column.dropna() % 1 == 0).all():
        column = column.astype("Int64")
    return column.astype("str").where(column.notna())
