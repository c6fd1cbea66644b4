"""A day in progress, twice: who fell out in the morning is given nothing at noon."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pandas as pd

from chw_tools.programme import load_programme
from chw_tools.records import TABLES, conform
from chw_tools.records.derived import PLANNED_VISITS, RECOMMENDATIONS, UNVISITED
from chw_tools.store import open_store
from chw_tools.workflows.rest_of_day import RestAsked, replan_day

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chw_tools.records import Register

DAY = date(2026, 1, 5)


def _lists(people: Sequence[str], workers: Sequence[str]) -> pd.DataFrame:
    """Two people on each worker's list; the first of them cannot wait."""
    rows = [
        {
            "visit_on": pd.Timestamp(DAY),
            "worker_id": workers[at // 2],
            "position": at % 2 + 1,
            "person_id": person,
            "urgency": "routine" if at % 2 else "same_day",
            "is_must": at % 2 == 0,
            "minutes": 20.0,
            "travel_minutes": 5.0,
            "reason": "a visit",
        }
        for at, person in enumerate(people)
    ]
    return conform(PLANNED_VISITS, pd.DataFrame(rows))


def test_who_fell_out_is_given_nothing_when_another_falls_out(small_register: Register) -> None:
    one = small_register.workers.iloc[[0]]
    workers = [f"{'0' * 8}-0000-7000-8000-{n:012d}" for n in range(3)]
    more = [one.assign(id=key, name=f"W {n}", source_id=key) for n, key in enumerate(workers)]
    staff = pd.concat([small_register.workers, *more])
    living = small_register.people
    people = living.loc[living["died_on"].isna() & living["moved_on"].isna(), "id"].head(6).tolist()
    with open_store("sqlite://") as store:
        store.set_population("simulated")
        with store.transaction():
            for name, table in small_register.tables():
                store.save(name, conform(TABLES["workers"], staff) if name == "workers" else table)
            store.save_plan(
                visits=_lists(people, workers),
                unvisited=conform(UNVISITED, pd.DataFrame()),
                recommendations=conform(RECOMMENDATIONS, pd.DataFrame()),
                as_of=DAY,
                visit_on=DAY,
                summary={},
            )
        for worker in workers[:2]:
            asked = RestAsked(worker_id=worker, at="10:00", is_ill=True, visit_on=DAY)
            made = replan_day(store=store, programme=load_programme(), asked=asked)

        plan = store.load_plan(visit_on=DAY)

    assert plan is not None
    assert plan.summary["fell_out"] == workers[:2]
    assert not set(plan.visits["worker_id"]) & set(workers[:2])
    assert set(people) == set(plan.visits["person_id"]) | set(made.rest.waiting["person_id"])
    assert set(people[4:]) | {people[0], people[2]} <= set(plan.visits["person_id"])
