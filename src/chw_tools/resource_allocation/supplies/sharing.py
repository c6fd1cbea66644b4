"""Scarce stock shared out: the worst filled place first, then the next, in whole packs.

Source: lexicographic max-min by linear programmes, Luss, Operations Research 1999;47:361.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]
    Counts = NDArray[np.int64]

_TOLERANCE = 1e-9


class Shared(NamedTuple):
    """Whole packs from each depot to each place, and how full each place is.

    Parameters
    ----------
    sent : ndarray of int, shape (n_depots, n_places)
        Packs.
    fill : ndarray, shape (n_places,)
        Share of the need that is met; 1 where nothing is needed.
    best_worst : float
        The smallest fill, over its weight, that any sharing of divisible packs can have: the
        bound of the smallest.
    """

    sent: Counts
    fill: Numbers
    best_worst: float


def share_scarce(
    need: Numbers, there: Numbers, *, reaches: NDArray[np.bool_], weight: Numbers | None = None
) -> Shared:
    """Packs shared so that the smallest fill is as large as can be, then the next smallest.

    Parameters
    ----------
    need : ndarray, shape (n_places,)
        Packs each place needs.
    there : ndarray, shape (n_depots,)
        Packs in each depot.
    reaches : ndarray of bool, shape (n_depots, n_places)
        Which depot can send where.
    weight : ndarray, shape (n_places,), optional
        How urgent each place's need is: with weight 2 it is filled to twice the share.
    """
    n_depots, n_places = reaches.shape
    weight = np.ones(n_places) if weight is None else np.asarray(weight, dtype=np.float64)
    wants = need > 0
    sent = np.zeros((n_depots, n_places))
    first = 1.0
    if wants.any() and n_depots:
        sent, first = _max_min(need, there, reaches, weight, wants)
    whole = _whole_packs(sent, need, there, reaches)
    fill = np.where(wants, whole.sum(axis=0) / np.where(wants, need, 1.0), 1.0)
    return Shared(whole, np.minimum(fill, 1.0), first if n_depots else float(not wants.any()))


def _max_min(
    need: Numbers,
    there: Numbers,
    reaches: NDArray[np.bool_],
    weight: Numbers,
    wants: NDArray[np.bool_],
) -> tuple[Numbers, float]:
    """Level after level: raise all open places together until some can rise no more."""
    from scipy.optimize import linprog

    depot, place = np.nonzero(reaches & wants[None, :])
    n_arcs, n_places = len(depot), len(need)
    stock = np.zeros((len(there), n_arcs + 1))
    stock[depot, np.arange(n_arcs)] = 1.0
    into = np.zeros((n_places, n_arcs + 1))
    into[place, np.arange(n_arcs)] = 1.0
    level = np.where(wants, 0.0, 1.0)
    is_open = wants.copy()
    first, shares = None, np.zeros(n_arcs)
    while is_open.any():
        # The common level rises to where the first open place is full, at most.
        rise = np.where(is_open, need * weight, 0.0)
        top = float((1.0 / weight[is_open]).min())
        rows = -into.copy()
        rows[:, -1] = rise
        floor = np.where(is_open, 0.0, -need * level)
        cost = np.zeros(n_arcs + 1)
        cost[-1] = -1.0
        answer = linprog(
            cost,
            A_ub=np.vstack([stock, rows[wants], into[wants]]),
            b_ub=np.concatenate([there, floor[wants] + 1e-9 * need[wants], need[wants]]),
            bounds=[(0, None)] * n_arcs + [(0, top)],
            method="highs",
        )
        if answer.x is None:
            break
        reached, shares = float(answer.x[-1]), answer.x[:n_arcs]
        first = reached if first is None else first
        tight = np.zeros(n_places, dtype=bool)
        marginals = answer.ineqlin.marginals[len(there) : len(there) + int(wants.sum())]
        tight[wants] = np.abs(marginals) > _TOLERANCE
        full = reached * weight >= 1.0 - 1e-7
        fixed = is_open & (tight | full)
        fixed = fixed if fixed.any() else is_open
        level[fixed] = np.minimum(reached * weight[fixed], 1.0)
        is_open &= ~fixed
    sent = np.zeros(reaches.shape)
    sent[depot, place] = shares
    return sent, float(first or 0.0)


def _whole_packs(
    sent: Numbers, need: Numbers, there: Numbers, reaches: NDArray[np.bool_]
) -> Counts:
    """Largest remainders up, while a depot has packs and a place still needs one."""
    whole = np.floor(sent + 1e-7)
    wanted = np.ceil(need - 1e-7)
    for depot in range(len(there)):
        left = int(np.floor(there[depot] + 1e-7) - whole[depot].sum())
        remainder = sent[depot] - whole[depot]
        order = np.lexsort((np.arange(len(need)), -remainder))
        for place in order.tolist():
            if left <= 0:
                break
            if reaches[depot, place] and whole[:, place].sum() < wanted[place]:
                whole[depot, place] += 1
                left -= 1
    return whole.astype(np.int64)
