"""Routes over several days: exact against heuristic, never infeasible called feasible."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from math import inf
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chw_tools.resource_allocation.routing import RouteProblem, Shift, Work, solve, solve_all
from chw_tools.resource_allocation.routing.job import solve_by_insertion, solve_here
from chw_tools.resource_allocation.routing.problem import NO_WAY
from chw_tools.resource_allocation.routing.pyvrp_solver import solve_by_pyvrp
from chw_tools.resource_allocation.routing.replan import Progress, joined, remaining
from chw_tools.resource_allocation.routing.schedule import as_plan, faults_of, most_value, timed
from chw_tools.resource_allocation.solving import Stop
from chw_tools.testing import solvers

if TYPE_CHECKING:
    from pathlib import Path

    from chw_tools.resource_allocation.routing import RoutePlan

STEPS = Stop(60.0, iterations=200)


def draw(seed: int, n: int = 6, days: int = 1, *, closed: bool = False) -> RouteProblem:
    rng = np.random.default_rng(seed)
    places = rng.uniform(0, 3, size=(n + 1, 2))
    walk = np.linalg.norm(places[:, None] - places[None, :], axis=2) * 1.4 / 4.5 * 60
    opens = np.where(rng.random(n) < 0.3, rng.uniform(0, 120, n), 0.0)
    allowed = np.ones((n, days), dtype=bool)
    if days > 1:
        allowed[rng.random((n, days)) < 0.2] = False
        allowed[:, 0] |= ~allowed.any(axis=1)
    return RouteProblem(
        travel=walk,
        stop_at=np.arange(1, n + 1),
        service=rng.uniform(20, 50, n).round(),
        value=rng.exponential(0.02, n) + 0.002,
        shifts=tuple(Shift(f"day {d}", 0, 0 if closed else None, 0.0, 200.0) for d in range(days)),
        required=rng.random(n) < 0.15,
        opens=opens,
        closes=np.where(rng.random(n) < 0.3, opens + 90, inf),
        allowed=allowed,
        travel_cost=1e-5,
        cost_ticks=1e6,
    )


def best_of_all(problem: RouteProblem) -> tuple[int, float]:
    """Most required stops made, then most value, of every order of every subset; one shift."""
    best = (0, 0.0)
    for n in range(problem.n_stops + 1):
        for order in permutations(range(problem.n_stops), n):
            if not faults_of(problem, [(0, list(order))]):
                made = list(order)
                rank = (int(problem.required[made].sum()), float(problem.value[made].sum()))
                best = max(best, rank)
    return best


def rank(problem: RouteProblem, plan: RoutePlan) -> tuple[int, float]:
    made = [stop for walk in plan.routes for stop in walk.stops]
    return int(problem.required[made].sum()), float(problem.value[made].sum())


SEEDS = range(12)


@pytest.mark.parametrize("closed", [False, True])
def test_near_the_best_of_all_orders_on_small_days(closed: bool) -> None:
    shares, plain = [], []
    for seed in SEEDS:
        problem = draw(seed, closed=closed)
        best = best_of_all(problem)
        for plan, kept in (
            (solve_here(problem, STEPS, seed=seed), shares),
            (solve_by_insertion(problem, STEPS), plain),
        ):
            n_required, value = rank(problem, plan)
            assert not faults_of(problem, [(w.shift, list(w.stops)) for w in plan.routes])
            assert n_required <= best[0]
            assert plan.bound >= best[1] - 1e-9 or best[0] < problem.required.sum()
            if n_required == best[0]:
                kept.append(value / best[1] if best[1] else 1.0)

    assert len(shares) == len(SEEDS)
    assert np.mean(shares) >= 0.995
    assert np.mean(plain) >= 0.95
    assert max(shares) <= 1 + 1e-9


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 3), st.booleans(), st.integers(0, 250))
def test_never_called_feasible_when_it_is_not(
    seed: int, days: int, closed: bool, closes: int
) -> None:
    drawn = draw(seed, n=10, days=days, closed=closed)
    problem = replace(drawn, shifts=tuple(replace(s, closes=float(closes)) for s in drawn.shifts))
    for plan in (solve_here(problem, STEPS, seed=1), solve_by_insertion(problem, STEPS)):
        routes = [(walk.shift, list(walk.stops)) for walk in plan.routes]
        made = [stop for _, stops in routes for stop in stops]
        missing = problem.required.copy()
        missing[made] = False
        assert plan.is_feasible == (not faults_of(problem, routes) and not missing.any())
        assert not faults_of(problem, routes)
        assert sorted([*made, *plan.left_out]) == list(range(problem.n_stops))
        assert all(plan.left_out.values())
        assert plan.value <= plan.bound + 1e-9


def test_the_same_seed_and_steps_give_the_same_plan_on_any_number_of_processes() -> None:
    problems = [draw(seed, n=15, days=2) for seed in range(4)]
    one = solve_all(problems, STEPS, Work(seed=3, n_processes=1))
    two = solve_all(problems, STEPS, Work(seed=3, n_processes=2))

    assert [p.routes for p in one] == [p.routes for p in two]
    assert all(p.method == "pyvrp" for p in one)
    assert one[2].routes == solve(problems[2], STEPS, seed=5).routes


def test_longer_days_never_bring_less_by_the_bound() -> None:
    problem = draw(1, n=12)
    bounds = [
        most_value(replace(problem, shifts=(replace(problem.shifts[0], closes=float(c)),)))
        for c in range(0, 600, 60)
    ]
    assert bounds == sorted(bounds)


# ---- the traps -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("job", "word"), [(solvers.hang, "did not end"), (solvers.crash, "failed (exit 3)")]
)
def test_a_solver_that_hangs_or_crashes_leaves_a_plan(job: object, word: str) -> None:
    problem = draw(2, n=8)
    plan = solve_all([problem], Stop(0.2), job=job, grace_seconds=2.0)[0]  # type: ignore[arg-type]

    assert plan.method == "insertion"
    assert word in plan.notes[0]
    assert plan.notes[0].endswith("Planned by insertion.")
    assert plan.is_feasible
    assert plan.routes


def test_a_limit_for_all_is_shared_out_and_always_leaves_a_plan() -> None:
    problems = [draw(seed, n=6) for seed in range(4)]
    plans = solve_all(problems, Stop(5.0), Work(n_processes=1, limit_seconds=0.01))

    assert [plan.method for plan in plans] == ["insertion"] * 4
    assert all(plan.is_feasible for plan in plans)


def test_one_that_hangs_takes_no_other_along() -> None:
    problems = [draw(seed, n=6) for seed in range(3)]
    stop = Stop(15.0, iterations=200)
    plans = solve_all(
        problems, stop, Work(n_processes=1), job=solvers.hang_at_one, grace_seconds=-10.0
    )

    assert [plan.method for plan in plans] == ["pyvrp", "insertion", "pyvrp"]


def test_a_solver_lost_time_after_time_is_not_asked_again() -> None:
    problems = [draw(seed, n=6) for seed in range(5)]
    plans = solve_all(problems, STEPS, Work(n_processes=1), job=solvers.crash)

    assert [plan.method for plan in plans] == ["insertion"] * 5
    assert ["not asked again" in plan.notes[0] for plan in plans] == [False] * 3 + [True] * 2
    assert all(plan.is_feasible for plan in plans)


def test_a_solver_that_cannot_be_started_leaves_a_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    from chw_tools.resource_allocation import apart

    def none_left(*_: object, **__: object) -> None:
        raise OSError("Cannot allocate memory")

    monkeypatch.setattr(apart.subprocess, "Popen", none_left)
    plan = solve(draw(2, n=8), STEPS)

    assert plan.method == "insertion"
    assert "could not be started (OSError)" in plan.notes[0]


def test_a_way_that_may_not_be_gone_is_not_gone_in_a_day_without_end() -> None:
    """However much the stop is worth that lies behind it."""
    problem = RouteProblem(
        travel=np.full((4, 4), 10.0),
        stop_at=np.array([1, 2, 3]),
        service=np.full(3, 10.0),
        value=np.array([5.0, 1e6, 1e6]),
        shifts=(Shift("day", 0, 0, 0.0, inf), Shift("short", 0, 0, 0.0, 35.0)),
        allowed=np.array([[True, True], [False, True], [False, True]]),
    )
    plan = solve_here(problem, STEPS)

    assert plan.method == "pyvrp"
    assert {walk.shift: len(walk.stops) for walk in plan.routes} == {0: 1, 1: 1}
    assert plan.value == 1e6 + 5.0


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 9), st.booleans())
def test_a_turn_shortens_a_walk_by_what_was_reckoned(seed: int, n: int, closed: bool) -> None:
    from chw_tools.resource_allocation.routing.insertion import _longer_if_turned

    rng = np.random.default_rng(seed)
    travel = rng.uniform(1, 50, (n + 1, n + 1))  # not the same both ways
    problem = replace(draw(seed, n=n, closed=closed), travel=travel)
    order = rng.permutation(n).tolist()
    now = timed(problem, 0, order).travel_minutes
    longer = _longer_if_turned(problem, 0, order)
    for i in range(n):
        for j in range(i + 1, n):
            turned = [*order[:i], *order[i : j + 1][::-1], *order[j + 1 :]]
            walked = timed(problem, 0, turned).travel_minutes
            assert longer[i, j] == pytest.approx(walked - now, abs=1e-9)
    assert np.isinf(longer[np.tril_indices(n)]).all()


def test_a_way_that_may_not_be_gone_is_never_gone() -> None:
    """Forbidden by day and by distance; infinite and missing minutes are no way."""
    problem = draw(5, n=12, days=3)
    travel = problem.travel.copy()
    travel[3, :] = travel[:, 3] = inf
    travel[0, 5] = np.nan
    plan = solve_here(replace(problem, travel=travel), STEPS)

    assert plan.left_out[2] == "There is no way there."
    assert all(walk.travel_minutes < NO_WAY for walk in plan.routes)
    for walk in plan.routes:
        assert problem.allowed[list(walk.stops), walk.shift].all()
    assert not faults_of(
        replace(problem, travel=travel), [(w.shift, list(w.stops)) for w in plan.routes]
    )


def test_an_answer_that_does_not_hold_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    from chw_tools.resource_allocation.routing import pyvrp_solver

    problem = draw(3, n=5)
    monkeypatch.setattr(pyvrp_solver, "_solved", lambda *_: [(0, [0, 0])])
    with pytest.raises(RuntimeError, match="does not hold"):
        solve_by_pyvrp(problem, STEPS, seed=0)
    plan = solve_here(problem, STEPS)
    assert plan.method == "insertion"
    assert "RuntimeError" in plan.notes[0]


def test_with_hardly_any_time_insertion_plans() -> None:
    assert solve_here(draw(3), Stop(0.01)).method == "insertion"
    assert solve_here(draw(3), Stop(5.0, iterations=0)).method == "insertion"


def test_stops_of_little_promise_are_made_where_there_is_room_for_them() -> None:
    """Two near and dear, and one so far that its walk alone makes it worth the least."""
    xy = np.array([[0.0], [1.0], [2.0], [19.0]])
    problem = RouteProblem(
        travel=np.abs(xy - xy.T) * 10,
        stop_at=np.arange(1, 4),
        service=np.full(3, 30.0),
        value=np.array([5.0, 5.0, 0.1]),
        shifts=(Shift("day", 0, None, 0.0, 300.0),),
    )
    from chw_tools.resource_allocation.routing import pyvrp_solver

    assert pyvrp_solver._promising(problem, [0, 1, 2]) == [0, 1, 2]
    tight = replace(problem, shifts=(Shift("day", 0, None, 0.0, 80.0),))
    assert pyvrp_solver._promising(tight, [0, 1, 2]) == [0, 1]
    many = replace(problem, required=np.array([False, False, True]), shifts=tight.shifts)
    assert 2 in pyvrp_solver._promising(many, [0, 1, 2])
    for case in (problem, tight):
        plan = solve_here(case, STEPS)
        assert plan.is_feasible
        assert plan.value == pytest.approx(best_of_all(case)[1])


def test_time_for_a_plan_of_all_ends_early_only_while_none_holds() -> None:
    from chw_tools.resource_allocation.routing.pyvrp_solver import _NoneHolds

    ended = _NoneHolds(lambda _: True)
    assert ended(2**63 - 1)
    assert not ended(1_000)
    assert not _NoneHolds(lambda _: False)(2**63 - 1)


# ---- bad input -----------------------------------------------------------------------------


def test_nobody_at_work_and_nobody_to_visit() -> None:
    problem = replace(draw(1), shifts=(), allowed=np.ones((6, 0), dtype=bool))
    plan = solve_here(problem, STEPS)
    assert set(plan.left_out.values()) == {"Nobody is at work."}
    assert plan.bound == 0
    nothing = solve_here(draw(1, n=0), STEPS)
    assert nothing.is_feasible
    assert nothing.routes == ()


def test_hours_that_contradict_and_days_that_exclude_are_named() -> None:
    problem = draw(4, n=5)
    opens, closes = problem.opens.copy(), problem.closes.copy()
    opens[0], closes[0] = 100.0, 50.0
    allowed = problem.allowed.copy()
    allowed[1] = False
    service = problem.service.copy()
    service[2] = 500.0
    plan = solve_here(
        replace(problem, opens=opens, closes=closes, allowed=allowed, service=service), STEPS
    )

    assert "contradict" in plan.left_out[0]
    assert "No shift may make it" in plan.left_out[1]
    assert "Even alone" in plan.left_out[2]


def test_more_required_than_fits_is_said_and_the_rest_is_planned() -> None:
    problem = draw(6, n=12)
    all_required = replace(problem, required=np.ones(12, dtype=bool))
    some = np.zeros(12, dtype=bool)
    some[:9] = True
    for case in (all_required, replace(problem, required=some)):
        for plan in (solve_here(case, STEPS), solve_by_insertion(case, STEPS)):
            assert not plan.is_feasible
            assert "required stops are not made" in plan.why_not[-1]
            assert plan.routes
            assert any(why.startswith("REQUIRED") for why in plan.left_out.values())


@pytest.mark.parametrize(
    "wrong",
    [
        {"service": np.array([-1.0] * 6)},
        {"value": np.array([1.0])},
        {"travel": np.full((7, 7), -1.0)},
        {"travel": np.zeros((7, 6))},
    ],
)
def test_shapes_and_signs_are_checked(wrong: dict[str, np.ndarray]) -> None:
    with pytest.raises(ValueError, match=r"shapes|negative"):
        replace(draw(1), **wrong)


# ---- the check -----------------------------------------------------------------------------


def test_every_fault_is_found() -> None:
    problem = replace(
        draw(7, n=4),
        shifts=(Shift("day", 0, 0, 0.0, 100.0, load=1.0, longest=60.0),),
        load=np.ones(4),
        closes=np.array([0.0, inf, inf, inf]),
        allowed=np.array([[True], [False], [True], [True]]),
    )
    faults = " ".join(faults_of(problem, [(0, [0, 1, 2, 2]), (0, [3])]))

    for word in ("2 times", "after its hours", "may not be made", "late", "carries", "longer"):
        assert word in faults


def test_a_shift_left_later_waits_less() -> None:
    """Ten minutes' walk to a stop that opens at 100: left at 90, the day lasts 40 minutes."""
    problem = RouteProblem(
        travel=np.array([[0.0, 10.0], [10.0, 0.0]]),
        stop_at=np.array([1]),
        service=np.array([20.0]),
        value=np.array([1.0]),
        shifts=(Shift("day", 0, 0, longest=40.0),),
        opens=np.array([100.0]),
    )
    assert timed(problem, 0, [0]).begins == (100.0,)
    assert timed(problem, 0, [0]).ends == 130.0
    assert faults_of(problem, [(0, [0])]) == []
    shorter = replace(problem, shifts=(Shift("day", 0, 0, longest=39.0),))
    assert faults_of(shorter, [(0, [0])]) == ["day takes longer than it may"]


