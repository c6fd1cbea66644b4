"""Days and routes: public instances with known best plans, then weeks of workers.

Run: ``python benchmarks/planning_routes.py`` (``quick`` for two instances of each kind,
``--only weeks`` for one kind). Gaps are to the best known plans, which are timed again here
by our own check. Seconds are of CPU, so that a busy machine changes little; one process
does one instance at a time, and there are as many processes as processors.
The instances lie in ``../shared/allocation``; without them only the weeks are run.
"""

from __future__ import annotations

import argparse
import os
import re
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from chw_tools.resource_allocation.routing import RoutePlan, RouteProblem, Shift, Work, solve_all
from chw_tools.resource_allocation.routing.job import solve_by_insertion, solve_here
from chw_tools.resource_allocation.routing.schedule import as_plan
from chw_tools.resource_allocation.solving import Stop

#: Wall seconds a solver may take beyond its CPU seconds on a busy machine.
GRACE = 600.0
SHARED = Path(__file__).resolve().parents[2] / "shared" / "allocation"


class CpuSeconds:
    """Stops after so many seconds of this process's own work, however busy the machine is."""

    def __init__(self, seconds: float) -> None:
        self.until = time.process_time() + seconds

    def __call__(self, best_cost: float) -> bool:
        return time.process_time() >= self.until


def solve_by_cpu(problem: RouteProblem, stop: Stop, seed: int) -> RoutePlan:
    """As the package solves, with the limit in seconds of CPU."""
    import pyvrp.stop

    pyvrp.stop.MaxRuntime = CpuSeconds  # only in this process of its own
    began = time.process_time()
    plan = solve_here(problem, stop, seed=seed)
    return replace(plan, seconds=time.process_time() - began)


def solved(problems: list[RouteProblem], seconds: float) -> list[RoutePlan]:
    """All, on all processors."""
    import planning_routes as here  # a name that the solvers' processes know

    return solve_all(
        problems, Stop(seconds), Work(seed=1), job=here.solve_by_cpu, grace_seconds=GRACE
    )


def distances(xy: np.ndarray) -> np.ndarray:
    """Straight lines."""
    return np.sqrt(((xy[:, None, :] - xy[None, :, :]) ** 2).sum(axis=2))


def read_solomon(path: Path) -> RouteProblem:
    """A Solomon instance in tenths, cut off (the rule of the DIMACS challenge)."""
    numbers = [
        [float(x) for x in line.split()]
        for line in path.read_text().splitlines()
        if re.fullmatch(r"[\s\d.]+", line) and line.strip()
    ]
    (vehicles, load), rows = numbers[0], np.array(numbers[1:])
    tenths = np.floor(distances(rows[:, 1:3]) * 10)
    horizon = rows[0, 5] * 10
    return RouteProblem(
        travel=tenths,
        stop_at=np.arange(1, len(rows)),
        service=rows[1:, 6] * 10,
        value=np.zeros(len(rows) - 1),
        shifts=(Shift("vehicles", 0, 0, 0.0, horizon, int(vehicles), load),),
        required=np.ones(len(rows) - 1, dtype=bool),
        opens=rows[1:, 4] * 10,
        closes=rows[1:, 5] * 10,
        load=rows[1:, 3],
        travel_cost=1.0,
        ticks=1.0,
        cost_ticks=1.0,
    )


def read_sections(path: Path) -> tuple[dict[str, str], dict[str, list[list[float]]]]:
    """Heads and sections of a VRPLIB file."""
    heads: dict[str, str] = {}
    sections: dict[str, list[list[float]]] = {}
    current = ""
    for line in path.read_text().splitlines():
        if ":" in line:
            name, value = line.split(":", 1)
            heads[name.strip()] = value.strip()
        elif re.match(r"[A-Z]", line):
            current = line.strip()
            sections[current] = []
        elif line.strip():
            sections[current].append([float(x) for x in line.split()])
    return heads, sections


