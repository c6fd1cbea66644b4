"""Nobody sees or changes a record outside the scope, in any table, on either database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from chw_tools.errors import NotFound
from chw_tools.records import DERIVED_TABLES, TABLES, conform
from chw_tools.store import WHOLE, Scope, Store
from chw_tools.store.tables import DERIVED, REGISTER

if TYPE_CHECKING:
    from collections.abc import Callable

ABOUT_PEOPLE = sorted(name for name, table in REGISTER.items() if "person_id" in table.c)
DERIVED_ABOUT_PEOPLE = sorted(name for name, table in DERIVED.items() if "person_id" in table.c)


@pytest.fixture
def two_villages(any_store: Store, rows: Any, key: Callable[[str, str], str]) -> Store:
    """Near: Ada, worker Ann, below the district. Far: Ben, worker Bob, outside it.

    Each has a row in every table. Eve has no household and lives near.
    """
    near, far = key("areas", "near"), key("areas", "far")
    ann, bob = key("workers", "ann"), key("workers", "bob")
    with any_store.transaction():
        below = {"parent_id": key("areas", "district")}
        any_store.save("areas", rows("areas", district={}, near=below, far={}))
        any_store.save("workers", rows("workers", ann={}, bob={"area_id": far}))
        any_store.save(
            "households",
            rows(
                "households",
                adas={"area_id": near, "worker_id": ann},
                bens={"area_id": far, "worker_id": bob},
            ),
        )
        any_store.save(
            "people",
            rows(
                "people",
                ada={"household_id": key("households", "adas")},
                # The household decides, not what the person's own row says.
                ben={"household_id": key("households", "bens"), "area_id": near},
                eve={"area_id": near},
            ),
        )
        for name in ABOUT_PEOPLE:
            about_ben = {"person_id": key("people", "ben")}
            any_store.save(name, rows(name, adas={}, bens=about_ben))
        plan = {name: _derived(name, key) for name in DERIVED_ABOUT_PEOPLE}
        any_store.save_risks(plan["risks"])
        any_store.save_shadow_risks(plan["shadow_risks"])
        any_store.save_plan(
            visits=plan["planned_visits"],
            unvisited=plan["unvisited"],
            recommendations=plan["recommendations"],
            as_of=pd.Timestamp("2024-03-01"),
            visit_on=pd.Timestamp("2024-03-02"),
            summary={},
        )
        homes = [key("households", who) for who in ("adas", "bens")]
        loads = pd.DataFrame({"home": homes, "worker_id": "assumed 1"})
        any_store.save_run(
            "week",
            tables={
                "week_visits": plan["week_visits"],
                "week_waiting": plan["week_waiting"],
                "caseloads": conform(DERIVED_TABLES["caseloads"], loads),
            },
            as_of=pd.Timestamp("2024-03-01"),
            summary={},
        )
        any_store.save_rejected(pd.DataFrame({"table": ["people"], "at": ["f:1"], "reason": ["x"]}))
    return any_store


def _derived(name: str, key: Callable[[str, str], str]) -> pd.DataFrame:
    day = pd.Timestamp("2024-03-01")
    plain = {"text": "x", "number": 0.5, "integer": 1, "flag": True, "day": day, "json": None}
    table = DERIVED_TABLES[name]
    row = {
        c.name: c.allowed[0] if c.allowed else plain.get(c.kind)
        for c in table.columns
        if c.kind != "id"
    }
    people = [row | {"person_id": key("people", who)} for who in ("ada", "ben")]
    return conform(table, pd.DataFrame(people).assign(worker_id="assumed 1"))


def _people_of(table: str, frame: pd.DataFrame) -> set[str]:
    return set(frame["id" if table == "people" else "person_id"])


@pytest.mark.parametrize("kind", ["worker", "village", "district"])
def test_every_table_holds_only_those_inside(two_villages: Store, key: Any, kind: str) -> None:
    scope = {
        "worker": Scope.of_worker(key("workers", "ann")),
        "village": Scope.of_areas([key("areas", "near")]),
        "district": Scope.of_areas([key("areas", "district")]),
    }[kind]
    ada, eve = key("people", "ada"), key("people", "eve")
    inside = {ada} if kind == "worker" else {ada, eve}
    register = two_villages.load_register(scope=scope)
    assert _people_of("people", register.people) == inside
    for name in ABOUT_PEOPLE:
        assert _people_of(name, getattr(register, name)) == {ada}, name
    assert register.households["source_id"].tolist() == ["adas"]
    assert register.workers["source_id"].tolist() == ["ann"]
    plan = two_villages.load_plan(scope=scope)
    assert plan is not None
    for frame in (plan.visits, plan.unvisited, plan.recommendations):
        assert set(frame["person_id"]) == {ada}
    week = two_villages.load_run(two_villages.find_runs()[0].id, scope=scope)
    assert week is not None
    for name in ("week_visits", "week_waiting"):
        assert set(week.tables[name]["person_id"]) == {ada}
    assert week.tables["caseloads"]["home"].tolist() == [key("households", "adas")]
    assert set(two_villages.load_risks(scope=scope)["person_id"]) == {ada}
    assert set(two_villages.load_risks(scope=scope, latest=False)["person_id"]) == {ada}
    assert set(two_villages.load_recommendations(scope=scope)["person_id"]) == {ada}
    assert len(two_villages.load_rejected(scope=scope)) == 0


def test_neither_counts_nor_keys_nor_search_tell_of_others(two_villages: Store, key: Any) -> None:
    scope = Scope.of_worker(key("workers", "ann"))
    ben = key("people", "ben")
    counts = two_villages.counts(scope=scope)
    assert {counts[name] for name in (*ABOUT_PEOPLE, *DERIVED_ABOUT_PEOPLE, "people")} == {1}
    assert two_villages.existing_ids("people", [ben], scope=scope) == set()
    assert two_villages.related_people([ben], scope=scope) == set()
    assert len(two_villages.people_search(ben, scope=scope)) == 0
    assert len(two_villages.load_register(person_ids=[ben], scope=scope).people) == 0


def test_the_whole_programme_sees_everybody(two_villages: Store) -> None:
    register = two_villages.load_register(scope=WHOLE)
    assert len(register.people) == 3
    for name in ABOUT_PEOPLE:
        assert len(getattr(register, name)) == 2, name
    assert len(two_villages.load_rejected()) == 1


def test_a_worker_writes_only_about_her_people(two_villages: Store, rows: Any, key: Any) -> None:
    scope = Scope.of_worker(key("workers", "ann"))
    assert two_villages.save("visits", rows("visits", new={}), scope=scope).new == 1
    bens = key("households", "bens")
    refused = {
        "about another's person": ("visits", {"person_id": key("people", "ben")}),
        "correcting another's event": ("visits", {"supersedes_id": key("visits", "bens")}),
        "merging into another's person": (
            "person_changes",
            {"into_person_id": key("people", "ben")},
        ),
        "a new person elsewhere": ("people", {"household_id": bens}),
        "the map": ("areas", {}),
        "the staff": ("workers", {}),
    }
    before = two_villages.counts()
    for what, (table, change) in refused.items():
        with pytest.raises(NotFound):
            two_villages.save(table, rows(table, mine=change), scope=scope)
        assert two_villages.counts() == before, what


def test_a_worker_cannot_take_or_give_away_a_person(
    two_villages: Store, rows: Any, key: Any
) -> None:
    scope = Scope.of_worker(key("workers", "ann"))
    taken = {"household_id": key("households", "adas")}
    given = {"household_id": key("households", "bens")}
    before = two_villages.load_register().people
    for change in (rows("people", ben=taken), rows("people", ada=given)):
        with pytest.raises(NotFound):
            two_villages.save("people", change, scope=scope)
    after = two_villages.load_register().people
    pd.testing.assert_frame_equal(
        *(f.sort_values("id", ignore_index=True) for f in (before, after))
    )


def test_every_declared_table_is_covered() -> None:
    """A new table of people without a ``person_id`` would be seen by nobody, not by all."""
    covered = {*ABOUT_PEOPLE, "people", "households", "workers", "areas", "facilities"}
    assert covered == set(TABLES)
