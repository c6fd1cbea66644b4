"""What a list of a given length finds, and how much of that is the luck of ties.

A rule such as "most overdue" gives many people the same place. Where the list ends among
equals, what it finds depends on who is put first: the best and the worst order are told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from chw_tools.model_evaluation.resampling import find_interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from chw_tools.model_evaluation.resampling import Resampling

#: Share of people a programme can visit first; the threshold of the confusion matrix is the
#: risk above which this share lies. A decision of the programme, stated in every report.
CAPACITY_SHARE = 0.1


def find_capacity_threshold(risks: NDArray[np.float64], *, share: float = CAPACITY_SHARE) -> float:
    """The lowest risk among the given share of people with the highest risks.

    >>> find_capacity_threshold(np.array([0.1, 0.2, 0.3, 0.9]), share=0.25)
    0.9
    """
    return float(np.sort(risks)[-count_called(len(risks), share=share)])


def count_called(n: int, *, share: float = CAPACITY_SHARE) -> int:
    """People on the list.

    >>> count_called(1234)
    123
    """
    return max(1, round(share * n))


def compute_at_capacity(
    labels: NDArray[np.float64],
    scores: NDArray[np.float64],
    resampling: Resampling,
    *,
    share: float = CAPACITY_SHARE,
) -> pd.DataFrame:
    """Precision and recall of the list of the highest scores.

    Parameters
    ----------
    labels : array of shape (n,)
        1 where the event happened, else 0.
    scores : array of shape (n,)
        Anything that orders people, highest first; need not be a probability.
    resampling : Resampling
        For the intervals.
    share : float
        Share of people on the list.

    Returns
    -------
    DataFrame
        Indexed ``precision``, ``recall``: ``value`` with ties in random order, its 95 %
        interval ``low`` and ``high``, ``worst`` and ``best`` over the orders of the tied;
        ``n_called``, and ``n_tied`` people at the cut.
    """
    n_called = count_called(len(scores), share=share)
    cut = np.sort(scores)[-n_called]
    above, tied = scores > cut, scores == cut
    free, n_tied = n_called - int(above.sum()), int(tied.sum())
    sure, maybe = labels[above].sum(), labels[tied].sum()
    bounds = {
        "value": sure + free * maybe / n_tied,
        "worst": sure + max(0.0, free - (n_tied - maybe)),
        "best": sure + min(float(free), maybe),
    }
    rows = {"precision": n_called, "recall": labels.sum()}
    table = pd.DataFrame(
        {name: {row: found / rows[row] for row in rows} for name, found in bounds.items()}
    )
    draws = draw_at_capacity(labels, scores, resampling, share=share)
    low, high = find_interval(draws[["precision", "recall"]])
    return table.assign(
        low=low, high=high, n_called=n_called, n_tied=n_tied if n_tied > free else 0
    )[["value", "low", "high", "worst", "best", "n_called", "n_tied"]]


def draw_at_capacity(
    labels: NDArray[np.float64],
    scores: NDArray[np.float64],
    resampling: Resampling,
    *,
    share: float = CAPACITY_SHARE,
) -> pd.DataFrame:
    """``precision`` and ``recall`` of the list in each bootstrap sample, ties in random order."""
    order = np.argsort(-scores, kind="stable")
    starts = np.append(0, np.flatnonzero(np.diff(scores[order])) + 1)
    exact = count_called(len(scores), share=share) / len(scores)
    parts = []
    for block in resampling.blocks():
        weights = block[:, order]
        people = np.add.reduceat(weights, starts, axis=1)
        events = np.add.reduceat(weights * labels[order], starts, axis=1)
        places = exact * people.sum(axis=1)
        parts.append(_found(people, events, places))
    if not parts:
        return pd.DataFrame({"precision": [np.nan], "recall": [np.nan]})
    return pd.concat(parts, ignore_index=True)


def _found(
    people: NDArray[np.float64], events: NDArray[np.float64], places: NDArray[np.float64]
) -> pd.DataFrame:
    """What lists with that many places find; groups of equals stand highest first."""
    filled, found = np.cumsum(people, axis=1), np.cumsum(events, axis=1)
    at = np.minimum((filled < places[:, None]).sum(axis=1), people.shape[1] - 1)
    row = np.arange(len(people))
    before = filled[row, at] - people[row, at]
    share = (places - before) / np.maximum(people[row, at], 1e-12)
    true = found[row, at] - events[row, at] + share * events[row, at]
    with np.errstate(invalid="ignore", divide="ignore"):
        return pd.DataFrame({"precision": true / places, "recall": true / events.sum(axis=1)})