def test_workers_alike_are_walked_each_once() -> None:
    problem = replace(
        draw(8, n=9), shifts=(Shift("pair", 0, None, 0.0, 150.0, n=2),), required=None
    )
    for plan in (solve_here(problem, STEPS), solve_by_insertion(problem, STEPS)):
        assert len(plan.routes) == 2
        assert plan.is_feasible
    thrice = as_plan(problem, [(0, [0]), (0, [1]), (0, [2])], seconds=0, method="test")
    assert "walked 3 times" in thrice.why_not[0]


def test_a_team_shares_stops_from_their_own_homes() -> None:
    """Two workers far apart: each goes to the stops at the own home."""
    xy = np.array([[0.0], [50.0], [1.0], [51.0], [2.0], [52.0]])
    problem = RouteProblem(
        travel=np.abs(xy - xy.T) * 10,
        stop_at=np.arange(2, 6),
        service=np.full(4, 30.0),
        value=np.ones(4),
        shifts=(Shift("a", 0, 0, 0, 200), Shift("b", 1, 1, 0, 200)),
    )
    plan = solve_here(problem, STEPS)

    assert {w.shift: set(w.stops) for w in plan.routes} == {0: {0, 2}, 1: {1, 3}}
    assert plan.left_out == {}


# ---- public instances ----------------------------------------------------------------------


