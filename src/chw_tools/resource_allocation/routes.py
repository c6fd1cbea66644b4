"""One worker's day: which stops fit, and in which order they are walked.

Musts come first, in any case. The other stops are inserted one by one where they cost the
least walking, the one with the most benefit per minute first; then single exchanges are
tried. The way home is not counted: capacity is visits and the walks between them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

_TOLERANCE = 1e-9
_MOST_EXCHANGES = 50
#: How much minutes count beside benefit: per minute, per root of a minute, and not at all.
#: Per minute is best on long days, benefit alone where only a stop or two fits.
_THRIFTS = (1.0, 0.5, 0.0)


@dataclass(frozen=True)
class Stops:
    """The stops one worker could make.

    Parameters
    ----------
    walk : ndarray, shape (n + 1, n)
        Minutes to walk to each stop from each other; the last row is from the start.
    value, minutes : ndarray, shape (n,)
        Benefit of the stop and minutes there, for those always seen together.
    extra_value, extra_minutes : sequence of ndarray, float
        Further people of the home, each worth a value for ``extra_minutes``, falling.
    urgent : ndarray of int, shape (n,)
        0 and 1 are musts (emergency, same day); 2 is not.
    """

    walk: Numbers
    value: Numbers
    minutes: Numbers
    extra_value: Sequence[Numbers]
    extra_minutes: float
    urgent: NDArray[np.int64]


@dataclass
class Route:
    """Stops in walking order, and how many further people are seen at each."""

    order: list[int] = field(default_factory=list)
    extras: dict[int, int] = field(default_factory=dict)
    n_musts: int = 0


def best_route(stops: Stops, capacity_minutes: float) -> Route:
    """A day's route: every must, and as much benefit as fits (a heuristic; see tests)."""
    found = [_built(stops, capacity_minutes, thrift) for thrift in _THRIFTS]
    return max(found, key=lambda route: optional_value(stops, route))


def _built(stops: Stops, capacity: float, thrift: float) -> Route:
    route = _musts_first(stops)
    _fill(stops, route, capacity, thrift=thrift)
    for _ in range(_MOST_EXCHANGES):
        if _straighten(stops, route):
            _fill(stops, route, capacity, thrift=thrift)
        if not _exchange(stops, route, capacity, thrift=thrift):
            break
    return route


def walked(stops: Stops, order: Sequence[int]) -> Numbers:
    """Minutes of the walk to each stop of an order."""
    start = len(stops.value)
    before = np.array([start, *order[:-1]], dtype=np.intp)
    return stops.walk[before, np.asarray(order, dtype=np.intp)] if len(order) else np.zeros(0)


def minutes_used(stops: Stops, route: Route) -> float:
    """Minutes of the whole route."""
    at_homes = stops.minutes[route.order].sum() + stops.extra_minutes * sum(route.extras.values())
    return float(at_homes + walked(stops, route.order).sum())


def optional_value(stops: Stops, route: Route) -> float:
    """Benefit of what is not a must on the route."""
    free = [stop for stop in route.order if stops.urgent[stop] > 1]
    further = sum(float(stops.extra_value[s][:n].sum()) for s, n in route.extras.items())
    return float(stops.value[free].sum()) + further


def most_value(stops: Stops, capacity_minutes: float) -> float:
    """What no route can exceed once the musts are walked: a fractional knapsack.

    Source: Dantzig, Operations Research 1957;5:266 (greedy by ratio solves the fractional
    knapsack); shortest walks in make each cost a lower limit.
    """
    n = len(stops.value)
    if n == 0:
        return 0.0
    walk = stops.walk.copy()
    walk[np.arange(n), np.arange(n)] = np.inf
    cost = stops.minutes + walk.min(axis=0)
    must = stops.urgent <= 1
    room = max(0.0, capacity_minutes - minutes_used(stops, _musts_first(stops)))
    further = [v for values in stops.extra_value for v in values]
    value = np.concatenate([stops.value[~must], np.asarray(further, dtype=np.float64)])
    cost = np.concatenate([cost[~must], np.full(len(further), stops.extra_minutes)])
    order = np.argsort(-value / np.maximum(cost, _TOLERANCE), kind="stable")
    value, cost = value[order], np.maximum(cost[order], _TOLERANCE)
    share = np.clip((room - (np.cumsum(cost) - cost)) / cost, 0.0, 1.0)
    return float((value * share).sum())


