"""A simulated district in one run: hours, posts, caseloads, the week with its routes, supplies.

::

    python benchmarks/planning_district.py             100,000 people, 500 workers
    python benchmarks/planning_district.py quick       3,000 people, 10 workers
    python benchmarks/planning_district.py --dask 2    routes on so many workers of Dask, here
    python benchmarks/planning_district.py --scheduler ADDRESS    on a scheduler of your own

A tenth more posts than workers are asked for (``--posts``), so that there is something to
decide: workers at work stay. What ``chw plan district`` does, from the store to the plan; making
the district and its store is not counted. CPU seconds are those of this process and its solvers
(and of Dask's workers where they are started here), memory is what all of them hold together,
sampled.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pandas as pd

from chw_tools.programme import load_programme
from chw_tools.records import Source, conform, derived_ids
from chw_tools.records.tables import TABLES
from chw_tools.resource_allocation.routing import Work
from chw_tools.settings import read_settings
from chw_tools.testing import simulate_programme
from chw_tools.wiring import build_parts
from chw_tools.workflows.district import DistrictAsked, DistrictPlan, plan_district
from chw_tools.workflows.week import WeekAsked

#: Shared pages are counted once for each process: more than is truly held.
_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICK = os.sysconf("SC_CLK_TCK")


class Watch:
    """Samples memory and CPU seconds of this process and all below it."""

    def __init__(self) -> None:
        self.most, self._cpu, self._over = 0.0, {}, threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    @property
    def cpu(self) -> float:
        """Seconds of every process that was seen, as last seen."""
        return sum(self._cpu.values())

    def _sample(self) -> None:
        first = _family()
        before = {pid: seconds for pid, (seconds, _) in first.items()}
        while not self._over.wait(0.25):
            now = _family()
            self.most = max(self.most, sum(held for _, held in now.values()) / 1e9)
            self._cpu |= {pid: s - before.get(pid, 0.0) for pid, (s, _) in now.items()}


def _family() -> dict[int, tuple[float, float]]:
    """CPU seconds and bytes held, of this process and its descendants."""
    stats = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue  # over by now
            cpu = (int(words[11]) + int(words[12])) / _TICK
            stats[int(entry.name)] = (int(words[1]), cpu, float(words[21]) * _PAGE)
    mine = {os.getpid()}
    for _ in range(8):
        mine |= {pid for pid, (parent, _, _) in stats.items() if parent in mine}
    return {pid: stats[pid][1:] for pid in mine if pid in stats}


def more_workers(register: object, n_workers: int, seed: int = 0) -> pd.DataFrame:
    """The simulated workers, and as many new ones at homes of the district as are wanted."""
    workers, homes = register.workers, register.households
    rng = np.random.default_rng(seed)
    at = homes[homes["latitude"].notna()].iloc[rng.permutation(homes["latitude"].notna().sum())]
    n = max(n_workers - len(workers), 0)
    numbers = [f"new-{number}" for number in range(n)]
    new = pd.DataFrame(
        {
            "id": derived_ids(Source(workers["source"].iloc[0]), "workers", numbers),
            "name": [f"New worker {number + 1}" for number in range(n)],
            "area_id": at["area_id"].to_numpy()[:n],
            "latitude": at["latitude"].to_numpy()[:n],
            "longitude": at["longitude"].to_numpy()[:n],
            "source": workers["source"].iloc[0],
            "source_id": numbers,
            "known_on": workers["known_on"].min(),
        }
    )
    return conform(TABLES["workers"], pd.concat([workers, new], ignore_index=True))


def fill_store(parts: object, n_people: int, n_workers: int) -> None:
    """A simulated district into a store."""
    register = simulate_programme(people=n_people, seed=1).register
    store = parts.store
    store.set_population("simulated")
    with store.transaction():
        for name in TABLES:
            frame = getattr(register, name)
            if name == "workers":
                frame = more_workers(register, n_workers)
            if len(frame):
                store.save(name, frame)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("quick", nargs="?", choices=["quick"])
    parser.add_argument("--scheduler", help="address of a Dask scheduler")
    parser.add_argument("--dask", type=int, help="start so many workers of Dask here")
    parser.add_argument("--posts", type=int, help="posts in all; a tenth more than workers")
    parser.add_argument("--limit", type=float, default=360.0, help="seconds for everything")
    parser.add_argument("--home", type=Path, help="keep the store in this folder, and use it again")
    asked = parser.parse_args()
    n_people, n_workers = (3_000, 10) if asked.quick else (100_000, 500)
    with ExitStack() as stack:
        home = asked.home or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        parts = build_parts(read_settings({"CHW_HOME": str(home)}))
        stack.callback(parts.close)
        if parts.store.population is None:
            fill_store(parts, n_people, n_workers)
        address = asked.scheduler
        if asked.dask:
            from distributed import LocalCluster

            cluster = stack.enter_context(
                LocalCluster(n_workers=asked.dask, threads_per_worker=1, dashboard_address=None)
            )
            address = cluster.scheduler_address
        load = os.getloadavg()[0]
        watch = stack.enter_context(Watch())
        began = time.perf_counter()
        found = plan_district(
            store=parts.store,
            models=parts.models,
            programme=load_programme(),
            asked=DistrictAsked(
                WeekAsked(), posts=asked.posts or n_workers * 11 // 10, limit_seconds=asked.limit
            ),
            work=Work(seed=1, scheduler=address),
        )
        seconds = time.perf_counter() - began
        time.sleep(0.5)
        _tell(found, seconds, watch, load)


def _tell(found: DistrictPlan, seconds: float, watch: Watch, load: float) -> None:
    week = found.week.plan.summary
    say = sys.stdout.write
    people = len(found.needs.assessment.features.frame)
    say(f"{people:,} people, {len(found.needs.workers)} workers, {os.cpu_count()} processors, ")
    say(f"load {load:.1f} before and {os.getloadavg()[0]:.1f} after\n")
    for stage, spent in found.seconds.items():
        say(f"  {stage:<12}{spent:8.1f} s\n")
    say(f"  of the week {week['seconds_routes']:8.1f} s for all routes\n")
    say(f"whole {seconds:.1f} s by the clock, {watch.cpu:.0f} CPU s (goal 360 s)\n")
    say(f"all processes together {watch.most:.2f} GB (goal 4 GB)\n")
    homes = found.caseloads.table
    plan, where = found.posts.plan, found.posts.table
    n_new = int(plan.posts.sum() - where["posts_before"].sum())
    say(f"{n_new} new posts among {len(where):,} communities, gap {plan.gap:.2%}, ")
    say(f"{plan.seconds:.1f} s; caseloads gap {found.caseloads.plan.gap:.2%}, ")
    say(f"{int(homes['worker_id'].isna().sum())} of {len(homes):,} homes without a worker\n")
    say(f"week: {week['n_visits']:,} people at {week['n_homes']:,} homes, gap {week['gap']:.1%}, ")
    say(f"{week['n_by_insertion']} of {week['n_workers']} weeks by insertion, ")
    say(f"{len(found.supplies.plan.orders):,} orders\n")
    for why in (*week["why_not"], *found.notes):
        say(f"  {why}\n")


if __name__ == "__main__":
    main()
