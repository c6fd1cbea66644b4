"""The route heuristic against every possible route, on days small enough to try them all."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from chw_tools.resource_allocation import routes
from chw_tools.resource_allocation.routes import Route, Stops


def draw_stops(seed: int, n: int = 6, n_musts: int = 0) -> Stops:
    rng = np.random.default_rng(seed)
    places = rng.uniform(0, 3, size=(n + 1, 2))
    walk = np.linalg.norm(places[:, None] - places[None, :], axis=2) * 1.4 / 4.5 * 60
    urgent = np.full(n, 2)
    urgent[:n_musts] = 1
    return Stops(
        walk=np.vstack([walk[1:, 1:], walk[:1, 1:]]),
        value=rng.exponential(0.02, n) + 0.002,
        minutes=34.0 + 10.0 * rng.integers(0, 3, n),
        extra_value=[np.sort(rng.exponential(0.005, rng.integers(0, 3)))[::-1] for _ in range(n)],
        extra_minutes=10.0,
        urgent=urgent,
    )


def best_of_all(stops: Stops, capacity: float) -> float:
    """The most optional benefit of any route that begins with the musts as walked."""
    musts = routes.best_route(stops, 0.0).order
    free = [s for s in range(len(stops.value)) if s not in musts]
    best = 0.0
    for n in range(len(free) + 1):
        for chosen in permutations(free, n):
            route = Route([*musts, *chosen], dict.fromkeys([*musts, *chosen], 0))
            left = capacity - routes.minutes_used(stops, route)
            if left < 0 and chosen:
                continue
            further = sorted(np.concatenate([[], *(stops.extra_value[s] for s in route.order)]))
            room = int(max(left, 0) // stops.extra_minutes)
            value = stops.value[list(chosen)].sum() + sum(further[::-1][:room])
            best = max(best, float(value))
    return best


SEEDS = range(40)


def reached_share(seed: int, n_musts: int) -> float:
    stops = draw_stops(seed, n_musts=n_musts)
    best = best_of_all(stops, 200.0)
    reached = routes.optional_value(stops, routes.best_route(stops, 200.0))
    return reached / best if best > 0 else 1.0


@pytest.mark.parametrize("n_musts", [0, 2])
def test_near_the_best_of_all_routes_on_small_days(n_musts: int) -> None:
    shares = np.array([reached_share(seed, n_musts) for seed in SEEDS])

    assert shares.max() <= 1 + 1e-9
    assert shares.mean() >= 0.98
    assert shares.min() >= 0.90


@pytest.mark.parametrize("seed", SEEDS)
def test_no_route_exceeds_the_bound(seed: int) -> None:
    for n_musts in (0, 2):
        stops = draw_stops(seed, n_musts=n_musts)
        assert routes.most_value(stops, 200.0) >= best_of_all(stops, 200.0) - 1e-9


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("capacity", [0.0, 90.0, 300.0])
def test_a_route_keeps_to_its_minutes_unless_musts_break_them(seed: int, capacity: float) -> None:
    stops = draw_stops(seed, n=12, n_musts=3)
    route = routes.best_route(stops, capacity)
    musts_only = Route(route.order[:3], dict.fromkeys(route.order[:3], 0))

    assert set(route.order[:3]) == {0, 1, 2}
    assert len(set(route.order)) == len(route.order)
    allowed = max(capacity, routes.minutes_used(stops, musts_only))
    assert routes.minutes_used(stops, route) <= allowed + 1e-6


def test_emergencies_are_walked_before_what_is_due_the_same_day() -> None:
    stops = draw_stops(5, n_musts=4)
    stops.urgent[:4] = [1, 0, 1, 0]

    assert set(routes.best_route(stops, 300.0).order[:2]) == {1, 3}


def test_a_straightened_walk_is_no_longer() -> None:
    stops = draw_stops(9, n=8)
    order = list(range(8))
    route = Route(order.copy(), dict.fromkeys(order, 0))
    before = routes.minutes_used(stops, route)

    routes._straighten(stops, route)

    assert sorted(route.order) == order
    assert routes.minutes_used(stops, route) < before


def test_nobody_to_visit() -> None:
    stops = Stops(np.zeros((1, 0)), np.zeros(0), np.zeros(0), [], 10.0, np.zeros(0, dtype=int))

    assert routes.best_route(stops, 300.0).order == []
    assert routes.most_value(stops, 300.0) == 0
    assert routes.minutes_used(stops, Route()) == 0
