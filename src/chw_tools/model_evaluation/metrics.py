"""The measures of a risk, each with a bootstrap interval: discrimination, calibration, benefit.

:data:`METRICS` declares every measure; ``docs/model_evaluation.md`` and the report take
their words from it. One resampling (counts of each person, drawn with a seed) serves all
measures, and the order of risks is sorted once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from chw_tools.errors import NotEnoughData
from chw_tools.model_evaluation.calibration import (
    assign_bins,
    compute_logit,
    fit_recalibration,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

#: Bootstrap samples for the intervals.
N_RESAMPLES = 200
#: Share of people a programme can visit first; the threshold of the confusion matrix is the
#: risk above which this share lies. A decision of the programme, stated in every report.
CAPACITY_SHARE = 0.1
#: Cells of one block of resampled counts, to bound memory (about 32 MB a block).
_BLOCK_CELLS = 4_000_000


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
        :data:`CAPACITY_SHARE` lies.
    n_resamples : int
        Bootstrap samples.

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
    cut = find_capacity_threshold(risks) if threshold is None else threshold
    ranked = _Ranked.of(np.asarray(labels, float), np.asarray(risks, float), cut)
    point = ranked.measure(np.ones((1, len(labels))))
    if not n_resamples:
        return point.T.set_axis(["value"], axis=1)
    drawn = pd.concat([ranked.measure(w) for w in _draw(len(labels), n_resamples, seed)])
    return pd.DataFrame(
        {"value": point.iloc[0], "low": drawn.quantile(0.025), "high": drawn.quantile(0.975)}
    )


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


def find_capacity_threshold(risks: NDArray[np.float64], *, share: float = CAPACITY_SHARE) -> float:
    """The lowest risk among the given share of people with the highest risks.

    >>> find_capacity_threshold(np.array([0.1, 0.2, 0.3, 0.9]), share=0.25)
    0.9
    """
    n_called = max(1, round(share * len(risks)))
    return float(np.sort(risks)[-n_called])


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


def compute_net_benefit(
    labels: NDArray[np.float64],
    risks: NDArray[np.float64],
    *,
    thresholds: NDArray[np.float64],
) -> pd.DataFrame:
    """Decision curve: net benefit of the model, of calling everybody, and of nobody.

    Returns
    -------
    DataFrame
        ``threshold``, ``model``, ``everybody``, ``nobody``; one row for each threshold
        above 0 and below 1.

    Source: Vickers AJ, Elkin EB, Med Decis Making 2006;26:565-574.
    """
    order = np.argsort(risks, kind="stable")
    events_below = np.append(0.0, np.cumsum(labels[order]))
    start = np.searchsorted(risks[order], thresholds, side="left")
    n, events = len(risks), labels.sum()
    true = events - events_below[start]
    false = (n - start) - true
    odds = thresholds / (1 - thresholds)
    return pd.DataFrame(
        {
            "threshold": thresholds,
            "model": (true - false * odds) / n,
            "everybody": (events - (n - events) * odds) / n,
            "nobody": 0.0,
        }
    )


def _draw(n: int, n_resamples: int, seed: int) -> Iterator[NDArray[np.float64]]:
    """Bootstrap counts in blocks of rows; each row sums to n."""
    generator = np.random.default_rng(seed)
    block = max(1, _BLOCK_CELLS // n)
    for start in range(0, n_resamples, block):
        rows = min(block, n_resamples - start)
        picks = generator.integers(0, n, size=(rows, n)) + np.arange(rows)[:, None] * n
        counts = np.bincount(picks.ravel(), minlength=rows * n)
        yield counts.reshape(rows, n).astype(float)


@dataclass(frozen=True)
class _Ranked:
    """Labels and risks sorted once by risk, lowest first, with what every resample needs."""

    labels: NDArray[np.float64]
    risks: NDArray[np.float64]
    logits: NDArray[np.float64]
    starts: NDArray[np.int64]  # first row of each distinct risk
    bin_starts: NDArray[np.int64]
    threshold: float

    @classmethod
    def of(
        cls, labels: NDArray[np.float64], risks: NDArray[np.float64], threshold: float
    ) -> _Ranked:
        order = np.argsort(risks, kind="stable")
        ordered = risks[order]
        return cls(
            labels=labels[order],
            risks=ordered,
            logits=compute_logit(ordered),
            starts=np.append(0, np.flatnonzero(np.diff(ordered)) + 1),
            bin_starts=np.append(0, np.flatnonzero(np.diff(assign_bins(ordered))) + 1),
            threshold=threshold,
        )

    def measure(self, weights: NDArray[np.float64]) -> pd.DataFrame:
        """All measures, one row for each row of weights (counts of each sorted person)."""
        n, positive = weights.sum(axis=1), weights @ self.labels
        slopes, intercepts = fit_recalibration(self.logits, self.labels, weights=weights)
        surprise = np.logaddexp(0, self.logits) - self.labels * self.logits
        found = {
            **self._order(weights),
            "brier": weights @ (self.labels - self.risks) ** 2 / n,
            "log_loss": weights @ surprise / n,
            "calibration_slope": slopes,
            "calibration_intercept": intercepts,
            "observed_to_expected": positive / (weights @ self.risks),
            "calibration_error": self._calibration_error(weights) / n,
            **self._at_threshold(weights, n, positive),
        }
        return pd.DataFrame({metric.name: found[metric.name] for metric in METRICS})

    def _order(self, weights: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        true = np.add.reduceat(weights * self.labels, self.starts, axis=1)
        false = np.add.reduceat(weights * (1 - self.labels), self.starts, axis=1)
        n_true, n_false = true.sum(axis=1), false.sum(axis=1)
        below = np.cumsum(false, axis=1) - false
        with np.errstate(invalid="ignore", divide="ignore"):  # a resample without events
            auc = (true * (below + false / 2)).sum(axis=1) / (n_true * n_false)
            called_true = np.cumsum(true[:, ::-1], axis=1)
            called = called_true + np.cumsum(false[:, ::-1], axis=1)
            precision = np.divide(called_true, called, out=np.zeros_like(called), where=called > 0)
            average = (precision * true[:, ::-1]).sum(axis=1) / n_true
        return {"auc": auc, "average_precision": average}

    def _calibration_error(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        gap = np.add.reduceat(weights * (self.labels - self.risks), self.bin_starts, axis=1)
        return np.asarray(np.abs(gap).sum(axis=1))

    def _at_threshold(
        self, weights: NDArray[np.float64], n: NDArray[np.float64], positive: NDArray[np.float64]
    ) -> dict[str, NDArray[np.float64]]:
        called = weights * (self.risks >= self.threshold)
        true = called @ self.labels
        false = called.sum(axis=1) - true
        odds = self.threshold / max(1e-12, 1 - self.threshold)
        with np.errstate(invalid="ignore", divide="ignore"):
            return {
                "precision": true / (true + false),
                "recall": true / positive,
                "specificity": 1 - false / (n - positive),
                "accuracy": (true + (n - positive) - false) / n,
                "net_benefit": (true - false * odds) / n,
            }
