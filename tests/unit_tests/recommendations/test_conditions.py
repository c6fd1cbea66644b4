"""A comparison with what is not known is false; turned round with ``not`` it is true."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from chw_tools.programme import Condition, Rule
from chw_tools.programme.rules import OPS
from chw_tools.recommendations.conditions import Columns, holds, meets

FRAME = pd.DataFrame(
    {
        "age_years": [10.0, 18.0, None],
        "is_pregnant": pd.array([True, False, None], dtype="boolean"),
        "tobacco": pd.Categorical(["never", "current", None], categories=["never", "current"]),
    }
)
CASES = {
    "==": (("age_years", 18), [False, True, False]),
    "!=": (("age_years", 18), [True, False, False]),
    "<": (("age_years", 18), [True, False, False]),
    "<=": (("age_years", 18), [True, True, False]),
    ">": (("age_years", 10), [False, True, False]),
    ">=": (("age_years", 18), [False, True, False]),
    "in": (("tobacco", ("current", "former")), [False, True, False]),
    "not ==": (("is_pregnant", True), [False, True, True]),
    "not !=": (("tobacco", "never"), [True, False, True]),
    "not <": (("age_years", 18), [False, True, True]),
    "not <=": (("age_years", 10), [False, True, True]),
    "not >": (("age_years", 10), [True, False, True]),
    "not >=": (("age_years", 18), [True, False, True]),
    "not in": (("tobacco", ("current",)), [True, False, True]),
    "is_known": (("tobacco", None), [True, True, False]),
    "is_missing": (("is_pregnant", None), [False, False, True]),
}


@pytest.mark.parametrize("op", CASES)
def test_operator(op: str) -> None:
    (feature, value), expected = CASES[op]

    assert holds(Columns(FRAME), Condition(feature, op, value)).tolist() == expected


def test_a_column_of_texts_is_compared_like_a_choice() -> None:
    frame = pd.DataFrame({"household_id": pd.array(["a", None, "b"], dtype="str")})
    columns = Columns(frame)
    assert holds(columns, Condition("household_id", "==", "b")).tolist() == [False, False, True]
    assert columns.known("household_id").tolist() == [True, False, True]


def test_some_rows_answer_as_they_do_among_all() -> None:
    whole = Columns(FRAME)
    some = whole.rows(np.array([2, 0]))
    assert len(some) == 2
    for op, ((feature, value), expected) in CASES.items():
        condition = Condition(feature, op, value)
        assert holds(some, condition).tolist() == [expected[2], expected[0]]
        assert holds(Columns(FRAME).rows(np.array([1])), condition).tolist() == [expected[1]]
    assert some.is_number("age_years")
    assert not some.is_number("tobacco")


def test_every_operator_has_a_case() -> None:
    assert set(CASES) == set(OPS)


def test_a_rule_may_ask_for_what_was_measured_long_ago_alone() -> None:
    frame = pd.DataFrame({"muac_cm": [14.0, 14.0, None], "muac_cm_days_since": [30.0, 31.0, None]})
    rule = Rule(
        **{name: "x" for name in ("id", "label", "action", "reason", "source")},
        kind="measure",
        urgency="routine",
        verified=False,
        all=(Condition("muac_cm", "is_known"),),
        older_than_days=30,
    )
    assert meets(Columns(frame), rule).tolist() == [False, True, False]


def test_one_person_alone_reads_as_among_many() -> None:
    """Of one person all values are taken at once, of many each column."""
    known = pd.array([True, None, False, True], dtype="boolean")
    frame = pd.DataFrame(
        {
            "age_years": [1.5, np.nan, 70.0, 0.0],
            "is_pregnant": known,
            "sex": pd.Categorical(["female", None, "male", "female"]),
            "place_id": pd.array(["a", None, "b", ""], dtype="str"),
            "n_visits": pd.array([1, None, 0, 3], dtype="Int64"),
        }
    )
    many = Columns(frame)
    for at in range(len(frame)):
        one = Columns(frame.iloc[[at]])
        for name in ("age_years", "is_pregnant", "n_visits"):
            assert one.is_number(name)
            np.testing.assert_array_equal(one.numbers(name), many.numbers(name)[[at]])
            assert one.known(name).tolist() == [many.known(name)[at]]
        for name in ("sex", "place_id"):
            codes, levels = many.codes(name)
            own, own_levels = one.codes(name)
            assert [levels[c] for c in codes[[at]] if c >= 0] == [
                own_levels[c] for c in own if c >= 0
            ]
            assert one.known(name).tolist() == [many.known(name)[at]]
