"""Homes made whole again: from parts to one worker each, within capacity."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from chw_tools.resource_allocation.caseloads.problem import CaseloadProblem, Counts


def make_whole(problem: CaseloadProblem, minutes: Counts) -> Counts:
    """The worker of each home, from the minutes that a flow gives over each pair.

    Who has the largest part keeps the home; homes that are then too many for a worker move to
    the cheapest other with room, or to one whose other homes can make room.

    Parameters
    ----------
    minutes : ndarray of int, shape (n_pairs,)
        All zero to begin from nothing.
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
    return np.array(state.worker, dtype=np.int64)


class _State:
    """An assignment under change: plain lists, since single homes move."""

    start: list[int]
    other: list[int]
    cost: list[int]
    load: list[int]
    unserved: list[int]
    capacity: list[int]
    worker: list[int]

    def __init__(self, problem: CaseloadProblem) -> None:
        order = np.lexsort((problem.cost, problem.home))
        self.start = np.searchsorted(problem.home[order], np.arange(problem.n_homes + 1)).tolist()
        self.other = problem.worker[order].tolist()
        self.cost = problem.cost[order].tolist()
        self.load = problem.load.tolist()
        self.unserved = problem.unserved.tolist()
        self.capacity = problem.capacity.tolist()
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
        """What the home costs where it is; bands are not counted while homes are placed."""
        worker = self.worker[home]
        if worker < 0:
            return self.load[home] * self.unserved[home]
        for pair in self.pairs(home):
            if self.other[pair] == worker:
                return self.load[home] * self.cost[pair]
        raise ValueError("a home has a worker with whom it makes no pair")


def _by_need(problem: CaseloadProblem, worker: list[int]) -> list[int]:
    """Homes without a worker, those whose lack costs most first, small ones before large."""
    homes = np.flatnonzero(np.array(worker, dtype=np.int64) < 0)
    order = np.lexsort((problem.load[homes], -problem.unserved[homes]))
    return [int(home) for home in homes[order]]


def _place(state: _State, homes: list[int]) -> None:
    """Each home to the cheapest worker with room, or where others can make room."""
    for home in homes:
        found = next((p for p in state.pairs(home) if state.fits(home, state.other[p])), None)
        if found is not None:
            state.move(home, state.other[found])
            continue
        room = _room_for(state, home)
        if room is not None:
            for leaves, to in room.moves:
                state.move(leaves, to)
            state.move(home, room.worker)


class _Room(NamedTuple):
    """Homes that leave a worker, where to, and what that costs with the home that comes."""

    worker: int
    moves: list[tuple[int, int]]
    cost: int


def _room_for(state: _State, home: int) -> _Room | None:
    """The cheapest way to make room, if that is cheaper than to leave the home where it is."""
    best = None
    least = state.now(home)
    for pair in state.pairs(home):
        found = _room_at(state, home, state.other[pair], state.load[home] * state.cost[pair])
        if found is not None and found.cost < least:
            best, least = found, found.cost
    return best


def _room_at(state: _State, home: int, worker: int, cost: int) -> _Room | None:
    """One home that leaves, or several: those that lose least for their minutes."""
    lacks = state.carried[worker] + state.load[home] - state.capacity[worker]
    ways = [_way_out(state, leaves, worker, {}) for leaves in sorted(state.homes[worker])]
    able = [way for way in ways if way is not None]
    alone = min((way for way in able if state.load[way.home] >= lacks), default=None)
    one = None if alone is None else _Room(worker, [(alone.home, alone.to)], cost + alone.change)
    several = _several(state, worker, able, lacks)
    if several is None:
        return one
    moves, change = several
    if one is not None and one.cost <= cost + change:
        return one
    return _Room(worker, moves, cost + change)


class _Way(NamedTuple):
    """A home that could go to another worker; the cheapest first."""

    change: int
    home: int
    to: int


def _way_out(state: _State, leaves: int, worker: int, taken: dict[int, int]) -> _Way | None:
    """The cheapest other worker with room, beside what others on the way there take up."""
    load = state.load[leaves]
    for pair in state.pairs(leaves):
        to = state.other[pair]
        full = state.carried[to] + taken.get(to, 0) + load > state.capacity[to]
        if to != worker and not full:
            return _Way(load * state.cost[pair] - state.now(leaves), leaves, to)
    return None


def _several(
    state: _State, worker: int, able: list[_Way], lacks: int
) -> tuple[list[tuple[int, int]], int] | None:
    """Homes that leave, least loss for their minutes first, until there is room."""
    moves, change, taken = [], 0, dict[int, int]()
    for home in (
        way.home for way in sorted(able, key=lambda w: (w.change / state.load[w.home], w))
    ):
        way = _way_out(state, home, worker, taken)
        if way is None:
            continue
        moves.append((home, way.to))
        taken[way.to] = taken.get(way.to, 0) + state.load[home]
        change += way.change
        lacks -= state.load[home]
        if lacks <= 0:
            return moves, change
    return None


def cheapest_bound(problem: CaseloadProblem) -> float:
    """What no plan can go below without any flow: each home at its cheapest."""
    least = problem.unserved.copy()
    np.minimum.at(least, problem.home, problem.cost)
    return float((problem.load * least).sum())


def n_kept(problem: CaseloadProblem, worker: Counts) -> int:
    """Homes that stay with their worker of before."""
    return int(((problem.before >= 0) & (worker == problem.before)).sum())