def test_published_best_plans_hold_and_cost_what_they_say(shared: Path) -> None:
    import sys
    from pathlib import Path as At

    sys.path.insert(0, str(At(__file__).resolve().parents[3] / "benchmarks"))
    try:
        import planning_routes as bench
    finally:
        sys.path.pop(0)
    for name in ("PR01", "PR04"):
        problem = bench.read_skills(shared / "allocation" / "sdvrptw" / f"{name}.vrp")
        routes, cost = bench.read_best(shared / "allocation" / "sdvrptw" / f"{name}.sol")
        plan = as_plan(problem, routes, seconds=0.0, method="known")
        assert plan.is_feasible, plan.why_not
        assert plan.cost == pytest.approx(cost)
    prizes = bench.read_prizes(shared / "allocation" / "pcvrptw" / "C1_10_1.vrp")
    routes, cost = bench.read_best(shared / "allocation" / "pcvrptw" / "C1_10_1.sol")
    known = as_plan(prizes, [(0, stops) for _, stops in routes], seconds=0.0, method="known")
    assert known.is_feasible
    assert known.cost == pytest.approx(cost)


def test_solomon_c101_is_solved_to_the_best_known(shared: Path) -> None:
    import sys
    from pathlib import Path as At

    sys.path.insert(0, str(At(__file__).resolve().parents[3] / "benchmarks"))
    try:
        import planning_routes as bench
    finally:
        sys.path.pop(0)
    problem = bench.read_solomon(shared / "allocation" / "solomon" / "C101.txt")
    plan = solve_here(problem, Stop(60.0, iterations=300))

    assert plan.is_feasible
    assert plan.cost == 8273


