"""How much miscalibration chance alone would show, and the calibration curve without bins."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from chw_tools.model_evaluation.calibration import (
    assign_bins,
    compute_logit,
    compute_probability,
)
from chw_tools.model_evaluation.resampling import find_interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from chw_tools.model_evaluation.resampling import Resampling

#: Simulated sets of outcomes for a perfectly calibrated model.
N_SIMULATED = 1000
#: Above so many people the sum of a bin is drawn from its normal limit: a bin then holds 2,000
#: people and more, and drawing each of them a thousand times takes minutes for the same answer.
_MOST_DRAWN_ONE_BY_ONE = 20_000
#: People counted together for the smooth curve, and the places of its knots: those that
#: Harrell gives for four knots (Regression Modeling Strategies, 2nd ed., table 2.3).
_SMOOTH_GROUPS = 1000
_KNOTS = (0.05, 0.35, 0.65, 0.95)
_SMOOTH_STEPS = 30
#: Ridge on the curve's coefficients, so that a resample with few events has one too.
_SMOOTH_RIDGE = 1e-3


class ChanceOfError(NamedTuple):
    """The calibration error that a perfectly calibrated model would show by chance.

    Parameters
    ----------
    mean, p95 : float
        Mean and 95th percentile over simulated outcomes.
    share_as_large : float
        Share of them whose error is at least the observed one: small means that chance is
        no explanation.
    bands : DataFrame
        For each bin: ``mean_risk``, ``low``, ``high``, where its observed share would lie 95 %
        of the time.
    """

    mean: float
    p95: float
    share_as_large: float
    bands: pd.DataFrame


def compute_chance_of_error(
    labels: NDArray[np.float64],
    risks: NDArray[np.float64],
    *,
    seed: int,
    n_simulated: int = N_SIMULATED,
    n_bins: int = 10,
) -> ChanceOfError:
    """Compare the calibration error with what chance does to a perfect model of as many people.

    Outcomes are drawn from the risks themselves, so that the risks are right by construction,
    and the error is computed in the same bins.
    """
    order = np.argsort(risks, kind="stable")
    ordered = risks[order]
    starts = np.append(0, np.flatnonzero(np.diff(assign_bins(ordered, n_bins=n_bins))) + 1)
    sizes = np.diff(np.append(starts, len(ordered)))
    gaps = _draw_gaps(ordered, starts, seed=seed, n_simulated=n_simulated)
    errors = np.abs(gaps).sum(axis=1) / len(ordered)
    found = np.add.reduceat(labels[order] - ordered, starts)
    means = np.add.reduceat(ordered, starts) / sizes
    low, high = find_interval(gaps / sizes)
    return ChanceOfError(
        mean=float(errors.mean()),
        p95=float(np.quantile(errors, 0.95)),
        # The tolerance is for sums taken in another order.
        share_as_large=float((errors >= np.abs(found).sum() / len(ordered) - 1e-12).mean()),
        bands=pd.DataFrame({"mean_risk": means, "low": means + low, "high": means + high}),
    )


def _draw_gaps(
    risks: NDArray[np.float64], starts: NDArray[np.int64], *, seed: int, n_simulated: int
) -> NDArray[np.float64]:
    """Events less expected events of each bin, one row for each simulated set of outcomes."""
    generator = np.random.default_rng(seed)
    if len(risks) > _MOST_DRAWN_ONE_BY_ONE:
        spread = np.sqrt(np.add.reduceat(risks * (1 - risks), starts))
        return np.asarray(generator.normal(0, spread, (n_simulated, len(starts))))
    rows = max(1, 4_000_000 // len(risks))
    parts = []
    for start in range(0, n_simulated, rows):
        drawn = generator.random((min(rows, n_simulated - start), len(risks))) < risks
        parts.append(np.add.reduceat(drawn - risks, starts, axis=1))
    return np.concatenate(parts)


def compute_smooth_calibration(
    labels: NDArray[np.float64],
    risks: NDArray[np.float64],
    resampling: Resampling,
    *,
    n_points: int = 60,
) -> pd.DataFrame:
    """The share with the event as a smooth function of the risk, with a 95 % band.

    A logistic regression on a restricted cubic spline (four knots) of the log-odds. Where the
    risks take fewer than four values, the curve is a straight line on the log-odds.

    Returns
    -------
    DataFrame
        ``risk``, ``observed``, ``low``, ``high``, from the 1st to the 99th percentile of the
        risks: beyond, hardly anybody bends the curve.

    Source: Harrell FE, Regression Modeling Strategies, 2nd ed., 2015, section 2.4.5; Van
    Calster B et al., J Clin Epidemiol 2016;74:167-176.
    """
    order = np.argsort(risks, kind="stable")
    logits = compute_logit(risks[order])
    starts = np.unique(
        np.linspace(0, len(logits), min(_SMOOTH_GROUPS, len(logits)), endpoint=False, dtype=int)
    )
    means = np.add.reduceat(logits, starts) / np.diff(np.append(starts, len(logits)))
    knots = np.unique(np.quantile(logits, _KNOTS))
    design = _spline(means, knots)
    low, high = compute_probability(np.quantile(logits, [0.01, 0.99]))
    at = compute_logit(np.linspace(float(low), float(high), n_points))
    drawn = [np.ones((1, len(labels))), *resampling.blocks()]
    curves = []
    for block in drawn:
        weights = block[:, order]
        cases = np.add.reduceat(weights, starts, axis=1)
        events = np.add.reduceat(weights * labels[order], starts, axis=1)
        coefficients = _fit_logistic(design, cases, events)
        curves.append(compute_probability(coefficients @ _spline(at, knots).T))
    bands = find_interval(np.concatenate(curves[1:])) if curves[1:] else (np.nan, np.nan)
    return pd.DataFrame(
        {
            "risk": compute_probability(at),
            "observed": curves[0][0],
            "low": bands[0],
            "high": bands[1],
        }
    )


def _spline(x: NDArray[np.float64], knots: NDArray[np.float64]) -> NDArray[np.float64]:
    """Columns of a restricted cubic spline: 1, x, and two bends that are straight outside."""
    columns = [np.ones_like(x), x]
    if len(knots) == len(_KNOTS):
        last, before = knots[-1], knots[-2]
        scale = (last - knots[0]) ** 2

        def cubed(knot: float) -> NDArray[np.float64]:
            return np.asarray(np.maximum(x - knot, 0) ** 3)

        for knot in knots[:-2]:
            bend = (
                cubed(knot)
                - cubed(before) * (last - knot) / (last - before)
                + cubed(last) * (before - knot) / (last - before)
            )
            columns.append(bend / scale)
    return np.stack(columns, axis=1)


def _fit_logistic(
    design: NDArray[np.float64], cases: NDArray[np.float64], events: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Coefficients of a logistic regression on grouped rows, one row for each row of cases."""
    found = np.zeros((len(cases), design.shape[1]))
    found[:, 0] = compute_logit(events.sum(axis=1) / cases.sum(axis=1))
    products = (design[:, :, None] * design[:, None, :]).reshape(len(design), -1)
    ridge = _SMOOTH_RIDGE * np.eye(design.shape[1])
    for _ in range(_SMOOTH_STEPS):
        fitted = compute_probability(found @ design.T)
        gradient = (events - cases * fitted) @ design - _SMOOTH_RIDGE * found
        curvature = ((cases * fitted * (1 - fitted)) @ products).reshape(-1, *ridge.shape) + ridge
        step = np.linalg.solve(curvature, gradient[:, :, None])[:, :, 0]
        # A bend is a steep direction: no step may move anybody's log-odds by more than two.
        reach = np.abs(step @ design.T).max(axis=1)
        step *= np.minimum(1.0, 2.0 / np.maximum(reach, 1e-12))[:, None]
        found += step
        if reach.max() < 1e-8:
            break
    return found
