"""Draw the pictures of docs/planning.md: a simulated district, its posts and its budget curve."""

from pathlib import Path

import numpy as np
import pandas as pd

from chw_tools.programme import load_programme
from chw_tools.records import TABLES, conform
from chw_tools.records.planning import COMMUNITY_NEEDS
from chw_tools.resource_allocation.posts import (
    budget_curve,
    budget_plans,
    posts_problem,
    solve_posts,
)
from chw_tools.resource_allocation.posts.figures import plot_budget, plot_posts
from chw_tools.resource_allocation.solving import Stop

PICTURES = Path(__file__).resolve().parent.parent / "docs" / "pictures"
NOTE = "Simulated communities: shows how the plan is made, not where to post anybody"
BUDGETS = (5, 10, 15, 20, 25, 30, 40)


def make_communities(n: int = 120, seed: int = 4) -> pd.DataFrame:
    """Communities at random, some of them far from all others."""
    rng = np.random.default_rng(seed)
    people = np.round(rng.lognormal(np.log(180), 0.7, n))
    frame = pd.DataFrame(
        {
            "area_id": [f"v{i:03d}" for i in range(n)],
            "n_people": people,
            "n_homes": np.ceil(people / 4.4),
            "hours": people * 1.1,
            "latitude": -1 + rng.normal(0, 0.09, n),
            "longitude": 36 + rng.normal(0, 0.09, n),
        }
    )
    return conform(COMMUNITY_NEEDS, frame)


def main() -> None:
    """Write both pictures."""
    programme = load_programme()
    table = make_communities()
    areas, workers = (conform(TABLES[name], pd.DataFrame()) for name in ("areas", "workers"))
    found = posts_problem(table, workers, areas, programme=programme, budget=25)
    plan = solve_posts(found.problem, Stop(60, iterations=200), seed=1)
    place = {name: found.table[name].to_numpy() for name in ("longitude", "latitude")}
    plot_posts(found.problem, plan, note=NOTE, **place).savefig(PICTURES / "posts.png", dpi=110)
    plans = budget_plans(found.problem, BUDGETS, Stop(30, iterations=200), seed=1)
    curve = budget_curve(found.problem, plans)
    plot_budget(curve, note=NOTE).savefig(PICTURES / "budget.png", dpi=110)
    print(curve.round(3).to_string(index=False))


if __name__ == "__main__":
    main()
