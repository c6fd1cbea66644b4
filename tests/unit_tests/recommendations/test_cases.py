"""The cases of the rules: each gives its advice, and no number of a rule may change unnoticed."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest

from chw_tools.programme import Condition, Rule, load_programme
from chw_tools.programme.cases import ADVICE, REPLACED, SILENT, Case, read_cases
from chw_tools.programme.reading import Problems
from chw_tools.programme.rules import KINDS
from chw_tools.recommendations.cases import (
    Answer,
    agrees,
    answers_of_rule,
    failing_cases,
    features_of_cases,
)
from chw_tools.records import load_catalogue
from chw_tools.records.derived import URGENCIES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chw_tools.feature_engineering import Features

PROGRAMME = load_programme()
RULES = {rule.id: rule for rule in PROGRAMME.rules}
PROBLEMS = Problems()
CASES = read_cases(None, set(RULES), PROBLEMS)
OF_RULE: dict[str, list[Case]] = {name: [] for name in RULES}
for one in CASES:
    OF_RULE[one.rule_id].append(one)
#: A visit is due by its day however far off that is: "ahead" means always.
ALWAYS_AHEAD = 10_000
#: The next value that a number of that feature can take.
STEPS = {
    "temperature_celsius": 0.1,
    "haemoglobin_g_dl": 0.1,
    "glucose_mmol_l": 0.1,
    "fasting_glucose_mmol_l": 0.1,
    "muac_cm": 0.1,
    "bmi": 0.1,
}
NEXT_TO = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}


def test_every_case_gives_the_advice_that_it_says() -> None:
    assert PROBLEMS.found == []
    told = [
        f"{case.at} {case.rule_id}, {case.title}: expected {case.advice} {case.due_days}, "
        f"came out {answer.advice} {answer.due_days}"
        for case, answer in failing_cases(PROGRAMME, CASES)
    ]
    assert told == []


@pytest.mark.parametrize("name", RULES)
def test_every_rule_has_a_case_that_sets_it_off_and_one_that_does_not(name: str) -> None:
    advice = {case.advice for case in OF_RULE[name]}

    assert advice - {SILENT}, "no case sets it off"
    # The routine visit is for everybody: nobody is left without.
    assert SILENT in advice or name == "visit_anyone"


def test_every_kind_urgency_and_answer_is_exercised() -> None:
    assert {case.advice for case in CASES} == set(ADVICE)
    assert {RULES[case.rule_id].kind for case in CASES} == set(KINDS) - {"risk"}
    assert {RULES[case.rule_id].urgency for case in CASES} == set(URGENCIES)


def test_every_danger_sign_and_symptom_of_the_catalogue_sets_some_rule_off() -> None:
    read = {condition.feature for rule in RULES.values() for condition in (*rule.all, *rule.any)}
    read |= {rule.due_from for rule in RULES.values()}
    entries = load_catalogue().entries.values()

    asked = {entry.name for entry in entries if entry.is_danger_sign or entry.is_symptom}
    assert asked <= read


def step(condition: Condition) -> float:
    name, value = condition.feature, float(condition.value)
    if name.endswith("_z"):
        return 0.01
    if name == "age_years":
        return 0.0001 if value < 1 else 0.1
    return STEPS.get(name, 1)


def mutants(rule: Rule) -> Iterator[tuple[str, Rule]]:
    """The rule with one thing changed: a limit, a comparison, a day, a condition left out."""
    for part in ("who", "all", "any"):
        conditions = getattr(rule, part)
        for at, condition in enumerate(conditions):
            left = conditions[:at] + conditions[at + 1 :]
            if len(left) >= rule.at_least or part != "any":
                yield f"{part}[{at}] left out", replace(rule, **{part: left})
            for what, changed in changed_conditions(condition):
                put = (*conditions[:at], changed, *conditions[at + 1 :])
                yield f"{part}[{at}] {what}", replace(rule, **{part: put})
    yield from changed_days(rule)


def changed_conditions(condition: Condition) -> Iterator[tuple[str, Condition]]:
    value = condition.value
    turned = condition.op.removeprefix("not ")
    word = "not " if turned != condition.op else ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        for sign in (-1, 1):
            changed = round(value + sign * step(condition), 4)
            yield f"{value} to {changed}", replace(condition, value=changed)
    if turned in NEXT_TO:
        yield "next comparison", replace(condition, op=f"{word}{NEXT_TO[turned]}")
    if isinstance(value, tuple):
        for one in value:
            yield f"without {one}", replace(condition, value=tuple(v for v in value if v != one))


def changed_days(rule: Rule) -> Iterator[tuple[str, Rule]]:
    names = ["due_days"] if not rule.schedule else []
    names += [n for n in ("within_days", "older_than_days") if getattr(rule, n) is not None]
    if (rule.due_from or rule.schedule) and looks_ahead(rule):
        names.append("ahead_days")
    if rule.overdue_urgency:
        names.append("overdue_days")
        yield "overdue_urgency", replace(rule, overdue_urgency="")
    if rule.at_least > 1:
        names.append("at_least")
    for name in names:
        for change in (-1, 1):
            days = getattr(rule, name) + change
            if days >= 0:
                yield f"{name} {change:+}", replace(rule, **{name: days})
    milder = URGENCIES[(URGENCIES.index(rule.urgency) + 1) % len(URGENCIES)]
    yield "urgency", replace(rule, urgency=milder)
    if rule.schedule:
        yield from changed_schedules(rule)


def looks_ahead(rule: Rule) -> bool:
    """Whether the days ahead can make a difference."""
    if rule.schedule is None:
        return rule.ahead_days < ALWAYS_AHEAD
    gaps = [b - a for a, b in pairwise((0.0, *rule.schedule.at))]
    return max(gaps) * rule.schedule.days_per_unit > rule.ahead_days


def changed_schedules(rule: Rule) -> Iterator[tuple[str, Rule]]:
    schedule = rule.schedule
    assert schedule is not None
    for change in (-1, 1):
        early = replace(schedule, early_days=max(0, schedule.early_days + change))
        if early != schedule:
            yield f"early_days {change:+}", replace(rule, schedule=early)
    day = 1 / schedule.days_per_unit
    for at, value in enumerate(schedule.at):
        for change in (-day, day):
            moved = tuple(v + change if n == at else v for n, v in enumerate(schedule.at))
            yield f"at {value} {change:+.4f}", replace(rule, schedule=replace(schedule, at=moved))


def expected_alone(case: Case, answer: Answer) -> bool:
    """Whether the rule alone says what the case expects of it."""
    if case.advice == REPLACED:
        return answer.advice != SILENT and answer.due_days == case.due_days
    return agrees(case, answer)


@pytest.fixture(scope="module")
def features() -> dict[str, Features]:
    # One table of all cases, and of it each rule's own rows.
    whole = features_of_cases([case.known for case in CASES])
    rule = np.array([case.rule_id for case in CASES])
    return {name: replace(whole, frame=whole.frame[rule == name]) for name in OF_RULE}


@pytest.mark.parametrize("name", RULES)
def test_no_number_of_a_rule_can_change_without_a_case_that_fails(
    name: str, features: dict[str, Features]
) -> None:
    cases = OF_RULE[name]
    survivors = [
        what
        for what, mutant in mutants(RULES[name])
        if all(
            expected_alone(case, answer)
            for case, answer in zip(cases, answers_of_rule(mutant, features[name]), strict=True)
        )
    ]
    assert survivors == []


#: Dropping these changes no advice of a case: a third rule replaces the same wherever both hold,
#: or no one case is yet written in which only this one does.
NO_CASE_TELLS = {
    ("young_infant_severe_dehydration", "young_infant_diarrhoea"),
    ("child_chest_indrawing", "any_danger_sign"),
    ("child_noisy_breathing", "any_danger_sign"),
    ("child_severe_dehydration", "child_diarrhoea"),
    ("child_muac_red", "child_muac_yellow"),
    ("child_muac_red", "child_muac_measure"),
    ("child_weight_for_height_severe", "child_weight_for_height_low"),
    ("bp_very_high", "bp_raised"),
    ("bp_very_high", "bp_follow_up_high"),
    ("child_diarrhoea_long", "child_diarrhoea"),
    ("child_cough_long", "child_cough"),
    ("child_fever_told", "child_fever_no_malaria"),
    ("antenatal_contact", "visit_anyone"),
    ("newborn_first_week", "visit_anyone"),
    ("newborn_contact", "visit_anyone"),
    ("bp_raised", "bp_follow_up_high"),
}


def test_no_rule_can_stop_replacing_another_without_a_case_that_fails() -> None:
    pairs = [(rule.id, name) for rule in PROGRAMME.rules for name in rule.replaces]
    survivors = set()
    for name, other in pairs:
        near = {rule for rule, replaced in pairs if replaced == other} | {other}
        cases = [case for case in OF_RULE[other] if case.advice == REPLACED]
        kept = tuple(one for one in RULES[name].replaces if one != other)
        rules = {one: RULES[one] for one in near} | {name: replace(RULES[name], replaces=kept)}
        if not failing_cases(replace(PROGRAMME, rules=tuple(rules.values())), cases):
            survivors.add((name, other))
    assert survivors <= NO_CASE_TELLS


def test_no_case_is_no_failing_case() -> None:
    assert failing_cases(load_programme(), ()) == ()
