"""Caseloads against every possible assignment on small problems, and rules that always hold."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations_with_replacement, product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chw_tools.errors import SolverFailed
from chw_tools.programme import load_programme
from chw_tools.resource_allocation.apart import run_here
from chw_tools.resource_allocation.caseloads import (
    CaseloadProblem,
    CaseloadRules,
    absent_numbers,
    as_assignment,
    caseload_problem,
    n_kept,
    reassign,
    solve_caseloads,
)
from chw_tools.resource_allocation.caseloads.exchange import exchange_homes
from chw_tools.resource_allocation.caseloads.problem import cost_of, find_faults
from chw_tools.resource_allocation.caseloads.whole import make_whole
from chw_tools.resource_allocation.solving import Stop

PLANNING = load_programme().planning
STOP = Stop(seconds=10, iterations=500)


def draw_problem(seed: int, *, n: int = 6, m: int = 3) -> CaseloadProblem:
    rng = np.random.default_rng(seed)
    home, worker = np.nonzero(rng.random((n, m)) < 0.8)
    load = rng.integers(1, 30, n)
    capacity = rng.integers(0, int(load.sum()) // 2 + 1, m)
    high = (capacity * 0.8).astype(int)
    return CaseloadProblem(
        home=home,
        worker=worker,
        cost=rng.integers(0, 300, len(home)),
        load=load,
        unserved=np.full(n, 5000) + rng.integers(0, 3, n) * 1000,
        capacity=capacity,
        low=high // 2,
        high=high,
        outside=int(rng.integers(0, 200)),
        before=np.full(n, -1),
        why_none=("",) * n,
    )


def best_cost(problem: CaseloadProblem) -> float:
    choices = [
        [-1, *problem.worker[problem.home == home].tolist()] for home in range(problem.n_homes)
    ]
    every = (np.array(worker) for worker in product(*choices))
    return min(cost_of(problem, worker) for worker in every if not find_faults(problem, worker))


def with_room(problem: CaseloadProblem) -> CaseloadProblem:
    """The problem with room for nearly everybody, as in a caseload of many homes."""
    capacity = np.full(problem.n_workers, int(problem.load.sum() * 0.6))
    high = np.full(problem.n_workers, int(problem.load.sum() * 0.4))
    return replace(problem, capacity=capacity, high=high, low=high // 2)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 100_000))
def test_near_the_best_and_never_below_the_bound(seed: int) -> None:
    problem = draw_problem(seed)
    plan = solve_caseloads(problem, STOP, run=run_here)
    best = best_cost(problem)

    assert plan.is_feasible
    assert plan.bound <= best + 1e-6
    assert plan.cost >= best - 1e-6
    # With loads as large as these, one home more or less without a worker is what can differ.
    assert plan.cost <= best + (problem.unserved * problem.load).max()


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 100_000), room=st.floats(0.0, 1.2))
def test_never_called_feasible_when_it_is_not(seed: int, room: float) -> None:
    drawn = draw_problem(seed, n=12, m=4)
    capacity = np.floor(drawn.capacity * room).astype(np.int64)
    high = np.minimum(drawn.high, capacity)
    problem = replace(drawn, capacity=capacity, high=high, low=np.minimum(drawn.low, high))
    plan = solve_caseloads(problem, STOP, run=run_here)
    pairs = set(zip(problem.home.tolist(), problem.worker.tolist(), strict=True))
    chosen = [(home, who) for home, who in enumerate(plan.worker.tolist()) if who >= 0]
    load = np.zeros(problem.n_workers)
    for home, who in chosen:
        load[who] += problem.load[home]

    assert (set(chosen) <= pairs and (load <= capacity).all()) or not plan.is_feasible
    assert all(plan.why_none[home] for home in np.flatnonzero(plan.worker < 0))


def test_on_average_the_search_is_within_a_hundredth_of_the_best() -> None:
    problems = [with_room(draw_problem(seed, n=5)) for seed in range(40)]
    plans = [solve_caseloads(problem, STOP, run=run_here) for problem in problems]
    best = [best_cost(problem) for problem in problems]
    ratio = [plan.cost / cost if cost else 1.0 for plan, cost in zip(plans, best, strict=True)]

    assert min(ratio) >= 1 - 1e-9
    assert np.mean(ratio) < 1.01


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 100_000), n_left_out=st.integers(0, 5))
def test_no_exchange_of_two_workers_is_left_that_saves(seed: int, n_left_out: int) -> None:
    """Every single move and every swap, valued from the numbers alone; nobody counts as one."""
    problem = draw_problem(seed, n=12, m=4)
    plan = solve_caseloads(problem, Stop(10, iterations=0), run=run_here)
    start = plan.worker.copy()
    start[:n_left_out] = -1
    found = exchange_homes(problem, start, iterations=10_000)
    cost = cost_of(problem, found)
    others = []
    for home, other in combinations_with_replacement(range(problem.n_homes), 2):
        swapped = found.copy()
        swapped[[home, other]] = found[[other, home]]
        others.append(swapped)
        for who in range(-1, problem.n_workers):
            moved = found.copy()
            moved[home] = who
            others.append(moved)
    least = min(cost_of(problem, other) for other in others if not find_faults(problem, other))

    assert find_faults(problem, found) == ()
    assert cost <= cost_of(problem, start)
    assert cost <= least
    assert (exchange_homes(problem, start, iterations=0) == start).all()
    assert (exchange_homes(problem, start, iterations=99, until=0.0) == start).all()


def test_several_homes_leave_a_worker_so_that_a_large_one_finds_room() -> None:
    # Ten small homes sit with the only worker who may take the large one; another has room.
    n = 11
    problem = CaseloadProblem(
        home=np.concatenate([np.arange(n), np.arange(1, n)]),
        worker=np.concatenate([np.zeros(n, dtype=int), np.ones(n - 1, dtype=int)]),
        cost=np.concatenate([np.full(n, 10), np.full(n - 1, 30)]),
        load=np.array([50, *[10] * (n - 1)]),
        unserved=np.full(n, 5000),
        capacity=np.array([100, 60]),
        low=np.zeros(2, dtype=int),
        high=np.array([100, 60]),
        outside=0,
        before=np.full(n, -1),
        why_none=("",) * n,
    )
    small_first = np.concatenate([[0], np.full(n - 1, 10), np.zeros(n - 1)]).astype(int)
    worker = make_whole(problem, small_first)

    assert worker[0] == 0
    assert sorted(worker[1:].tolist()) == [0] * 5 + [1] * 5
    # Where the other has room for less, the large one stays out: no plan keeps all.
    full = replace(problem, capacity=np.array([100, 40]), high=np.array([100, 40]))
    assert find_faults(full, make_whole(full, small_first)) == ()
    assert make_whole(full, small_first)[0] == -1


def test_the_same_problem_gives_the_same_plan() -> None:
    problem = draw_problem(3, n=40, m=6)
    one, other = (solve_caseloads(problem, STOP, run=run_here) for _ in range(2))

    assert one.worker.tolist() == other.worker.tolist()


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 100_000))
def test_only_the_homes_of_who_is_away_move(seed: int) -> None:
    problem = draw_problem(seed, n=20, m=4)
    plan = solve_caseloads(problem, STOP, run=run_here)
    again = reassign(problem, plan, [1], STOP, run=run_here)
    moved = plan.worker == 1

    assert again.is_feasible
    assert not (again.worker == 1).any()
    assert (again.worker[~moved] == plan.worker[~moved]).all()
    assert again.bound <= again.cost + 1e-6
    for home in np.flatnonzero(moved & (again.worker < 0)):
        assert "while the worker is away" in again.why_none[home]


def test_a_flow_that_fails_leaves_a_plain_plan() -> None:
    def fails(*_: object, seconds: float) -> None:
        raise SolverFailed("It broke.")

    problem = draw_problem(5, n=20, m=4)
    plan = solve_caseloads(problem, STOP, run=fails)

    assert plan.is_feasible
    assert plan.bound <= plan.cost
    assert plan.notes[0] == "It broke. The plan comes from a plain search."


def homes(**columns: list[object]) -> pd.DataFrame:
    n = len(next(iter(columns.values())))
    frame = {
        "home": [f"h{i}" for i in range(n)],
        "load_minutes": [60.0] * n,
        "latitude": [-1.0] * n,
        "longitude": [36.0] * n,
    }
    return pd.DataFrame(frame | columns)


def workers(**columns: list[object]) -> pd.DataFrame:
    n = len(next(iter(columns.values())))
    frame = {
        "id": [f"w{i}" for i in range(n)],
        "capacity_minutes": [600.0] * n,
        "latitude": [-1.0 + i / 100 for i in range(n)],
        "longitude": [36.0] * n,
    }
    return pd.DataFrame(frame | columns)


def assigned(
    those: pd.DataFrame, staff: pd.DataFrame, rules: CaseloadRules | None = None
) -> tuple[dict[str, str], dict[str, str]]:
    """Who goes to whom, and why who does not."""
    caseloads = caseload_problem(
        those, staff, planning=PLANNING, rules=rules or CaseloadRules(band=10.0)
    )
    plan = solve_caseloads(caseloads.problem, STOP, run=run_here)
    found = as_assignment(caseloads, plan.worker)
    reasons = dict(zip(caseloads.homes, plan.why_none, strict=True))
    aside = dict(zip(caseloads.set_aside["home"], caseloads.set_aside["reason"], strict=True))
    assert plan.is_feasible
    return found.dropna().to_dict(), {h: r for h, r in reasons.items() if r} | aside


def test_the_nearest_worker_unless_another_came_until_now() -> None:
    staff = workers(id=["w0", "w1"])

    assert assigned(homes(worker_id=[None]), staff)[0] == {"h0": "w0"}
    near = CaseloadRules(band=10.0, continuity_minutes=30.0)
    assert assigned(homes(worker_id=["w1"]), staff, near)[0] == {"h0": "w1"}
    assert assigned(homes(worker_id=["gone"]), staff)[0] == {"h0": "w0"}


def test_skills_are_needed_and_a_language_is_preferred() -> None:
    staff = workers(skills=["", "maternal"], language=["sw", "luo"])
    those = homes(skills=["", "maternal", "tb", ""], language=["sw", "sw", "sw", "luo"])
    found, reasons = assigned(those, staff)

    assert found == {"h0": "w0", "h1": "w1", "h3": "w1"}
    assert reasons == {"h2": "No worker has the skills that the home needs."}


def test_what_cannot_be_planned_is_listed_with_the_reason() -> None:
    those = homes(
        home=["a", "a", "b", "far", "lost"],
        load_minutes=[60.0, 60.0, np.nan, 60.0, 60.0],
        latitude=[-1.0, -1.0, -1.0, 5.0, np.nan],
    )
    rules = CaseloadRules(band=10.0, walk_limit_minutes=60.0)
    found, reasons = assigned(those, workers(id=["w0"]), rules)

    # Without a position a home is planned all the same, at the usual walk.
    assert found == {"a": "w0", "lost": "w0"}
    assert reasons == {
        "a": "The home is given twice; it is planned once.",
        "b": "Its load is unknown.",
        "far": "No worker within the walk limit.",
    }


def test_capacity_is_hard_and_the_needier_home_comes_first() -> None:
    those = homes(priority=[1.0, 3.0, 1.0])
    found, reasons = assigned(those, workers(capacity_minutes=[60.0]))

    assert found == {"h1": "w0"}
    assert set(reasons.values()) == {"The workers who could come are full."}


@pytest.mark.parametrize("capacity", [[], [0.0]])
def test_no_workers_and_no_capacity(capacity: list[float]) -> None:
    found, reasons = assigned(homes(priority=[1.0, 1.0]), workers(capacity_minutes=capacity))

    assert found == {}
    assert len(reasons) == 2


def test_no_homes() -> None:
    assert assigned(homes(priority=[]), workers(id=["w0"])) == ({}, {})


def test_workers_without_a_position_share_the_homes() -> None:
    staff = workers(id=["w0", "w1"], latitude=[np.nan, np.nan], longitude=[np.nan, np.nan])
    found, _ = assigned(homes(priority=[1.0] * 4), staff, CaseloadRules())

    assert sorted(found.values()) == ["w0", "w0", "w1", "w1"]


def test_loads_lie_in_their_band_where_that_is_possible() -> None:
    those = homes(priority=[1.0] * 40)
    caseloads = caseload_problem(
        those,
        workers(id=["w0", "w1"], capacity_minutes=[3000.0, 3000.0]),
        planning=PLANNING,
        rules=CaseloadRules(),
    )
    plan = solve_caseloads(caseloads.problem, STOP, run=run_here)

    assert plan.notes == ()
    assert abs(plan.load - 1200).max() <= 180
    assert n_kept(caseloads.problem, plan.worker) == 0
    assert absent_numbers(caseloads, ["w1", "nobody"]) == [1]


def test_wrong_problems_are_refused() -> None:
    problem = draw_problem(0)
    with pytest.raises(ValueError, match="at least a minute"):
        replace(problem, load=problem.load * 0)
    with pytest.raises(ValueError, match="below its capacity"):
        replace(problem, high=problem.capacity + 1)