def read_prizes(path: Path) -> RouteProblem:
    """A prize-collecting instance, in tenths, cut off."""
    heads, parts = read_sections(path)
    xy = np.array(parts["NODE_COORD_SECTION"])[:, 1:]
    hours = np.array(parts["TIME_WINDOW_SECTION"])[:, 1:] * 10
    n = len(xy) - 1
    return RouteProblem(
        travel=np.floor(distances(xy) * 10),
        stop_at=np.arange(1, n + 1),
        service=np.full(n, float(heads["SERVICE_TIME"]) * 10),
        value=np.array(parts["PRIZE_SECTION"])[1:, 1] * 10,
        shifts=(
            Shift(
                "vehicles",
                0,
                0,
                hours[0, 0],
                hours[0, 1],
                int(heads["VEHICLES"]),
                float(heads["CAPACITY"]),
            ),
        ),
        opens=hours[1:, 0],
        closes=hours[1:, 1],
        load=np.array(parts["DEMAND_SECTION"])[1:, 1],
        travel_cost=1.0,
        ticks=1.0,
        cost_ticks=1.0,
    )


def read_skills(path: Path) -> RouteProblem:
    """A site-dependent instance: which vehicle may go to which client; thousandths."""
    heads, parts = read_sections(path)
    xy = np.array(parts["NODE_COORD_SECTION"])[:, 1:]
    hours = np.rint(np.array(parts["TIME_WINDOW_SECTION"])[:, 1:] * 1000)
    n, m = len(xy) - 1, int(heads["VEHICLES"])
    allowed = np.zeros((n, m), dtype=bool)
    for row in parts["VEHICLES_ALLOWED_CLIENTS_SECTION"]:
        clients = [int(c) - 2 for c in row[1:] if c >= 2]
        allowed[clients, int(row[0]) - 1] = True
    capacity = np.array(parts["CAPACITY_SECTION"])[:, 1]
    longest = float(heads["VEHICLES_MAX_DURATION"]) * 1000
    return RouteProblem(
        travel=np.rint(distances(xy) * 1000),
        stop_at=np.arange(1, n + 1),
        service=np.rint(np.array(parts["SERVICE_TIME_SECTION"])[1:, 1] * 1000),
        value=np.zeros(n),
        shifts=tuple(
            Shift(f"vehicle {v + 1}", 0, 0, 0.0, hours[0, 1], 1, capacity[v], longest)
            for v in range(m)
        ),
        required=np.ones(n, dtype=bool),
        opens=hours[1:, 0],
        closes=hours[1:, 1],
        load=np.array(parts["DEMAND_SECTION"])[1:, 1],
        allowed=allowed,
        travel_cost=1.0,
        ticks=1.0,
        cost_ticks=1.0,
    )


def read_best(path: Path) -> tuple[list[tuple[int, list[int]]], float]:
    """Routes and cost of a best known plan; client 1 is our stop 0."""
    text = path.read_text()
    routes = [
        (int(number) - 1, [int(c) - 1 for c in stops.split()])
        for number, stops in re.findall(r"Route #(\d+):(.*)", text)
    ]
    cost = re.search(r"Cost:? ?([\d.]+)", text)
    return routes, float(cost.group(1)) if cost else float("nan")


def show(name: str, cost: float, best: float, seconds: float, plan_says: str, goal: str) -> float:
    """One line; gives the gap."""
    gap = cost / best - 1
    print(
        f"{name:<14}{cost:>12,.1f}{best:>12,.1f}{gap:>8.2%}{seconds:>7.1f}  {plan_says}  {goal}",
        flush=True,
    )
    return gap


def run(
    names: list[str],
    problems: list[RouteProblem],
    best: list[float],
    seconds: float,
    scale: float,
    goal: float,
) -> None:
    """Solve instances two at a time and print their gaps and the mean."""
    plans = solved(problems, seconds)
    gaps = [
        show(n, p.cost / scale, b, p.seconds, f"{p.method}, feasible: {p.is_feasible}", "")
        for n, p, b in zip(names, plans, best, strict=True)
    ]
    met = "met" if np.mean(gaps) <= goal and all(p.is_feasible for p in plans) else "NOT MET"
    print(f"{'mean gap':<14}{np.mean(gaps):>32.2%}         goal {goal:.1%}: {met}\n", flush=True)


