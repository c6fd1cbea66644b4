"""The measures of a risk, each with a bootstrap interval: discrimination, calibration, benefit.

:data:`METRICS` declares every measure; ``docs/model_evaluation.md`` and the report take
their words from it. How they are computed lies in :mod:`chw_tools.model_evaluation.ranked`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from chw_tools.errors import NotEnoughData
from chw_tools.model_evaluation.capacity import find_capacity_threshold
from chw_tools.model_evaluation.ranked import Ranked
from chw_tools.model_evaluation.resampling import N_RESAMPLES, Resampling, find_interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True)
class Metric:
    """One measure: its name, what it says, and which way is better."""

    name: str
    label: str
    group: Literal["discrimination", "calibration", "overall", "at_capacity"]
    meaning: str
    better: str
    source: str = ""


METRICS: tuple[Metric, ...] = (
    Metric(
        "auc",
        "AUC (ROC)",
        "discrimination",
        "The chance that of two people, one with the event and one without, the one with it "
        "was given the higher risk. It says nothing on whether the risks are the right size.",
        "1 is perfect order, 0.5 is a coin",
        "Hanley JA, McNeil BJ, Radiology 1982;143:29-36",
    ),
    Metric(
        "average_precision",
        "Average precision",
        "discrimination",
        "The mean share of true events among those called, over all lengths of list. It is "
        "to be read against the prevalence, which a coin reaches.",
        "1 is perfect, the prevalence is a coin",
        "Saito T, Rehmsmeier M, PLoS One 2015;10:e0118432",
    ),
    Metric(
        "brier",
        "Brier score",
        "overall",
        "The mean squared distance between the risk and what happened (0 or 1).",
        "lower; giving everyone the prevalence p scores p(1-p)",
        "Brier GW, Mon Weather Rev 1950;78:1-3",
    ),
    Metric(
        "log_loss",
        "Log loss",
        "overall",
        "The mean surprise at what happened; being sure and wrong costs most.",
        "lower",
    ),
    Metric(
        "calibration_slope",
        "Calibration slope",
        "calibration",
        "Below 1, the risks are too extreme: the high too high, the low too low. Above 1, "
        "they are too timid.",
        "1",
        "Van Calster B et al., J Clin Epidemiol 2016;74:167-176",
    ),
    Metric(
        "calibration_intercept",
        "Calibration intercept",
        "calibration",
        "The intercept of the recalibration fitted with the slope, in log-odds.",
        "0",
        "Cox DR, Biometrika 1958;45:562-565",
    ),
    Metric(
        "calibration_in_the_large",
        "Calibration in the large",
        "calibration",
        "What must be added to everybody's log-odds for the number of events to be right, the "
        "slope left as it is. Above 0, more happened than was foreseen.",
        "0",
        "Van Calster B et al., J Clin Epidemiol 2016;74:167-176",
    ),
    Metric(
        "observed_to_expected",
        "Observed / expected",
        "calibration",
        "Events that happened, over the sum of the risks. 1.2 means that a fifth more "
        "happened than was foreseen.",
        "1",
    ),
    Metric(
        "calibration_error",
        "Calibration error (10 bins)",
        "calibration",
        "The mean distance between mean risk and observed share in ten bins of equal numbers "
        "of people. Chance alone keeps it above 0, the more so in small samples.",
        "0",
    ),
    Metric(
        "precision",
        "Precision at capacity",
        "at_capacity",
        "Of those on the list, the share who had the event.",
        "1; the prevalence is a random list",
    ),
    Metric(
        "recall",
        "Recall at capacity",
        "at_capacity",
        "Of those who had the event, the share who were on the list.",
        "1; the share of people on the list is a random list",
    ),
    Metric(
        "specificity",
        "Specificity at capacity",
        "at_capacity",
        "Of those without the event, the share who were not on the list.",
        "1",
    ),
    Metric(
        "accuracy",
        "Accuracy at capacity",
        "at_capacity",
        "The share of people put on the right side. Listed because readers ask for it; where "
        "an event is rare, calling nobody is accurate and useless.",
        "no headline",
    ),
    Metric(
        "net_benefit",
        "Net benefit at capacity",
        "at_capacity",
        "True events found, less people called in vain weighted by the odds of the "
        "threshold, for each person of the population.",
        "higher; 0 is calling nobody",
        "Vickers AJ, Elkin EB, Med Decis Making 2006;26:565-574",
    ),
)


def compute_metrics(
    labels: NDArray[np.float64],
    risks: NDArray[np.float64],
    *,
    seed: int,
    threshold: float | None = None,
    n_resamples: int = N_RESAMPLES,
    groups: NDArray[Any] | None = None,
    weights: NDArray[np.float64] | None = None,
) -> pd.DataFrame:
    """Every measure of :data:`METRICS` with its 95 % percentile bootstrap interval.

    Parameters
    ----------
    labels : array of shape (n,)
        1 where the event happened, else 0.
    risks : array of shape (n,)
        Calibrated probabilities of people the model was not fitted on.
    seed : int
        For the resampling.
    threshold : float, optional
        Risk from which a person is called; by default the one above which the
        ``CAPACITY_SHARE`` lies.
    n_resamples : int
        Bootstrap samples.
    groups : array of shape (n,), optional
        Whom the bootstrap draws together, such as the household.
    weights : array of shape (n,), optional
        Case weights, such as those of a survey: a person of weight 2 counts as two. The
        bins of the calibration error are of people, not of weights.

    Returns
    -------
    DataFrame
        Indexed by the measure's name: ``value``, ``low``, ``high``.

    Raises
    ------
    NotEnoughData
        If nobody had the event, or everybody.
    """
    check_judgeable(labels)
    drawn = Resampling(len(labels), seed=seed, n_resamples=n_resamples, groups=groups)
    point, draws = draw_metrics(labels, risks, drawn, threshold=threshold, weights=weights)
    if not n_resamples:
        return point.to_frame("value")
    low, high = find_interval(draws)
    return pd.DataFrame({"value": point, "low": low, "high": high}, index=point.index)


def draw_metrics(
    labels: NDArray[np.float64],
    risks: NDArray[np.float64],
    resampling: Resampling,
    *,
    threshold: float | None = None,
    weights: NDArray[np.float64] | None = None,
    names: Sequence[str] | None = None,
) -> tuple[pd.Series, pd.DataFrame]:
    """The measures, and the same in each bootstrap sample (one row each).

    Two models drawn by the same ``resampling`` are judged by the same samples, so that the
    row by row difference of their draws gives the interval of the difference.
    """
    cut = find_capacity_threshold(risks) if threshold is None else threshold
    ranked = Ranked.of(np.asarray(labels, float), np.asarray(risks, float), threshold=cut)
    chosen = tuple(names or (metric.name for metric in METRICS))
    base = np.ones(len(labels)) if weights is None else np.asarray(weights, dtype=float)
    point = ranked.measure(base[None, :], chosen).iloc[0]
    blocks = [ranked.measure(block * base, chosen) for block in resampling.blocks()]
    draws = pd.concat(blocks, ignore_index=True) if blocks else pd.DataFrame(columns=list(chosen))
    return point, draws


def check_judgeable(labels: NDArray[np.float64]) -> None:
    """Refuse to judge where nobody, or everybody, had the event.

    Raises
    ------
    NotEnoughData
        Then.
    """
    if not 0 < np.asarray(labels).sum() < len(labels):
        raise NotEnoughData(
            "a model cannot be judged where nobody or everybody had the event",
            cure="Judge it on more people.",
        )


def compute_confusion(
    labels: NDArray[np.float64], risks: NDArray[np.float64], *, threshold: float
) -> dict[str, int]:
    """People called (risk at or above the threshold) or not, by whether the event came."""
    called, event = risks >= threshold, labels == 1
    return {
        "true_positive": int((called & event).sum()),
        "false_positive": int((called & ~event).sum()),
        "false_negative": int((~called & event).sum()),
        "true_negative": int((~called & ~event).sum()),
    }


def compute_roc(labels: NDArray[np.float64], risks: NDArray[np.float64]) -> pd.DataFrame:
    """The ROC curve: ``threshold``, ``false_positive_rate``, ``recall``, ``precision``.

    One row for each distinct risk, highest first; the precision-recall curve has the same
    rows.
    """
    order = np.argsort(-risks, kind="stable")
    ordered, event = risks[order], labels[order]
    last = np.append(np.flatnonzero(np.diff(ordered)), len(ordered) - 1)
    true = np.cumsum(event)[last]
    false = (last + 1) - true
    return pd.DataFrame(
        {
            "threshold": ordered[last],
            "false_positive_rate": false / max(1.0, float((1 - labels).sum())),
            "recall": true / max(1.0, float(labels.sum())),
            "precision": true / (true + false),
        }
    )
