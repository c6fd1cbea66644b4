"""One column as received becomes one column as declared, or says which values cannot.

Values are read once per distinct spelling, so that a long column costs little more than a
short one. Nothing is guessed: a comma that may mean thousands or decimals is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from chw_tools.data_processing.spellings import CHOICES, FLAGS, NOTHING, SYSTEMS
from chw_tools.records.checks import reason_for
from chw_tools.records.tables import PEOPLE

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from chw_tools.records.columns import Column

_DAY = r"\d{4}-\d{2}-\d{2}"
_TIME = r"[T ]\d{2}:\d{2}(:\d{2}([.,]\d+)?)?( ?(Z|z|[+-]\d{2}(:?\d{2})?))?"
_PARTIAL = re.compile(r"(\d{4})(?:-(\d{2}))?")
# One comma and no point: decimals, unless exactly three digits follow and could be thousands.
_DECIMAL_COMMA = re.compile(r"[+-]?(\d+,(\d{1,2}|\d{4,})|0+,\d+|,\d+)")
_THOUSANDS_COMMA = re.compile(r"[+-]?\d{1,3}(,\d{3}){2,}(\.\d+)?|[+-]?\d{1,3},\d{3}\.\d+")
_THOUSANDS_POINT = re.compile(r"[+-]?\d{1,3}(\.\d{3})+,\d+|[+-]?\d{1,3}(\.\d{3}){2,}")
_AMBIGUOUS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")
_PLAIN = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?")

DAY_CURE = "Write days as YYYY-MM-DD."
NUL_CURE = "Remove it at the source."
# Above this a float no longer tells one whole number from the next (IEEE 754, 53 bits).
_LARGEST_WHOLE = 2.0**53
_BIRTH = PEOPLE.column("born_on")


@dataclass(frozen=True)
class Fault:
    """Rows of one column that share a reason."""

    rows: NDArray[np.bool_]
    reason: str
    cure: str = ""


@dataclass(frozen=True)
class Parsed:
    """A column in its declared dtype, with the values that could not be read."""

    series: pd.Series
    faults: list[Fault] = field(default_factory=list)


def parse(column: Column, raw: pd.Series) -> Parsed:
    """One column in its declared dtype.

    Parameters
    ----------
    column : Column
        Its declaration.
    raw : Series
        Strings or native values; blanks and missing are both "not given".

    Returns
    -------
    Parsed
        A value that cannot be read is missing in ``series`` and stands in ``faults``.
    """
    if column.kind == "json":
        return Parsed(raw)
    readers: dict[str, Callable[[Column, pd.Series], Parsed]] = {
        "day": _parse_days,
        "number": _parse_numbers,
        "integer": _parse_numbers,
        "flag": _parse_flags,
        "choice": _parse_choices,
    }
    return readers.get(column.kind, _parse_text)(column, raw)


def as_text(raw: pd.Series) -> pd.Series:
    """The values as stripped strings, blank as missing.

    A whole number that a reader turned into a float is written as a whole number again.
    """
    if raw.dtype == "str":
        text = raw.str.strip()
    else:
        text = raw.map(_said, na_action="ignore").astype("str").str.strip()
    return text.mask(text == "") if (text == "").any() else text


def by_spelling(text: pd.Series, meaning: Callable[[str], object]) -> pd.Series:
    """Each value's meaning, asked once for each distinct spelling."""
    places, spellings = pd.factorize(text)
    meanings = np.array([*(meaning(said) for said in spellings), None], dtype=object)
    return pd.Series(meanings[places], index=text.index, dtype=object)


