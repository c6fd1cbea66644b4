"""What goes wrong in real registers, put in on purpose and written down.

Every injected fault has a row in the log: ``table``, ``id``, ``column``, ``kind`` and what
the cell held before (``was``). Kinds: ``missing``, ``duplicate_person`` and
``under_duplicate``, ``late_entry``, ``zero_preference``, ``other_unit`` (rightly stated),
``wrong_unit`` (wrongly stated), ``impossible_day``, ``broken_reference``, ``unknown_code``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from chw_tools.records import load_catalogue
from chw_tools.testing.assumptions import load_assumptions
from chw_tools.testing.chance import stream

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Fields that get lost, with their tables.
_LOST = {
    "people": ("phone", "education", "born_on"),
    "households": ("facility_km", "wealth_fifth"),
    "visits": ("minutes",),
    "pregnancies": ("gravidity",),
}
_KG_PER_POUND = 0.45359237


def spoil(
    tables: Mapping[str, pd.DataFrame], *, part: int, seed: int
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """The tables of one part as a real programme would hand them over, and what was done.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        Clean declared tables with the register's own identifiers; they stay as they are.
    part, seed : int
        Decide which rows are spoiled.

    Returns
    -------
    tables : dict of str to DataFrame
    log : DataFrame
        One row for each spoiled cell (for each added row: column ``id``).
    """
    spoiler = _Spoiler(tables, stream(seed, part, "mess"))
    spoiler.register_twice(f"P-{part:02d}-D")
    spoiler.enter_late()
    spoiler.prefer_zero()
    spoiler.confuse_units()
    spoiler.misdate()
    spoiler.misrefer()
    spoiler.lose()
    return spoiler.tables, spoiler.log()


class _Spoiler:
    def __init__(self, tables: Mapping[str, pd.DataFrame], rng: np.random.Generator) -> None:
        self.tables = {name: frame.copy() for name, frame in tables.items()}
        self.rng = rng
        self.assumed = load_assumptions()
        self.notes: list[pd.DataFrame] = []
        observables = load_catalogue()
        self.codes = {name: entry.code.code for name, entry in observables.entries.items()}

    def log(self) -> pd.DataFrame:
        return pd.concat(self.notes, ignore_index=True)

    def change(self, table: str, rows: np.ndarray, column: str, kind: str, value: Any) -> None:
        """Write new values into a column and note what stood there."""
        frame = self.tables[table]
        before = frame[column].iloc[rows]
        note = pd.DataFrame({"id": frame["id"].iloc[rows], "was": before.astype("str")})
        self.notes.append(note.assign(table=table, column=column, kind=kind)[_LOG])
        if not len(rows):
            return
        position = frame.columns.get_loc(column)
        frame.iloc[rows, position] = value

    def drawn(self, table: str, share: float, among: Any = True) -> np.ndarray:
        """Positions of rows drawn with a share of those among which they may be."""
        frame = self.tables[table]
        return np.flatnonzero(np.asarray(among) & (self.rng.random(len(frame)) < share))

    def of_code(self, *names: str) -> np.ndarray:
        observed: np.ndarray = (
            self.tables["observations"]["code"].isin([self.codes[name] for name in names])
        ).to_numpy()
        return observed

    def register_twice(self, prefix: str) -> None:
        people, visits = self.tables["people"], self.tables["visits"]
        rows = self.drawn("people", self.assumed.number("mess.duplicate_people"))
        twice = people.iloc[rows].copy()
        first = twice["id"].to_numpy()
        twice["id"] = [f"{prefix}{i + 1:05d}" for i in range(len(twice))]
        twice["given_name"] = [_misspelt(self.rng, name) for name in twice["given_name"]]
        twice["known_on"] = twice["known_on"] + pd.to_timedelta(60, unit="D")
        again = dict(zip(first, twice["id"], strict=True))
        since = pd.Series(twice["known_on"].to_numpy(), index=first, dtype="datetime64[s]")
        theirs = visits["person_id"].isin(again) & (visits["kind"] == "facility")
        theirs &= visits["visited_on"] > since.reindex(visits["person_id"]).to_numpy()
        moved = np.flatnonzero(theirs)
        seen = set(visits["id"].iloc[moved])
        found = np.flatnonzero(self.tables["observations"]["visit_id"].isin(seen))
        for table, at in (("visits", moved), ("observations", found)):
            new = self.tables[table]["person_id"].iloc[at].map(again).to_numpy()
            self.change(table, at, "person_id", "under_duplicate", new)
        self.tables["people"] = pd.concat([people, twice], ignore_index=True)
        note = pd.DataFrame({"id": twice["id"], "was": first})
        note = note.assign(table="people", column="id", kind="duplicate_person")
        self.notes.append(note[_LOG])

    def enter_late(self) -> None:
        visits, found = self.tables["visits"], self.tables["observations"]
        last = visits["known_on"].max()
        rows = self.drawn("visits", self.assumed.number("mess.late_entry"))
        delay = pd.to_timedelta(self.rng.integers(30, 210, len(rows)), unit="D")
        late = visits["known_on"].iloc[rows] + delay.to_numpy()
        kept = (late <= last).to_numpy()
        rows, late = rows[kept], late[kept].astype("datetime64[s]")
        known = pd.Series(late.to_numpy(), index=visits["id"].iloc[rows].to_numpy())
        self.change("visits", rows, "known_on", "late_entry", late.to_numpy())
        with_them = np.flatnonzero(found["visit_id"].isin(known.index))
        days = known.loc[found["visit_id"].iloc[with_them]].to_numpy()
        self.change("observations", with_them, "known_on", "late_entry", days)

    def prefer_zero(self) -> None:
        found = self.tables["observations"]
        share = self.assumed.number("mess.zero_preference")
        visits, first = np.unique(found["visit_id"].to_numpy(dtype=object), return_inverse=True)
        rounding = (self.rng.random(len(visits)) < share)[first]
        value = found["value_number"].to_numpy()
        nearest = np.round(value / 10) * 10
        rows = np.flatnonzero(
            self.of_code("systolic_mmhg", "diastolic_mmhg") & rounding & (nearest != value)
        )
        self.change("observations", rows, "value_number", "zero_preference", nearest[rows])

    def confuse_units(self) -> None:
        share = self.assumed.number("mess.other_unit")
        weighed = self.drawn("observations", share, self.of_code("weight_kg"))
        half = len(weighed) // 2
        self._restate(weighed[:half], "other_unit", "[lb_av]", lambda kg: kg / _KG_PER_POUND)
        self._restate(weighed[half:], "other_unit", "g", lambda kg: kg * 1000)
        warm = self.drawn("observations", share, self.of_code("temperature_celsius"))
        self._restate(warm, "other_unit", "[degF]", lambda celsius: celsius * 9 / 5 + 32)
        wrong = self.assumed.number("mess.wrong_unit")
        tall = self.drawn("observations", wrong, self.of_code("height_cm"))
        metres = (self.tables["observations"]["value_number"].iloc[tall] / 100).round(2)
        self.change("observations", tall, "value_number", "wrong_unit", metres.to_numpy())

    def _restate(self, rows: np.ndarray, kind: str, unit: str, convert: Any) -> None:
        value = convert(self.tables["observations"]["value_number"].iloc[rows])
        self.change("observations", rows, "value_number", kind, value.round(1).to_numpy())
        self.change("observations", rows, "unit", kind, unit)

    def misdate(self) -> None:
        share = self.assumed.number("mess.impossible_day")
        for table, column, years in (("people", "born_on", -150), ("visits", "visited_on", 70)):
            rows = self.drawn(table, share, self.tables[table][column].notna())
            days = self.tables[table][column].iloc[rows] + pd.DateOffset(years=years)
            self.change(table, rows, column, "impossible_day", days.to_numpy())

    def misrefer(self) -> None:
        share = self.assumed.number("mess.broken_reference")
        rows = self.drawn("observations", share)
        self.change("observations", rows, "person_id", "broken_reference", "P-99-999999")
        rows = self.drawn("people", share)
        self.change("people", rows, "household_id", "broken_reference", "H-99-999999")
        share = self.assumed.number("mess.unknown_code")
        rows = self.drawn("observations", share)
        self.change("observations", rows, "code", "unknown_code", "99999-9")

    def lose(self) -> None:
        shares = self.assumed.entries["mess.missing"].value
        for table, columns in _LOST.items():
            for column in columns:
                filled = self.tables[table][column].notna()
                rows = self.drawn(table, shares[column], filled)
                self.change(table, rows, column, "missing", None)


_LOG = ["table", "id", "column", "kind", "was"]


def _misspelt(rng: np.random.Generator, name: str) -> str:
    """The name with one letter doubled, dropped, or the last two swapped."""
    at = int(rng.integers(1, len(name) - 1)) if len(name) > 2 else 1
    doubled = name[:at] + name[at] + name[at:]
    dropped = name[:at] + name[at + 1 :]
    swapped = name[:-2] + name[-1] + name[-2]
    return str([doubled, dropped, swapped][int(rng.integers(3))])
