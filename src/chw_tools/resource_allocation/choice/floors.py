"""Floors by Lagrange: what a visit of a group must count for more, and the bound that gives."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from chw_tools.resource_allocation.choice.knapsack import most_value

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from chw_tools.resource_allocation.choice.problem import Floor

    Numbers = NDArray[np.float64]

#: Rounds over the floors and halvings for each, in the search for their weights.
_ROUNDS = 3
_HALVINGS = 14


def added_value(rows: pd.DataFrame, weights: dict[Floor, float]) -> Numbers:
    """What each counts for more because of the floors of its groups."""
    added = np.zeros(len(rows))
    for floor, weight in weights.items():
        added += weight * (rows[floor.group] == floor.name).to_numpy()
    return added


def floor_weights(
    rows: pd.DataFrame,
    left: pd.Series,
    short: dict[Floor, int],
    deadline: float,
    iterations: int,
) -> dict[Floor, float]:
    """What a visit of each group must count for more, so that its floor is met (Lagrange)."""
    weights = {floor: 0.0 for floor, wanted in short.items() if wanted}
    if not weights or not len(rows):
        return weights
    most = float(rows["value"].max()) * 4.0 + 1e-9
    rounds = min(_ROUNDS, iterations)
    pick = _GreedyPick.of(rows, left)
    for _ in range(rounds):
        before = dict(weights)
        for floor in weights:
            if time.perf_counter() > deadline:
                return weights
            is_in = (rows[floor.group] == floor.name).to_numpy()
            others = rows["value"].to_numpy() + added_value(
                rows, {f: w for f, w in weights.items() if f != floor}
            )
            weights[floor] = _least_weight(pick, others, is_in, short[floor], most)
        if max(abs(weights[f] - before[f]) for f in weights) < 1e-9 * most:
            break
    return weights


def _least_weight(
    pick: _GreedyPick, value: Numbers, is_in: NDArray[np.bool_], wanted: int, most: float
) -> float:
    if int(is_in[pick(value)].sum()) >= wanted:
        return 0.0
    low, high = 0.0, most
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        if int(is_in[pick(value + middle * is_in)].sum()) >= wanted:
            high = middle
        else:
            low = middle
    return high


@dataclass(frozen=True)
class _GreedyPick:
    """Whom each worker would pick by value per minute until the minutes are out."""

    worker: NDArray[np.intp]
    minutes: NDArray[np.int64]
    room: NDArray[np.int64]

    @classmethod
    def of(cls, rows: pd.DataFrame, left: pd.Series) -> _GreedyPick:
        worker = left.index.get_indexer(pd.Index(rows["worker_id"]))
        return cls(worker, rows["minutes"].to_numpy(), left.clip(lower=0).to_numpy())

    def __call__(self, value: Numbers) -> NDArray[np.intp]:
        order = np.lexsort((-value / self.minutes, self.worker))
        cost = self.minutes[order].astype(np.float64)
        total = np.cumsum(cost)
        starts = np.flatnonzero(np.diff(self.worker[order], prepend=-1))
        sizes = np.diff(np.append(starts, len(order)))
        used = total - np.repeat(total[starts] - cost[starts], sizes)
        return np.asarray(order[used <= self.room[self.worker[order]]])


def regret_of(rows: pd.DataFrame, raised: Numbers, left: pd.Series) -> Numbers:
    """Value beyond what each worker's minutes would bring elsewhere."""
    pick = _GreedyPick.of(rows, left)
    taken = np.zeros(len(rows), dtype=bool)
    taken[pick(raised)] = True
    worth = np.where(taken, 0.0, raised / pick.minutes)
    price = np.zeros(len(left))
    np.maximum.at(price, pick.worker, worth)
    return np.asarray(rows["value"].to_numpy() - price[pick.worker] * pick.minutes)


def bound_of(
    rows: pd.DataFrame,
    raised: Numbers,
    left: pd.Series,
    weights: dict[Floor, float],
    short: dict[Floor, int],
) -> float:
    """Upper bound for any weights not below zero (weak duality), workers apart."""
    total = -sum(weight * short[floor] for floor, weight in weights.items())
    for worker, at in rows.groupby("worker_id", sort=True).indices.items():
        minutes = rows["minutes"].to_numpy()[at]
        total += most_value(raised[at], minutes, max(int(left[worker]), 0))
    return float(total)
