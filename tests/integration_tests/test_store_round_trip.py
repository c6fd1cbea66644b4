"""Any sound row of any declared table comes back as it went in."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chw_tools.records import TABLES, Column, Table, conform
from chw_tools.store import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chw_tools.store import Store

_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)
_DAYS = st.dates().map(str)


def _values(column: Column, person: str) -> st.SearchStrategy[Any]:
    if column.refers_to:
        # References have their own tests; here each is the one person, or missing.
        return st.just(person) if column.required else st.none()
    kinds: dict[str, st.SearchStrategy[Any]] = {
        "id": st.uuids(version=4).map(str),
        "text": _TEXT,
        "choice": st.sampled_from(column.allowed or ("",)),
        "number": st.floats(allow_nan=False, allow_infinity=False),
        "integer": st.integers(-(2**63), 2**63 - 1),
        "flag": st.booleans(),
        "day": _DAYS,
    }
    sound = kinds[column.kind]
    return sound if column.required else st.none() | sound


def _rows(table: Table, person: str) -> st.SearchStrategy[pd.DataFrame]:
    row = st.fixed_dictionaries({c.name: _values(c, person) for c in table.columns})
    rows = st.lists(row, min_size=1, max_size=4, unique_by=lambda made: made["id"])
    return rows.map(lambda made: conform(table, pd.DataFrame(made, dtype="object")))


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]
)
def peopled(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Store]:
    """A store for all examples, holding the one person whom rows are about."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('store') / 's.sqlite'}"
    else:
        server = request.getfixturevalue("postgres_server")
        server.psql("CREATE DATABASE round_trip;")
        url = server.get_uri("round_trip").replace("postgresql://", "postgresql+psycopg://")
    with open_store(url) as store:
        yield store


class _Undo(Exception):
    """Ends an example, so that the next meets the store as it was."""


@pytest.mark.parametrize("name", sorted(TABLES))
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_round_trip(peopled: Store, rows: Any, name: str, data: st.DataObject) -> None:
    people = rows("people", ada={})
    frame = data.draw(_rows(TABLES[name], people["id"].iloc[0]))
    with suppress(_Undo), peopled.transaction():
        peopled.save("people", people)
        assert peopled.save(name, frame) == (len(frame), 0, 0)
        assert peopled.save(name, frame) == (0, len(frame), 0)
        stored = getattr(peopled.load_register(tables=[name]), name)
        back = stored.set_index("id").loc[frame["id"]].reset_index()
        pd.testing.assert_frame_equal(back[list(frame)], frame)
        raise _Undo
