"""Homes exchanged between two workers: one for one, or one for none, while that costs less.

Nobody counts as a worker too, with room for all, so that a home without a worker may take the
place of another. All exchanges of two workers are valued at once.

Source: the swap of the generalised assignment problem (Martello and Toth, Knapsack Problems,
1990, chapter 7); the order of the search is of this project.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from chw_tools.resource_allocation.caseloads.problem import CaseloadProblem, Counts

_NEVER = np.iinfo(np.int64).max // 4


def exchange_homes(
    problem: CaseloadProblem, worker: Counts, *, iterations: int, until: float = np.inf
) -> Counts:
    """The worker of each home after exchanges, each of which makes the plan cheaper.

    Parameters
    ----------
    worker : ndarray of int, shape (n_homes,)
        A plan that keeps every capacity; -1 where a home has no worker.
    iterations : int
        Most exchanges.
    until : float
        Moment of the monotonic clock after which no further worker is looked at.
    """
    search = _Search(problem, worker)
    changed = set(range(problem.n_workers + 1))
    while changed and iterations > 0:
        before, changed = changed, set()
        for one in range(problem.n_workers + 1):
            if time.monotonic() > until:
                return search.plan()
            for other in search.neighbours(one):
                is_new = bool({one, other} & before or {one, other} & changed)
                if iterations > 0 and is_new and search.exchange(one, other):
                    changed |= {one, other}
                    iterations -= 1
    return search.plan()


class _Leaving(NamedTuple):
    """Homes of one worker that another could take, nothing first: what changes if one goes."""

    home: Counts
    load: Counts
    change: Counts


_NOTHING = np.zeros(1, dtype=np.int64)
_NONE_LEAVE = _Leaving(np.array([-1]), _NOTHING, _NOTHING)


class _Search:
    """A plan under change, with what each worker's homes would cost with the others."""

    def __init__(self, problem: CaseloadProblem, worker: Counts) -> None:
        n, nobody = problem.n_homes, problem.n_workers
        self.load = problem.load
        home = np.concatenate([problem.home, np.arange(n)])
        order = np.argsort(home, kind="stable")
        self.start = np.searchsorted(home[order], np.arange(n + 1))
        self.other = np.concatenate([problem.worker, np.full(n, nobody)])[order]
        self.cost = np.concatenate([problem.cost, problem.unserved])[order]
        self.cost = self.cost * problem.load[home[order]]
        # Nobody has no band and no limit.
        self.low = np.append(problem.low, 0)
        self.high = np.append(problem.high, _NEVER)
        self.capacity = np.append(problem.capacity, _NEVER)
        self.outside = problem.outside
        self.worker = np.where(worker >= 0, worker, nobody)
        carried = np.bincount(self.worker, self.load, nobody + 1)
        self.carried = carried.astype(np.int64)
        self.known: dict[int, dict[int, _Leaving]] = {}

    def plan(self) -> Counts:
        """The worker of each home, -1 for nobody."""
        nobody = len(self.capacity) - 1
        return np.where(self.worker < nobody, self.worker, -1)

    def neighbours(self, one: int) -> list[int]:
        """Those who could take a home of this worker; where each could take one, only once."""
        others = sorted(self._leaving(one))
        return [who for who in others if who > one or one not in self._leaving(who)]

    def _leaving(self, one: int) -> dict[int, _Leaving]:
        """By worker: this one's homes that the other could take."""
        if one not in self.known:
            self.known[one] = self._sorted_out(np.flatnonzero(self.worker == one), one)
        return self.known[one]

    def _sorted_out(self, homes: Counts, one: int) -> dict[int, _Leaving]:
        if not len(homes):
            return {}
        size = self.start[homes + 1] - self.start[homes]
        home = np.repeat(homes, size)
        within = np.arange(len(home)) - np.repeat(np.cumsum(size) - size, size)
        at = self.start[home] + within
        other, cost = self.other[at], self.cost[at]
        is_here = other == one
        now = np.zeros(len(self.load), dtype=np.int64)
        now[home[is_here]] = cost[is_here]
        order = np.argsort(other, kind="stable")
        home, change, other = home[order], (cost - now[home])[order], other[order]
        names, first = np.unique(other, return_index=True)
        parts = (np.split(values, first[1:]) for values in (home, change))
        return {
            name: _Leaving(np.append(-1, those), np.append(0, self.load[those]), np.append(0, what))
            for name, those, what in zip(names.tolist(), *parts, strict=True)
            if name != one
        }

    def exchange(self, one: int, other: int) -> bool:
        """Do the exchange of these two that saves most; False where none saves."""
        gives = self._leaving(one).get(other, _NONE_LEAVE)
        takes = self._leaving(other).get(one, _NONE_LEAVE)
        more = takes.load[None, :] - gives.load[:, None]
        change = gives.change[:, None] + takes.change[None, :]
        change = change + self._band(one, more) + self._band(other, -more)
        fits = (self.carried[one] + more <= self.capacity[one]) & (
            self.carried[other] - more <= self.capacity[other]
        )
        best = int(np.where(fits, change, _NEVER).argmin())
        at, to = divmod(best, len(takes.home))
        if not fits[at, to] or change[at, to] >= 0:
            return False
        self._move(int(gives.home[at]), one, other)
        self._move(int(takes.home[to]), other, one)
        del self.known[one], self.known[other]
        return True

    def _band(self, one: int, more: Counts) -> Counts:
        """By how much the cost of leaving the band changes with so many minutes more."""
        before, low, high = self.carried[one], self.low[one], self.high[one]
        after = before + more
        was = max(before - high, 0) + max(low - before, 0)
        return np.asarray(
            self.outside * (np.maximum(after - high, 0) + np.maximum(low - after, 0) - was)
        )

    def _move(self, home: int, leaves: int, enters: int) -> None:
        if home < 0:
            return
        self.worker[home] = enters
        self.carried[leaves] -= self.load[home]
        self.carried[enters] += self.load[home]