def _said(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _without_nothing(text: pd.Series) -> pd.Series:
    places, spellings = pd.factorize(text)
    nothing = np.array([*(said.casefold() in NOTHING for said in spellings), False], dtype=bool)
    return text.mask(nothing[places]) if nothing.any() else text


def _parse_text(column: Column, raw: pd.Series) -> Parsed:
    text = as_text(raw)
    if column.name == "system":
        text = by_spelling(text, lambda said: SYSTEMS.get(said.casefold(), said)).astype("str")
    # No database keeps it, and it would stop the whole import at the last moment.
    nul = text.str.contains("\0", regex=False).fillna(False).to_numpy(dtype=bool)
    if nul.any():
        return Parsed(text.mask(nul), [Fault(nul, "holds a NUL character", NUL_CURE)])
    return Parsed(text)


def _parse_choices(column: Column, raw: pd.Series) -> Parsed:
    text = _without_nothing_unless_allowed(column, as_text(raw))
    words = {**CHOICES.get(column.name, {}), **{word.casefold(): word for word in column.allowed}}

    def meaning(said: str) -> str | None:
        folded = said.casefold()
        word = words.get(folded, words.get(re.sub(r"[\s-]+", "_", folded)))
        return word if word in column.allowed else None

    values = by_spelling(text, meaning).astype("str")
    return Parsed(values, _unread(text, values, reason_for(column), "Translate it in the mapping."))


def _without_nothing_unless_allowed(column: Column, text: pd.Series) -> pd.Series:
    # "none" is an answer where schooling is asked.
    return text if "none" in column.allowed else _without_nothing(text)


def _parse_flags(_column: Column, raw: pd.Series) -> Parsed:
    if pd.api.types.is_bool_dtype(raw.dtype):
        return Parsed(raw.astype("boolean"))
    text = _without_nothing(as_text(raw))
    values = by_spelling(text, lambda said: FLAGS.get(said.casefold())).astype("boolean")
    return Parsed(values, _unread(text, values, "must be yes or no", "Write true or false."))


def _parse_numbers(column: Column, raw: pd.Series) -> Parsed:
    faults: list[Fault] = []
    if pd.api.types.is_numeric_dtype(raw.dtype):
        numbers = raw.astype("float64")
    else:
        numbers, faults = _numbers_from_text(_without_nothing(as_text(raw)))
    endless = np.isinf(numbers.to_numpy())
    if endless.any():
        faults.append(Fault(endless, "must be finite"))
        numbers = numbers.mask(endless)
    if column.kind == "integer":
        broken = ~np.isclose(numbers.fillna(0) % 1, 0)
        if broken.any():
            faults.append(Fault(broken, "must be a whole number"))
        huge = (numbers.abs() > _LARGEST_WHOLE).to_numpy()
        if huge.any():
            faults.append(Fault(huge, "is too large", "Check the number."))
        return Parsed(numbers.mask(broken | huge).astype("Int64"), faults)
    return Parsed(numbers, faults)


def _numbers_from_text(text: pd.Series) -> tuple[pd.Series, list[Fault]]:
    numbers = by_spelling(text, _read_number).astype("float64")
    unread = (text.notna() & numbers.isna()).to_numpy()
    if not unread.any():
        return numbers, []
    unclear = unread & text.str.fullmatch(_AMBIGUOUS.pattern).fillna(False).to_numpy(dtype=bool)
    faults = [
        Fault(unclear, "has a comma that may mean decimals or thousands", "Write a point."),
        Fault(unread & ~unclear, "is not a number", "Write digits with a decimal point."),
    ]
    return numbers, [fault for fault in faults if fault.rows.any()]


def _read_number(said: str) -> float | None:
    if _PLAIN.fullmatch(said):
        return float(said)
    if _DECIMAL_COMMA.fullmatch(said):
        return float(said.replace(",", "."))
    if _THOUSANDS_COMMA.fullmatch(said):
        return float(said.replace(",", ""))
    if _THOUSANDS_POINT.fullmatch(said):
        return float(said.replace(".", "").replace(",", "."))
    return None


def _parse_days(column: Column, raw: pd.Series) -> Parsed:
    if isinstance(raw.dtype, pd.DatetimeTZDtype):
        raw = raw.dt.tz_localize(None)
    if pd.api.types.is_datetime64_dtype(raw.dtype):
        return Parsed(raw.dt.floor("D").astype(column.dtype))
    places, spellings = pd.factorize(as_text(raw))
    said = pd.Series(spellings, dtype="str")
    # An instant is cut to the day in its own offset: the day the clock on the wall showed.
    whole = said.str.fullmatch(f"{_DAY}({_TIME})?").astype(bool)
    days = said.str.slice(0, 10).where(whole)
    read = pd.to_datetime(days, format="%Y-%m-%d", errors="coerce").astype(column.dtype)
    unread = read.isna().to_numpy(copy=True)
    unread[unread] = [word.casefold() not in NOTHING for word in said[unread]]
    known = np.append(read.to_numpy(), np.datetime64("NaT", "s"))
    rows = np.append(unread, False)[places]
    faults = [Fault(rows, "is not a day", DAY_CURE)] if rows.any() else []
    return Parsed(pd.Series(known[places], index=raw.index), faults)


def parse_births(raw: pd.Series, precision: pd.Series | None) -> tuple[Parsed, pd.Series]:
    """Days of birth that may be known to the month or the year only.

    Returns
    -------
    Parsed, Series
        A birth known to the month stands on its 15th, to the year on 1 July (the middle of
        what is known); and its precision: ``day``, ``month`` or ``year``, where not given.
    """
    text = raw if pd.api.types.is_datetime64_any_dtype(raw.dtype) else as_text(raw)
    kept = pd.Series(None, index=raw.index, dtype="str") if precision is None else precision
    if text.dtype != "str" or not (text.str.len() < 10).any():
        parsed = _parse_days(_BIRTH, text)
        return parsed, kept.mask(kept.isna() & parsed.series.notna(), "day")
    found = by_spelling(text, _partial_day)
    is_year = (text.str.len() == 4).fillna(False)
    parsed = _parse_days(_BIRTH, found.where(found.notna(), text).astype("str"))
    partial = pd.Series(np.where(is_year, "year", "month"), index=raw.index, dtype="str")
    learnt = partial.where(found.notna(), "day").where(parsed.series.notna())
    # What was written cannot be more precise than its own digits.
    return parsed, kept.where(kept.notna() & found.isna(), learnt)


def earliest_births(people: pd.DataFrame) -> pd.Series:
    """The first day on which each person can have been born, by person id.

    A birth known to the year stands in its middle, but may have been any day of that year.
    """
    born, precision = people["born_on"], people["born_precision"]
    for known_to, period in (("month", "M"), ("year", "Y")):
        coarse = (precision == known_to) & born.notna()
        if coarse.any():
            first = born[coarse].dt.to_period(period).dt.to_timestamp().astype(born.dtype)
            born = born.mask(coarse, first)
    return born.set_axis(pd.Index(people["id"], name="person_id"))


def _partial_day(said: str) -> str | None:
    match = _PARTIAL.fullmatch(said)
    if match is None:
        return None
    year, month = match.groups()
    return f"{year}-{month}-15" if month else f"{year}-07-01"


def _unread(text: pd.Series, values: pd.Series, reason: str, cure: str) -> list[Fault]:
    rows = (text.notna() & values.isna()).to_numpy(dtype=bool)
    return [Fault(rows, reason, cure)] if rows.any() else []
