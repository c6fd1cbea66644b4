"""One worker's day planned anew is the worker's part of the whole, whoever has left."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace

import pandas as pd
import pytest

from chw_tools.errors import ModelNotFound
from chw_tools.programme import load_programme
from chw_tools.records import TABLES, conform
from chw_tools.store import open_store
from chw_tools.workflows.plan import plan_visits


def key(letter: str, number: int) -> str:
    return f"018bcfe5-6800-7cc0-8b4f-{letter}{number:011x}"


LEFT, STAYS, ALSO = key("a", 1), key("a", 2), key("a", 3)


def no_model(*_):
    raise ModelNotFound("none", cure="Train one.")


MODELS = SimpleNamespace(find=no_model, find_shadow=lambda _: None)


def rows(table, given):
    told = {"source": "test", "known_on": pd.Timestamp("2025-01-01")}
    return conform(TABLES[table], pd.DataFrame([told | row for row in given]))


@pytest.fixture
def store():
    workers = [
        {"id": LEFT, "ended_on": pd.Timestamp("2025-12-31")},
        {"id": STAYS},
        {"id": ALSO},
    ]
    homes = [{"id": key("b", n), "worker_id": (LEFT, STAYS, ALSO, None)[n % 4]} for n in range(12)]
    people = [
        {
            "id": key("c", n),
            "household_id": key("b", n % 12),
            "sex": "female",
            "born_on": pd.Timestamp("1970-05-01"),
            "died_on": pd.Timestamp("2025-06-01") if n in (3, 15, 27) else pd.NaT,
        }
        for n in range(36)
    ]
    with open_store("sqlite://") as store:
        store.set_population("simulated")
        given = {"workers": workers, "households": homes, "people": people}
        for name, table in given.items():
            store.save(name, rows(name, table))
        yield store


def plan(store, worker_id=None):
    result = plan_visits(
        store=store,
        models=MODELS,
        programme=load_programme(),
        as_of=date(2026, 1, 4),
        worker_id=worker_id,
    )
    return result.plan


def people_of(made, worker_id):
    listed = pd.concat([made.visits, made.unvisited])
    return set(listed.loc[listed["worker_id"] == worker_id, "person_id"])


@pytest.mark.parametrize("first", [True, False])
def test_people_of_a_worker_who_left_stay_with_who_took_them_over(store, first):
    """Planned alone before or after the whole day, each worker has the same people."""
    alone = {w: people_of(plan(store, w), w) for w in (STAYS, ALSO)} if first else {}
    whole = plan(store)
    alone = alone or {w: people_of(plan(store, w), w) for w in (STAYS, ALSO)}
    assert {w: people_of(whole, w) for w in (STAYS, ALSO)} == alone
    everybody = alone[STAYS] | alone[ALSO]
    assert not alone[STAYS] & alone[ALSO]
    assert everybody == {key("c", n) for n in range(36)} - {key("c", n) for n in (3, 15, 27)}


def test_who_left_has_no_list(store):
    assert not people_of(plan(store), LEFT)
    assert plan(store, LEFT).visits.empty
