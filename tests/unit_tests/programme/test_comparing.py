"""Rules held against each other: what can never be, what overlaps, what contradicts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chw_tools.programme import Condition, Rule, load_programme
from chw_tools.programme.comparing import compare_rules
from chw_tools.programme.logic import Values, cases_of, every_value, is_inside

BASE = Rule(
    id="a",
    label="A",
    kind="guideline",
    urgency="same_day",
    action="Do.",
    reason="Because.",
    source="x",
    verified=False,
)


def rule(name: str, *conditions: tuple[Any, ...], **more: Any) -> Rule:
    return replace(BASE, id=name, all=tuple(Condition(*c) for c in conditions), **more)


HIGH = rule("high", ("systolic_mmhg", ">=", 160))
RAISED = rule("raised", ("systolic_mmhg", ">=", 140), urgency="within_days")


def faults(*rules: Rule) -> list[tuple[str, str]]:
    return [(fault.rule_id, fault.what) for fault in compare_rules(rules)]


def test_the_shipped_rules_neither_overlap_nor_contradict() -> None:
    assert compare_rules(load_programme().rules) == ()


def test_bands_that_meet_at_a_limit_do_not_overlap() -> None:
    band = rule("band", ("systolic_mmhg", ">=", 140), ("systolic_mmhg", "<", 160))

    assert faults(HIGH, band) == []


def test_an_overlap_is_told_unless_one_replaces_the_other() -> None:
    assert [name for name, what in faults(HIGH, RAISED) if "overlaps with high" in what] == [
        "raised"
    ]
    assert faults(replace(HIGH, replaces=("raised",)), RAISED) == []


def test_a_third_rule_that_replaces_one_of_two_settles_their_overlap() -> None:
    pregnant = Condition("is_pregnant", "==", True)
    hers = rule("hers", ("systolic_mmhg", ">=", 140), who=(pregnant,))
    top = rule("top", ("systolic_mmhg", ">=", 160), who=(pregnant,), replaces=("hers", "high"))

    assert [name for name, _ in faults(HIGH, hers)] == ["hers"]
    assert faults(HIGH, hers, top) == []


def test_the_same_people_told_two_things_is_a_contradiction() -> None:
    other = replace(RAISED, id="other", action="Do nothing.")

    assert faults(RAISED, other) == [
        ("other", "contradicts raised: the same people, and neither replaces the other")
    ]


@pytest.mark.parametrize(
    "conditions",
    [
        [("age_years", ">", 60), ("age_years", "<", 50)],
        [("age_years", ">=", 18), ("age_years", "is_missing")],
        [("tobacco", "==", "current"), ("tobacco", "in", ("never", "former"))],
        [("tobacco", "==", "sometimes")],
        [("systolic_mmhg", ">", 300)],
        [("is_pregnant", "==", True), ("is_pregnant", "not ==", True)],
        [("age_months", ">=", 2), ("is_pregnant", "==", True)],
        [("age_months", ">=", 2), ("age_years", ">=", 18)],
        [("is_pregnant", "==", True), ("weeks_postpartum", "<", 6)],
    ],
)
def test_conditions_that_exclude_each_other_are_told(conditions: list[Any]) -> None:
    assert faults(rule("never", *conditions)) == [
        ("never", "its conditions exclude each other: nobody can meet it")
    ]


def test_measured_before_it_can_have_been_is_never_met() -> None:
    never = replace(HIGH, within_days=14, older_than_days=14)

    assert [what for _, what in faults(never)] == [
        "its conditions exclude each other: nobody can meet it"
    ]


def test_a_rule_replaced_wherever_it_holds_is_never_shown() -> None:
    wide = replace(RAISED, id="wide", urgency="same_day", replaces=("high",))

    assert faults(wide, HIGH) == [("high", "is never shown: wide replaces it wherever it holds")]


def test_two_that_replace_each_other_and_a_milder_that_replaces_a_firmer() -> None:
    one = replace(HIGH, replaces=("raised",))
    other = replace(RAISED, replaces=("high",))
    told = [what for _, what in faults(one, other)]

    assert "high and raised replace each other: both would be left out" in told
    assert "is less urgent than high and can never replace it" in told


def test_signs_that_decide_by_different_features_may_both_speak() -> None:
    assert faults(HIGH, rule("hot", ("temperature_celsius", ">=", 38))) == []


numbers = st.integers(0, 12).map(float)
operators = st.sampled_from(["<", "<=", ">", ">=", "==", "!="])
COMPARE = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
}


def lets_through(values: Values, number: float) -> bool:
    return any(low <= (number, 0) and (number, 1) <= high for low, high in values.spans)


@given(st.lists(st.tuples(operators, st.booleans(), numbers), min_size=1, max_size=4), numbers)
def test_a_box_holds_exactly_the_values_that_the_conditions_let_through(
    conditions: list[tuple[str, bool, float]], number: float
) -> None:
    told = [
        ("household_size", f"not {op}" if turned else op, value) for op, turned, value in conditions
    ]
    expected = all(COMPARE[op](number, value) != turned for op, turned, value in conditions)
    cases = cases_of(rule("r", *told))

    found = any(lets_through(case.box["household_size"], number) for case in cases)
    assert found == expected
    unknown = any(case.box["household_size"].unknown for case in cases)
    assert unknown == all(turned for _, turned, _ in conditions)


@given(st.sampled_from(["tobacco", "systolic_mmhg", "age_years", "sex"]))
def test_what_is_turned_round_twice_is_as_before(feature: str) -> None:
    every = every_value(feature)

    assert every.inverse(every) == Values((), frozenset(), unknown=False)
    assert every.inverse(every).inverse(every) == every
    assert is_inside({feature: every}, [{}])


def test_what_was_measured_after_today_can_never_be() -> None:
    assert faults(rule("r", ("waist_cm_days_since", "<", 0))) == [
        ("r", "its conditions exclude each other: nobody can meet it")
    ]
    assert faults(rule("r", ("waist_cm_days_since", "<", 1))) == []


def test_known_is_every_value_and_not_missing() -> None:
    (case,) = cases_of(rule("r", ("waist_cm", "is_known")))
    assert case.box["waist_cm"] == replace(every_value("waist_cm"), unknown=False)
    assert cases_of(rule("r", ("waist_cm", "is_known"), ("waist_cm", "is_missing"))) == []


BESIDE = [(one, name) for one in load_programme().rules for name in one.beside]


@pytest.mark.parametrize(("one", "name"), BESIDE, ids=[f"{o.id}, {n}" for o, n in BESIDE])
def test_no_rule_can_stop_standing_beside_another_unnoticed(one: Rule, name: str) -> None:
    other = next(rule for rule in load_programme().rules if rule.id == name)
    without = replace(one, beside=tuple(kept for kept in one.beside if kept != name))

    assert compare_rules([one, other]) == ()
    assert compare_rules([without, other]) != ()
