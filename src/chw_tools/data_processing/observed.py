"""Observations: which observable a code means, in which unit, within which limits.

A known code gets the catalogue's unit and its plain answers; an unknown one is kept as it
came, and counted, so that somebody can map it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from chw_tools.data_processing.spellings import PURE_UNITS, answers_for, ucum
from chw_tools.records.codes import Code

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from chw_tools.data_processing.faults import Faults
    from chw_tools.records.catalogue import Catalogue, Observable

NOTE_COLUMNS = ["kind", "name", "system", "code", "display", "unit", "n", "at"]
# Fahrenheit is the one unit here whose zero lies elsewhere (BIPM SI brochure, 9th edition).
_OFFSETS = {("Cel", "[degF]"): -32 * 5 / 9}


@dataclass(frozen=True)
class _Known:
    """What is known of each row's code: its place among ``entries``, or -1."""

    entries: list[Observable]
    places: NDArray[np.intp]
    is_preferred: NDArray[np.bool_]

    def having(self, kind: str) -> NDArray[np.bool_]:
        return self.take([entry.kind == kind for entry in self.entries], missing=False)

    def take(self, values: Sequence[object], missing: object) -> NDArray[Any]:
        """For each row the value of its entry, or what stands for an unknown code."""
        return np.array([*values, missing])[self.places]


def read_observations(
    frame: pd.DataFrame, raw: pd.DataFrame, *, catalogue: Catalogue, faults: Faults
) -> tuple[pd.DataFrame, list[pd.DataFrame]]:
    """The observations in the catalogue's units and words.

    Parameters
    ----------
    frame : DataFrame
        Typed observations.
    raw : DataFrame
        The same rows as received, for ``at`` and the optional ``display`` of the code.
    faults : Faults
        Where unknown units, unknown answers and impossible values are added.

    Returns
    -------
    DataFrame, list of DataFrame
        The observations, and notes in :data:`NOTE_COLUMNS`.
    """
    known, notes = _look_up(frame, raw, catalogue)
    frame, unit_notes = _in_our_units(frame, raw, known, faults)
    frame = _in_our_words(frame, known, faults)
    return frame, [*notes, *unit_notes, *_against_limits(frame, raw, known, faults)]


def note(
    kind: str, rows: NDArray[np.bool_], raw: pd.DataFrame, name: str = "", **said: object
) -> pd.DataFrame:
    """One note about some rows: how many, and where the first is; empty where there are none."""
    n = int(rows.sum())
    if not n:
        return pd.DataFrame(columns=NOTE_COLUMNS)
    first = raw["at"].iloc[int(rows.argmax())]
    row = {"kind": kind, "name": name, **said, "n": n, "at": first}
    return pd.DataFrame([row]).reindex(columns=NOTE_COLUMNS, fill_value="")


