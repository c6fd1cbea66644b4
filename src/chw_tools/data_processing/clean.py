"""Rows as received become trusted rows, and rows that are refused with a reason.

Nothing is dropped: every row comes out trusted, rejected, or counted as the exact repeat of
another. Nothing is filled in: what was not given stays missing.

Not here: reading files (``exchange``), whether a reference leads anywhere (the ingest
workflow, which knows the store), and what counts as of a day (:mod:`.known`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from chw_tools.data_processing.faults import Faults
from chw_tools.data_processing.observed import NOTE_COLUMNS, note, read_observations
from chw_tools.data_processing.parsing import DAY_CURE, earliest_births, parse, parse_births
from chw_tools.records.checks import reason_for
from chw_tools.records.register import conform

if TYPE_CHECKING:
    from datetime import date

    from numpy.typing import NDArray

    from chw_tools.records.catalogue import Catalogue
    from chw_tools.records.columns import Column, Table

#: Days that may lie ahead, since somebody planned them.
PLANNED_DAYS = frozenset(
    {
        ("visits", "planned_on"),
        ("pregnancies", "due_on"),
        ("medications", "ended_on"),
        ("workers", "started_on"),
        ("workers", "ended_on"),
    }
)
#: Days that cannot come in the other order.
ORDERED_DAYS = {
    "people": (("born_on", "died_on"), ("born_on", "moved_on")),
    "workers": (("started_on", "ended_on"),),
    "conditions": (("onset_on", "resolved_on"),),
    "medications": (("started_on", "ended_on"),),
    "pregnancies": (("last_period_on", "due_on"), ("last_period_on", "ended_on")),
}
#: What to write where a required value is missing and its name alone does not tell.
_TO_GIVE = {
    "system": "Write the code system beside the code, such as LOINC or urn:chw-tools:code; the "
    "catalogue in the data dictionary lists them.",
}
# Before this a day is a placeholder (1753-01-01 and 1899-12-30 are the zero days of common
# databases and spreadsheets); nobody alive was born earlier.
EARLIEST_DAY = pd.Timestamp("1900-01-01")


@dataclass(frozen=True)
class Cleaned:
    """What became of a batch of rows.

    Parameters
    ----------
    trusted : DataFrame
        In declared columns and dtypes.
    rejected : DataFrame
        Rows of :data:`chw_tools.records.derived.REJECTED`; ``body`` is the row as JSON text.
    notes : DataFrame
        What was accepted but should be known: ``kind`` (``unmapped_code``, ``assumed_unit``,
        ``unreadable_unit``, ``impossible_value``, ``unusual_value``, ``undeclared_column``),
        ``name``, ``system``, ``code``, ``display``, ``unit``, ``n`` rows, ``at`` of the first.
    n_identical : int
        Exact repeats of a row of the same batch, left out.
    """

    trusted: pd.DataFrame
    rejected: pd.DataFrame
    notes: pd.DataFrame
    n_identical: int = 0


def clean_table(
    table: Table,
    raw: pd.DataFrame,
    *,
    catalogue: Catalogue,
    today: date,
    births: pd.Series | None = None,
) -> Cleaned:
    """The rows that can be trusted, and why the others cannot.

    Parameters
    ----------
    table : Table
        Declaration of what the rows are meant to be.
    raw : DataFrame
        Any of the declared columns, as strings or native values, with keys already derived;
        ``at`` (file and line) for the reasons; ``display`` (text of an observation's code)
        for the suggestions of a mapping. Other columns are noted and left out.
    catalogue : Catalogue
        What observation codes mean, and the limits of their values.
    today : date
        Day of the import: nothing that happened can have happened later.
    births : Series, optional
        Earliest possible day of birth by person id (see :func:`earliest_births`); with it,
        what happened before a person's birth is refused.

    Returns
    -------
    Cleaned
        Whose trusted, rejected and identical rows add up to the rows received.

    Examples
    --------
    >>> from datetime import date
    >>> from chw_tools.records import TABLES, load_catalogue
    >>> row = {"id": "a", "sex": "F", "born_on": "1990-06", "source": "s"}
    >>> raw = pd.DataFrame([{**row, "known_on": "2024-01-31"}])
    >>> catalogue, today = load_catalogue(), date(2024, 2, 1)
    >>> done = clean_table(TABLES["people"], raw, catalogue=catalogue, today=today)
    >>> done.trusted[["sex", "born_on", "born_precision"]].iloc[0].astype(str).tolist()
    ['female', '1990-06-15 00:00:00', 'month']
    """
    raw = _with_places(raw)
    faults = Faults(len(raw))
    frame = _typed(table, raw, faults)
    notes = _undeclared(table, raw)
    if table.name == "observations":
        frame, more = read_observations(frame, raw, catalogue=catalogue, faults=faults)
        notes += more
    check_declared(table, frame, faults)
    _check_days(table, frame, pd.Timestamp(today), faults)
    _check_births(table, frame, births, faults)
    identical = _check_identity(table, frame, faults)
    kept = ~(faults.bad | identical)
    return Cleaned(
        trusted=frame if kept.all() else frame[kept].reset_index(drop=True),
        rejected=faults.rejected(table, raw),
        notes=_gathered(notes),
        n_identical=int(identical.sum()),
    )


def check_declared(table: Table, frame: pd.DataFrame, faults: Faults) -> None:
    """Find what :func:`chw_tools.records.checks.find_problems` finds, without pandera.

    A batch is checked in milliseconds here; the two are tested to agree.
    """
    for column in table.columns:
        values = frame[column.name]
        if column.required:
            missing = values.isna().to_numpy() & ~faults.of_column(column.name)
            faults.add(missing, column.name, "must be given", _TO_GIVE.get(column.name, ""))
        outside = _outside(column, values)
        if outside is not None:
            faults.add(outside, column.name, reason_for(column))


def _outside(column: Column, values: pd.Series) -> NDArray[np.bool_] | None:
    if column.allowed:
        places, words = pd.factorize(values)
        is_other = np.array([*(word not in column.allowed for word in words), False], dtype=bool)
        other: NDArray[np.bool_] = is_other[places]
        return other
    if column.low is None and column.high is None:
        return None
    numbers = values.to_numpy(dtype="float64", na_value=np.nan)
    low = -np.inf if column.low is None else column.low
    high = np.inf if column.high is None else column.high
    outside: NDArray[np.bool_] = (numbers < low) | (numbers > high)
    return outside


def _with_places(raw: pd.DataFrame) -> pd.DataFrame:
    raw = raw.reset_index(drop=True)
    if "at" in raw:
        return raw
    return raw.assign(at=[f"row {n}" for n in range(1, len(raw) + 1)])


def _typed(table: Table, raw: pd.DataFrame, faults: Faults) -> pd.DataFrame:
    read: dict[str, pd.Series] = {}
    for column in table.columns:
        if column.name not in raw or (table.name, column.name) == ("people", "born_on"):
            continue
        parsed = parse(column, raw[column.name])
        read[column.name] = parsed.series
        for fault in parsed.faults:
            faults.add(fault.rows, column.name, fault.reason, fault.cure)
    if table.name == "people" and "born_on" in raw:
        births, read["born_precision"] = parse_births(raw["born_on"], read.get("born_precision"))
        read["born_on"] = births.series
        for fault in births.faults:
            faults.add(fault.rows, "born_on", fault.reason, fault.cure)
    return conform(table, pd.DataFrame(read, index=raw.index))


def _undeclared(table: Table, raw: pd.DataFrame) -> list[pd.DataFrame]:
    unknown = [name for name in raw if name not in {*table.column_names, "at", "display"}]
    whole = np.ones(len(raw), dtype=bool)
    return [note("undeclared_column", whole, raw, str(name)) for name in unknown]


def _check_days(table: Table, frame: pd.DataFrame, today: pd.Timestamp, faults: Faults) -> None:
    days_of = {name: frame[name] for name in table.columns_of("day")}
    if table.name == "people":
        # "2024" stands as 1 July 2024, and is no fault in March 2024.
        days_of["born_on"] = earliest_births(frame).set_axis(frame.index)
    for name, days in days_of.items():
        faults.add((days < EARLIEST_DAY).to_numpy(), name, "lies before 1900", DAY_CURE)
        if (table.name, name) not in PLANNED_DAYS:
            ahead = (days > today).to_numpy()
            faults.add(ahead, name, "lies in the future", "Check the day and its format.")
    for first, second in ORDERED_DAYS.get(table.name, ()):
        wrong = (days_of[second] < days_of[first]).to_numpy()
        faults.add(wrong, second, f"lies before {first}", "Check both days.")


def _check_births(
    table: Table, frame: pd.DataFrame, births: pd.Series | None, faults: Faults
) -> None:
    if births is None or not table.event_day or "person_id" not in frame:
        return
    born = frame["person_id"].map(births)
    wrong = (frame[table.event_day] < born).to_numpy()
    faults.add(wrong, table.event_day, "lies before the person's birth", "Check both days.")


def _check_identity(table: Table, frame: pd.DataFrame, faults: Faults) -> NDArray[np.bool_]:
    """Rows that repeat an earlier one; those that contradict it are added to the faults."""
    identical = np.zeros(len(frame), dtype=bool)
    sound = ~faults.bad
    keys = frame["id"] if sound.all() else frame.loc[sound, "id"]
    repeated = keys.index[keys.duplicated().to_numpy()]
    if not len(repeated):
        return identical
    later = frame.loc[repeated]
    first = frame.loc[keys.index.difference(repeated, sort=False)].set_index("id", drop=False)
    first = first.loc[later["id"]].set_axis(later.index)
    same = ((later == first) | (later.isna() & first.isna())).fillna(False).all(axis=1)
    identical[later.index[same.to_numpy(dtype=bool)]] = True
    contradicting = np.zeros(len(frame), dtype=bool)
    contradicting[later.index[~same.to_numpy(dtype=bool)]] = True
    whom = "people" if table.name == "people" else "rows"
    cure = "Give each its own identifier, or remove the wrong one."
    faults.add(contradicting, "id", f"two {whom} with one identifier", cure)
    return identical


def _gathered(notes: list[pd.DataFrame]) -> pd.DataFrame:
    given = [part for part in notes if len(part)]
    if not given:
        return pd.DataFrame(columns=NOTE_COLUMNS)
    return pd.concat(given, ignore_index=True)
