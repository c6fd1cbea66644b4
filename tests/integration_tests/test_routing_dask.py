"""The same plans on the workers of a Dask scheduler as on processes of one's own."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from chw_tools.programme import load_programme
from chw_tools.resource_allocation.routing import RouteProblem, Shift, Work, solve_all
from chw_tools.resource_allocation.solving import Stop
from chw_tools.resource_allocation.week import WeekOptions
from chw_tools.workflows.assess import assess
from chw_tools.workflows.week import WeekAsked, week_of

if TYPE_CHECKING:
    from chw_tools.records import Register

STEPS = Stop(60.0, iterations=40)


def draw(seed: int) -> RouteProblem:
    rng = np.random.default_rng(seed)
    xy = rng.uniform(0, 3, (9, 2))
    return RouteProblem(
        travel=np.linalg.norm(xy[:, None] - xy[None, :], axis=2) * 18,
        stop_at=np.arange(1, 9),
        service=np.full(8, 30.0),
        value=rng.exponential(1.0, 8),
        shifts=(Shift("day", 0, closes=200.0),),
        travel_cost=1e-3,
    )


@pytest.mark.filterwarnings("default")
def test_dask_gives_what_processes_give_and_tells_its_progress() -> None:
    distributed = pytest.importorskip("distributed", reason="the extra dask is not installed")
    problems = [draw(seed) for seed in range(2)]
    told: list[tuple[int, int]] = []
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None
    ) as cluster:
        there = solve_all(
            problems,
            STEPS,
            Work(
                seed=4,
                scheduler=cluster.scheduler_address,
                progress=lambda done, total: told.append((done, total)),
            ),
        )
    here = solve_all(problems, STEPS, Work(seed=4, n_processes=1))

    assert [plan.routes for plan in there] == [plan.routes for plan in here]
    assert told == [(1, 2), (2, 2)]
    assert all(plan.method == "pyvrp" for plan in there)


@pytest.mark.filterwarnings("default")
def test_a_week_is_the_same_on_processes_and_on_dask(small_register: Register) -> None:
    distributed = pytest.importorskip("distributed", reason="the extra dask is not installed")
    as_of = pd.Timestamp("2025-12-31").as_unit("s")
    found = assess(small_register, programme=load_programme(), as_of=as_of)
    one = found.register.workers.iloc[:1]
    two = pd.concat([one, one.assign(id="f" + one["id"].iloc[0][1:])], ignore_index=True)
    homes = found.register.households.assign(worker_id=None)
    found = replace(found, register=replace(found.register, workers=two, households=homes))
    asked = WeekAsked(options=WeekOptions(stop=STEPS))

    def planned(work: Work) -> pd.DataFrame:
        return week_of(found, programme=load_programme(), asked=asked, work=work).plan.visits

    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None
    ) as cluster:
        there = planned(Work(seed=2, scheduler=cluster.scheduler_address))
    here = planned(Work(seed=2, n_processes=2))

    assert here["worker_id"].nunique() == 2
    pd.testing.assert_frame_equal(there, here)
