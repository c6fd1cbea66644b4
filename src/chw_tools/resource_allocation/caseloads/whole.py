"""Homes made whole again: from parts to one worker each, within capacity, then bettered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from chw_tools.resource_allocation.caseloads.problem import CaseloadProblem, Counts


def make_whole(problem: CaseloadProblem, minutes: Counts, *, iterations: int) -> Counts:
    """The worker of each home, from the minutes that a flow gives over each pair.

    Who has the largest part keeps the home; homes that are then too many for a worker move to
    the cheapest other with room, and single homes move while that costs less.

    Parameters
    ----------
    minutes : ndarray of int, shape (n_pairs,)
        All zero to begin from nothing.
    iterations : int
        Most moves of single homes.
    """
    state = _State(problem)
    order = np.lexsort((problem.cost, -minutes, problem.home))
    _, first = np.unique(problem.home[order], return_index=True)
    at = order[first]
    at = at[minutes[at] > 0]
    # Undivided homes first: they fit by what the flow found; then the larger.
    divided = minutes[at] < problem.load[problem.home[at]]
    at = at[np.lexsort((-problem.load[problem.home[at]], divided))]
    for pair in at.tolist():
        home, worker = int(problem.home[pair]), int(problem.worker[pair])
        if state.fits(home, worker):
            state.move(home, worker)
    _place(state, _by_need(problem, state.worker))
    _better(state, iterations)
    return np.array(state.worker, dtype=np.int64)


class _State:
    """An assignment under change: plain lists, since single homes move."""

    start: list[int]
    other: list[int]
    cost: list[int]
    load: list[int]
    unserved: list[int]
    capacity: list[int]
    low: list[int]
    high: list[int]
    worker: list[int]

    def __init__(self, problem: CaseloadProblem) -> None:
        order = np.lexsort((problem.cost, problem.home))
        self.start = np.searchsorted(problem.home[order], np.arange(problem.n_homes + 1)).tolist()
        self.other = problem.worker[order].tolist()
        self.cost = problem.cost[order].tolist()
        self.load = problem.load.tolist()
        self.unserved = problem.unserved.tolist()
        self.capacity = problem.capacity.tolist()
        self.low, self.high = problem.low.tolist(), problem.high.tolist()
        self.outside = problem.outside
        self.worker = [-1] * problem.n_homes
        self.carried = [0] * problem.n_workers
        self.homes: list[set[int]] = [set() for _ in range(problem.n_workers)]

    def pairs(self, home: int) -> range:
        """The home's pairs, cheapest first."""
        return range(self.start[home], self.start[home + 1])

    def fits(self, home: int, worker: int) -> bool:
        """Whether the worker has room for the home."""
        return self.carried[worker] + self.load[home] <= self.capacity[worker]

    def move(self, home: int, worker: int) -> None:
        """Give the home to the worker; -1 is nobody."""
        if self.worker[home] >= 0:
            self.carried[self.worker[home]] -= self.load[home]
            self.homes[self.worker[home]].discard(home)
        self.worker[home] = worker
        if worker >= 0:
            self.carried[worker] += self.load[home]
            self.homes[worker].add(home)

    def now(self, home: int) -> int:
        """What the home costs where it is, the band of its worker not counted."""
        worker = self.worker[home]
        if worker < 0:
            return self.load[home] * self.unserved[home]
        for pair in self.pairs(home):
            if self.other[pair] == worker:
                return self.load[home] * self.cost[pair]
        raise ValueError("a home has a worker with whom it makes no pair")

    def band(self, worker: int, more: int) -> int:
        """By how much the cost of leaving the band changes with so many minutes more."""
        if worker < 0:
            return 0
        before, after = self.carried[worker], self.carried[worker] + more
        low, high = self.low[worker], self.high[worker]
        out_before = max(before - high, 0) + max(low - before, 0)
        out_after = max(after - high, 0) + max(low - after, 0)
        return self.outside * (out_after - out_before)


def _by_need(problem: CaseloadProblem, worker: list[int]) -> list[int]:
    """Homes without a worker, those whose lack costs most first, small ones before large."""
    homes = np.flatnonzero(np.array(worker, dtype=np.int64) < 0)
    order = np.lexsort((problem.load[homes], -problem.unserved[homes]))
    return [int(home) for home in homes[order]]


def _place(state: _State, homes: list[int]) -> None:
    """Each home to the cheapest worker with room, or where another home can make room."""
    for home in homes:
        found = next((p for p in state.pairs(home) if state.fits(home, state.other[p])), None)
        if found is not None:
            state.move(home, state.other[found])
            continue
        exchange = _room_for(state, home)
        if exchange is not None:
            leaves, to, worker = exchange
            state.move(leaves, to)
            state.move(home, worker)


def _room_for(state: _State, home: int) -> tuple[int, int, int] | None:
    """The cheapest way to make room: a home that leaves, where to, and whom it makes room at."""
    best, found = state.now(home), None
    for pair in state.pairs(home):
        worker = state.other[pair]
        lacks = state.carried[worker] + state.load[home] - state.capacity[worker]
        costs = state.load[home] * state.cost[pair]
        for leaves in sorted(state.homes[worker]):
            if state.load[leaves] < lacks:
                continue
            before = state.now(leaves)
            for other in state.pairs(leaves):
                to = state.other[other]
                change = costs + state.load[leaves] * state.cost[other] - before
                if to != worker and change < best and state.fits(leaves, to):
                    best, found = change, (leaves, to, worker)
    return found


def _better(state: _State, iterations: int) -> None:
    """Move single homes to where they cost less, again and again, until none does."""
    left = iterations
    is_moving = True
    while is_moving and left > 0:
        is_moving = False
        for home in range(len(state.worker)):
            to = _cheaper(state, home)
            if to is not None:
                state.move(home, to)
                is_moving = True
                left -= 1
                if left <= 0:
                    return


def _cheaper(state: _State, home: int) -> int | None:
    """The worker with room where the home saves most, or none that saves."""
    here, load = state.worker[home], state.load[home]
    leaving = state.band(here, -load) - state.now(home)
    best, to = 0, None
    for pair in state.pairs(home):
        worker = state.other[pair]
        if worker == here or not state.fits(home, worker):
            continue
        change = leaving + load * state.cost[pair] + state.band(worker, load)
        if change < best:
            best, to = change, worker
    return to


def cheapest_bound(problem: CaseloadProblem) -> float:
    """What no plan can go below without any flow: each home at its cheapest."""
    least = problem.unserved.copy()
    np.minimum.at(least, problem.home, problem.cost)
    return float((problem.load * least).sum())


def n_kept(problem: CaseloadProblem, worker: Counts) -> int:
    """Homes that stay with their worker of before."""
    return int(((problem.before >= 0) & (worker == problem.before)).sum())
