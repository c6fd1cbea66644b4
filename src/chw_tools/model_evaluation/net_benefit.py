"""Is it worth acting on? Net benefit over thresholds, for yes or no, and for time to an event.

Source: Vickers AJ, Elkin EB, Med Decis Making 2006;26:565-574; for time to an event, Vickers
AJ et al., BMC Med Inform Decis Mak 2008;8:53.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from chw_tools.model_evaluation.resampling import find_interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from chw_tools.model_evaluation.resampling import Resampling


def compute_net_benefit(
    labels: NDArray[np.float64],
    risks: NDArray[np.float64],
    *,
    thresholds: NDArray[np.float64],
    prevalence: float | None = None,
) -> pd.DataFrame:
    """Decision curve: net benefit of the model, of calling everybody, and of nobody.

    Parameters
    ----------
    labels, risks : arrays of shape (n,)
        What happened, and the probabilities.
    thresholds : array
        Above 0 and below 1. At 0 itself everybody is called and the conventions differ.
    prevalence : float, optional
        Share of events in the population, where the people were chosen by their outcome
        (cases and controls) and their own share says nothing.

    Returns
    -------
    DataFrame
        ``threshold``, ``model``, ``everybody``, ``nobody``; one row for each threshold.
    """
    order = np.argsort(risks, kind="stable")
    start = np.searchsorted(risks[order], thresholds, side="left")
    events_below = np.append(0.0, np.cumsum(labels[order]))
    events, others = labels.sum(), len(labels) - labels.sum()
    recall = (events - events_below[start]) / events
    false_rate = (len(labels) - start - (events - events_below[start])) / others
    share = events / len(labels) if prevalence is None else prevalence
    return _curve(thresholds, share * recall, (1 - share) * false_rate, share)


def compute_survival_net_benefit(
    times: NDArray[np.float64],
    events: NDArray[np.bool_],
    risks: NDArray[np.float64],
    *,
    thresholds: NDArray[np.float64],
    horizon: float,
) -> pd.DataFrame:
    """The decision curve where some people were lost to follow-up before the horizon.

    Parameters
    ----------
    times : array of shape (n,)
        Time to the event or to the end of follow-up.
    events : array of shape (n,)
        Whether the event ended it.
    risks : array of shape (n,)
        Probabilities of the event by the horizon.
    thresholds, horizon
        Thresholds above 0 and below 1; the horizon in the unit of ``times``.

    Returns
    -------
    DataFrame
        As :func:`compute_net_benefit`. The share with the event among the called is one
        less the Kaplan-Meier estimate at the horizon; missing where all of them were lost
        to follow-up before it.
    """
    everyone = compute_event_share(times, events, horizon=horizon)
    true = np.zeros(len(thresholds))
    false = np.zeros(len(thresholds))
    for i, threshold in enumerate(thresholds):
        called = risks >= threshold
        if called.any():
            share = compute_event_share(times[called], events[called], horizon=horizon)
            true[i], false[i] = share * called.mean(), (1 - share) * called.mean()
    return _curve(thresholds, true, false, everyone)


def compute_event_share(
    times: NDArray[np.float64], events: NDArray[np.bool_], *, horizon: float
) -> float:
    """Share with the event by the horizon (Kaplan-Meier); NaN where nobody is in view by then.

    Source: Kaplan EL, Meier P, JASA 1958;53:457-481.

    >>> compute_event_share(np.array([1.0, 2.0, 3.0]), np.array([True, False, True]), horizon=2.5)
    0.33333333333333337
    """
    order = np.argsort(times, kind="stable")
    ordered, happened = times[order], np.asarray(events, dtype=float)[order]
    days, first = np.unique(ordered, return_index=True)
    died = np.add.reduceat(happened, first)
    at_risk = len(times) - first
    within = days <= horizon
    left = float(np.prod(1 - died[within] / at_risk[within]))
    if ordered[-1] < horizon and left > 0:
        return float("nan")  # nobody was in view at the horizon
    return 1 - left


def draw_net_benefit(
    labels: NDArray[np.float64],
    risks: NDArray[np.float64],
    resampling: Resampling,
    *,
    thresholds: NDArray[np.float64],
) -> pd.DataFrame:
    """The decision curve with ``low`` and ``high`` of the model, and of its gain.

    Returns
    -------
    DataFrame
        As :func:`compute_net_benefit`, and the 95 % interval of the model's net benefit
        (``low``, ``high``) and of what it adds to the better of calling everybody and nobody
        (``gain``, ``gain_low``, ``gain_high``).
    """
    table = compute_net_benefit(labels, risks, thresholds=thresholds)
    order = np.argsort(risks, kind="stable")
    start = np.searchsorted(risks[order], thresholds, side="left")
    odds = thresholds / (1 - thresholds)
    models, gains = [], []
    for block in resampling.blocks():
        weights = block[:, order]
        n, events = weights.sum(axis=1)[:, None], (weights @ labels[order])[:, None]
        true = _from(weights * labels[order], start)
        model = (true - (_from(weights, start) - true) * odds) / n
        everybody = (events - (n - events) * odds) / n
        models.append(model)
        gains.append(model - np.maximum(everybody, 0))
    low, high = find_interval(np.concatenate(models))
    gain_low, gain_high = find_interval(np.concatenate(gains))
    gain = table["model"] - table["everybody"].clip(lower=0)
    return table.assign(low=low, high=high, gain=gain, gain_low=gain_low, gain_high=gain_high)


def _from(weights: NDArray[np.float64], start: NDArray[np.int64]) -> NDArray[np.float64]:
    """Sum of the weights from each start to the end."""
    below = np.concatenate([np.zeros((len(weights), 1)), np.cumsum(weights, axis=1)], axis=1)
    return np.asarray(below[:, -1:] - below[:, start])


def _curve(
    thresholds: NDArray[np.float64],
    true: NDArray[np.float64],
    false: NDArray[np.float64],
    share: float,
) -> pd.DataFrame:
    odds = thresholds / (1 - thresholds)
    return pd.DataFrame(
        {
            "threshold": thresholds,
            "model": true - false * odds,
            "everybody": share - (1 - share) * odds,
            "nobody": 0.0,
        }
    )
