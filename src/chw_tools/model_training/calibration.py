"""Calibration of a fitted model on rows that it has not seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from chw_tools.model_evaluation.calibration import compute_probability, fit_recalibration

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Calibration:
    """``risk = sigmoid(intercept + slope * log-odds of the model)``."""

    slope: float = 1.0
    intercept: float = 0.0

    def apply(self, logits: NDArray[np.float64]) -> NDArray[np.float64]:
        """Calibrated probabilities of the model's log-odds."""
        return compute_probability(self.intercept + self.slope * logits)


def fit_calibration(logits: NDArray[np.float64], labels: NDArray[np.float64]) -> Calibration:
    """The calibration that fits untouched rows best.

    A model whose order is reversed on untouched rows has learnt nothing: its slope is held
    at 0, and everybody gets the prevalence.

    Parameters
    ----------
    logits : array of shape (n,)
        Log-odds that the model gives to rows it was not fitted on.
    labels : array of shape (n,)
        1 where the event happened, else 0.
    """
    slopes, intercepts = fit_recalibration(logits, labels)
    if slopes[0] <= 0:
        share = labels.mean()
        return Calibration(0.0, float(np.log(share / (1 - share))))
    return Calibration(float(slopes[0]), float(intercepts[0]))
