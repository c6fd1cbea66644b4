"""From a table of communities to a problem of posts and back."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from chw_tools.programme import load_programme
from chw_tools.records import TABLES, conform
from chw_tools.records.checks import check_table
from chw_tools.records.planning import COMMUNITY_NEEDS, POSTED
from chw_tools.resource_allocation.apart import run_here
from chw_tools.resource_allocation.posts import (
    budget_curve,
    budget_plans,
    path_km,
    posted_table,
    posts_problem,
    solve_posts,
)
from chw_tools.resource_allocation.posts.figures import plot_budget, plot_posts
from chw_tools.resource_allocation.solving import Stop

PROGRAMME = load_programme()
DAY = pd.Timestamp("2026-01-01")


def communities(latitude: list[float], hours: float = 900.0) -> pd.DataFrame:
    n = len(latitude)
    frame = pd.DataFrame(
        {
            "area_id": [f"v{i:02d}" for i in range(n)],
            "n_people": 500,
            "n_homes": 100,
            "hours": hours,
            "latitude": latitude,
            "longitude": 36.0,
        }
    )
    return conform(COMMUNITY_NEEDS, frame)


def areas(n: int) -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "id": [f"v{i:02d}" for i in range(n)],
            "parent_id": [f"d{i % 2}" for i in range(n)],
            "name": "V",
            "level": "village",
            "source": "t",
            "known_on": DAY,
        }
    )
    return conform(TABLES["areas"], frame)


def workers(*places: float | str) -> pd.DataFrame:
    rows = [
        {
            "id": f"w{i}",
            "area_id": p if isinstance(p, str) else None,
            "latitude": np.nan if isinstance(p, str) else p,
            "longitude": np.nan if isinstance(p, str) else 36.0,
            "source": "t",
            "known_on": DAY,
        }
        for i, p in enumerate(places)
    ]
    return conform(TABLES["workers"], pd.DataFrame(rows, columns=TABLES["workers"].column_names))


def test_workers_stand_where_they_are_and_the_far_are_told_why() -> None:
    table = communities([0.0, 0.01, 0.02, 3.0, np.nan])
    found = posts_problem(
        table, workers(0.011, "v00", "nowhere"), areas(5), programme=PROGRAMME, budget=2
    )
    plan = solve_posts(found.problem, Stop(5), run=run_here)
    posted = posted_table(found, plan).set_index("area_id")

    check_table(POSTED, posted_table(found, plan))
    assert plan.is_feasible
    assert found.set_aside.to_numpy().tolist() == [["v04", "No position is known."]]
    assert posted["posts_before"].to_dict() == {"v00": 1, "v01": 1, "v02": 0, "v03": 0}
    assert (posted["posts"] >= posted["posts_before"]).all()
    assert posted.loc["v03", "reason"] == "No post within the walk limit."
    assert posted.loc["v00", "served"] == 1.0
    assert path_km(found, programme=PROGRAMME)[0, 1] == pytest.approx(1.112 * 1.4, rel=1e-3)


def test_more_sites_than_are_near_leave_a_bound_that_holds() -> None:
    table = communities(list(np.arange(40) * 0.001), hours=100.0)
    found = posts_problem(table, workers(), areas(40), programme=PROGRAMME, budget=3)
    problem = found.problem

    assert np.bincount(problem.community).max() == 20
    assert problem.beyond_minutes is not None
    assert np.isfinite(problem.beyond_minutes).all()
    farthest = np.zeros(40)
    np.maximum.at(farthest, problem.community, problem.minutes)
    assert (problem.beyond_minutes >= 0.99 * farthest).all()
    assert len(problem.floor) == 2  # type: ignore[arg-type]


def test_posts_that_may_move_are_not_held() -> None:
    table = communities([0.0, 0.01])
    keep = np.array([False])
    found = posts_problem(table, workers(0.0), areas(2), programme=PROGRAMME, budget=1, keep=keep)

    assert found.problem.least.sum() == 0
    assert found.posts_before.tolist() == [1, 0]


def test_no_community_has_a_position() -> None:
    found = posts_problem(
        communities([np.nan]), workers(0.0), areas(1), programme=PROGRAMME, budget=1
    )
    plan = solve_posts(found.problem, Stop(5), run=run_here)

    assert plan.is_feasible
    assert len(posted_table(found, plan)) == 0
    assert len(found.set_aside) == 1


def test_pictures_show_posts_and_what_they_buy() -> None:
    table = communities([0.0, 0.01, 0.02, 3.0])
    found = posts_problem(table, workers(), areas(4), programme=PROGRAMME, budget=3)
    plans = budget_plans(found.problem, [1, 3], Stop(5), run=run_here)
    place = {name: found.table[name].to_numpy() for name in ("longitude", "latitude")}
    drawn = plot_posts(found.problem, plans[-1], note="Simulated", **place)
    curve = plot_budget(budget_curve(found.problem, plans), note="Simulated")

    assert "of 4 communities not fully served" in drawn.axes[0].get_title(loc="left")
    assert curve.axes[0].lines[0].get_xdata().tolist() == [1, 3]
