"""The model beside the true probabilities of simulated people, which no real data have."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from chw_tools.model_evaluation.calibration import assign_bins
from chw_tools.model_evaluation.capacity import find_capacity_threshold
from chw_tools.model_evaluation.metrics import check_judgeable, compute_metrics
from chw_tools.model_evaluation.net_benefit import compute_net_benefit

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SHOWN = ("auc", "brier", "calibration_slope")


def compare_with_truth(
    labels: NDArray[np.float64], risks: NDArray[np.float64], truth: NDArray[np.float64]
) -> pd.DataFrame:
    """The model beside the truth, which is the most that any model could reach.

    Returns
    -------
    DataFrame
        Indexed by measure: ``model``, ``truth``. ``net_benefit`` is at the model's threshold
        of capacity; ``net_benefit_reached`` is the share of the truth's that the model
        reaches.
    """
    known = ~np.isnan(truth)
    event, risk, true = labels[known], risks[known], truth[known]
    check_judgeable(event)
    columns = {
        label: compute_metrics(event, values, seed=0, n_resamples=0)["value"]
        for label, values in (("model", risk), ("truth", true))
    }
    rows = pd.DataFrame(columns).loc[list(_SHOWN)]
    order = float(pd.Series(risk).rank().corr(pd.Series(true).rank()))
    rows.loc["rank_correlation"] = [order, 1.0]
    rows.loc["mean_distance"] = [float(np.abs(risk - true).mean()), 0.0]
    threshold = np.array([min(0.99, max(1e-3, find_capacity_threshold(risk)))])
    # By the true probabilities rather than by what befell: the luck of the draw cancels out.
    gained = [
        float(_expected_net_benefit(true, values, threshold=threshold)) for values in (risk, true)
    ]
    rows.loc["net_benefit"] = gained
    best = gained[1]
    rows.loc["net_benefit_reached"] = [gained[0] / best if best > 0 else np.nan, 1.0]
    return rows


def compute_truth_curve(
    risks: NDArray[np.float64], truth: NDArray[np.float64], *, n_bins: int = 20
) -> pd.DataFrame:
    """The true probabilities among people of about equal risk.

    Returns
    -------
    DataFrame
        ``mean_risk``, ``mean_truth``, ``low`` and ``high`` (a tenth of the people have a
        truth below, a tenth above), ``n``; one row a bin of equal numbers of people.
    """
    known = ~np.isnan(truth)
    table = pd.DataFrame({"risk": risks[known], "truth": truth[known]})
    binned = table.groupby(assign_bins(risks[known], n_bins=n_bins))
    return pd.DataFrame(
        {
            "mean_risk": binned["risk"].mean(),
            "mean_truth": binned["truth"].mean(),
            "low": binned["truth"].quantile(0.1),
            "high": binned["truth"].quantile(0.9),
            "n": binned.size(),
        }
    ).reset_index(drop=True)


def _expected_net_benefit(
    truth: NDArray[np.float64], risks: NDArray[np.float64], *, threshold: NDArray[np.float64]
) -> float:
    """Net benefit where each person counts as as much of an event as was probable."""
    return float(compute_net_benefit(truth, risks, thresholds=threshold)["model"].iloc[0])
