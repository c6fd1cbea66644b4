"""Readings that cannot both be right: asked about, never settled in silence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from chw_tools.feature_engineering.declaration import Built, Feature

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from chw_tools.records.catalogue import Observable

#: Which observables are asked about together.
TOGETHER = {
    "pressure_differs": ("Blood pressures of one day differ", ("systolic_mmhg", "diastolic_mmhg")),
    "weight_differs": ("Weights of one day differ", ("weight_kg",)),
    "glucose_differs": (
        "Glucose readings of one day differ",
        ("glucose_mmol_l", "fasting_glucose_mmol_l"),
    ),
}


def doubtful(
    spread: NDArray[np.float64],
    value: NDArray[np.float64],
    days: NDArray[np.float64],
    entries: Sequence[Observable],
) -> Iterator[Built]:
    """Whether the latest readings contradict each other; missing where there are none.

    Parameters
    ----------
    spread : ndarray, people by observables
        Highest less lowest reading of the latest day.
    value, days : ndarray, people by observables
        The reading that counts, and the days since.
    entries : sequence of Observable
        The columns.
    """
    names = [entry.name for entry in entries]
    limits = np.array([entry.same_day_differs or np.inf for entry in entries])
    for name, (label, about) in TOGETHER.items():
        at = [names.index(one) for one in about if one in names]
        differs = np.logical_or.reduce(spread[:, at] >= limits[at], axis=1)
        yield _flag(name, label, differs, days[:, at])
    if {"systolic_mmhg", "diastolic_mmhg"} <= set(names):
        upper, lower = names.index("systolic_mmhg"), names.index("diastolic_mmhg")
        same_day: NDArray[np.bool_] = days[:, upper] == days[:, lower]
        is_reversed: NDArray[np.bool_] = same_day & (value[:, lower] >= value[:, upper])
        label = "Lower blood pressure not below the upper"
        yield _flag("pressure_is_reversed", label, is_reversed, days[:, [upper, lower]])
        several = np.logical_or(spread[:, upper] > 0, spread[:, lower] > 0)
        label = "Blood pressure is the highest of several of one day"
        yield _flag("pressure_is_highest", label, several, days[:, [upper, lower]])


def _flag(name: str, label: str, holds: NDArray[np.bool_], days: NDArray[np.float64]) -> Built:
    flag = pd.array(holds, dtype="boolean")
    flag[np.isnan(days).all(axis=1)] = pd.NA
    return Feature(name, label, "flag", "", (), "vitals", False), flag


def spreads(
    cell: NDArray[np.int64],
    day: NDArray[np.float64],
    value: NDArray[np.float64],
    shape: tuple[int, int],
) -> NDArray[np.float64]:
    """Highest less lowest value of each cell's latest day; readings by cell, oldest day first."""
    spread = np.full(shape, np.nan)
    if len(cell) == 0:
        return spread
    last = np.flatnonzero(np.append(cell[1:] != cell[:-1], True))
    group = np.repeat(np.arange(len(last)), np.diff(last, prepend=-1))
    use = day == day[last][group]
    starts = np.flatnonzero(np.append(True, group[use][1:] != group[use][:-1]))
    high = np.maximum.reduceat(value[use], starts)
    low = np.minimum.reduceat(value[use], starts)
    spread.ravel()[cell[last]] = high - low
    return spread
