"""Values that cannot be meant in the unit they are said to be in.

A whole column that only makes sense in another unit refuses the table; a single value out
of its plausible range gives no estimate, and a question. Nothing is ever clipped.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from chw_tools.errors import ModelRefused
from chw_tools.risk_prediction.inputs import Answers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from chw_tools.feature_engineering import Feature
    from chw_tools.records.catalogue import Catalogue
    from chw_tools.risk_prediction.inputs import Columns

#: Fewer known values do not judge a whole column: each then stands for itself.
#: A decision of this project, as are the two shares.
LEAST_VALUES = 20
#: A column is at fault when so much of it lies outside, and one factor explains as much.
MOST_OUTSIDE = 0.5
EXPLAINED = 0.8

#: Units in which a quantity of ours is often given: value in our unit = value * factor +
#: offset. Conversion factors of length, mass, time, temperature and pressure are
#: definitions; HbA1c by the master equation NGSP % = 0.0915 IFCC mmol/mol + 2.15 (Hoelzel W
#: et al., Clin Chem 2004;50:166-174). Those of substances are of the catalogue.
OTHER_UNITS: dict[str, dict[str, tuple[float, float]]] = {
    "kg": {"g": (0.001, 0.0), "[lb_av]": (0.45359237, 0.0)},
    "cm": {"m": (100.0, 0.0), "mm": (0.1, 0.0), "[in_i]": (2.54, 0.0)},
    "mm[Hg]": {"kPa": (7.500615613, 0.0), "cm[Hg]": (10.0, 0.0)},
    "Cel": {"[degF]": (5 / 9, -160 / 9), "K": (1.0, -273.15)},
    "%": {"a fraction of 1": (100.0, 0.0)},
    "a": {"mo": (1 / 12, 0.0), "d": (1 / 365.25, 0.0)},
    "g/dL": {"g/L": (0.1, 0.0)},
}
#: Units of single quantities, by name of the feature.
OTHER_UNITS_OF: dict[str, dict[str, tuple[float, float]]] = {
    "hba1c_percent": {"mmol/mol": (0.0915, 2.15)},
}

#: Of a quantity whose unit has no such list.
_ANY_UNIT: dict[str, tuple[float, float]] = {
    f"a unit {size:g} times as {word}": (factor, 0.0)
    for size in (1000.0, 100.0, 10.0)
    for word, factor in (("large", size), ("small", 1 / size))
}


@dataclass(frozen=True)
class Range:
    """The plausible range of one input, inclusive, and the units it is often given in."""

    low: float | None = None
    high: float | None = None
    other_units: tuple[tuple[str, float, float], ...] = ()

    @classmethod
    def of(cls, declared: Mapping[str, Any]) -> Range:
        """The range in the declaration of a feature in a model file."""
        low, high = declared.get("plausible") or (None, None)
        units = declared.get("other_units", {})
        return cls(low, high, tuple((unit, a, b) for unit, (a, b) in units.items()))

    @property
    def width(self) -> tuple[float, float]:
        """The range over which a term is weighed; 0 to 1 where none is declared."""
        return (0.0, 1.0) if self.low is None or self.high is None else (self.low, self.high)

    @property
    def ends(self) -> tuple[float, float]:
        """Lowest and highest; the largest numbers there are where there is no end."""
        most = float(np.finfo(float).max)
        return -most if self.low is None else self.low, most if self.high is None else self.high

    def outside(self, values: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which values lie outside; infinite ones always, missing ones never."""
        low, high = self.ends
        found: NDArray[np.bool_] = (values < low) | (values > high)
        return found

    def suspect(self, outside: NDArray[np.float64], *, share: float) -> str | None:
        """The unit in which so large a share of the values would be plausible."""
        best, most = None, share
        for unit, factor, offset in self.other_units:
            explained = float((~self.outside(outside * factor + offset)).mean())
            if explained >= most and (best is None or explained > most):
                best, most = unit, explained
        return best


