"""100,000 people and 500 workers: whose homes are whose, the gap to the flow, and who stands in.

::

    python benchmarks/planning_caseloads.py            100,000 people, 500 workers
    python benchmarks/planning_caseloads.py quick      5,000 people, 25 workers

Simulated homes around villages; seven in ten had a worker among the five nearest. Seconds are
CPU seconds of this process and its solver.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from chw_tools.programme import load_programme
from chw_tools.resource_allocation.caseloads import (
    CaseloadRules,
    caseload_problem,
    n_kept,
    reassign,
    solve_caseloads,
)
from chw_tools.resource_allocation.solving import Stop

sys.path.insert(0, str(Path(__file__).parent))
from planning_posts import cpu_seconds


def make_homes(n_people: int, n_workers: int, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Homes with loads, skills and languages, and workers with a quarter more time than needed."""
    rng = np.random.default_rng(seed)
    size = np.clip(rng.poisson(4.2, n_people), 1, 12)
    size = size[: np.searchsorted(size.cumsum(), n_people)]
    n = len(size)
    villages = rng.uniform(0, 0.6, (200, 2))
    share = rng.dirichlet(np.ones(200) * 2)
    home_at = villages[rng.choice(200, n, p=share)] + rng.normal(0, 0.006, (n, 2))
    worker_at = villages[rng.choice(200, n_workers, p=share)]
    worker_at = worker_at + rng.normal(0, 0.006, (n_workers, 2))
    near = cKDTree(worker_at).query(home_at, 5)[1][np.arange(n), rng.integers(0, 5, n)]
    keys = np.array([f"w{i:04d}" for i in range(n_workers)], dtype=object)
    load = np.round(size * rng.gamma(2, 4, n) + 5)
    homes = pd.DataFrame(
        {
            "home": [f"h{i:06d}" for i in range(n)],
            "load_minutes": load,
            "latitude": home_at[:, 0] - 1,
            "longitude": home_at[:, 1] + 36,
            "worker_id": np.where(rng.random(n) < 0.7, keys[near], None),
            "language": rng.choice(np.array(["sw", "luo", None]), n, p=[0.7, 0.2, 0.1]),
            "skills": np.where(rng.random(n) < 0.15, "maternal", ""),
        }
    )
    workers = pd.DataFrame(
        {
            "id": keys,
            "capacity_minutes": load.sum() / n_workers * 1.25,
            "latitude": worker_at[:, 0] - 1,
            "longitude": worker_at[:, 1] + 36,
            "language": rng.choice(["sw", "luo"], n_workers, p=[0.75, 0.25]),
            "skills": np.where(rng.random(n_workers) < 0.6, "maternal", ""),
        }
    )
    return homes, workers


def main(words: list[str]) -> None:
    """Measure, and write a line for each act."""
    n_people, n_workers = (5_000, 25) if "quick" in words else (100_000, 500)
    homes, workers = make_homes(n_people, n_workers)
    planning = load_programme().planning
    before = cpu_seconds()
    found = caseload_problem(homes, workers, planning=planning, rules=CaseloadRules())
    _line(f"pairs: {len(homes):,} homes, {len(found.problem.home):,} pairs", before)
    before = cpu_seconds()
    plan = solve_caseloads(found.problem, Stop(60))
    stays = n_kept(found.problem, plan.worker)
    n_before = int((found.problem.before >= 0).sum())
    _line(
        f"caseloads: gap to the flow {plan.gap:.2%}, {int((plan.worker < 0).sum())} homes without "
        f"a worker, {stays / n_before:.0%} stay with theirs, "
        f"{'feasible' if plan.is_feasible else 'NOT FEASIBLE'}",
        before,
    )
    before = cpu_seconds()
    again = reassign(found.problem, plan, [0], Stop(20))
    moved = int((again.worker != plan.worker).sum())
    _line(f"one worker away: {moved} homes move, gap {again.gap:.3%}", before)


def _line(said: str, before: float) -> None:
    sys.stdout.write(f"{said:<95}{cpu_seconds() - before:>7.2f} CPU s\n")


if __name__ == "__main__":
    main(sys.argv[1:])
