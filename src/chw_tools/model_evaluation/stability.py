"""Does the list stay the same? Its overlap between days, and between refits of the model.

A list that changes wholly from one week to the next sends a worker to other people for no
reason that she can see; one that never changes ignores what is found.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from chw_tools.model_evaluation.capacity import CAPACITY_SHARE, count_called

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def compute_stability(
    scores: Mapping[str, pd.Series], *, share: float = CAPACITY_SHARE
) -> pd.DataFrame:
    """Overlap of each list with the next one, as on consecutive days.

    Parameters
    ----------
    scores : mapping of str to Series
        In order: what the list is called (a day), and the score of each person by their key.
    share : float
        Share of people on the list.

    Returns
    -------
    DataFrame
        See :func:`compute_overlap`; one row for each pair of neighbours.
    """
    return _rows(pairwise(scores.items()), share)


def compute_refit_stability(
    scores: Mapping[str, pd.Series], *, share: float = CAPACITY_SHARE
) -> pd.DataFrame:
    """Overlap of each later list with the first, as of refits with the model in use.

    Parameters and columns as in :func:`compute_stability`.
    """
    first, *others = scores.items()
    return _rows(((first, other) for other in others), share)


def compute_overlap(
    first: pd.Series, second: pd.Series, *, share: float = CAPACITY_SHARE
) -> dict[str, float]:
    """How far two lists of the people who are in both hold the same.

    Parameters
    ----------
    first, second : Series
        Scores by person; people who are in one of them only are left out.
    share : float
        Share of the people on each list. Equals at the cut are taken in the order of keys.

    Returns
    -------
    dict
        ``n`` people in both, ``n_called`` on each list, ``retained`` (share of the first list
        that is on the second), ``jaccard`` (in both over in either), ``rank_correlation``
        (Spearman), and ``retained_by_chance`` for two lists drawn by lot.

    Examples
    --------
    >>> before = pd.Series([0.9, 0.8, 0.1, 0.2], index=["a", "b", "c", "d"])
    >>> after = pd.Series([0.9, 0.1, 0.2, 0.8], index=["a", "b", "c", "d"])
    >>> compute_overlap(before, after, share=0.5)["retained"]
    0.5
    """
    people = first.index.intersection(second.index).sort_values()
    before, after = first.loc[people], second.loc[people]
    n_called = count_called(len(people), share=share) if len(people) else 0
    lists = [
        set(people[np.argsort(-one.to_numpy(dtype=float), kind="stable")[:n_called]])
        for one in (before, after)
    ]
    both, either = len(lists[0] & lists[1]), len(lists[0] | lists[1])
    order = before.rank().corr(after.rank()) if before.nunique() > 1 < after.nunique() else np.nan
    return {
        "n": len(people),
        "n_called": n_called,
        "retained": both / n_called if n_called else np.nan,
        "jaccard": both / either if either else np.nan,
        "rank_correlation": float(order),
        "retained_by_chance": n_called / len(people) if n_called else np.nan,
    }


def _rows(
    pairs: Iterable[tuple[tuple[str, pd.Series], tuple[str, pd.Series]]], share: float
) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"first": a, "second": b} | compute_overlap(one, other, share=share)
            for (a, one), (b, other) in pairs
        ]
    )