# ---- a day in progress ---------------------------------------------------------------------


def test_a_day_in_progress_keeps_what_was_done_and_starts_from_here() -> None:
    problem = draw(11, n=14, days=2)
    morning = solve_here(problem, STEPS)
    first = morning.routes[0]
    done = list(first.stops[:2])
    now = Progress(int(problem.stop_at[done[-1]]), first.begins[1] + problem.service[done[-1]])
    rest, stops = remaining(problem, done=done, progress={first.shift: now})
    plan = solve_here(rest, STEPS)

    assert plan.is_feasible or not morning.is_feasible
    assert not set(done) & {stop for _, order in joined(plan, stops) for stop in order}
    for walk in plan.routes:
        if walk.shift == first.shift:
            assert walk.begins[0] >= now.minute
    as_before = [list(first.stops[2:])]
    assert not faults_of(rest, [(first.shift, [stops.index(s) for s in as_before[0]])])


def test_who_falls_ill_makes_no_stop_and_the_others_take_over() -> None:
    problem = replace(draw(12, n=10), shifts=(Shift("a", 0), Shift("b", 0)), allowed=None)
    rest, stops = remaining(problem, done=[], progress={}, absent=[0])
    plan = solve_here(rest, STEPS)

    assert {walk.shift for walk in plan.routes} == {1}
    assert stops == list(range(10))


def test_several_alike_cannot_be_in_progress_as_one() -> None:
    problem = replace(draw(1), shifts=(Shift("pair", 0, n=2),))
    with pytest.raises(ValueError, match="one worker"):
        remaining(problem, done=[], progress={0: Progress(0, 10.0)})