def solomon(quick: bool, every: int = 1) -> None:
    """Solomon's instances of 100."""
    lines = (SHARED / "solomon" / "BKS_dimacs.csv").read_text().split()
    known = {name: float(cost) for name, cost in (line.split(",") for line in lines)}
    names = sorted(n for n in known if (SHARED / "solomon" / n).exists())
    names = names[:: len(names) // 2] if quick else names[::every]
    problems = [read_solomon(SHARED / "solomon" / name) for name in names]
    print("Solomon, 100 stops, 10 s: VRPTW, least distance")
    run(names, problems, [known[n] for n in names], 10.0, 10.0, 0.003)


def prizes(quick: bool) -> None:
    """Prize-collecting instances of 1,000."""
    names = ["C1_10_1", "R1_10_1", "RC1_10_5"][: 1 if quick else 3]
    problems = [read_prizes(SHARED / "pcvrptw" / f"{n}.vrp") for n in names]
    print("PCVRPTW, 1,000 optional stops, 10 s: distance and prizes left")
    best = [
        timed_again(p, SHARED / "pcvrptw" / f"{n}.sol")
        for n, p in zip(names, problems, strict=True)
    ]
    run(names, problems, best, 10.0, 1.0, 0.01)


def skills(quick: bool) -> None:
    """Site-dependent instances."""
    names = ["PR01", "PR04"][: 1 if quick else 2]
    problems = [read_skills(SHARED / "sdvrptw" / f"{n}.vrp") for n in names]
    print("SDVRPTW, who may go where, 30 s")
    best = [read_best(SHARED / "sdvrptw" / f"{n}.sol")[1] for n in names]
    run(names, problems, best, 30.0, 1.0, 0.025)


def timed_again(problem: RouteProblem, path: Path) -> float:
    """The best known plan by our own check; it must hold and cost what it says."""
    routes, said = read_best(path)
    plan = as_plan(problem, [(0, stops) for _, stops in routes], seconds=0.0, method="known")
    if not plan.is_feasible or abs(plan.cost - said) > 0.5:
        print(f"  {path.name}: says {said:.0f}, timed again {plan.cost:.0f}, {plan.why_not[:2]}")
    return plan.cost


# ---- weeks of workers --------------------------------------------------------------------


def draw_week(seed: int, n: int = 200) -> RouteProblem:
    """One worker's week: 200 people around five days from home; a few must be seen."""
    rng = np.random.default_rng(seed)
    centres = rng.uniform(-3, 3, (6, 2))
    places = np.vstack([[0.0, 0.0], centres[rng.integers(0, 6, n)] + rng.normal(0, 0.35, (n, 2))])
    walk = distances(places) * 1.4 / 4.5 * 60
    required = rng.random(n) < 0.03
    day = rng.integers(0, 5, n)
    allowed = np.ones((n, 5), dtype=bool)
    for stop in np.flatnonzero(required):
        allowed[stop, day[stop] + 1 :] = False
    mornings = rng.random(n) < 0.2
    return RouteProblem(
        travel=walk,
        stop_at=np.arange(1, n + 1),
        service=34.0 + 10.0 * rng.integers(0, 3, n),
        value=rng.beta(1, 9, n) * rng.choice([0.05, 0.1, 0.2], n),
        shifts=tuple(Shift(f"day {d + 1}", 0, 0, 480.0, 840.0) for d in range(5)),
        required=required,
        closes=np.where(mornings, 720.0, np.inf),
        allowed=allowed,
        travel_cost=1e-5,
        cost_ticks=1e6,
    )


def top_first(problem: RouteProblem) -> float:
    """What a list by value brings: the next highest on the list, if it fits into a day."""
    from chw_tools.resource_allocation.routing.schedule import faults_of

    routes: list[tuple[int, list[int]]] = [(d, []) for d in range(len(problem.shifts))]
    order = np.lexsort((-problem.value, ~problem.required))
    misses = 0
    for stop in order:
        for day, stops in routes:
            if problem.allowed[stop, day] and not faults_of(problem, [(day, [*stops, int(stop)])]):
                stops.append(int(stop))
                break
        else:
            misses += 1
            if misses > 40:
                break
    made = [s for _, stops in routes for s in stops]
    return float(problem.value[made].sum())


def weeks(quick: bool, n: int = 500, n_long: int = 20, first: int = 0) -> None:
    """500 workers' weeks of 200 people, one second each; 20 of them also for 20 s."""
    n, n_long = (40, 8) if quick else (n, n_long)
    problems = [draw_week(seed) for seed in range(first, first + n)]
    began, cpu = time.perf_counter(), os.times()
    plans = solved(problems, 1.0)
    seconds = time.perf_counter() - began
    used = os.times().children_user - cpu.children_user
    sample = problems[:: max(1, n // n_long)][:n_long]
    long = solved(sample, 5.0 if quick else 20.0)
    short = plans[:: max(1, n // n_long)][:n_long]
    share = sum(p.value for p in short) / sum(p.value for p in long)
    lists = sum(top_first(p) for p in sample)
    plain = [solve_by_insertion(p, Stop(1.0)) for p in sample]
    print(
        f"{n} weeks x 200 people from seed {first}, 1 s each, {os.cpu_count()} processes, "
        f"load {os.getloadavg()[0]:.1f}"
    )
    print(f"  {seconds:.0f} s wall, {used:.0f} s CPU of the solvers (goal 300 s for 500)")
    print(
        f"  feasible: {sum(p.is_feasible for p in plans)} of {n}; by {set(p.method for p in plans)}"
    )
    each = [a.value / b.value for a, b in zip(short, long, strict=True)]
    print(f"  value at 1 s / at 20 s on {len(sample)} weeks: {share:.2%} (goal 99 %)")
    print(f"  the same by week: {' '.join(f'{one:.1%}' for one in each)}")
    print(f"  sums: {sum(p.value for p in short):.6f} / {sum(p.value for p in long):.6f}")
    print(f"  value / a list by value: {sum(p.value for p in short) / lists - 1:+.1%} (goal +25 %)")
    alone = sum(p.value for p in plain) / sum(p.value for p in long)
    print(f"  insertion alone / at 20 s: {alone:.2%}")
    print(f"  seconds of insertion: {np.mean([p.seconds for p in plain]):.3f} a week")


def same_on_dask(quick: bool) -> None:
    """The same weeks by processes and by two workers of Dask, ended by steps, not by the clock."""
    from distributed import LocalCluster

    problems = [draw_week(seed) for seed in range(2000, 2005 if quick else 2050)]
    stop = Stop(600.0, iterations=1500)
    here = solve_all(problems, stop, Work(seed=7))
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        there = solve_all(problems, stop, Work(seed=7, scheduler=cluster.scheduler_address))
    equal = [
        (a.routes, a.left_out, a.value) == (b.routes, b.left_out, b.value)
        for a, b in zip(here, there, strict=True)
    ]
    methods = {plan.method for plan in (*here, *there)}
    print(f"{sum(equal)} of {len(equal)} weeks x 200 people are the same by processes and on Dask,")
    print(f"  ended after {stop.iterations:,} steps; by {methods}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("quick", nargs="?", choices=["quick"])
    parser.add_argument("--only", choices=["solomon", "prizes", "skills", "weeks", "same_on_dask"])
    parser.add_argument("--every", type=int, default=1, help="every so manieth Solomon instance")
    parser.add_argument("--weeks", type=int, default=500, help="workers' weeks")
    parser.add_argument("--long", type=int, default=20, help="weeks also planned for 20 s")
    parser.add_argument("--first", type=int, default=0, help="seed of the first week")
    asked = parser.parse_args()
    quick = asked.quick is not None
    print(f"{'instance':<14}{'ours':>12}{'best known':>12}{'gap':>8}{'s':>7}")
    for kind in (solomon, prizes, skills, weeks, same_on_dask):
        is_drawn = kind in (weeks, same_on_dask)
        if asked.only in (None, kind.__name__) and (is_drawn or SHARED.is_dir()):
            more = {solomon: (asked.every,), weeks: (asked.weeks, asked.long, asked.first)}.get(
                kind, ()
            )
            kind(quick, *more)


if __name__ == "__main__":
    main()
