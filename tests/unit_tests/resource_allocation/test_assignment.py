"""Homes go to workers whole, near and evenly; the record's own worker comes first."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from chw_tools.programme import load_programme
from chw_tools.records import TABLES, conform
from chw_tools.resource_allocation import assign_households, assumed_workers

DAY = pd.Timestamp("2026-03-10").as_unit("s")
PROVENANCE = {"source": "test", "known_on": DAY}


def table(name: str, rows: list[dict[str, object]]) -> pd.DataFrame:
    return conform(TABLES[name], pd.DataFrame([PROVENANCE | row for row in rows]))


def people_in(homes: dict[str, int]) -> pd.DataFrame:
    rows: list[dict[str, object]] = [
        {"id": f"{home}-{i}", "household_id": home, "sex": "female"}
        for home, n in homes.items()
        for i in range(n)
    ]
    return table("people", rows)


AREAS = table(
    "areas",
    [
        {"id": "district", "name": "D", "level": "district"},
        {"id": "north", "parent_id": "district", "name": "N", "level": "village"},
        {"id": "south", "parent_id": "district", "name": "S", "level": "village"},
    ],
)


def test_assumed_workers_are_one_per_so_many_living_people_and_always_the_same() -> None:
    people = people_in({"a": 1301})
    people.loc[0, "died_on"] = DAY
    programme = load_programme()

    workers = assumed_workers(people, programme=programme, as_of=DAY)

    assert workers["name"].tolist() == ["Assumed worker 1", "Assumed worker 2"]
    assert (workers["source"] == "assumed").all()
    again = assumed_workers(people, programme=programme, as_of=DAY)
    pd.testing.assert_frame_equal(workers, again)


def test_the_worker_of_the_record_keeps_the_home() -> None:
    people = people_in({"a": 30, "b": 1})
    households = table(
        "households",
        [{"id": "a", "area_id": "north", "worker_id": "w1"}, {"id": "b", "area_id": "north"}],
    )
    workers = table("workers", [{"id": "w1", "area_id": "south"}, {"id": "w2", "area_id": "north"}])

    chosen = assign_households(people, households, AREAS, workers)

    assert set(chosen[chosen.index.str.startswith("a")]) == {"w1"}
    assert chosen["b-0"] == "w2"


def test_a_worker_who_has_left_gives_the_home_to_another() -> None:
    households = table("households", [{"id": "a", "area_id": "north", "worker_id": "gone"}])
    workers = table("workers", [{"id": "w2", "area_id": "north"}])

    chosen = assign_households(people_in({"a": 2}), households, AREAS, workers)

    assert set(chosen) == {"w2"}


def test_without_a_worker_in_the_village_the_districts_one_is_asked() -> None:
    households = table("households", [{"id": "a", "area_id": "south"}])
    workers = table(
        "workers", [{"id": "far", "area_id": "north"}, {"id": "wide", "area_id": "district"}]
    )

    chosen = assign_households(people_in({"a": 1}), households, AREAS, workers)

    assert set(chosen) == {"wide"}


def test_homes_are_whole_near_and_evenly_shared() -> None:
    rng = np.random.default_rng(3)
    homes = {f"h{i:03d}": int(rng.integers(1, 9)) for i in range(200)}
    west = {home: i < 100 for i, home in enumerate(homes)}
    households = table(
        "households",
        [
            {
                "id": home,
                "latitude": float(rng.normal(0, 0.01)),
                "longitude": float(rng.normal(0 if west[home] else 1, 0.01)),
            }
            for home in homes
        ],
    )
    people = people_in(homes)
    workers = table(
        "workers",
        [
            {"id": "w-west", "latitude": 0.0, "longitude": 0.0},
            {"id": "w-east", "latitude": 0.0, "longitude": 1.0},
        ],
    )

    chosen = assign_households(people, households, AREAS, workers)

    by_home = chosen.groupby(chosen.index.str.split("-").str[0]).nunique()
    assert (by_home == 1).all()
    load = chosen.value_counts()
    assert load.max() / load.mean() <= 1.15 + 1e-9
    is_west = chosen.index.str.split("-").str[0].map(west).to_numpy()
    assert ((chosen == "w-west").to_numpy() == is_west).mean() > 0.9


@pytest.mark.parametrize("seed", range(3))
def test_without_positions_homes_are_shared_evenly_and_in_any_order_alike(seed: int) -> None:
    rng = np.random.default_rng(seed)
    people = people_in({f"h{i:03d}": int(rng.integers(1, 7)) for i in range(150)})
    workers = table("workers", [{"id": f"w{i}"} for i in range(4)])
    none = table("households", [])

    chosen = assign_households(people, none, AREAS, workers)
    shuffled = people.sample(frac=1, random_state=seed).reset_index(drop=True)
    again = assign_households(shuffled, none, AREAS, workers.iloc[::-1])

    load = chosen.value_counts()
    assert len(load) == 4
    assert load.max() - load.min() <= 2 * 6
    pd.testing.assert_series_equal(chosen.sort_index(), again.sort_index())


def test_without_workers_nobody_is_assigned() -> None:
    chosen = assign_households(
        people_in({"a": 2}), table("households", []), AREAS, table("workers", [])
    )

    assert chosen.isna().all()


def test_a_home_that_fits_nowhere_goes_to_the_least_loaded() -> None:
    people = people_in({"big": 9, "small": 1})
    households = table(
        "households",
        [
            {"id": "big", "latitude": 0.0, "longitude": 0.0},
            {"id": "small", "latitude": 0.0, "longitude": 0.1},
        ],
    )
    workers = table(
        "workers",
        [
            {"id": "w1", "latitude": 0.0, "longitude": 0.0},
            {"id": "w2", "latitude": 0.0, "longitude": 0.2},
        ],
    )

    chosen = assign_households(people, households, AREAS, workers)

    assert chosen.notna().all()
    assert len(set(chosen[chosen.index.str.startswith("big")])) == 1
    assert chosen["small-0"] != chosen["big-0"]
