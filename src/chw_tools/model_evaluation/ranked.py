"""Labels and risks sorted once, and every measure of them for many weightings at once.

A row of weights says how often each person counts: all ones for the value itself, bootstrap
counts for its interval, survey weights where there are some.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from chw_tools.model_evaluation.calibration import (
    assign_bins,
    compute_logit,
    fit_grouped_recalibration,
    fit_in_the_large,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

#: For the intervals of slope and intercept, people are counted together in so many groups of
#: neighbouring log-odds: at 63,000 people the slope's interval moves by less than 0.0001, and
#: the time falls thirtyfold. The value itself is of every person.
_LOGIT_GROUPS = 2000


@dataclass(frozen=True)
class Ranked:
    """People sorted by risk, lowest first, with what every weighting needs.

    Parameters
    ----------
    order : array of int
        Positions of the sorted people in the arrays that were given.
    labels, risks, logits : arrays of shape (n,)
        Sorted.
    starts : array of int
        First row of each distinct risk.
    bin_starts : array of int
        First row of each of ten bins of equal numbers of people.
    threshold : float
        Risk from which a person is called.
    """

    order: NDArray[np.int64]
    labels: NDArray[np.float64]
    risks: NDArray[np.float64]
    logits: NDArray[np.float64]
    starts: NDArray[np.int64]
    bin_starts: NDArray[np.int64]
    threshold: float

    @classmethod
    def of(
        cls, labels: NDArray[np.float64], risks: NDArray[np.float64], *, threshold: float
    ) -> Ranked:
        """Sort once."""
        order = np.argsort(risks, kind="stable")
        ordered = risks[order]
        return cls(
            order=order,
            labels=labels[order],
            risks=ordered,
            logits=compute_logit(ordered),
            starts=np.append(0, np.flatnonzero(np.diff(ordered)) + 1),
            bin_starts=np.append(0, np.flatnonzero(np.diff(assign_bins(ordered))) + 1),
            threshold=threshold,
        )

    def measure(self, weights: NDArray[np.float64], names: Sequence[str]) -> pd.DataFrame:
        """The named measures, one row for each row of weights (in the order people came in)."""
        sorted_weights = weights[:, self.order]
        found: dict[str, NDArray[np.float64]] = {}
        for part, compute in _PARTS.items():
            if set(part) & set(names):
                found |= compute(self, sorted_weights)
        return pd.DataFrame({name: found[name] for name in names})

    def _order(self, weights: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        true = np.add.reduceat(weights * self.labels, self.starts, axis=1)
        false = np.add.reduceat(weights, self.starts, axis=1) - true
        n_true, n_false = true.sum(axis=1), false.sum(axis=1)
        below = np.cumsum(false, axis=1) - false
        with np.errstate(invalid="ignore", divide="ignore"):  # a resample without events
            auc = (true * (below + false / 2)).sum(axis=1) / (n_true * n_false)
            called_true = np.cumsum(true[:, ::-1], axis=1)
            called = called_true + np.cumsum(false[:, ::-1], axis=1)
            precision = np.divide(called_true, called, out=np.zeros_like(called), where=called > 0)
            average = (precision * true[:, ::-1]).sum(axis=1) / n_true
        return {"auc": auc, "average_precision": average}

    def _errors(self, weights: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        n = weights.sum(axis=1)
        surprise = np.logaddexp(0, self.logits) - self.labels * self.logits
        gap = np.add.reduceat(weights * (self.labels - self.risks), self.bin_starts, axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            return {
                "brier": weights @ (self.labels - self.risks) ** 2 / n,
                "log_loss": weights @ surprise / n,
                "observed_to_expected": (weights @ self.labels) / (weights @ self.risks),
                "calibration_error": np.asarray(np.abs(gap).sum(axis=1)) / n,
            }

    def _recalibration(self, weights: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        logits, cases, events = self.logits, weights, weights * self.labels
        if len(weights) > 1 and len(logits) > _LOGIT_GROUPS:
            starts = np.unique(
                np.linspace(0, len(logits), _LOGIT_GROUPS, endpoint=False, dtype=int)
            )
            sizes = np.diff(np.append(starts, len(logits)))
            logits = np.add.reduceat(logits, starts) / sizes
            cases = np.add.reduceat(cases, starts, axis=1)
            events = np.add.reduceat(events, starts, axis=1)
        slopes, intercepts = fit_grouped_recalibration(logits, cases, events)
        return {
            "calibration_slope": slopes,
            "calibration_intercept": intercepts,
            "calibration_in_the_large": fit_in_the_large(logits, cases, events),
        }

    def _at_threshold(self, weights: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        first = int(np.searchsorted(self.risks, self.threshold, side="left"))
        n, positive = weights.sum(axis=1), weights @ self.labels
        true = weights[:, first:] @ self.labels[first:]
        false = weights[:, first:].sum(axis=1) - true
        odds = self.threshold / max(1e-12, 1 - self.threshold)
        with np.errstate(invalid="ignore", divide="ignore"):
            return {
                "precision": true / (true + false),
                "recall": true / positive,
                "specificity": 1 - false / (n - positive),
                "accuracy": (true + (n - positive) - false) / n,
                "net_benefit": (true - false * odds) / n,
            }


_PARTS: dict[
    tuple[str, ...],
    Callable[[Ranked, NDArray[np.float64]], dict[str, NDArray[np.float64]]],
] = {
    ("auc", "average_precision"): Ranked._order,
    ("brier", "log_loss", "observed_to_expected", "calibration_error"): Ranked._errors,
    (
        "calibration_slope",
        "calibration_intercept",
        "calibration_in_the_large",
    ): Ranked._recalibration,
    ("precision", "recall", "specificity", "accuracy", "net_benefit"): Ranked._at_threshold,
}
