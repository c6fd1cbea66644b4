"""A whole evaluation: every measure, curve and subgroup of one model on held-out people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from chw_tools.model_evaluation.calibration import compute_calibration_curve
from chw_tools.model_evaluation.metrics import (
    check_judgeable,
    compute_confusion,
    compute_metrics,
    compute_net_benefit,
    compute_roc,
    find_capacity_threshold,
)
from chw_tools.model_evaluation.subgroups import compute_subgroups

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

_COMPARED = ("auc", "average_precision", "brier", "calibration_slope", "observed_to_expected")


@dataclass(frozen=True)
class Evaluation:
    """What is known of a model's risks among people it was not trained on.

    Parameters
    ----------
    n, n_events : int
        People judged by, and events among them.
    threshold : float
        Risk from which a person is called in the measures at capacity.
    capacity_share : float
        Share of the judged people who are called.
    metrics : DataFrame
        See :func:`chw_tools.model_evaluation.metrics.compute_metrics`.
    confusion : mapping
        Counts at the threshold.
    calibration, roc, net_benefit, subgroups : DataFrame
        See the functions of the same names.
    comparisons : DataFrame
        The model and the plain baselines side by side, indexed by name; measures with
        ``_low`` and ``_high``.
    truth : DataFrame or None
        For simulated people: the model against the probabilities the events were drawn
        from.
    risks : array
        The judged risks, for the histogram; without whom they belong to.
    """

    n: int
    n_events: int
    threshold: float
    capacity_share: float
    metrics: pd.DataFrame
    confusion: Mapping[str, int]
    calibration: pd.DataFrame
    roc: pd.DataFrame
    net_benefit: pd.DataFrame
    subgroups: pd.DataFrame
    comparisons: pd.DataFrame
    truth: pd.DataFrame | None
    risks: NDArray[np.float64]


def evaluate(
    labels: NDArray[np.float64],
    risks: NDArray[np.float64],
    *,
    seed: int,
    name: str = "model",
    judged_by: pd.DataFrame | None = None,
    baselines: Mapping[str, NDArray[np.float64]] | None = None,
    truth: NDArray[np.float64] | None = None,
) -> Evaluation:
    """Judge risks by what happened to the same people.

    Parameters
    ----------
    labels : array of shape (n,)
        1 where the event happened, else 0; people the model was not trained on.
    risks : array of shape (n,)
        Their calibrated probabilities.
    seed : int
        For the intervals.
    name : str
        The model's name in the comparison.
    judged_by : DataFrame, optional
        Row by row, what subgroups are made of.
    baselines : mapping of str to array, optional
        Risks of plain models for the same people.
    truth : array of shape (n,), optional
        The probabilities that simulated events were drawn from; missing where unknown.

    Raises
    ------
    NotEnoughData
        If nobody or everybody had the event.
    """
    labels, risks = np.asarray(labels, dtype=float), np.asarray(risks, dtype=float)
    check_judgeable(labels)
    threshold = find_capacity_threshold(risks)
    metrics = compute_metrics(labels, risks, seed=seed, threshold=threshold)
    groups = pd.DataFrame(index=range(len(labels))) if judged_by is None else judged_by
    prevalence = labels.mean()
    top = min(0.99, max(4 * prevalence, 0.1))
    return Evaluation(
        n=len(labels),
        n_events=int(labels.sum()),
        threshold=threshold,
        capacity_share=float((risks >= threshold).mean()),
        metrics=metrics,
        confusion=compute_confusion(labels, risks, threshold=threshold),
        calibration=compute_calibration_curve(labels, risks),
        roc=compute_roc(labels, risks),
        net_benefit=compute_net_benefit(labels, risks, thresholds=np.linspace(0.005, top, 100)),
        subgroups=compute_subgroups(labels, risks, groups, threshold=threshold, seed=seed),
        comparisons=_compare({name: risks} | dict(baselines or {}), labels, seed=seed),
        truth=None if truth is None else compare_with_truth(labels, risks, truth),
        risks=risks,
    )


def _compare(
    by_name: Mapping[str, NDArray[np.float64]], labels: NDArray[np.float64], *, seed: int
) -> pd.DataFrame:
    rows = {}
    for name, risks in by_name.items():
        measured = compute_metrics(labels, risks, seed=seed)
        row = {}
        for metric in _COMPARED:
            row[metric] = measured.loc[metric, "value"]
            row[f"{metric}_low"] = measured.loc[metric, "low"]
            row[f"{metric}_high"] = measured.loc[metric, "high"]
        if np.ptp(risks) == 0:  # one risk for all has no slope
            row |= dict.fromkeys([k for k in row if k.startswith("calibration_slope")], np.nan)
        rows[name] = row
    return pd.DataFrame(rows).T


def compare_with_truth(
    labels: NDArray[np.float64], risks: NDArray[np.float64], truth: NDArray[np.float64]
) -> pd.DataFrame:
    """The model beside the true probabilities of simulated people.

    Returns
    -------
    DataFrame
        Indexed by measure: ``model``, ``truth``, ``meaning``. The truth's AUC is the most any
        model could reach.
    """
    known = ~np.isnan(truth)
    event, risk, true = labels[known], risks[known], truth[known]
    check_judgeable(event)
    columns = {
        label: compute_metrics(event, values, seed=0, n_resamples=0)["value"]
        for label, values in (("model", risk), ("truth", true))
    }
    rows = pd.DataFrame(columns).loc[["auc", "brier", "calibration_slope"]]
    order = float(pd.Series(risk).rank().corr(pd.Series(true).rank()))
    rows.loc["rank_correlation"] = [order, 1.0]
    rows.loc["mean_distance"] = [float(np.abs(risk - true).mean()), 0.0]
    return rows
