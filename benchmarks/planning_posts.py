"""Posts against the best known answers: ours, best known, gap to it, gap proven, seconds.

::

    python benchmarks/planning_posts.py            all, some minutes
    python benchmarks/planning_posts.py quick      a few small ones
    python benchmarks/planning_posts.py --slow 3   on a busy machine: three times the seconds

OR-Library p-median problems (Beasley 1985) without and with capacity (Osman and Christofides
1994), from the public data beside the project; and simulated districts of 2,000 communities
with 500 posts, in which the posts have so many times the hours that are needed. Seconds are
CPU seconds of this process and its solvers, and by the clock.
"""

from __future__ import annotations

import argparse
import resource
import sys
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import shortest_path
from scipy.spatial import cKDTree

from chw_tools.resource_allocation.posts import PostsPlan, PostsProblem, solve_posts
from chw_tools.resource_allocation.solving import Stop

DATA = Path(__file__).parents[2] / "shared" / "allocation"
QUICK = ("pmed1", "pmed5", "pmedcap02", "pmedcap04")


def p_median(name: str) -> PostsProblem:
    """One of the OR-Library's p-median problems."""
    words = np.array((DATA / "pmed" / f"{name}.txt").read_text().split(), dtype=int)
    n, n_edges, p = words[:3]
    length = np.zeros((n, n))
    for one, other, long in words[3 : 3 + 3 * n_edges].reshape(-1, 3):
        length[one - 1, other - 1] = length[other - 1, one - 1] = long
    minutes = np.round(shortest_path(csr_matrix(length), directed=False))
    return _square(minutes, np.ones(n), int(p))


def p_median_with_capacity(name: str) -> tuple[PostsProblem, float]:
    """One of those with capacity, and its best known answer."""
    words = (DATA / "pmedcap" / f"{name}.txt").read_text().split()
    n, p, capacity = (int(word) for word in words[2:5])
    table = np.array(words[5 : 5 + 4 * n], dtype=float).reshape(n, 4)
    east, north = (np.subtract.outer(table[:, c], table[:, c]) for c in (1, 2))
    problem = _square(np.floor(np.hypot(east, north)), table[:, 3], p, capacity=capacity)
    return problem, float(words[1])


def _square(
    minutes: np.ndarray, demand: np.ndarray, p: int, capacity: float = np.inf
) -> PostsProblem:
    n = len(minutes)
    community, site = np.divmod(np.arange(n * n), n)
    ones = np.ones(n, dtype=np.int64)
    return PostsProblem(
        community=community,
        site=site,
        minutes=minutes.ravel(),
        demand=demand,
        people=np.ones(n),
        least=0 * ones,
        most=ones,
        budget=p,
        capacity=capacity,
        is_whole=np.isfinite(capacity),
    )


def district(n: int = 2000, posts: int = 500, *, hours: float, seed: int = 0) -> PostsProblem:
    """Simulated communities on a square of 80 km; posts have so many times the hours needed."""
    rng = np.random.default_rng(seed)
    places = rng.uniform(0, 80, (n, 2))
    people = np.round(rng.lognormal(np.log(250), 0.8, n))
    near = 20
    km, site = cKDTree(places).query(places, near + 1)
    minutes = km * 1.4 / 4.5 * 60
    kept = minutes[:, :near] <= 180
    return PostsProblem(
        community=np.nonzero(kept)[0],
        site=site[:, :near][kept],
        minutes=minutes[:, :near][kept],
        demand=people / people.sum() * posts / hours,
        people=people,
        least=np.zeros(n, dtype=np.int64),
        most=np.full(n, 50),
        budget=posts,
        capacity=1.0,
        unserved_minutes=240.0,
        beyond_minutes=np.where(minutes[:, near] <= 180, minutes[:, near], np.inf),
    )


def cpu_seconds() -> float:
    """Of this process and of the solvers it waited for."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(u.ru_utime + u.ru_stime for u in used)


def measure(name: str, problem: PostsProblem, best: float | None, seconds: float) -> PostsPlan:
    """Solve one and write its line."""
    before = cpu_seconds()
    plan = solve_posts(problem, Stop(seconds), seed=1)
    cpu = cpu_seconds() - before
    known = f"{best:>12,.0f}{(plan.cost - best) / best:>10.2%}" if best else f"{'':>12}{'':>10}"
    state = "" if plan.is_feasible else "  NOT FEASIBLE"
    sys.stdout.write(
        f"{name:<28}{plan.cost:>14,.0f}{known}{plan.gap:>10.2%}{cpu:>9.1f}{plan.seconds:>9.1f}"
        f"{state}\n"
    )
    sys.stdout.flush()
    return plan


def main() -> None:
    """Measure all, or a few."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("which", nargs="?", default="all", choices=["all", "quick"])
    parser.add_argument("--slow", type=float, default=1.0)
    parser.add_argument("--only", default="", help="Names that begin so.")
    asked = parser.parse_args()
    columns = ("ours", "best known", "above", "proven", "CPU s", "clock s")
    sys.stdout.write(f"{'':<28}{columns[0]:>14}{columns[1]:>12}{columns[2]:>10}")
    sys.stdout.write(f"{columns[3]:>10}{columns[4]:>9}{columns[5]:>9}\n")
    best = {}
    for line in (DATA / "pmed" / "bounds.txt").read_text().splitlines():
        name, *numbers = line.split() or [""]
        best[name] = numbers
    names = sorted((p.stem for p in (DATA / "pmed").glob("pmed*.txt")), key=lambda s: int(s[4:]))
    names += sorted(p.stem for p in (DATA / "pmedcap").glob("pmedcap*.txt"))
    for name in names if asked.which == "all" else QUICK:
        if not name.startswith(asked.only):
            continue
        if name.startswith("pmedcap"):
            problem, known = p_median_with_capacity(name)
            measure(name, problem, known, 30.0 * asked.slow)
        else:
            measure(name, p_median(name), float(best[name][1]), 60.0 * asked.slow)
    if asked.which == "all":
        for hours in (1.1, 1.25, 1.5):
            name = f"district 2000/500 x {hours}"
            if name.startswith(asked.only):
                measure(name, district(hours=hours), None, 120.0 * asked.slow)


if __name__ == "__main__":
    main()
