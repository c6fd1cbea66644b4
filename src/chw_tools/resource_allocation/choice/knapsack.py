"""The best use of one worker's minutes: exact, with whole minutes; and what nobody can exceed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]
    Minutes = NDArray[np.int64]

#: Visits times minutes up to which a worker's choice is exact; beyond, greedy by worth.
_EXACT_SIZE = 4_000_000


def by_worth(value: Numbers, minutes: Numbers | Minutes) -> NDArray[np.intp]:
    """Positions in falling value per minute; of equals the first."""
    return np.argsort(-value / np.maximum(minutes, 1e-9), kind="stable")


def best_fit(value: Numbers, minutes: Minutes, capacity: int) -> NDArray[np.bool_]:
    """Which visits give the most value within the minutes.

    Exact by dynamic programming, or where all take as long; greedy where the table would
    be too large. What is worth nothing is not chosen.
    """
    chosen = np.zeros(len(value), dtype=bool)
    order = by_worth(value, minutes)
    order = order[(value[order] > 0) & (minutes[order] <= capacity)]
    if not len(order):
        return chosen
    if minutes[order].sum() <= capacity:
        chosen[order] = True
    elif (minutes[order] == minutes[order[0]]).all():
        chosen[order[: capacity // max(int(minutes[order[0]]), 1)]] = True
    else:
        chosen[order[_by_core(value[order], minutes[order], capacity)]] = True
    return chosen


def _greedy(minutes: Minutes, capacity: int) -> NDArray[np.bool_]:
    taken = np.zeros(len(minutes), dtype=bool)
    left = capacity
    for at, cost in enumerate(minutes.tolist()):
        if cost <= left:
            taken[at], left = True, left - cost
    return taken


def _by_core(value: Numbers, minutes: Minutes, capacity: int) -> NDArray[np.bool_]:
    """Settle what a bound settles, and the few in doubt by table; in falling worth.

    With the worth of the first visit that no longer fits as the price of a minute, a visit
    that costs the bound more than the greedy choice falls short of it is in, or out, in
    every best choice (Martello & Toth, Knapsack problems, 1990, section 2.2.3).
    """
    greedy = _greedy(minutes, capacity)
    reached = float(value[greedy].sum())
    fits = np.cumsum(minutes) <= capacity
    first_out = int(np.argmin(fits))
    price = value[first_out] / minutes[first_out]
    spare = capacity - int(minutes[fits].sum())
    most = float(value[fits].sum()) + price * spare
    regret = value - price * minutes
    in_doubt = np.abs(regret) <= most - reached + 1e-12
    taken = fits & ~in_doubt
    left = capacity - int(minutes[taken].sum())
    if in_doubt.sum() * left > _EXACT_SIZE:
        return greedy
    taken[in_doubt] = _by_table(value[in_doubt], minutes[in_doubt], left)
    return taken if value[taken].sum() >= reached else greedy


def _by_table(value: Numbers, minutes: Minutes, capacity: int) -> NDArray[np.bool_]:
    best = np.zeros(capacity + 1)
    improves = np.zeros((len(value), capacity + 1), dtype=bool)
    for at, (worth, cost) in enumerate(zip(value.tolist(), minutes.tolist(), strict=True)):
        if cost > capacity:
            continue
        with_it = best[: capacity + 1 - cost] + worth
        improves[at, cost:] = with_it > best[cost:]
        best[cost:] = np.maximum(best[cost:], with_it)
    taken = np.zeros(len(value), dtype=bool)
    left = capacity
    for at in range(len(value) - 1, -1, -1):
        if improves[at, left]:
            taken[at] = True
            left -= int(minutes[at])
    return taken


def most_value(value: Numbers, minutes: Numbers | Minutes, capacity: float) -> float:
    """What no choice can exceed: the last visit may be taken in part.

    Source: Dantzig, Operations Research 1957;5:266.
    """
    order = by_worth(value, minutes)
    order = order[(value[order] > 0) & (minutes[order] <= capacity)]
    cost = minutes[order].astype(np.float64)
    before = np.cumsum(cost) - cost
    share = np.clip((capacity - before) / np.maximum(cost, 1e-9), 0.0, 1.0)
    return float((value[order] * share).sum())
