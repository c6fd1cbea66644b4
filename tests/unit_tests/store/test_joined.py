"""Texts and days joined to one text come apart as they were, or are said not to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chw_tools.store.joined import END, NO_DAY, NO_TEXT, split_days, split_texts

if TYPE_CHECKING:
    from datetime import date

_ANY = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
_TEXT = st.text(_ANY, max_size=4) | st.text(st.sampled_from(f"a{END}{NO_TEXT}ß"), max_size=4)
_KEYS = st.text(st.characters(codec="ascii"), min_size=3, max_size=3)


@given(st.lists(st.none() | _TEXT, min_size=1, max_size=6) | st.lists(_KEYS, min_size=1))
def test_texts_come_back_or_are_said_to_be_ambiguous(texts: list[str | None]) -> None:
    joined = END.join(NO_TEXT if text is None else text for text in texts).encode()
    back = split_texts(joined, len(texts), n_missing=texts.count(None))
    if back is not None:
        assert back.to_pylist() == texts
        back.validate(full=True)
    else:
        assert any(text and (END in text or NO_TEXT in text) for text in texts)


@pytest.mark.parametrize(
    ("texts", "n_missing"),
    [
        ([f"a{END}b"], 0),  # one more end
        (["abc", f"a{END}c"], 0),  # of one length, with an end inside
        ([None, NO_TEXT], 1),  # as if another were missing
        ([f"{NO_TEXT}a", None], 1),
        ([f"a{NO_TEXT}b", NO_TEXT], 0),
    ],
)
def test_a_mark_within_a_text_is_seen(texts: list[str | None], n_missing: int) -> None:
    joined = END.join(NO_TEXT if text is None else text for text in texts).encode()
    back = split_texts(joined, len(texts), n_missing=n_missing)
    assert back is None or back.to_pylist() == texts


def test_as_many_marks_as_are_missing_but_elsewhere_is_ambiguous() -> None:
    assert split_texts(f"a{NO_TEXT}{END}b".encode(), 2, n_missing=1) is None


def test_all_missing_needs_no_look() -> None:
    assert (
        split_texts(f"{NO_TEXT}{END}{NO_TEXT}".encode(), 2, n_missing=2).to_pylist() == [None] * 2
    )


@given(st.lists(st.none() | st.dates(), min_size=1))
def test_days_come_back(days: list[date | None]) -> None:
    joined = END.join(NO_DAY if day is None else day.isoformat() for day in days).encode()
    back = split_days(joined, len(days))
    assert back is not None
    np.testing.assert_array_equal(back, np.array(days, dtype="datetime64[D]"))


@pytest.mark.parametrize(
    "text",
    [
        "2023-02-29",
        "2024-13-01",
        "2024-00-10",
        "2024-01-00",
        "2024-01-32",
        "2024/01/01",
        "2024-1-001",
        "20x4-01-01",
        "20 4-01-01",
        "12024-01-01",
        "0000-00-01",
    ],
)
def test_what_is_no_day_is_not_taken_for_one(text: str) -> None:
    assert split_days(text.encode(), 1) is None
    assert split_days(f"2024-03-01{END}{text}".encode(), 2) is None


def test_an_end_in_another_place_is_seen() -> None:
    assert split_days(b"2024-03-01x2024-03-02", 2) is None