def _pairs(a: pd.Series, b: pd.Series) -> tuple[NDArray[np.intp], list[tuple[object, object]]]:
    """Place of each row's pair among the distinct pairs; a missing member is None."""
    (first, firsts), (second, seconds) = pd.factorize(a), pd.factorize(b)
    width = len(seconds) + 1
    places, keys = pd.factorize((first + 1) * width + second + 1)
    left, right = [None, *firsts], [None, *seconds]
    return places, [(left[key // width], right[key % width]) for key in keys]


def _look_up(
    frame: pd.DataFrame, raw: pd.DataFrame, catalogue: Catalogue
) -> tuple[_Known, list[pd.DataFrame]]:
    by_code = catalogue.by_code()
    entries = list(catalogue.entries.values())
    place_of = {entry.name: place for place, entry in enumerate(entries)}
    places, pairs = _pairs(frame["system"], frame["code"])
    # Pairs hold what a column of objects held: text, by the line that sets None apart.
    means = [by_code.get(Code(*pair)) if None not in pair else None for pair in pairs]  # type: ignore[arg-type]
    entry_of = np.array([place_of[entry.name] if entry else -1 for entry in means], dtype=np.intp)
    preferred = np.array(
        [
            entry is not None and entry.code == pair
            for entry, pair in zip(means, pairs, strict=True)
        ],
        dtype=bool,
    )
    known = _Known(entries, entry_of[places], preferred[places])
    is_unmapped = (known.places < 0) & frame["code"].notna().to_numpy()
    return known, _unmapped(frame, raw, is_unmapped)


def _unmapped(
    frame: pd.DataFrame, raw: pd.DataFrame, is_unmapped: NDArray[np.bool_]
) -> list[pd.DataFrame]:
    if not is_unmapped.any():
        return []
    rows = frame.loc[is_unmapped, ["system", "code", "unit"]]
    rows["system"] = rows["system"].fillna("")
    rows["at"] = raw.loc[is_unmapped, "at"]
    rows["display"] = raw.loc[is_unmapped, "display"] if "display" in raw else None
    counts = rows.groupby(["system", "code"], sort=False).agg(
        display=("display", "first"), unit=("unit", "first"), n=("at", "size"), at=("at", "first")
    )
    counts = counts.reset_index().assign(kind="unmapped_code", name="")
    for said in ("display", "unit"):
        counts[said] = counts[said].astype("str").fillna("")
    return [counts[NOTE_COLUMNS]]


def _in_our_units(
    frame: pd.DataFrame, raw: pd.DataFrame, known: _Known, faults: Faults
) -> tuple[pd.DataFrame, list[pd.DataFrame]]:
    is_number = known.having("number")
    if not is_number.any():
        return frame, []
    names = pd.Series(known.places, index=frame.index)
    places, pairs = _pairs(names, frame["unit"])
    factors, offsets = np.array([_conversion(known.entries, *pair) for pair in pairs]).T
    factor = factors[places]
    unreadable = is_number & np.isnan(factor)
    unstated = is_number & frame["unit"].isna().to_numpy()
    unclear = (
        unstated & ~known.is_preferred & known.take([bool(e.units) for e in known.entries], False)
    )
    notes = []
    for place in np.unique(known.places[unreadable | unstated]):
        entry, here = known.entries[place], known.places == place
        allowed = ", ".join([entry.unit, *entry.units])
        reason = f"{entry.label} must be in one of {allowed}"
        faults.add(unreadable & here, "unit", reason, "State the unit in UCUM.")
        faults.add(unclear & here, "unit", f"{entry.label} needs its unit, one of {allowed}",
                   "State the unit in UCUM.")  # fmt: skip
        notes.append(note("unreadable_unit", unreadable & here, raw, entry.name, unit=entry.unit))
        if entry.unit not in PURE_UNITS:
            assumed = unstated & ~unclear & here
            notes.append(note("assumed_unit", assumed, raw, entry.name, unit=entry.unit))
    # Nine decimals: far below any instrument, enough to hide binary noise of a conversion.
    value = frame["value_number"].to_numpy()
    with np.errstate(over="ignore"):  # a value that large is outside every limit below
        converted = np.where(factor == 1, value, np.round(value * factor + offsets[places], 9))
    ours = known.take([entry.unit for entry in known.entries], missing="")
    sound = is_number & ~unreadable
    return frame.assign(
        value_number=np.where(sound, converted, value),
        unit=pd.Series(np.where(sound, ours, frame["unit"]), index=frame.index, dtype="str"),
    ), notes


def _conversion(entries: list[Observable], place: object, unit: object) -> tuple[float, float]:
    """Factor and offset from a unit to the entry's own; not a number where there is none."""
    if place == -1 or place is None or unit is None:
        return 1.0, 0.0
    # A place is a whole number; it is typed as an object because pairs of columns are.
    entry, said = entries[int(place)], ucum(str(unit))  # type: ignore[call-overload]
    if said == entry.unit or {said, entry.unit} <= PURE_UNITS:
        return 1.0, 0.0
    return entry.units.get(said, np.nan), _OFFSETS.get((entry.unit, said), 0.0)


def _in_our_words(frame: pd.DataFrame, known: _Known, faults: Faults) -> pd.DataFrame:
    is_choice = known.having("choice")
    if not is_choice.any():
        return frame
    rows = frame.loc[is_choice, ["value_code", "value_number"]]
    # A flag exported as 0 or 1 arrives as a number.
    as_number = rows["value_number"].map(lambda value: f"{value:g}", na_action="ignore")
    said = rows["value_code"].fillna(as_number.astype("str"))
    places, pairs = _pairs(pd.Series(known.places[is_choice], index=rows.index), said)
    means = np.empty(len(pairs), dtype=object)
    # As above: the first of each pair is a whole number.
    means[:] = [_answer(known.entries[int(p)], s) for p, s in pairs]  # type: ignore[call-overload]
    answers = means[places]
    unknown = np.zeros(len(frame), dtype=bool)
    unknown[is_choice] = pd.isna(answers) & said.notna().to_numpy()
    for place in np.unique(known.places[unknown]):
        entry = known.entries[place]
        reason = f"{entry.label} must be one of {', '.join(entry.allowed)}"
        here = unknown & (known.places == place)
        faults.add(here, "value_code", reason, "Translate the answer in the mapping.")
    missing = np.zeros(len(frame), dtype=bool)
    missing[is_choice] = said.isna().to_numpy()
    faults.add(missing, "value_code", "must be given")
    codes = frame["value_code"].to_numpy(dtype=object, copy=True)
    codes[is_choice] = answers
    return frame.assign(
        value_code=pd.Series(codes, index=frame.index, dtype="str"),
        value_number=frame["value_number"].mask(is_choice),
        unit=frame["unit"].mask(is_choice),
    )


def _answer(entry: Observable, said: object) -> str | None:
    if said is None:
        return None
    return answers_for(entry.name, entry.allowed).get(str(said).casefold())


def _against_limits(
    frame: pd.DataFrame, raw: pd.DataFrame, known: _Known, faults: Faults
) -> list[pd.DataFrame]:
    is_number = known.having("number")
    value = frame["value_number"].to_numpy()
    checked = is_number & ~faults.of_column("value_number") & ~faults.of_column("unit")
    faults.add(checked & np.isnan(value), "value_number", "must be given")
    impossible = checked & _outside(value, known, "low", "high")
    unusual = checked & ~impossible & _outside(value, known, "usual_low", "usual_high")
    notes = []
    for place in np.unique(known.places[impossible | unusual]):
        entry, here = known.entries[place], known.places == place
        reason = f"{entry.label} must {_limits(entry)}"
        faults.add(impossible & here, "value_number", reason, "Check the value and its unit.")
        notes += [
            note("impossible_value", impossible & here, raw, entry.name, unit=entry.unit),
            note("unusual_value", unusual & here, raw, entry.name, unit=entry.unit),
        ]
    return notes


def _outside(value: NDArray[np.float64], known: _Known, low: str, high: str) -> NDArray[np.bool_]:
    lows = [-np.inf if (x := getattr(e, low)) is None else x for e in known.entries]
    highs = [np.inf if (x := getattr(e, high)) is None else x for e in known.entries]
    outside: NDArray[np.bool_] = (value < known.take(lows, -np.inf)) | (
        value > known.take(highs, np.inf)
    )
    return outside


def _limits(entry: Observable) -> str:
    unit = "" if entry.unit in PURE_UNITS else f" {entry.unit}"
    if entry.low is None:
        return f"be at most {entry.high:g}{unit}"
    if entry.high is None:
        return f"be at least {entry.low:g}{unit}"
    return f"lie between {entry.low:g} and {entry.high:g}{unit}"
