"""The declarations of all tables: they refer to each other in order and mean what they say."""

from __future__ import annotations

import pytest

from chw_tools.records import DERIVED_TABLES, TABLES
from chw_tools.records.columns import DTYPES

EVERY = {**TABLES, **DERIVED_TABLES}
each_table = pytest.mark.parametrize("table", EVERY.values(), ids=list(EVERY))
each_register_table = pytest.mark.parametrize("table", TABLES.values(), ids=list(TABLES))


def test_no_two_tables_share_a_name():
    assert not set(TABLES) & set(DERIVED_TABLES)
    assert all(name == table.name for name, table in EVERY.items())


@each_table
def test_columns_are_named_once_and_say_what_they_mean(table):
    assert len(set(table.column_names)) == len(table.column_names)
    assert table.meaning.endswith(".")
    for column in table.columns:
        assert column.meaning.endswith("."), column.name
        assert column.kind in DTYPES


@each_table
def test_a_reference_is_an_id_of_a_table_declared_before(table):
    before = list(TABLES)
    if table.name in TABLES:
        before = before[: before.index(table.name) + 1]
    for column in table.columns:
        if column.refers_to:
            assert column.kind == "id"
            assert column.refers_to in before, column.name


@each_table
def test_only_choices_are_listed_and_limits_are_in_order(table):
    for column in table.columns:
        assert (column.kind == "choice") == bool(column.allowed), column.name
        assert len(set(column.allowed)) == len(column.allowed)
        if column.low is not None and column.high is not None:
            assert column.low < column.high
        if column.low is not None or column.high is not None:
            assert column.kind in ("number", "integer")


@each_table
def test_the_name_says_the_kind_and_the_unit(table):
    for column in table.columns:
        is_day = column.name.endswith("_on") or column.name in ("as_of", "due_from", "due_by")
        assert (column.kind == "day") == is_day
        assert (column.kind == "instant") == column.name.endswith("_at")
        if column.name.endswith("minutes"):
            assert column.unit == "min"
        if column.name.endswith("_km"):
            assert column.unit == "km"


@each_register_table
def test_every_row_has_a_key_and_says_where_it_came_from(table):
    assert table.columns[0].name == table.key == "id"
    for name in ("id", "source", "known_on"):
        assert table.column(name).required
    assert table.column("source_id").kind == "text"


@each_register_table
def test_an_event_can_be_corrected_and_has_a_day(table):
    if table.is_event:
        assert table.column("supersedes_id").refers_to == table.name
        assert table.column(table.event_day).required
    else:
        assert "supersedes_id" not in table.column_names
    if table.event_day:
        assert table.column(table.event_day).kind == "day"


def test_names_birth_and_telephone_are_marked_as_identifying():
    marked = {(t.name, c.name) for t in EVERY.values() for c in t.columns if c.identifying}
    assert marked == {
        ("people", "given_name"),
        ("people", "family_name"),
        ("people", "born_on"),
        ("people", "phone"),
        ("workers", "name"),
    }


def test_a_column_that_is_not_declared_is_a_programmers_mistake():
    with pytest.raises(KeyError, match="shoe_size"):
        TABLES["people"].column("shoe_size")