#: How far the plausible reaches beyond what nearly all of the training rows held, where no
#: catalogue says it: five times as low or high, and only of a quantity that varies less than
#: tenfold, such as a height. A decision of this project.
_BEYOND = 5.0
_VARIES = 10.0
#: No living person is older; the oldest on record was 122.
_OLDEST = 130.0


def declare_range(
    feature: Feature, *, learnt: Sequence[float] | None, catalogue: Catalogue
) -> dict[str, Any]:
    """``plausible`` and ``other_units`` of a feature, as they stand in a model file.

    Parameters
    ----------
    feature : Feature
        The input.
    learnt : (low, high), optional
        Where nearly all of the training rows lay.
    catalogue : Catalogue
        Its usual limits hold for features of its names and units, widened to what the model
        learnt from.
    """
    if feature.kind != "number":
        return {}
    pair = _plausible(feature, learnt, catalogue)
    if pair is None:
        return {}
    units = _units_of(feature, catalogue)
    return {"plausible": list(pair), "other_units": {unit: list(of) for unit, of in units.items()}}


def _plausible(
    feature: Feature, learnt: Sequence[float] | None, catalogue: Catalogue
) -> tuple[float, float] | None:
    low, high = learnt if learnt else (math.nan, math.nan)
    entry = catalogue.entries.get(feature.name)
    if entry is not None and entry.unit == feature.unit:
        lowest = entry.low if entry.usual_low is None else entry.usual_low
        highest = entry.high if entry.usual_high is None else entry.usual_high
        if lowest is not None and highest is not None:
            # A comparison with what is not known is false: the catalogue's own end stays.
            return (low if low < lowest else lowest), (high if high > highest else highest)
    if feature.name == "age_years":
        return 0.0, _OLDEST
    if low > 0 and high < _VARIES * low:
        return low / _BEYOND, high * _BEYOND
    return None


def _units_of(feature: Feature, catalogue: Catalogue) -> dict[str, tuple[float, float]]:
    found = dict(OTHER_UNITS.get(feature.unit, {}))
    entry = catalogue.entries.get(feature.name)
    if entry is not None and entry.unit == feature.unit:
        known = {unit: (factor, 0.0) for unit, factor in entry.units.items() if unit != "[degF]"}
        found = {**known, **found, **OTHER_UNITS_OF.get(feature.name, {})}
    if feature.name == "age_years":
        found = dict(OTHER_UNITS["a"])
    return found or dict(_ANY_UNIT)


def check_units(
    columns: Columns, features: Sequence[Feature], ranges: Mapping[str, Range], *, where: str
) -> None:
    """Refuse a table in which a whole column is in another unit, or coded otherwise.

    Raises
    ------
    ModelRefused
        Naming each column, and the unit or factor that would make sense of it.
    """
    if len(columns) < LEAST_VALUES:
        return
    faults = []
    for feature in features:
        read = columns[feature.name]
        if isinstance(read, Answers):
            fault = _strange_answers(read, feature)
        else:
            fault = _strange_numbers(read, feature, ranges.get(feature.name, Range()))
        faults += [fault] if fault else []
    if faults:
        raise ModelRefused(
            "; ".join(faults),
            where=where,
            cure="Convert the column to the unit and answers that the model was declared with.",
        )


def _strange_numbers(values: NDArray[np.float64], feature: Feature, held: Range) -> str | None:
    outside = values[held.outside(values)]
    if len(outside) < LEAST_VALUES * MOST_OUTSIDE:
        return None
    n_known = int((~np.isnan(values)).sum())
    if n_known < LEAST_VALUES or len(outside) < MOST_OUTSIDE * n_known:
        return None
    unit = held.suspect(outside, share=EXPLAINED)
    if unit is None:
        return None
    return f"{feature.name} looks as if it were in {unit} and not in {feature.unit or 'its unit'}"


def _strange_answers(read: Answers, feature: Feature) -> str | None:
    positions = read.positions(feature.allowed)
    known = positions[~np.isnan(positions)]
    strange = known == len(feature.allowed)
    if len(known) < LEAST_VALUES or not feature.allowed or strange.mean() < MOST_OUTSIDE:
        return None
    return f"{feature.name} holds answers other than {', '.join(feature.allowed)}"
