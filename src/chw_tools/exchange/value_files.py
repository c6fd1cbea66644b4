"""What a programme brings of its own to plans: states by week, forecasts, recorded positions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from chw_tools.errors import FileFault

if TYPE_CHECKING:
    from pathlib import Path

_WEEK = 7


def read_states(path: Path) -> pd.DataFrame:
    """States by person and week.

    The columns are ``person_id``, ``week_on`` (any day of the week), ``is_good`` (1, 0, or
    empty where it was not seen), ``is_visited`` (1 or 0) and, where people differ,
    ``stratum``. What a good state is, the programme decides: blood pressure controlled, say.

    Returns
    -------
    DataFrame
        ``person_id``, ``week`` (whole number), ``is_good``, ``is_visited``, ``stratum``.

    Raises
    ------
    FileFault
        If the file cannot be read, or holds something else.
    """
    needed = ("person_id", "week_on", "is_good", "is_visited")
    raw = _read(path, needed, optional=("stratum",))
    on = _days(raw["week_on"], path, "week_on")
    return pd.DataFrame(
        {
            "person_id": raw["person_id"].astype("str"),
            "week": (on - pd.Timestamp(0)).dt.days // _WEEK,
            "is_good": _flags(raw["is_good"], path, "is_good"),
            "is_visited": _flags(raw["is_visited"], path, "is_visited").fillna(False).astype(bool),
            "stratum": raw["stratum"].fillna("all") if "stratum" in raw else "all",
        }
    )


def read_forecast(path: Path) -> pd.Series:
    """What a forecaster of one's own says: by ``person_id``, ``value`` (not negative).

    The value is the probability of harm that a visit this week takes away.

    Raises
    ------
    FileFault
        If the file cannot be read, or holds something else.
    """
    raw = _read(path, ("person_id", "value"))
    value = _numbers(raw["value"], path, "value")
    if (value < 0).any() or raw["person_id"].duplicated().any():
        raise FileFault(
            "A forecast has one value for each person, and none is negative.",
            where=path.name,
            cure="Mend the rows and try again.",
        )
    return pd.Series(value.to_numpy(), index=raw["person_id"].astype("str"))


def read_positions(path: Path) -> pd.DataFrame:
    """Stops recorded with positions: ``worker_id``, ``arrived_at``, ``left_at``,
    ``latitude``, ``longitude``.

    Raises
    ------
    FileFault
        If the file cannot be read, or holds something else.
    """
    raw = _read(path, ("worker_id", "arrived_at", "left_at", "latitude", "longitude"))
    frame = pd.DataFrame({"worker_id": raw["worker_id"]})
    for name in ("arrived_at", "left_at"):
        at = pd.to_datetime(raw[name], errors="coerce", format="ISO8601", utc=True)
        _refuse(at.isna(), path, name, "an instant such as 2026-01-05T09:30:00Z")
        frame[name] = at
    for name in ("latitude", "longitude"):
        frame[name] = _numbers(raw[name], path, name)
    return frame


def _read(path: Path, needed: tuple[str, ...], optional: tuple[str, ...] = ()) -> pd.DataFrame:
    try:
        raw = pd.read_csv(path, dtype="str")
    except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise FileFault(
            "The file cannot be read.", where=path.name, cure=f"Columns: {', '.join(needed)}."
        ) from error
    lacking = [name for name in needed if name not in raw.columns]
    if lacking:
        raise FileFault(
            f"no column {', '.join(lacking)}.",
            where=path.name,
            cure=f"The columns are {', '.join((*needed, *optional))}.",
        )
    return raw


def _refuse(wrong: pd.Series, path: Path, column: str, wanted: str) -> None:
    if wrong.any():
        line = int(wrong.to_numpy().argmax()) + 2
        raise FileFault(f"{column} must be {wanted}.", where=f"{path.name}, line {line}")


def _days(raw: pd.Series, path: Path, column: str) -> pd.Series:
    day = pd.to_datetime(raw, errors="coerce", format="%Y-%m-%d")
    _refuse(day.isna(), path, column, "a day such as 2026-01-05")
    return day


def _numbers(raw: pd.Series, path: Path, column: str) -> pd.Series:
    number = pd.to_numeric(raw, errors="coerce")
    _refuse(number.isna(), path, column, "a number")
    return number.astype("float64")


def _flags(raw: pd.Series, path: Path, column: str) -> pd.Series:
    word = raw.str.strip().str.lower()
    read = {"1": True, "0": False, "true": True, "false": False, "yes": True, "no": False}
    flag = word.map(read).astype("boolean")
    _refuse(word.notna() & flag.isna(), path, column, "1, 0 or empty")
    return flag
