"""A whole table read by columns is the table read by rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest

from chw_tools.records import TABLES, Register, Source, derived_id
from chw_tools.store import open_store, whole
from chw_tools.store.joined import END, NO_TEXT
from chw_tools.store.tables import REGISTER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chw_tools.store import Store

LAB = Source("lab", first_seen_ms=1_700_000_000_000)


@pytest.fixture(scope="module")
def held(small_register: Register) -> Iterator[Store]:
    """The small register in a store in memory."""
    with open_store("sqlite://") as store, store.transaction():
        for name, frame in small_register.tables():
            store.save(name, frame)
        yield store


def _by_rows(store: Store, name: str) -> pd.DataFrame:
    with store._reading() as reader:
        return reader.frame(reader.select(name, TABLES[name].column_names), TABLES[name].columns)


@pytest.mark.parametrize("name", sorted(TABLES))
@pytest.mark.parametrize("block", [97, 65_536])
def test_by_columns_as_by_rows(
    held: Store, name: str, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if block < 100 and len(_by_rows(held, name)) > 5_000:
        block = 997
    monkeypatch.setattr(whole, "_BLOCK", block)
    read = getattr(held.load_register(tables=[name]), name)
    pd.testing.assert_frame_equal(read, _by_rows(held, name))
    assert len(read) or name == "facilities"


def test_only_what_was_committed_before_a_place(held: Store) -> None:
    seqs = REGISTER["visits"].c.server_seq
    with held._reading() as reader:
        placed = reader.rows(reader.select("visits", ["id", seqs]).order_by(seqs))
    middle = placed[len(placed) // 2][1]
    visits = held.load_register(tables=["visits"], before_seq=middle).visits
    assert list(visits["id"]) == [key for key, seq in placed if seq < middle]


def test_names_that_hold_the_marks_of_joining(monkeypatch: pytest.MonkeyPatch) -> None:
    odd = [f"Ada{END}Obi", NO_TEXT, "", f"{NO_TEXT}Ada", "\N{LATIN SMALL LETTER SHARP S}"]
    names = [name for one in odd for name in (one, None, "Ada")]
    monkeypatch.setattr(whole, "_BLOCK", 3)  # so that each is in a block of its own
    people = pd.DataFrame({"given_name": names, "sex": "female", "source": "lab"}).assign(
        id=[derived_id(LAB, "people", str(n)) for n in range(len(names))],
        source_id=[str(n) for n in range(len(names))],
        known_on=pd.Timestamp("2024-03-01"),
    )
    with open_store("sqlite://") as store:
        store.save("people", people)
        read = store.load_register(tables=["people"]).people
        pd.testing.assert_frame_equal(read, _by_rows(store, "people"))
    assert [None if pd.isna(name) else name for name in read["given_name"]] == names


def test_an_empty_table_has_its_columns() -> None:
    with open_store("sqlite://") as store:
        read = store.load_register(tables=["visits"]).visits
    assert {name: str(read[name].dtype) for name in read} == {
        column.name: column.dtype for column in TABLES["visits"].columns
    }


def test_blocks_that_no_row_falls_into_are_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whole, "_BLOCK", 2)
    areas = pd.DataFrame({"name": list("abcdefg"), "level": "village", "source": "lab"}).assign(
        id=[derived_id(LAB, "areas", str(n)) for n in range(7)],
        source_id=[str(n) for n in range(7)],
        known_on=pd.Timestamp("2024-03-01"),
    )
    with open_store("sqlite://") as store:
        store.save("areas", areas)
        with store.transaction(), store._reading() as reader:
            reader.connection.exec_driver_sql("DELETE FROM areas WHERE rowid IN (2, 3, 4, 5)")
        assert list(store.load_register(tables=["areas"]).areas["name"]) == ["a", "f", "g"]
