"""Checks of a table against its declaration: every breach told, no value named."""

from __future__ import annotations

import pandas as pd
import pytest

from chw_tools.errors import TableFault
from chw_tools.records import TABLES, conform, empty_table
from chw_tools.records.checks import check_table, find_problems, reason_for

PEOPLE = TABLES["people"]
DAY = pd.Timestamp("2024-01-01")


def people(**given) -> pd.DataFrame:
    row = {"id": "a", "sex": "female", "source": "t", "known_on": DAY, **given}
    return conform(PEOPLE, pd.DataFrame([row]))


def problems(frame: pd.DataFrame, table=PEOPLE) -> list[tuple[str, str]]:
    return [*find_problems(table, frame)[["column", "reason"]].itertuples(index=False, name=None)]


def test_a_sound_table_is_given_back():
    frame = people()
    assert check_table(PEOPLE, frame) is frame
    assert problems(frame) == []


@pytest.mark.parametrize("name", list(TABLES))
def test_an_empty_table_is_sound(name):
    assert problems(empty_table(TABLES[name]), TABLES[name]) == []


def test_what_is_required_and_what_is_allowed():
    assert problems(people(source=None)) == [("source", "must be given")]
    [(column, reason)] = problems(people(sex="xq7"))
    assert column == "sex"
    assert reason == "must be one of female, male, other, unknown"


def test_limits():
    row = {"id": "h", "source": "t", "known_on": DAY, "wealth_fifth": 6, "facility_km": -1.0}
    frame = conform(TABLES["households"], pd.DataFrame([row]))
    assert sorted(problems(frame, TABLES["households"])) == [
        ("facility_km", "must be at least 0 km"),
        ("wealth_fifth", "must lie between 1 and 5"),
    ]


def test_a_key_twice_a_column_too_many_or_too_few_and_another_dtype():
    twice = pd.concat([people(), people()], ignore_index=True)
    assert {("id", "appears twice")} == set(problems(twice))
    assert ("shoe_size", "is not declared") in problems(people().assign(shoe_size=42))
    assert ("phone", "column is missing") in problems(people().drop(columns="phone"))
    wrong = people().assign(born_on="1990")
    assert ("born_on", "must have dtype datetime64[s]") in problems(wrong)


def test_the_error_names_table_column_and_count_and_no_value():
    frame = pd.concat([people(sex="xq7"), people(id="b", sex="xq8")], ignore_index=True)
    with pytest.raises(TableFault) as caught:
        check_table(PEOPLE, frame)
    assert str(caught.value).startswith("people: sex: must be one of")
    assert "(2)" in str(caught.value)
    assert "xq" not in str(caught.value)


def test_reasons_are_in_the_columns_own_words():
    assert reason_for(TABLES["visits"].column("visited_on")) == "must be given"
    assert reason_for(TABLES["people"].column("phone")) == "cannot be read"
    assert reason_for(TABLES["areas"].column("latitude")) == "must lie between -90 and 90 deg"
