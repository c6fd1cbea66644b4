"""The register in memory: declared columns and dtypes, whatever it was made from."""

from __future__ import annotations

from dataclasses import fields

import pandas as pd
import pytest

from chw_tools.records import TABLES, Register, conform, empty_table
from chw_tools.records.columns import DTYPES

PEOPLE = TABLES["people"]


def dtypes(frame: pd.DataFrame) -> dict[str, str]:
    return frame.dtypes.astype(str).to_dict()


def test_a_register_has_every_declared_table_in_order():
    assert [field.name for field in fields(Register)] == list(TABLES)
    assert [name for name, _ in Register.of().tables()] == list(TABLES)


@pytest.mark.parametrize("name", list(TABLES))
def test_empty_and_given_tables_have_the_declared_dtypes(name):
    declared = {column.name: column.dtype for column in TABLES[name].columns}
    assert dtypes(getattr(Register.of(), name)) == declared
    given = Register.of({name: pd.DataFrame({"id": ["a"]})})
    assert dtypes(getattr(given, name)) == declared
    assert dtypes(empty_table(TABLES[name])) == declared


def test_every_dtype_can_be_missing():
    for kind, dtype in DTYPES.items():
        assert pd.Series([None], dtype=dtype).isna().all(), kind


def test_conform_orders_columns_drops_others_and_numbers_rows_anew():
    raw = pd.DataFrame({"sex": ["male"], "shoe_size": [42], "id": ["a"]}, index=[7])
    frame = conform(PEOPLE, raw)
    assert list(frame) == PEOPLE.column_names
    assert frame.index.tolist() == [0]
    assert frame.loc[0, ["id", "sex"]].tolist() == ["a", "male"]


def test_conform_cleans_nothing():
    frame = conform(PEOPLE, pd.DataFrame({"id": ["a", "a"], "sex": ["xq7", None]}))
    assert frame["sex"].iloc[0] == "xq7"
    assert len(frame) == 2
    with pytest.raises(ValueError, match="not-a-day"):
        conform(PEOPLE, pd.DataFrame({"born_on": ["not-a-day"]}))


def test_an_unknown_table_is_a_programmers_mistake():
    with pytest.raises(KeyError, match="shoes"):
        Register.of({"shoes": pd.DataFrame()})


def test_the_register_of_some_people_has_their_rows_and_all_places():
    register = Register.of(
        {
            "areas": pd.DataFrame({"id": ["v"]}),
            "people": pd.DataFrame({"id": ["a", "b"]}),
            "visits": pd.DataFrame({"id": ["1", "2", "3"], "person_id": ["a", "b", "a"]}),
        }
    )
    part = register.of_people(["a"])
    assert part.people["id"].tolist() == ["a"]
    assert part.visits["id"].tolist() == ["1", "3"]
    assert part.areas["id"].tolist() == ["v"]
    assert len(register.visits) == 3
