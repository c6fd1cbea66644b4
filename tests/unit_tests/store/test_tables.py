"""The store's tables say what the declarations say."""

from __future__ import annotations

import pytest
from sqlalchemy.dialects import postgresql, sqlite

from chw_tools.records import DERIVED_TABLES, TABLES
from chw_tools.records.planning import PLANNING_TABLES
from chw_tools.store.tables import DERIVED, LONGER_PLANS, METADATA, REGISTER


@pytest.mark.parametrize("name", sorted(TABLES))
def test_every_declared_column_is_stored(name: str) -> None:
    stored, declared = REGISTER[name], TABLES[name]
    assert list(stored.c.keys())[: len(declared.columns)] == declared.column_names
    for column in declared.columns:
        assert stored.c[column.name].nullable is not column.required
        refers = {key.target_fullname for key in stored.c[column.name].foreign_keys}
        assert refers == ({f"{column.refers_to}.id"} if column.refers_to else set())
    assert ("server_seq" in stored.c) is declared.is_event
    if declared.is_event:
        assert "supersedes_id" in stored.c


@pytest.mark.parametrize("name", sorted(set(DERIVED_TABLES) - set(PLANNING_TABLES)))
def test_what_the_stages_make_is_stored(name: str) -> None:
    assert set(DERIVED_TABLES[name].column_names) <= set(DERIVED[name].c.keys())


def test_what_is_planned_in_files_is_in_no_store() -> None:
    assert set(PLANNING_TABLES) & set(DERIVED) == set(LONGER_PLANS)


def test_rows_of_a_person_are_found_by_an_index() -> None:
    for name, table in METADATA.tables.items():
        if "person_id" in table.c:
            leading = {next(iter(index.columns)).name for index in table.indexes}
            assert leading & {"person_id", "run_id"}, name


@pytest.mark.parametrize(
    ("column", "on_sqlite", "on_postgres"),
    [
        ("id", "VARCHAR(36)", "UUID"),
        ("born_on", "VARCHAR(10)", "DATE"),
        ("given_name", "TEXT", "TEXT"),
    ],
)
def test_types_on_both_databases(column: str, on_sqlite: str, on_postgres: str) -> None:
    kind = REGISTER["people"].c[column].type
    assert kind.compile(sqlite.dialect()) == on_sqlite
    assert kind.compile(postgresql.dialect()) == on_postgres
    body = DERIVED["risks"].c.reasons.type
    assert body.compile(postgresql.dialect()) == "JSONB"
