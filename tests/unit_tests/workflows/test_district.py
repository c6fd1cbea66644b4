"""A district in one run, also where nearly everything is missing."""

from __future__ import annotations

from contextlib import nullcontext
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from chw_tools.errors import ModelNotFound
from chw_tools.programme import load_programme
from chw_tools.records import empty_table
from chw_tools.records.tables import TABLES
from chw_tools.resource_allocation.routing import Work
from chw_tools.resource_allocation.solving import Stop
from chw_tools.resource_allocation.week import WeekOptions
from chw_tools.workflows.district import STAGES, DistrictAsked, keep_district, plan_district
from chw_tools.workflows.week import WeekAsked

BLANK = {"latitude": np.nan, "longitude": np.nan}


def no_model(*_):
    raise ModelNotFound("none", cure="Train one.")


def planned(register, limit=6.0, posts=None, **changed):
    from dataclasses import replace

    told = []
    store = SimpleNamespace(
        population="simulated",
        last_recorded_day=lambda: pd.Timestamp("2025-12-31").date(),
        load_register=lambda **_: replace(register, **changed),
        sources=lambda: {"simulated"},
    )
    options = WeekOptions(stop=Stop(60.0, iterations=20))
    made = plan_district(
        store=store,
        models=SimpleNamespace(find=no_model, find_shadow=lambda _: None),
        programme=load_programme(),
        asked=DistrictAsked(WeekAsked(options=options), posts=posts, limit_seconds=limit),
        work=Work(n_processes=1),
        progress=lambda what, done, total: told.append((what, done, total)),
    )
    return made, told


class Store:
    """Takes runs."""

    def __init__(self):
        self.kept = {}

    def save_run(self, kind, **given):
        self.kept[kind] = given
        return f"key of {kind}"

    def transaction(self):
        return nullcontext()


def test_each_part_rests_on_the_one_before_and_is_told(small_register):
    made, told = planned(small_register)
    of_home = made.caseloads.table.set_index("home")["worker_id"]
    visits = made.week.plan.visits
    named = visits["household_id"].map(of_home)

    assert set(made.seconds) == set(STAGES)
    assert [t for t in told if t[0] == "parts planned"][-1] == ("parts planned", 6, 6)
    assert ("weeks planned", 1, 1) in told
    assert (visits["worker_id"] == named).all()
    assert len(made.supplies.plan.orders)
    store = Store()
    runs = keep_district(store, made)
    kept = store.kept
    assert set(runs) == set(kept) == {"posts", "caseloads", "week", "supplies", "district"}
    assert kept["district"]["summary"]["runs"]["week"] == "key of week"
    assert not kept["district"]["summary"]["is_empty"]


def test_why_people_wait_although_the_hours_are_enough_is_told(small_register):
    made, _ = planned(small_register)

    assert made.needs.check.fits
    assert made.week.plan.summary["n_due_waiting"]
    assert any("not what was due before and is not done yet" in note for note in made.notes)


def test_of_an_empty_plan_only_that_it_was_made_is_kept(small_register):
    gone = small_register.workers.assign(ended_on=pd.Timestamp("2020-01-01"))
    made, _ = planned(small_register, workers=gone)
    store = Store()
    runs = keep_district(store, made)

    assert made.is_empty
    assert any("this plan is empty" in note for note in made.notes)
    assert set(runs) == set(store.kept) == {"district"}
    assert store.kept["district"]["summary"]["is_empty"]


def test_posts_asked_for_beyond_the_workers_are_placed_where_they_help(small_register):
    """Every other home lies in a village an hour away, where nobody works yet."""
    areas, homes = small_register.areas, small_register.households
    village = areas[areas["id"] == homes["area_id"].iloc[0]]
    far = village.assign(id="far", latitude=village["latitude"] + 0.03)
    moves = np.arange(len(homes)) % 2 == 1
    homes = homes.assign(
        area_id=homes["area_id"].where(~moves, "far"),
        latitude=homes["latitude"] + 0.03 * moves,
    )
    made, _ = planned(
        small_register, posts=2, areas=pd.concat([areas, far], ignore_index=True), households=homes
    )
    posted = made.posts.table.set_index("area_id")

    assert made.posts.plan.is_feasible
    assert posted["posts_before"].drop("far").tolist() == [1]
    assert posted["posts"].drop("far").tolist() == [1]
    assert posted.loc["far", ["posts_before", "posts"]].tolist() == [0, 1]
    # The homes and the week are those of who is at work.
    assert set(made.caseloads.table["worker_id"].dropna()) == set(small_register.workers["id"])


def test_a_limit_that_was_too_short_is_told(small_register):
    made, _ = planned(small_register, limit=0.01)

    assert any("more than the 0 s allowed" in note for note in made.notes)
    assert made.week.plan.visits["person_id"].is_unique


@pytest.mark.parametrize("wrong", ["workers", "at_work", "positions", "capacity", "people"])
def test_with_nearly_everything_missing_there_is_a_plan_or_a_reason(small_register, wrong):
    register = small_register
    changed = {
        "workers": {"workers": empty_table(TABLES["workers"])},
        "at_work": {"workers": register.workers.assign(ended_on=pd.Timestamp("2020-01-01"))},
        "positions": {
            "households": register.households.assign(**BLANK),
            "areas": register.areas.assign(**BLANK),
            "workers": register.workers.assign(**BLANK),
        },
        "capacity": {"workers": register.workers.assign(capacity_minutes=0.0)},
        "people": {"people": empty_table(TABLES["people"])},
    }[wrong]
    made, _ = planned(register, **changed)
    visits, waiting = made.week.plan.visits, made.week.plan.unvisited

    assert (waiting["reason"].str.len() > 10).all()
    if wrong in ("at_work", "capacity", "people"):
        assert visits.empty
    else:
        assert len(visits)
    homes = made.caseloads.table
    assert homes.loc[homes["worker_id"].isna(), "reason"].notna().all()
