"""A simulated district's week end to end: choice and routes of all workers, seconds and memory.

Run: ``python benchmarks/planning_district.py`` (100,000 people, 500 workers), ``quick`` for
2,000 people and 10 workers, ``--scheduler ADDRESS`` for the workers of a Dask scheduler.
Homes are drawn at random around villages; posts and caseloads are measured by their own
benchmarks, here each home belongs to the worker of its village.
"""

from __future__ import annotations

import argparse
import os
import resource
import time

import numpy as np
import pandas as pd

from chw_tools.resource_allocation.choice import ChoiceProblem, Floor, choose
from chw_tools.resource_allocation.routing import RouteProblem, Shift, solve_all
from chw_tools.resource_allocation.solving import Stop

DAYS, OPENS, MINUTES = 5, 480.0, 300.0
OFFERED = 200


def draw_homes(n_people: int, n_workers: int, seed: int = 0) -> pd.DataFrame:
    """Homes of four around the worker of their village, some required, some poor."""
    rng = np.random.default_rng(seed)
    n = n_people // 4
    worker = rng.integers(0, n_workers, n)
    return pd.DataFrame(
        {
            "worker_id": [f"w{w:04}" for w in worker],
            "x": rng.normal(0, 1.2, n),
            "y": rng.normal(0, 1.2, n),
            "value": rng.beta(1, 9, n) * rng.choice([0.05, 0.1, 0.2], n),
            "minutes": 34.0 + 10 * rng.integers(0, 3, n) + 8,
            "wealth_fifth": rng.integers(1, 6, n).astype(str),
            "is_required": rng.random(n) < 0.01,
            "risk": rng.beta(1, 9, n),
            "weeks_unseen": rng.integers(0, 40, n),
        },
        index=[f"h{i:06}" for i in range(n)],
    )


def as_problem(homes: pd.DataFrame) -> RouteProblem:
    """One worker's homes as a week of routes."""
    xy = np.vstack([[0.0, 0.0], homes[["x", "y"]].to_numpy()])
    km = np.sqrt(((xy[:, None] - xy[None, :]) ** 2).sum(axis=2))
    mean = float(homes["value"].mean())
    return RouteProblem(
        travel=km * 1.4 / 4.5 * 60,
        stop_at=np.arange(1, len(xy)),
        service=homes["minutes"].to_numpy() - 8,
        value=homes["value"].to_numpy(),
        shifts=tuple(Shift(f"day {d + 1}", 0, None, OPENS, OPENS + MINUTES) for d in range(DAYS)),
        required=homes["is_required"].to_numpy(),
        travel_cost=mean * 1e-3,
        cost_ticks=1e4 / mean,
    )


def offered(homes: pd.DataFrame, chosen: pd.DataFrame) -> list[RouteProblem]:
    """Each worker's chosen homes and the next best ones."""
    because = chosen["because"].reindex(homes.index)
    rows = homes.assign(
        is_required=because.isin(["required", "floor", "owed"]), is_in=because.notna()
    )
    rows["worth"] = rows["value"] / rows["minutes"]
    rows = rows.sort_values(["is_required", "is_in", "worth"], ascending=False)
    return [as_problem(part.head(OFFERED)) for _, part in rows.groupby("worker_id", sort=True)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("quick", nargs="?", choices=["quick"])
    parser.add_argument("--scheduler", help="address of a Dask scheduler")
    asked = parser.parse_args()
    n_people, n_workers = (2_000, 10) if asked.quick else (100_000, 500)
    homes = draw_homes(n_people, n_workers)
    minutes = pd.Series(DAYS * MINUTES, index=sorted(homes["worker_id"].unique()))
    began = time.perf_counter()
    floors = (Floor("wealth_fifth", "1", len(minutes) * 6),)
    choice = choose(ChoiceProblem(homes, minutes, floors=floors, risk_floor=0.6), Stop(60.0))
    chosen_after = time.perf_counter() - began
    problems = offered(homes, choice.chosen)
    plans = solve_all(problems, Stop(1.0), seed=1, scheduler=asked.scheduler)
    seconds = time.perf_counter() - began
    memory = sum(
        resource.getrusage(who).ru_maxrss
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    print(f"{n_people:,} people, {len(minutes)} workers, load {os.getloadavg()[0]:.1f}")
    print(f"choice {chosen_after:.1f} s, gap {choice.gap:.2%}, feasible {choice.is_feasible}")
    print(f"routes {seconds - chosen_after:.1f} s; whole {seconds:.1f} s (goal 360 s for 500)")
    print(f"value {sum(p.value for p in plans):.2f} of at most {sum(p.bound for p in plans):.2f}")
    print(f"feasible weeks {sum(p.is_feasible for p in plans)} of {len(plans)}")
    print(f"largest process and largest child together {memory / 1e6:.2f} GB (goal 4 GB)")


if __name__ == "__main__":
    main()
