"""Is a risk of 10 in 100 followed by 10 events in 100? Recalibration and its measures.

The two-parameter recalibration ``logit(p') = intercept + slope * logit(p)`` both measures
calibration (slope 1 and intercept 0 is perfect) and mends it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

#: Probabilities are held this far from 0 and 1 before their logit is taken, so that one
#: over-sure tree does not decide the slope; the same bound serves training and scoring.
PROBABILITY_MARGIN = 1e-6

_ITERATIONS = 25
#: Ridge on the two parameters, against rows that are perfectly separated.
_RIDGE = 1e-9


def compute_logit(probability: ArrayLike) -> NDArray[np.float64]:
    """Log-odds of probabilities, held :data:`PROBABILITY_MARGIN` away from 0 and 1.

    >>> float(compute_logit([0.5])[0])
    0.0
    """
    held = np.clip(np.asarray(probability, float), PROBABILITY_MARGIN, 1 - PROBABILITY_MARGIN)
    return np.asarray(np.log(held / (1 - held)), dtype=float)


def compute_probability(logit: ArrayLike) -> NDArray[np.float64]:
    """Probabilities of log-odds.

    >>> float(compute_probability([0.0])[0])
    0.5
    """
    held = np.clip(np.asarray(logit, dtype=float), -700.0, 700.0)
    return np.asarray(1.0 / (1.0 + np.exp(-held)), dtype=float)


def fit_recalibration(
    logits: NDArray[np.float64],
    labels: NDArray[np.float64],
    *,
    weights: NDArray[np.float64] | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Slope and intercept of the logistic recalibration, for many weightings at once.

    Parameters
    ----------
    logits : array of shape (n,)
        Log-odds as estimated.
    labels : array of shape (n,)
        1 where the event happened, else 0.
    weights : array of shape (b, n), optional
        One row of case weights for each fit, such as bootstrap counts; one fit with equal
        weights where absent.

    Returns
    -------
    slopes, intercepts : arrays of shape (b,)

    Source: Cox DR, Biometrika 1958;45:562-565; Van Calster B et al., J Clin Epidemiol
    2016;74:167-176.
    """
    cases = np.ones((1, len(logits))) if weights is None else np.asarray(weights, dtype=float)
    return fit_grouped_recalibration(logits, cases, cases * labels)


def fit_grouped_recalibration(
    logits: NDArray[np.float64], cases: NDArray[np.float64], events: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Slope and intercept where people of equal log-odds are counted together.

    Parameters
    ----------
    logits : array of shape (k,)
        Log-odds of each group.
    cases, events : arrays of shape (b, k)
        People, and people with the event, in each group; one row for each fit.
    """
    # From the prevalence: begun elsewhere, the steps may run away from the optimum.
    slopes = np.zeros(len(cases))
    intercepts = compute_logit(events.sum(axis=1) / np.maximum(cases.sum(axis=1), 1))
    squared = logits * logits
    for _ in range(_ITERATIONS):
        fitted = compute_probability(slopes[:, None] * logits + intercepts[:, None])
        residual = events - cases * fitted
        spread = cases * fitted * (1 - fitted)
        steps = _newton_steps(
            (residual.sum(axis=1), residual @ logits),
            (spread.sum(axis=1), spread @ logits, spread @ squared),
        )
        intercepts, slopes = intercepts + steps[0], slopes + steps[1]
        if max(np.abs(steps[0]).max(), np.abs(steps[1]).max()) < 1e-10:
            break
    return slopes, intercepts


def fit_in_the_large(
    logits: NDArray[np.float64], cases: NDArray[np.float64], events: NDArray[np.float64]
) -> NDArray[np.float64]:
    """What must be added to everybody's log-odds for the number of events to be right.

    Shapes as in :func:`fit_grouped_recalibration`; the slope is held at 1.
    """
    shifts = np.zeros(len(cases))
    for _ in range(_ITERATIONS):
        fitted = compute_probability(logits + shifts[:, None])
        spread = (cases * fitted * (1 - fitted)).sum(axis=1) + _RIDGE
        step = np.clip((events - cases * fitted).sum(axis=1) / spread, -2, 2)
        shifts += step
        if np.abs(step).max() < 1e-10:
            break
    return shifts


def _newton_steps(
    gradient: tuple[NDArray[np.float64], NDArray[np.float64]],
    hessian: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    h00, h01, h11 = hessian[0] + _RIDGE, hessian[1], hessian[2] + _RIDGE
    determinant = np.maximum(h00 * h11 - h01 * h01, _RIDGE * _RIDGE)
    step_intercept = (h11 * gradient[0] - h01 * gradient[1]) / determinant
    step_slope = (h00 * gradient[1] - h01 * gradient[0]) / determinant
    # A full Newton step may overshoot far from the optimum; five log-odds is ample.
    return np.clip(step_intercept, -5, 5), np.clip(step_slope, -5, 5)


def compute_calibration_curve(
    labels: NDArray[np.float64], risks: NDArray[np.float64], *, n_bins: int = 10
) -> pd.DataFrame:
    """Mean risk and observed share of events in bins of equal numbers of people.

    Returns
    -------
    DataFrame
        ``mean_risk``, ``observed``, ``low``, ``high`` (95 % Wilson interval of
        ``observed``), ``n``, ``n_events``; one row for each bin, lowest risk first.
    """
    bins = assign_bins(risks, n_bins=n_bins)
    table = pd.DataFrame({"bin": bins, "risk": risks, "event": labels}).groupby("bin")
    n, events = table.size().to_numpy(float), table["event"].sum().to_numpy(float)
    low, high = compute_wilson(events, n)
    return pd.DataFrame(
        {
            "mean_risk": table["risk"].mean().to_numpy(),
            "observed": events / n,
            "low": low,
            "high": high,
            "n": n.astype(int),
            "n_events": events.astype(int),
        }
    )


def assign_bins(risks: NDArray[np.float64], *, n_bins: int = 10) -> NDArray[np.int64]:
    """Number of the equal-count bin of each risk; equal risks always share a bin."""
    cuts = np.unique(np.quantile(risks, np.linspace(0, 1, n_bins + 1)[1:-1]))
    found = np.searchsorted(cuts, risks, side="right")
    return np.unique(found, return_inverse=True)[1].astype(np.int64)


def compute_wilson(
    events: ArrayLike, n: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The 95 % Wilson interval of a share.

    Source: Wilson EB, JASA 1927;22:209-212.

    >>> low, high = compute_wilson([5], [100])
    >>> round(float(low[0]), 3), round(float(high[0]), 3)
    (0.022, 0.112)
    """
    z = 1.959963984540054
    count, total = np.asarray(events, dtype=float), np.asarray(n, dtype=float)
    share = count / total
    middle = (share + z * z / (2 * total)) / (1 + z * z / total)
    half = z * np.sqrt(share * (1 - share) / total + z * z / (4 * total**2)) / (1 + z * z / total)
    return middle - half, middle + half
