"""Plain values and digests: what is kept of a frame, and what comes back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chw_tools.errors import TableFault
from chw_tools.records import DERIVED_TABLES, TABLES, Column, Table, conform
from chw_tools.store.values import (
    as_json,
    digest_body,
    digest_rows,
    frame_of,
    plain_columns,
    without_nul,
)

EVERY_KIND = Table(
    "every_kind",
    "One column of each kind.",
    (
        Column("id", "id", ""),
        Column("said", "text", ""),
        Column("n", "number", ""),
        Column("count", "integer", ""),
        Column("is_so", "flag", ""),
        Column("seen_on", "day", ""),
        Column("seen_at", "instant", ""),
        Column("body", "json", ""),
    ),
)

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=9)
ROW = st.fixed_dictionaries(
    {
        "id": st.uuids().map(str),
        "said": st.none() | TEXT,
        "n": st.none() | st.floats(allow_nan=False, allow_infinity=False),
        "count": st.none() | st.integers(-(2**63), 2**63 - 1),
        "is_so": st.none() | st.booleans(),
        "seen_on": st.none() | st.dates(),
        "seen_at": st.none() | st.datetimes(min_value=datetime(1700, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
        "body": st.none() | st.dictionaries(TEXT, st.lists(st.integers(-9, 9) | TEXT, max_size=3)),
    }
)


def _frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    columns = {}
    for column in EVERY_KIND.columns:
        values = pd.Series([row[column.name] for row in rows], dtype="object")
        if column.kind in ("day", "instant"):
            unit = "s" if column.kind == "day" else "us"
            zone = "UTC" if column.kind == "instant" else None
            held = (
                pd.Series(np.array(values.tolist(), dtype=f"datetime64[{unit}]"))
                if (zone is None)
                else pd.Series(pd.to_datetime(values, utc=True))
            )
            columns[column.name] = held
        else:
            columns[column.name] = values
    return conform(EVERY_KIND, pd.DataFrame(columns))


@given(st.lists(ROW, min_size=1, max_size=4))
def test_every_kind_comes_back_as_it_went(rows: list[dict[str, Any]]) -> None:
    frame = _frame(rows)
    held = plain_columns(EVERY_KIND, frame)
    plain = list(zip(*held, strict=True))
    kinds = [(column.name, column.kind) for column in EVERY_KIND.columns]
    back = frame_of(kinds, held)
    pd.testing.assert_frame_equal(back, frame)
    again = list(zip(*plain_columns(EVERY_KIND, back), strict=True))
    names = EVERY_KIND.column_names
    assert digest_rows(names, again) == digest_rows(names, plain)


@given(ROW, ROW)
def test_digests_differ_just_where_content_does(one: dict[str, Any], other: dict[str, Any]) -> None:
    names = EVERY_KIND.column_names
    plain = list(zip(*plain_columns(EVERY_KIND, _frame([one, other])), strict=True))
    first, second = digest_rows(names, plain)
    assert (first == second) == (plain[0][1:] == plain[1][1:])


def test_the_digest_of_a_known_row() -> None:
    """A vector: were it to change, every stored event would be corrected at its next import."""
    names = ("id", "code", "value_number", "observed_on", "supersedes_id", "is_so")
    row = ("key", "8480-6", 120.0, "2024-03-01", None, True)
    # BLAKE2b-128 of {"code":"8480-6","is_so":true,"observed_on":"2024-03-01","value_number":120.0}
    assert digest_rows(names, [row]) == ["88989b313709245be5b04885ca7af049"]


def test_a_column_declared_later_changes_no_digest() -> None:
    before = digest_rows(("id", "b"), [("k", 1)])
    assert digest_rows(("a", "id", "b", "new"), [(None, "k", 1, None)]) == before


def test_missing_and_empty_text_differ() -> None:
    one, other = digest_rows(("id", "said"), [("k", None), ("k", "")])
    assert one != other


def test_parts_of_a_body_do_not_run_together() -> None:
    assert digest_body("ab", "c") != digest_body("a", "bc")
    assert digest_body(None) != digest_body("")


def test_negative_zero_is_zero() -> None:
    frame = _frame([dict.fromkeys(EVERY_KIND.column_names) | {"id": "k", "n": -0.0}])
    assert str(plain_columns(EVERY_KIND, frame)[2][0]) == "0.0"


def test_a_fault_names_the_column_and_not_the_value() -> None:
    people = conform(TABLES["people"], pd.DataFrame({"given_name": ["Ada\x00Okoro"]}))
    with pytest.raises(TableFault) as error:
        plain_columns(TABLES["people"], people)
    assert "people." in str(error.value)
    assert "Okoro" not in str(error.value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b": np.float32(0.5), "a": (1, 2)}, '{"a":[1,2],"b":0.5}'),
        ({"gap": pd.NA, "nan": float("nan"), "n": np.int64(3)}, '{"gap":null,"n":3,"nan":null}'),
        ({"on": pd.Timestamp("2024-03-01")}, '{"on":"2024-03-01T00:00:00"}'),
        ({1: "key"}, '{"1":"key"}'),
    ],
)
def test_json_of_what_the_stages_give(value: Any, text: str) -> None:
    assert as_json(value) == text


def test_json_refuses_what_it_cannot_keep() -> None:
    with pytest.raises(TypeError):
        as_json({"a": object()})


def test_a_nul_is_shown_and_an_escaped_backslash_is_left() -> None:
    assert as_json("a\x00b") == '"a\N{REPLACEMENT CHARACTER}b"'
    assert without_nul(r'"a\\u0000b"') == r'"a\\u0000b"'


def test_an_empty_frame_has_the_declared_dtypes() -> None:
    for table in (*TABLES.values(), *DERIVED_TABLES.values()):
        kinds = [(column.name, column.kind) for column in table.columns]
        made = frame_of(kinds, [[] for _ in kinds])
        assert {name: str(made[name].dtype) for name in made} == {
            column.name: column.dtype for column in table.columns
        }