def _musts_first(stops: Stops) -> Route:
    """Emergencies, then those of the same day, each time the nearest next."""
    route = Route()
    at = len(stops.value)
    for level in (0, 1):
        left = np.flatnonzero(stops.urgent == level).tolist()
        while left:
            at = left.pop(int(np.argmin(stops.walk[at, left])))
            route.order.append(at)
            route.extras[at] = 0
    route.n_musts = len(route.order)
    return route


def _fill(stops: Stops, route: Route, capacity: float, *, thrift: float, without: int = -1) -> None:
    """Insert what is worth most for its minutes until nothing fits."""
    is_free = stops.urgent > 1
    is_free[route.order] = False
    if without >= 0:
        is_free[without] = False
    left = capacity - minutes_used(stops, route)
    while True:
        free = np.flatnonzero(is_free)
        place, added = _cheapest(stops, route.order, route.n_musts, free)
        cost = stops.minutes[free] + added
        worth = stops.value[free] / np.maximum(cost, _TOLERANCE) ** thrift
        worth = np.where(cost <= left + _TOLERANCE, worth, -np.inf)
        best = int(worth.argmax()) if len(free) else -1
        home, gain = _best_further(stops, route, left, thrift)
        if best >= 0 and worth[best] >= gain and np.isfinite(worth[best]):
            stop = int(free[best])
            route.order.insert(int(place[best]), stop)
            route.extras[stop] = 0
            is_free[stop] = False
            left -= float(cost[best])
        elif home >= 0:
            route.extras[home] += 1
            left -= stops.extra_minutes
        else:
            return


def _best_further(stops: Stops, route: Route, left: float, thrift: float) -> tuple[int, float]:
    """The home on the route where one more person is worth most for the minutes."""
    best, gain = -1, -np.inf
    if stops.extra_minutes > left + _TOLERANCE:
        return best, gain
    cost = max(stops.extra_minutes, _TOLERANCE) ** thrift
    for home, n in route.extras.items():
        values = stops.extra_value[home]
        if n < len(values) and values[n] / cost > gain:
            best, gain = home, float(values[n] / cost)
    return best, gain


def _cheapest(
    stops: Stops, order: Sequence[int], n_musts: int, free: NDArray[np.intp]
) -> tuple[NDArray[np.intp], Numbers]:
    """For each free stop the cheapest place after the musts, and the walking it adds."""
    start = len(stops.value)
    before = np.array([start, *order], dtype=np.intp)[n_musts:]
    after = np.asarray(order, dtype=np.intp)[n_musts:]
    added = stops.walk[before][:, free].copy()
    added[:-1] += stops.walk[free][:, after].T - stops.walk[before[:-1], after][:, None]
    # Of equally short places the last, so that what was put in first is walked first.
    place = len(added) - 1 - added[::-1].argmin(axis=0)
    return place + n_musts, added[place, np.arange(len(free))]


def _straighten(stops: Stops, route: Route) -> bool:
    """Turn stretches of the walk round while that shortens it (2-opt, after the musts)."""
    changed = False
    better = True
    while better:
        better = False
        length = walked(stops, route.order).sum()
        for i in range(route.n_musts, len(route.order) - 1):
            for j in range(i + 2, len(route.order) + 1):
                turned = [*route.order[:i], *route.order[i:j][::-1], *route.order[j:]]
                if walked(stops, turned).sum() < length - 1e-6:
                    route.order, better, changed = turned, True, True
                    length = walked(stops, turned).sum()
    return changed


def _exchange(stops: Stops, route: Route, capacity: float, *, thrift: float) -> bool:
    """Give up one stop, and everywhere the further people, if the day is better without."""
    reached = optional_value(stops, route)
    for stop in route.order[route.n_musts :]:
        kept = [s for s in route.order if s != stop]
        other = Route(kept, dict.fromkeys(kept, 0), route.n_musts)
        _fill(stops, other, capacity, thrift=thrift, without=stop)
        if optional_value(stops, other) > reached + _TOLERANCE:
            route.order, route.extras = other.order, other.extras
            return True
    return False
