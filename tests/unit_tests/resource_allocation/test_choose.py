"""This week's choice: duties first, then exactly the most value, and who waits and why."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chw_tools.errors import InputError
from chw_tools.resource_allocation.choice import (
    ChoiceProblem,
    Floor,
    choose,
    price_of_floors,
    read_floor,
)
from chw_tools.resource_allocation.choice.knapsack import best_fit, most_value
from chw_tools.resource_allocation.solving import Stop

STOP = Stop(60.0, iterations=8)


def draw(seed: int, n: int = 40, workers: int = 3) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "worker_id": [f"w{i}" for i in rng.integers(0, workers, n)],
            "value": rng.exponential(0.02, n),
            "minutes": rng.integers(20, 70, n),
            "village": [f"v{i}" for i in rng.integers(0, 4, n)],
            "risk": rng.beta(1, 6, n),
            "is_required": rng.random(n) < 0.05,
            "weeks_unseen": rng.integers(0, 30, n),
        },
        index=[f"p{i:03}" for i in range(n)],
    )


def minutes(each: float, workers: int = 3) -> pd.Series:
    return pd.Series(each, index=[f"w{i}" for i in range(workers)])


def brute_force(value: np.ndarray, cost: np.ndarray, capacity: int) -> float:
    best = 0.0
    for n in range(len(value) + 1):
        for chosen in combinations(range(len(value)), n):
            if cost[list(chosen)].sum() <= capacity:
                best = max(best, float(value[list(chosen)].sum()))
    return best


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 1), st.integers(1, 30)), min_size=1, max_size=9),
    st.integers(0, 90),
)
def test_one_worker_s_choice_is_the_best_of_all(
    rows: list[tuple[float, int]], capacity: int
) -> None:
    value, cost = np.array([v for v, _ in rows]), np.array([c for _, c in rows])
    chosen = best_fit(value, cost, capacity)
    best = brute_force(value, cost, capacity)

    assert cost[chosen].sum() <= capacity
    assert value[chosen].sum() == pytest.approx(best, abs=1e-9)
    assert most_value(value, cost, capacity) >= best - 1e-9


def brute_choice(problem: ChoiceProblem) -> float | None:
    """The best value that keeps floors and capacity, of all choices; None if there is none."""
    table, best = problem.people, None
    for n in range(len(table) + 1):
        for keys in combinations(range(len(table)), n):
            part = table.iloc[list(keys)]
            used = part.groupby("worker_id")["minutes"].sum()
            if (used > problem.minutes.reindex(used.index)).any():
                continue
            if any((part[f.group] == f.name).sum() < f.visits for f in problem.floors):
                continue
            best = max(best or 0.0, float(part["value"].sum()))
    return best


@pytest.mark.parametrize("seed", range(12))
def test_with_floors_near_the_best_of_all_and_under_the_bound(seed: int) -> None:
    people = draw(seed, n=10, workers=2).assign(is_required=False)
    problem = ChoiceProblem(people, minutes(110, 2), floors=(Floor("village", "v1", 1),))
    made, best = choose(problem, STOP), brute_choice(problem)

    if best is None:
        assert not made.is_feasible
        return
    if made.is_feasible:
        assert made.value <= best + 1e-9
        assert made.value >= 0.8 * best
    assert made.bound >= best - 1e-9


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 400), st.integers(0, 12))
def test_never_called_feasible_when_it_is_not(seed: int, each: int, owed: int) -> None:
    people = draw(seed)
    floors = (Floor("village", "v0", owed), Floor("village", "v3", 3))
    problem = ChoiceProblem(
        people, minutes(each), floors=floors, most_weeks_unseen=26, risk_floor=0.4
    )
    made = choose(problem, STOP)
    used = made.chosen.groupby("worker_id")["minutes"].sum()
    holds = bool((used <= each).all())
    holds &= all(
        (people.loc[made.chosen.index, "village"] == f.name).sum() >= f.visits for f in floors
    )
    holds &= set(people.index[people["is_required"]]) <= set(made.chosen.index)
    holds &= not (people.loc[made.left_out.index, "weeks_unseen"] >= 26).any()

    assert made.is_feasible == holds
    assert bool(made.why_not) != made.is_feasible
    assert set(made.chosen.index) | set(made.left_out.index) == set(people.index)
    assert not set(made.chosen.index) & set(made.left_out.index)
    assert made.value <= made.bound + 1e-9


def test_what_is_required_is_in_even_beyond_the_minutes() -> None:
    people = draw(1).assign(is_required=True)
    made = choose(ChoiceProblem(people, minutes(100)), STOP)

    assert len(made.chosen) == len(people)
    assert not made.is_feasible
    assert "minutes more than there are" in made.why_not[0]


def test_who_was_unseen_longest_comes_first_and_never_seen_before_all() -> None:
    people = draw(2, n=6, workers=1).assign(
        is_required=False, minutes=50, value=[9, 8, 7, 1, 1, 1.0]
    )
    people["weeks_unseen"] = [1, 1, 1, 30, 40, None]
    made = choose(ChoiceProblem(people, minutes(100, 1), most_weeks_unseen=26), STOP)

    assert made.chosen.index.tolist() == ["p004", "p005"]
    assert (made.chosen["because"] == "owed").all()
    assert made.left_out.loc["p000", "is_displaced"]
    assert "2 owed visits" in made.left_out.loc["p000", "reason"]
    assert "1 not seen for 26 weeks" in made.why_not[0]


def test_nobody_above_the_risk_floor_is_left_out_without_being_named() -> None:
    people = draw(3).assign(is_required=False)
    people.loc["p000", ["risk", "value"]] = [0.95, 0.0]
    made = choose(ChoiceProblem(people, minutes(60), risk_floor=0.9), STOP)

    assert made.left_out.loc["p000", "reason"].startswith("ABOVE THE RISK FLOOR")
    assert made.notes == ("1 at or above a risk of 0.9 are not in; they are listed first.",)


def test_a_floor_has_its_price_and_giving_it_up_never_costs() -> None:
    people = draw(4, n=60).assign(is_required=False)
    problem = ChoiceProblem(
        people, minutes(200), floors=(Floor("village", "v2", 5),), most_weeks_unseen=28
    )
    price = price_of_floors(problem, STOP)

    assert price["floor"].tolist() == ["village v2: at least 5", "seen within 28 weeks"]
    assert (price["value_lost"] >= 0).all()
    assert price["value_lost"].max() > 0
    assert price_of_floors(replace(problem, floors=(), most_weeks_unseen=None), STOP).empty


def test_more_minutes_never_bring_less() -> None:
    people = draw(5)
    values = [choose(ChoiceProblem(people, minutes(m)), STOP).value for m in range(0, 500, 37)]

    assert values == sorted(values)


def test_the_order_of_rows_and_strangers_changes_nothing() -> None:
    people = draw(6)
    problem = ChoiceProblem(people, minutes(150), floors=(Floor("village", "v1", 4),))
    made = choose(problem, STOP)
    shuffled = choose(replace(problem, people=people.sample(frac=1, random_state=1)), STOP)
    others = people.assign(worker_id="w9", village="v9", is_required=False)
    others.index = ["q" + key for key in people.index]
    more = replace(
        problem,
        people=pd.concat([people, others]),
        minutes=pd.concat([minutes(150), pd.Series({"w9": 0})]),
    )

    assert set(shuffled.chosen.index) == set(made.chosen.index)
    assert set(choose(more, STOP).chosen.index) == set(made.chosen.index)


def test_nobody_no_worker_no_minutes_and_doubles() -> None:
    people = draw(7)
    empty = choose(ChoiceProblem(people.iloc[:0], minutes(100)), STOP)
    assert empty.is_feasible
    assert empty.gap == 0
    alone = choose(
        ChoiceProblem(people.assign(worker_id=None, is_required=False), minutes(9)), STOP
    )
    assert (alone.left_out["reason"] == "No worker looks after them.").all()
    idle = choose(ChoiceProblem(people.assign(is_required=False), minutes(0)), STOP)
    assert (idle.left_out["reason"] == "The worker has no minutes this week.").all()
    short = choose(ChoiceProblem(people.assign(is_required=False), minutes(10)), STOP)
    assert (short.left_out["reason"].str.startswith("Takes more minutes")).all()
    twice = choose(ChoiceProblem(pd.concat([people, people.iloc[:2]]), minutes(100)), STOP)
    assert "2 rows name somebody already listed" in twice.notes[0]
    assert len(twice.chosen) + len(twice.left_out) == len(people)


def test_required_people_without_a_worker_make_the_plan_infeasible() -> None:
    people = draw(8).assign(worker_id=None, is_required=True)
    made = choose(ChoiceProblem(people, minutes(100)), STOP)

    assert not made.is_feasible
    assert made.why_not == (f"{len(people)} required visits have no worker",)


def test_a_missing_value_counts_as_the_average() -> None:
    people = draw(9).assign(is_required=False)
    people.loc["p001", "value"] = np.nan
    made = choose(ChoiceProblem(people, minutes(5000)), STOP)

    assert made.chosen.loc["p001", "value"] == pytest.approx(people["value"].mean())
    assert "1 without a value" in made.notes[0]


def test_chance_needs_approval_and_is_repeatable() -> None:
    people = draw(10, n=200).assign(is_required=False)
    with pytest.raises(ValueError, match="ethics"):
        ChoiceProblem(people, minutes(300), explore_share=0.05)
    with pytest.raises(ValueError, match="share"):
        ChoiceProblem(people, minutes(300), explore_share=0.5, explore_approved=True)
    problem = ChoiceProblem(people, minutes(900), explore_share=0.2, explore_approved=True)
    first, again, other = (choose(problem, STOP, seed=s) for s in (1, 1, 2))
    drawn = [set(c.chosen.index[c.chosen["because"] == "explored"]) for c in (first, again, other)]

    assert drawn[0]
    assert drawn[0] == drawn[1]
    assert drawn[0] != drawn[2]


def test_a_missing_column_is_refused() -> None:
    with pytest.raises(ValueError, match="village"):
        ChoiceProblem(
            draw(1).drop(columns="village"), minutes(9), floors=(Floor("village", "v", 1),)
        )


def test_out_of_time_a_choice_is_still_given() -> None:
    people = draw(11)
    problem = ChoiceProblem(people, minutes(200), floors=(Floor("village", "v1", 3),))
    made = choose(problem, Stop(1e-9), seed=0)

    assert made.is_feasible
    assert made.value <= made.bound + 1e-9


@pytest.mark.parametrize("text", ["sex:female", "name:x:1", "sex:female:many"])
def test_a_floor_that_is_none_is_explained(text: str) -> None:
    with pytest.raises(InputError, match="GROUP:NAME:N"):
        read_floor(text)
