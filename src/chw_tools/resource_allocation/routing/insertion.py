"""Routes without a solver: cheapest insertion, then stretches turned round (2-opt).

Taken where the time is short, where PyVRP is not to be had, and where it fails.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from itertools import pairwise
from math import inf
from typing import TYPE_CHECKING

import numpy as np

from chw_tools.resource_allocation.routing.schedule import faults_of, timed

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

    from chw_tools.resource_allocation.routing.problem import RouteProblem
    from chw_tools.resource_allocation.routing.schedule import Routes

    Numbers = NDArray[np.float64]

_TOLERANCE = 1e-9
#: How much minutes count beside value; the better of the plans is kept.
_THRIFTS = (1.0, 0.5)
_ROUNDS = 10
#: A turn that shortens a walk by less is none.
_SHORTER = 1e-6


def insert_all(
    problem: RouteProblem, *, deadline: float = inf, among: Collection[int] | None = None
) -> Routes:
    """Routes by insertion: what is required first, then what is worth most for its minutes.

    Deterministic; of all stops, or of those ``among`` which to choose. After the deadline (as
    ``time.perf_counter`` counts) the best so far is given.
    """
    best: Routes = []
    most = (-1.0, -inf)
    for thrift in _THRIFTS:
        day = _Build(problem, thrift, among)
        day.fill(deadline)
        for _ in range(_ROUNDS):
            if time.perf_counter() > deadline or not day.straighten(deadline):
                break
            day.fill(deadline)
        reached = day.worth()
        if reached > most:
            best, most = day.routes(), reached
        if time.perf_counter() > deadline:
            break
    return best


@dataclass
class _Build:
    """Routes as they grow. One row per shift, workers alike counted one by one."""

    problem: RouteProblem
    thrift: float
    among: Collection[int] | None = None
    shift: list[int] = field(init=False)
    stops: list[list[int]] = field(init=False)
    is_free: NDArray[np.bool_] = field(init=False)
    added: Numbers = field(init=False)
    place: NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        problem = self.problem
        self.shift = [at for at, s in enumerate(problem.shifts) for _ in range(s.n)]
        self.stops = [[] for _ in self.shift]
        self.is_free = np.ones(problem.n_stops, dtype=bool)
        if self.among is not None:
            self.is_free[:] = False
            self.is_free[list(self.among)] = True
        self.is_free[list(problem.why_unplannable())] = False
        self.added = np.full((len(self.shift), problem.n_stops), np.inf)
        self.place = np.zeros((len(self.shift), problem.n_stops), dtype=np.int64)
        seen: dict[int, int] = {}
        for row, shift in enumerate(self.shift):
            # Empty shifts alike are alike: one of them is enough until it is begun.
            if shift not in seen:
                seen[shift] = row
                self._weigh(row)

    def fill(self, deadline: float) -> None:
        """Insert until nothing fits."""
        required = self.problem.required
        for wanted in (required, ~required):
            while time.perf_counter() <= deadline and self._insert_best(wanted):
                pass

    def _insert_best(self, wanted: NDArray[np.bool_]) -> bool:
        free = np.flatnonzero(self.is_free & wanted)
        if not len(free) or not len(self.shift):
            return False
        row = self.added[:, free].argmin(axis=0)
        cost = self.added[row, free]
        if not np.isfinite(cost).any():
            return False
        minutes = np.maximum(cost + self.problem.service[free], _TOLERANCE)
        if self.problem.required[free[0]]:
            # Of what must be made, first what is hardest to place.
            ways = np.isfinite(self.added[:, free]).sum(axis=0)
            worth = np.where(np.isfinite(cost), -ways - cost / 1e6, -np.inf)
        else:
            worth = self.problem.value[free] / minutes**self.thrift - 1e-12 * cost
            worth = np.where(np.isfinite(cost), worth, -np.inf)
        best = int(worth.argmax())
        self._insert(int(row[best]), int(free[best]))
        return True

    def _insert(self, row: int, stop: int) -> None:
        was_empty = not self.stops[row]
        self.stops[row].insert(int(self.place[row, stop]), stop)
        self.is_free[stop] = False
        self._weigh(row)
        if was_empty:
            self._open_next(row)

    def _open_next(self, row: int) -> None:
        alike = [r for r, s in enumerate(self.shift) if s == self.shift[row] and not self.stops[r]]
        if alike:
            self._weigh(alike[0])

    def _weigh(self, row: int) -> None:
        """For each free stop the cheapest place in a route, and the walking it adds."""
        problem, shift = self.problem, self.problem.shifts[self.shift[row]]
        free = np.flatnonzero(self.is_free & problem.allowed[:, self.shift[row]])
        self.added[row] = np.inf
        carried = problem.load[self.stops[row]].sum()
        free = free[carried + problem.load[free] <= shift.load + _TOLERANCE]
        if not len(free):
            return
        leaves, latest, places = self._times(row)
        at = problem.stop_at[free]
        to, onward = problem.travel[np.ix_(places[:-1], at)], self._onward(places[1:], at)
        begins = np.maximum(leaves[:, None] + to, problem.opens[free])
        next_begins = begins + problem.service[free] + onward
        fits = (begins <= problem.closes[free] + _TOLERANCE) & (
            next_begins <= latest[:, None] + _TOLERANCE
        )
        direct = np.array([self._leg(a, b) for a, b in pairwise(places.tolist())])
        added = np.where(fits, to + onward - direct[:, None], np.inf)
        best = added.argmin(axis=0)
        self.added[row, free] = added[best, np.arange(len(free))]
        self.place[row, free] = best

    def _leg(self, a: int, b: int) -> float:
        return 0.0 if b < 0 else float(self.problem.travel[a, b])

    def _onward(self, places: NDArray[np.int64], at: NDArray[np.int64]) -> Numbers:
        """Minutes from each stop to what follows; none where the day ends anywhere."""
        onward = self.problem.travel[np.ix_(at, np.maximum(places, 0))].T
        return np.where(places[:, None] < 0, 0.0, onward)

    def _times(self, row: int) -> tuple[Numbers, Numbers, NDArray[np.int64]]:
        """When each place is left at the earliest and must be reached at the latest."""
        problem, shift = self.problem, self.problem.shifts[self.shift[row]]
        stops = self.stops[row]
        walk = timed(problem, self.shift[row], stops)
        leaves = np.array([shift.opens, *(np.array(walk.begins) + problem.service[stops])])
        end = -1 if shift.end is None else shift.end
        places = np.array([shift.start, *problem.stop_at[stops], end], dtype=np.int64)
        latest = np.empty(len(stops) + 1)
        # Left at its opening, a shift may not last longer than it may.
        latest[-1] = min(shift.closes, shift.opens + shift.longest)
        for back in range(len(stops) - 1, -1, -1):
            stop = stops[back]
            leg = self._leg(int(places[back + 1]), int(places[back + 2]))
            by_next = latest[back + 1] - leg - problem.service[stop]
            latest[back] = min(problem.closes[stop], by_next)
        return leaves, latest, places

    def straighten(self, deadline: float) -> bool:
        """Turn stretches round while that shortens a walk; whether anything changed."""
        changed = False
        for row, stops in enumerate(self.stops):
            if len(stops) < 2:
                continue
            better = _straightened(self.problem, self.shift[row], stops, deadline)
            if better is not None:
                self.stops[row] = better
                self._weigh(row)
                changed = True
        return changed

    def worth(self) -> tuple[float, float]:
        """Required stops made; then value less the cost of walking."""
        made = [stop for stops in self.stops for stop in stops]
        required = float(self.problem.required[made].sum())
        walked = sum(timed(self.problem, s, r).travel_minutes for s, r in self.routes())
        return required, float(self.problem.value[made].sum()) - walked * max(
            self.problem.travel_cost, 1e-9
        )

    def routes(self) -> Routes:
        return [
            (shift, stops) for shift, stops in zip(self.shift, self.stops, strict=True) if stops
        ]


def _straightened(
    problem: RouteProblem, shift: int, stops: list[int], deadline: float
) -> list[int] | None:
    """The stops with stretches turned round while that shortens the walk; None if none does."""
    best = None
    while time.perf_counter() <= deadline:
        turned = _turned(problem, shift, stops, deadline)
        if turned is None:
            break
        best = stops = turned
    return best


def _turned(
    problem: RouteProblem, shift: int, stops: list[int], deadline: float
) -> list[int] | None:
    """One stretch turned round: of those after which the route holds, what shortens it most."""
    longer = _longer_if_turned(problem, shift, stops)
    first, last = np.nonzero(longer < -_SHORTER)
    for at in np.argsort(longer[first, last], kind="stable"):
        i, j = int(first[at]), int(last[at]) + 1
        turned = [*stops[:i], *stops[i:j][::-1], *stops[j:]]
        if not faults_of(problem, [(shift, turned)]):
            return turned
        if time.perf_counter() > deadline:
            break
    return None


def _longer_if_turned(problem: RouteProblem, shift: int, stops: list[int]) -> Numbers:
    """Minutes by which the walk gets longer when stops ``i`` to ``j`` are turned round."""
    hours, travel = problem.shifts[shift], problem.travel
    places = problem.stop_at[stops]
    n = len(places)
    before = np.concatenate([[hours.start], places[:-1]])
    onward = np.zeros((n, n))
    now = np.zeros(n)
    onward[:, :-1] = travel[np.ix_(places, places[1:])]
    now[:-1] = travel[places[:-1], places[1:]]
    if hours.end is not None:
        onward[:, -1] = travel[places, hours.end]
        now[-1] = travel[places[-1], hours.end]
    # The ways within the stretch, forth and back, from sums over the whole route.
    forth = np.concatenate([[0.0], np.cumsum(travel[places[:-1], places[1:]])])
    back = np.concatenate([[0.0], np.cumsum(travel[places[1:], places[:-1]])])
    within = (back[None, :] - back[:, None]) - (forth[None, :] - forth[:, None])
    into = travel[np.ix_(before, places)] - travel[before, places][:, None]
    longer = into + onward - now[None, :] + within
    return np.where(np.triu(np.ones((n, n), dtype=bool), k=1), longer, np.inf)
