"""For whom a risk holds: each group of people judged on its own, with its number."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from chw_tools.model_evaluation.ranked import Ranked
from chw_tools.model_evaluation.resampling import Resampling, find_interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

#: Below so many events a group's measures are shown and marked as uncertain. At least 100
#: events are advised to judge a model (Collins GS et al., Stat Med 2016;35:214-226); half of
#: that is this project's line between uncertain and useless.
FEW_EVENTS = 50
#: Below so many events, or people without, nothing is computed; the group is still listed.
LEAST_EVENTS = 5
#: Areas named one by one; the smaller ones are judged together. A decision of this project.
MOST_AREAS = 8

_AGE_EDGES = (0, 5, 15, 40, 60, 75, np.inf)
_KM_EDGES = (0, 2, 5, 10, np.inf)
_TITLES = {
    "sex": "Sex",
    "age_years": "Age",
    "wealth_fifth": "Wealth fifth",
    "facility_km": "Distance to facility",
    "is_rural": "Rural",
    "area": "Area",
}
_SHOWN = ("auc", "observed_to_expected", "recall", "precision")
_UNKNOWN = "not known"


def compute_subgroups(
    labels: NDArray[np.float64],
    risks: NDArray[np.float64],
    judged_by: pd.DataFrame,
    *,
    threshold: float,
    seed: int,
    groups: NDArray[Any] | None = None,
) -> pd.DataFrame:
    """The measures of each subgroup at the threshold of the whole, beside the largest group.

    Parameters
    ----------
    labels, risks : arrays of shape (n,)
        As in :func:`chw_tools.model_evaluation.metrics.compute_metrics`.
    judged_by : DataFrame
        Row by row: ``sex``, ``age_years``, ``wealth_fifth``, ``facility_km``, ``is_rural``,
        ``area``, as far as the data have them. People of whom it is not known are a group
        of their own.
    threshold : float
        Risk from which a person is called.
    seed : int
        For the intervals.
    groups : array of shape (n,), optional
        Whom the bootstrap draws together, such as the household.

    Returns
    -------
    DataFrame
        ``by``, ``group``, ``n``, ``n_events``, ``is_few``, ``is_reference`` (the largest group
        of its kind that could be judged), and of AUC, observed/expected, recall and precision
        the value, ``_low`` and ``_high``, and against the reference ``_difference`` (of
        observed/expected ``_ratio``) with its ``_low`` and ``_high``. Missing below
        :data:`LEAST_EVENTS`.
    """
    resampling = Resampling(len(labels), seed=seed, groups=groups)
    parts = []
    for name in [name for name in _TITLES if name in judged_by]:
        group = name_groups(name, judged_by[name])
        levels = [str(level) for level in group.cat.categories if (group == level).any()]
        members = [np.flatnonzero((group == level).to_numpy()) for level in levels]
        measured = _measure(labels, risks, members, resampling, threshold=threshold)
        parts.append(_kind(_TITLES[name], levels, members, labels, measured))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _measure(
    labels: NDArray[np.float64],
    risks: NDArray[np.float64],
    members: Sequence[NDArray[np.int64]],
    resampling: Resampling,
    *,
    threshold: float,
) -> list[tuple[pd.Series, pd.DataFrame] | None]:
    """Value and draws of each group; none where there is too little to judge by."""
    ranked = {
        i: Ranked.of(labels[rows], risks[rows], threshold=threshold)
        for i, rows in enumerate(members)
        if min(labels[rows].sum(), len(rows) - labels[rows].sum()) >= LEAST_EVENTS
    }
    draws: dict[int, list[pd.DataFrame]] = {i: [] for i in ranked}
    for block in resampling.blocks() if ranked else ():
        for i, one in ranked.items():
            draws[i].append(one.measure(block[:, members[i]], _SHOWN))
    return [
        (
            ranked[i].measure(np.ones((1, len(rows))), _SHOWN).iloc[0],
            pd.concat(draws[i], ignore_index=True),
        )
        if i in ranked
        else None
        for i, rows in enumerate(members)
    ]


def _kind(
    title: str,
    levels: Sequence[str],
    members: Sequence[NDArray[np.int64]],
    labels: NDArray[np.float64],
    measured: Sequence[tuple[pd.Series, pd.DataFrame] | None],
) -> pd.DataFrame:
    """The rows of one kind of group, such as sex."""
    judged = [i for i, found in enumerate(measured) if found and levels[i] != _UNKNOWN]
    reference = max(judged, key=lambda i: len(members[i]), default=None)
    beside = None if reference is None else measured[reference]
    rows = []
    for i, level in enumerate(levels):
        events = int(labels[members[i]].sum())
        row: dict[str, object] = {
            "by": title,
            "group": level,
            "n": len(members[i]),
            "n_events": events,
            "is_few": events < FEW_EVENTS,
            "is_reference": i == reference,
        }
        rows.append(row | _row(measured[i], beside, is_reference=i == reference))
    return pd.DataFrame(rows)


def _row(
    found: tuple[pd.Series, pd.DataFrame] | None,
    beside: tuple[pd.Series, pd.DataFrame] | None,
    *,
    is_reference: bool,
) -> dict[str, float]:
    row: dict[str, float] = {}
    for name in _SHOWN:
        row |= _with_interval(
            name, found and float(found[0][name]), found and found[1][name].to_numpy()
        )
        is_ratio = name == "observed_to_expected"
        compared = f"{name}_{'ratio' if is_ratio else 'difference'}"
        if found is None or beside is None or is_reference:
            row |= _with_interval(compared, None, None)
            continue
        combine = np.divide if is_ratio else np.subtract
        with np.errstate(invalid="ignore", divide="ignore"):
            value = float(combine(found[0][name], beside[0][name]))
            draws = combine(found[1][name].to_numpy(), beside[1][name].to_numpy())
        row |= _with_interval(compared, value, draws)
    return row


def _with_interval(
    name: str, value: float | None, draws: NDArray[np.float64] | None
) -> dict[str, float]:
    low, high = np.nan, np.nan
    if draws is not None:
        (low,), (high,) = find_interval(draws)
    return {
        name: np.nan if value is None else value,
        f"{name}_low": float(low),
        f"{name}_high": float(high),
    }


def name_groups(name: str, values: pd.Series) -> pd.Series:
    """The group of each row as an ordered category with readable names.

    >>> name_groups("age_years", pd.Series([3.0, 80.0, None])).tolist()
    ['0 to 4', '75 and over', 'not known']
    """
    if name == "age_years":
        named = _cut(values, _AGE_EDGES, whole=True)
    elif name == "facility_km":
        named = _cut(values, _KM_EDGES, whole=False)
    elif name == "area":
        named = _largest(values)
    else:
        known = sorted(values.dropna().unique())
        names = {value: _name(name, value) for value in known}
        named = values.astype(object).map(names)
        named = pd.Categorical(named, categories=list(names.values()), ordered=True)
    found = pd.Series(named, index=values.index).cat.add_categories([_UNKNOWN])
    return found.fillna(_UNKNOWN)


def _name(name: str, value: object) -> str:
    if name == "is_rural":
        return "rural" if value else "urban"
    if name == "wealth_fifth":
        number = int(float(str(value)))
        return {1: "1 (poorest)", 5: "5 (richest)"}.get(number, str(number))
    return str(value)


def _largest(values: pd.Series) -> pd.Categorical:
    """The areas of most people by name, and all smaller ones together."""
    counts = values.dropna().astype(str).value_counts()
    named = sorted(counts.index[:MOST_AREAS])
    words = values.astype("str").where(values.isna() | values.isin(named), "smaller areas")
    levels = [*named, *(["smaller areas"] if len(counts) > MOST_AREAS else [])]
    return pd.Categorical(words, categories=levels, ordered=True)


def _cut(values: pd.Series, edges: tuple[float, ...], *, whole: bool) -> pd.Categorical:
    names = []
    for low, high in pairwise(edges):
        if np.isinf(high):
            names.append(f"{low:g} and over" if whole else f"{low:g} km and over")
        else:
            names.append(f"{low:g} to {high - 1:g}" if whole else f"{low:g} to {high:g} km")
    numbers = values.astype("Float64").astype("float64")
    return pd.Categorical(pd.cut(numbers, list(edges), labels=names, right=False))
