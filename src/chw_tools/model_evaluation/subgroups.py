"""For whom a risk holds: each group of people judged on its own, with its number."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from chw_tools.model_evaluation.metrics import compute_metrics

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Below so many events a group's measures are shown and marked as uncertain. At least 100
#: events are advised to judge a model (Collins GS et al., Stat Med 2016;35:214-226); half of
#: that is this project's line between uncertain and useless.
FEW_EVENTS = 50
#: Below so many events, or people without, nothing is computed; the group is still listed.
LEAST_EVENTS = 5

_AGE_EDGES = (0, 5, 15, 40, 60, 75, np.inf)
_KM_EDGES = (0, 2, 5, 10, np.inf)
_TITLES = {
    "sex": "Sex",
    "age_years": "Age",
    "wealth_fifth": "Wealth fifth",
    "facility_km": "Distance to facility",
    "is_rural": "Rural",
}
_SHOWN = ("auc", "observed_to_expected", "recall", "precision")


def compute_subgroups(
    labels: NDArray[np.float64],
    risks: NDArray[np.float64],
    judged_by: pd.DataFrame,
    *,
    threshold: float,
    seed: int,
) -> pd.DataFrame:
    """The measures of each subgroup at the threshold of the whole.

    Parameters
    ----------
    labels, risks : arrays of shape (n,)
        As in :func:`chw_tools.model_evaluation.metrics.compute_metrics`.
    judged_by : DataFrame
        Row by row: ``sex``, ``age_years``, ``wealth_fifth``, ``facility_km``, ``is_rural``, as
        far as the data have them. People of whom it is not known are a group of their own.
    threshold : float
        Risk from which a person is called.
    seed : int
        For the intervals.

    Returns
    -------
    DataFrame
        ``by``, ``group``, ``n``, ``n_events``, ``is_few``, and of AUC, observed/expected,
        recall and precision the value, low and high; missing below :data:`LEAST_EVENTS`.
    """
    rows = []
    for name in [name for name in _TITLES if name in judged_by]:
        group = name_groups(name, judged_by[name])
        for level in group.cat.categories:
            inside = (group == level).to_numpy()
            if inside.any():
                rows.append(
                    {"by": _TITLES[name], "group": level}
                    | _judge(labels[inside], risks[inside], threshold=threshold, seed=seed)
                )
    return pd.DataFrame(rows)


def name_groups(name: str, values: pd.Series) -> pd.Series:
    """The group of each row as an ordered category with readable names.

    >>> name_groups("age_years", pd.Series([3.0, 80.0, None])).tolist()
    ['0 to 4', '75 and over', 'not known']
    """
    if name == "age_years":
        named = _cut(values, _AGE_EDGES, whole=True)
    elif name == "facility_km":
        named = _cut(values, _KM_EDGES, whole=False)
    else:
        known = sorted(values.dropna().unique())
        names = {value: _name(name, value) for value in known}
        named = values.astype(object).map(names)
        named = pd.Categorical(named, categories=list(names.values()), ordered=True)
    found = pd.Series(named, index=values.index).cat.add_categories(["not known"])
    return found.fillna("not known")


def _name(name: str, value: object) -> str:
    if name == "is_rural":
        return "rural" if value else "urban"
    if name == "wealth_fifth":
        number = int(float(str(value)))
        return {1: "1 (poorest)", 5: "5 (richest)"}.get(number, str(number))
    return str(value)


def _cut(values: pd.Series, edges: tuple[float, ...], *, whole: bool) -> pd.Categorical:
    names = []
    for low, high in pairwise(edges):
        if np.isinf(high):
            names.append(f"{low:g} and over" if whole else f"{low:g} km and over")
        else:
            names.append(f"{low:g} to {high - 1:g}" if whole else f"{low:g} to {high:g} km")
    numbers = values.astype("Float64").astype("float64")
    return pd.Categorical(pd.cut(numbers, list(edges), labels=names, right=False))


def _judge(
    labels: NDArray[np.float64], risks: NDArray[np.float64], *, threshold: float, seed: int
) -> dict[str, object]:
    events = int(labels.sum())
    found: dict[str, object] = {
        "n": len(labels),
        "n_events": events,
        "is_few": events < FEW_EVENTS,
    }
    empty = pd.DataFrame(np.nan, index=list(_SHOWN), columns=["value", "low", "high"])
    measured = empty
    if min(events, len(labels) - events) >= LEAST_EVENTS:
        measured = compute_metrics(labels, risks, seed=seed, threshold=threshold)
    for metric in _SHOWN:
        for column, ending in (("value", ""), ("low", "_low"), ("high", "_high")):
            found[metric + ending] = float(measured.loc[metric, column])
    return found
