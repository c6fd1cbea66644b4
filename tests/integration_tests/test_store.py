"""The store on both databases: the same calls give the same answers."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import suppress
from datetime import date
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from chw_tools.errors import (
    Conflict,
    NotFound,
    PopulationMixed,
    StoreUnavailable,
    TableFault,
)
from chw_tools.records import TABLES, conform, new_id
from chw_tools.store import SaveCounts, open_store

if TYPE_CHECKING:
    from pathlib import Path

    from chw_tools.store import Store


def test_saving_twice_changes_nothing(any_store: Store, rows: Any) -> None:
    people = rows("people", ada={"given_name": "Ada"}, ben={"sex": "male"})
    assert any_store.save("people", people) == SaveCounts(2, 0, 0)
    assert any_store.save("people", people) == SaveCounts(0, 2, 0)
    assert any_store.counts()["people"] == 2


def test_a_changed_person_is_brought_up_to_date(any_store: Store, rows: Any) -> None:
    any_store.save("people", rows("people", ada={"given_name": "Ada", "phone": "1"}))
    changed = rows("people", ada={"given_name": "Adama", "born_on": pd.Timestamp("1980-05-06")})
    assert any_store.save("people", changed) == SaveCounts(0, 0, 1)
    pd.testing.assert_frame_equal(any_store.load_register().people, changed)


def test_every_kind_of_value_can_be_brought_up_to_date(any_store: Store, rows: Any) -> None:
    any_store.save("households", rows("households", home={}))
    changed = rows(
        "households",
        home={"wealth_fifth": 3, "has_safe_water": False, "facility_km": 2.5, "latitude": -1.25},
    )
    assert any_store.save("households", changed).changed == 1
    pd.testing.assert_frame_equal(any_store.load_register().households, changed)


def test_a_changed_event_stays_and_gains_one_correction(any_store: Store, rows: Any) -> None:
    any_store.save("people", rows("people", ada={}))
    first = rows("observations", bp={"value_number": 120.0})
    second = rows("observations", bp={"value_number": 130.0})
    third = rows("observations", bp={"value_number": 140.0})
    any_store.save("observations", first)
    assert any_store.save("observations", second) == SaveCounts(0, 0, 1)
    assert any_store.save("observations", third) == SaveCounts(0, 0, 1)
    for known in (first, second, third):
        assert any_store.save("observations", known) == SaveCounts(0, 1, 0)
    stored = any_store.load_register().observations.sort_values("value_number")
    assert stored["value_number"].tolist() == [120.0, 130.0, 140.0]
    assert pd.isna(stored["supersedes_id"].iloc[0])
    assert stored["supersedes_id"].tolist()[1:] == stored["id"].tolist()[:2]


def test_an_import_corrects_what_was_corrected_here(any_store: Store, rows: Any) -> None:
    any_store.save("people", rows("people", ada={}))
    first = rows("visits", v={"minutes": 10.0})
    any_store.save("visits", first)
    by_hand = first.assign(id=new_id(), supersedes_id=first["id"], minutes=11.0, source="chw")
    any_store.save("visits", by_hand)
    any_store.save("visits", rows("visits", v={"minutes": 12.0}))
    stored = any_store.load_register().visits.set_index("minutes")
    assert stored.loc[12.0, "supersedes_id"] == by_hand["id"].iloc[0]


def test_a_day_learnt_later_is_other_content(any_store: Store, rows: Any) -> None:
    # Otherwise content that comes back (A, B, then A again) would be taken for the old A.
    any_store.save("people", rows("people", ada={}))
    any_store.save("outcomes", rows("outcomes", o={}))
    later = rows("outcomes", o={"known_on": pd.Timestamp("2024-06-01")})
    assert any_store.save("outcomes", later).changed == 1


def test_places_in_the_order_of_commits_never_repeat(sqlite_url: str, rows: Any) -> None:
    with open_store(sqlite_url) as store:
        store.save("people", rows("people", ada={}))
        store.save("visits", rows("visits", a={}, b={}))
        store.save("outcomes", rows("outcomes", a={}))
        with suppress(ZeroDivisionError), store.transaction():
            store.save("visits", rows("visits", lost={}))
            raise ZeroDivisionError
        store.save("visits", rows("visits", c={}))
    with sqlite3.connect(sqlite_url.removeprefix("sqlite:///")) as raw:
        found = raw.execute(
            "SELECT server_seq FROM visits UNION ALL SELECT server_seq FROM outcomes ORDER BY 1"
        ).fetchall()
    raw.close()
    assert found == [(1,), (2,), (3,), (4,)]


def test_two_rows_of_one_key_must_agree(any_store: Store, rows: Any) -> None:
    twice = pd.concat([rows("people", ada={})] * 2)
    assert any_store.save("people", twice) == SaveCounts(1, 1, 0)
    differing = pd.concat([rows("people", ben={}), rows("people", ben={"sex": "other"})])
    with pytest.raises(Conflict, match="people"):
        any_store.save("people", differing)


def test_a_reference_to_nobody_undoes_the_whole(any_store: Store, rows: Any) -> None:
    def save() -> None:
        with any_store.transaction():
            any_store.save("areas", rows("areas", village={}))
            any_store.save("visits", rows("visits", v={}))

    with pytest.raises(Conflict, match="not stored") as error:
        save()
    assert rows("visits", v={})["id"].iloc[0] not in str(error.value)
    assert sum(any_store.counts().values()) == 0


def test_a_child_may_come_before_its_parent(any_store: Store, rows: Any, key: Any) -> None:
    with any_store.transaction():
        any_store.save("visits", rows("visits", v={}))
        any_store.save("people", rows("people", ada={}))
        any_store.save(
            "areas", rows("areas", village={"parent_id": key("areas", "region")}, region={})
        )
    assert any_store.counts()["visits"] == 1


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"id": "17"}, "people.id: must be a UUID"),
        ({"given_name": "A\x00"}, "people.given_name: holds a NUL"),
        ({"sex": None}, "people.sex: must be given"),
    ],
)
def test_what_cannot_be_kept_is_named(
    any_store: Store, rows: Any, change: dict[str, Any], says: str
) -> None:
    with pytest.raises(TableFault, match=says):
        any_store.save("people", rows("people", ada=change))


def test_an_infinite_number_is_refused(any_store: Store, rows: Any) -> None:
    with pytest.raises(TableFault, match=r"observations\.value_number"):
        any_store.save("observations", rows("observations", o={"value_number": float("inf")}))


def test_a_failed_savepoint_takes_only_its_own(any_store: Store, rows: Any) -> None:
    with any_store.transaction():
        any_store.save("people", rows("people", ada={}))
        with suppress(ZeroDivisionError), any_store.savepoint():
            any_store.save("people", rows("people", ben={}))
            raise ZeroDivisionError
        any_store.save("people", rows("people", eve={}))
    assert sorted(any_store.load_register().people["source_id"]) == ["ada", "eve"]


def test_existing_ids_are_those_stored(any_store: Store, rows: Any, key: Any) -> None:
    any_store.save("people", rows("people", ada={}))
    ada, ben = key("people", "ada"), key("people", "ben")
    assert any_store.existing_ids("people", [ada, ben]) == {ada}
    assert any_store.existing_ids("people", iter([])) == set()


def test_a_store_holds_one_population_for_ever(any_url: str) -> None:
    with open_store(any_url) as store:
        assert store.population is None
        source = store.register_source("lab", "simulated")
        epoch = store.epoch
    with open_store(any_url) as store:
        assert (store.population, store.epoch) == ("simulated", epoch)
        assert store.register_source("lab", "simulated") == source
        with pytest.raises(PopulationMixed):
            store.register_source("district", "real")
        with pytest.raises(PopulationMixed):
            store.set_population("real")
        with pytest.raises(ValueError, match="simulated, real"):
            store.set_population("imagined")


def test_last_recorded_day_is_the_newest_known(any_store: Store, rows: Any) -> None:
    assert any_store.last_recorded_day() is None
    any_store.save("people", rows("people", ada={"known_on": pd.Timestamp("2030-01-01")}))
    assert any_store.last_recorded_day() == date(2030, 1, 1)  # a list of people and nothing else
    any_store.save("visits", rows("visits", v={}))
    any_store.save("outcomes", rows("outcomes", o={"known_on": pd.Timestamp("2024-04-09")}))
    assert any_store.last_recorded_day() == date(2024, 4, 9)


def test_load_register_of_some_people(any_store: Store, rows: Any, key: Any) -> None:
    any_store.save("people", rows("people", ada={}, ben={}))
    of_ben = {"person_id": key("people", "ben")}
    any_store.save("visits", rows("visits", a={}, b=of_ben))
    any_store.save("areas", rows("areas", village={}))
    register = any_store.load_register(person_ids=[key("people", "ben")])
    assert register.people["source_id"].tolist() == ["ben"]
    assert register.visits["source_id"].tolist() == ["b"]
    assert len(register.areas) == 1
    assert len(any_store.load_register(tables=["people"]).visits) == 0


def test_related_people_are_household_and_merged_entries(
    any_store: Store, rows: Any, key: Any
) -> None:
    home = {"household_id": key("households", "home")}
    with any_store.transaction():
        any_store.save("households", rows("households", home={}))
        any_store.save("people", rows("people", ada=home, ben=home, double={}, far={}))
        merged = {"person_id": key("people", "double"), "into_person_id": key("people", "ben")}
        any_store.save("person_changes", rows("person_changes", m={"change": "merged"} | merged))
    related = any_store.related_people([key("people", "ada")])
    assert related == {key("people", name) for name in ("ada", "ben", "double")}
    assert any_store.related_people([key("people", "double")]) == related


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("ad", ["ada", "adama"]),
        ("AD oko", ["ada"]),
        ("élo", ["elodie"]),
        ("a%", []),
        ("  ", []),
        ("adama", ["adama"]),
    ],
)
def test_people_search(any_store: Store, rows: Any, text: str, found: list[str]) -> None:
    any_store.save(
        "people",
        rows(
            "people",
            ada={"given_name": "Ada", "family_name": "Okoro"},
            adama={"given_name": "Adama", "family_name": "Sow"},
            elodie={"given_name": "Élodie"},
        ),
    )
    assert sorted(any_store.people_search(text)["source_id"]) == found
    assert len(any_store.people_search("ad", limit=1)) == 1


def test_people_search_by_key(any_store: Store, rows: Any, key: Any) -> None:
    any_store.save("people", rows("people", ada={}, ben={}))
    assert any_store.people_search(key("people", "ada"))["source_id"].tolist() == ["ada"]


def test_rejected_records_are_kept_once(any_store: Store) -> None:
    rejected = pd.DataFrame(
        {
            "table": ["people", "visits"],
            "at": ["people.csv:17", "visits.csv:3"],
            "column": ["sex", None],
            "reason": ["must be given", "names nobody"],
            "body": [{"name": "Ad\x00a", "n": 1.5}, None],
        }
    )
    run_id = any_store.save_import_run(source="lab", summary={})
    assert any_store.save_rejected(rejected, run_id) == 2
    assert any_store.save_rejected(rejected) == 0
    kept = any_store.load_rejected()
    assert kept["at"].tolist() == ["people.csv:17", "visits.csv:3"]
    assert kept["body"].tolist() == [{"name": "Ad\N{REPLACEMENT CHARACTER}a", "n": 1.5}, None]


def test_unmodelled_bodies_are_kept_once(any_store: Store) -> None:
    row = {"source": "lab", "file": "b.json", "type": "Claim", "body": {"id": "c1"}}
    assert any_store.save_unmodelled([row, row]) == 1
    assert any_store.save_unmodelled([row, row | {"body": b'{"id": "c2"}'}]) == 1
    assert any_store.counts()["unmodelled"] == 2


def test_one_writer_at_a_time_and_readers_see_the_last_commit(any_store: Store, rows: Any) -> None:
    import threading

    seen = []
    with any_store.transaction():
        any_store.save("people", rows("people", ada={}))
        reader = threading.Thread(target=lambda: seen.append(any_store.counts()["people"]))
        reader.start()
        reader.join()
        assert any_store.counts()["people"] == 1
    assert seen == [0]


def test_large_tables_go_in_parts(
    sqlite_store: Store, rows: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chw_tools.store.saving._CHUNK", 2)
    people = rows("people", **{f"p{n}": {} for n in range(5)})
    assert sqlite_store.save("people", people) == SaveCounts(5, 0, 0)
    assert sqlite_store.save("people", people) == SaveCounts(0, 5, 0)


def test_a_backup_is_whole_and_begins_another_life(
    sqlite_store: Store, rows: Any, tmp_path: Path
) -> None:
    sqlite_store.save("people", rows("people", ada={}))
    copy = tmp_path / "copy.sqlite"
    sqlite_store.backup(copy)
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    with open_store(f"sqlite:///{copy}") as restored:
        pd.testing.assert_frame_equal(
            restored.load_register().people, sqlite_store.load_register().people
        )
        assert restored.epoch != sqlite_store.epoch
    with pytest.raises(StoreUnavailable, match="exists already"):
        sqlite_store.backup(copy)


@pytest.mark.postgres
def test_twin_stores_hold_the_same(
    sqlite_store: Store, postgres_store: Store, rows: Any, key: Any
) -> None:
    """The same calls, rows and corrections; the same keys, values and digests."""
    kept = []
    for store in (sqlite_store, postgres_store):
        with store.transaction():
            store.save("people", rows("people", ada={"given_name": "Adá"}, ben={}))
            store.save("observations", rows("observations", o={"value_number": 0.1 + 0.2}))
            store.save("observations", rows("observations", o={"value_number": -0.0}))
            store.save("people", rows("people", ada={"phone": "0700"}))
        register = store.load_register()
        with store._reading() as reader:
            digests = reader.rows(reader.select("observations", ["row_digest"]))
            digests += reader.rows(reader.select("people", ["row_digest"]))
        kept.append((register, sorted(digests)))
    (ours, digests), (theirs, other_digests) = kept
    assert digests == other_digests
    for name in TABLES:
        left, right = (
            getattr(r, name).sort_values("id", ignore_index=True) for r in (ours, theirs)
        )
        pd.testing.assert_frame_equal(left, right)


def test_nobody_else_may_read_the_file(sqlite_store: Store, rows: Any, tmp_path: Path) -> None:
    with sqlite_store.transaction():
        sqlite_store.save("people", rows("people", ada={}))
        files = list(tmp_path.glob("store.sqlite*"))
        assert len(files) >= 2
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_an_open_file_is_made_private(tmp_path: Path) -> None:
    lax = tmp_path / "lax.sqlite"
    lax.touch(mode=0o644)
    open_store(f"sqlite:///{lax}").close()
    assert stat.S_IMODE(lax.stat().st_mode) == 0o600


def test_missing_people_read_like_people_out_of_reach(any_store: Store, rows: Any) -> None:
    from chw_tools.store import Scope

    any_store.save("people", rows("people", ada={}))
    for scope in (Scope.of_worker(new_id()), Scope.of_areas([new_id()])):
        for change in ({}, {"person_id": new_id()}):
            with pytest.raises(NotFound) as error:
                any_store.save("visits", rows("visits", v=change), scope=scope)
            assert str(error.value) == "people: No such record."


def test_an_empty_frame_saves_nothing(any_store: Store) -> None:
    for name, table in TABLES.items():
        assert any_store.save(name, conform(table, pd.DataFrame())) == SaveCounts(0, 0, 0)
