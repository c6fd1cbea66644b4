"""The model and plain ways of ordering the same people, side by side, and what it gains.

All are judged by the same bootstrap samples, so that a difference has its own interval: two
models whose intervals overlap may still differ for sure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from chw_tools.model_evaluation.capacity import compute_at_capacity, draw_at_capacity
from chw_tools.model_evaluation.metrics import draw_metrics
from chw_tools.model_evaluation.resampling import find_interval

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from numpy.typing import NDArray

    from chw_tools.model_evaluation.resampling import Resampling

#: Measures of anything that orders people, and those of probabilities only.
_ORDERING = ("auc", "average_precision")
_PROBABILITY = ("brier", "calibration_slope", "observed_to_expected")
#: What a model is said to gain over a plain rule.
GAINS = ("auc", "recall")


def compare_models(
    labels: NDArray[np.float64],
    by_name: Mapping[str, NDArray[np.float64]],
    resampling: Resampling,
    *,
    only_ordering: Collection[str] = (),
) -> pd.DataFrame:
    """Measures of each, and what the first gains over each of the others.

    Parameters
    ----------
    labels : array of shape (n,)
        What happened.
    by_name : mapping of str to array
        The model first, then what it is compared with, each for the same people.
    resampling : Resampling
        The samples that all are judged by.
    only_ordering : collection of str
        Names whose numbers are no probabilities (days overdue, a score): they get no measure
        of size.

    Returns
    -------
    DataFrame
        Indexed by name: ``auc``, ``average_precision``, ``precision`` and ``recall`` at
        capacity (``recall_worst`` and ``recall_best`` over the orders of the tied), ``brier``,
        ``calibration_slope``, ``observed_to_expected``; ``auc_gain`` and ``recall_gain`` of
        the first over the row's; each with ``_low`` and ``_high``.
    """
    rows, drawn, values = {}, {}, {}
    for name, scores in by_name.items():
        is_risk = name not in only_ordering
        rows[name], drawn[name] = _judge(labels, scores, resampling, is_risk=is_risk)
        values[name] = rows[name]
    first = next(iter(by_name))
    for name in by_name:
        for measure in GAINS:
            gain = drawn[first][measure] - drawn[name][measure]
            rows[name][f"{measure}_gain"] = values[first][measure] - values[name][measure]
            (low,), (high,) = find_interval(gain.to_numpy())
            rows[name] |= {f"{measure}_gain_low": low, f"{measure}_gain_high": high}
    return pd.DataFrame(rows).T.astype(float)


def _judge(
    labels: NDArray[np.float64],
    scores: NDArray[np.float64],
    resampling: Resampling,
    *,
    is_risk: bool,
) -> tuple[dict[str, float], pd.DataFrame]:
    names = [*_ORDERING, *(_PROBABILITY if is_risk else ())]
    if np.ptp(scores) == 0 and is_risk:
        names.remove("calibration_slope")  # one risk for all has no slope
    risks = scores if is_risk else _ranked(scores)
    point, draws = draw_metrics(labels, risks, resampling, names=names)
    row = dict.fromkeys(
        [m + end for m in (*_ORDERING, *_PROBABILITY) for end in ("", "_low", "_high")], np.nan
    )
    for name, low, high in zip(names, *find_interval(draws[names]), strict=True):
        row |= {name: float(point[name]), f"{name}_low": low, f"{name}_high": high}
    at = compute_at_capacity(labels, scores, resampling)
    for name in ("precision", "recall"):
        row[name] = float(at.loc[name, "value"])
        row |= {f"{name}_{end}": float(at.loc[name, end]) for end in ("low", "high")}
        row |= {f"{name}_{end}": float(at.loc[name, end]) for end in ("worst", "best")}
    return row, draws.assign(**draw_at_capacity(labels, scores, resampling))


def _ranked(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Places in the order, as numbers between 0 and 1; equals share theirs."""
    return np.asarray(pd.Series(scores).rank(method="dense", pct=True) * 0.5, dtype=float)
