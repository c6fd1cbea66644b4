"""The census counts on both databases what is stored, and a plan as it stands in force."""

from __future__ import annotations

from datetime import date

import pandas as pd

from chw_tools.programme import load_programme
from chw_tools.records import DERIVED_TABLES
from chw_tools.workflows.plan import plan_visits


class _NoModels:
    def find(self, outcome, version=None):
        from chw_tools.errors import ModelNotFound

        raise ModelNotFound("none")

    def find_shadow(self, outcome):
        return None


def test_an_empty_store_counts_nothing(any_store):
    census = any_store.census()
    assert set(census.records.values()) == {0}
    assert (dict(census.scores), dict(census.in_quarantine)) == ({}, {})
    assert (census.planned_on, census.planned_visits, census.last_recorded_on) == (None, 0, None)


def test_the_census_equals_what_was_stored_and_planned(any_store, small_register):
    any_store.register_source("simulated-programme", "simulated")
    with any_store.transaction():
        for name, frame in small_register.tables():
            any_store.save(name, frame)
    rejected = pd.DataFrame(
        [
            {"table": table, "at": f"file.csv:{line}", "reason": "no such person"}
            for line, table in enumerate(["visits", "visits", "observations"])
        ],
        columns=DERIVED_TABLES["rejected"].column_names,
    )
    any_store.save_rejected(rejected)
    acting = {"store": any_store, "models": _NoModels(), "programme": load_programme()}
    made = plan_visits(**acting)
    worker_id = made.plan.unvisited["worker_id"].dropna().iloc[0]
    plan_visits(**acting, visit_on=made.visit_on, as_of=made.as_of, worker_id=worker_id)

    census = any_store.census()
    assert census.records == {name: len(frame) for name, frame in small_register.tables()}
    assert census.in_quarantine == {"visits": 2, "observations": 1}
    risks = any_store.load_risks(latest=False)
    assert census.scores == risks.groupby(["outcome", "model", "state"]).size().to_dict()
    in_force = any_store.load_plan()
    assert census.planned_on == in_force.visit_on
    assert census.planned_visits == len(in_force.visits) > 0
    assert census.unvisited == len(in_force.unvisited) > 0
    assert census.last_recorded_on == any_store.last_recorded_day()
    assert isinstance(census.planned_on, date)
