"""Reading the visit form."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chw_tools.programme import load_programme
from chw_tools.records import load_catalogue
from chw_tools.testing.acts import ADULT, LIST_DAY, WORKER, a_child, an_adult
from chw_tools.web.visit_form import age_in_years, form_for, read_visit
from chw_tools.web.wording import load_wording

WORDS = load_wording()
CATALOGUE = load_catalogue()
ADULT_FORM = form_for(an_adult(), CATALOGUE)
FILLED = {
    "outcome": ["seen"],
    "systolic_mmhg": ["150"],
    "diastolic_mmhg": ["94"],
    "danger_signs": ["none"],
    "day": ["2026-01-05"],
    "visit_id": [""],
}


def read(form=ADULT_FORM, **changes):
    fields = {**FILLED, **{name: [value] for name, value in changes.items()}}
    return read_visit(
        fields,
        person_id=ADULT,
        worker_id=WORKER,
        form=form,
        words=WORDS,
        last_day=LIST_DAY,
    )


def names(observables):
    return [item.name for item in observables]


def test_an_adult_is_asked_for_blood_pressure_first_and_a_child_for_the_arm():
    assert names(ADULT_FORM.measure)[:2] == ["systolic_mmhg", "diastolic_mmhg"]
    child = form_for(a_child(), CATALOGUE)
    assert names(child.measure)[0] == "muac_cm"
    assert "danger_unable_to_drink" in names(child.danger_signs)
    assert "danger_chest_pain" not in names(child.danger_signs)


@pytest.mark.parametrize(
    ("sex", "age", "is_asked"),
    [
        ("female", "15 years", True),
        ("female", "49 years", True),
        ("female", "50 years", False),
        ("female", "14 years", False),
        ("male", "30 years", False),
        ("unknown", "30 years", True),
        ("female", "age not known", True),
    ],
)
def test_signs_of_pregnancy_are_asked_where_it_may_be(sex, age, is_asked):
    form = form_for(replace(an_adult(), sex=sex, age=age), CATALOGUE)
    assert ("danger_vaginal_bleeding" in names(form.danger_signs)) is is_asked


def test_every_sign_of_the_catalogue_is_asked_of_somebody():
    people = [an_adult(), a_child(), replace(an_adult(), age="20 years")]
    asked = {name for person in people for name in names(form_for(person, CATALOGUE).danger_signs)}
    assert asked == {sign.name for sign in CATALOGUE.danger_signs()}


def test_nobody_is_asked_the_same_twice():
    for age in ("1 day", "3 months", "4 years", "9 years", "20 years", "80 years", "age not known"):
        form = form_for(replace(an_adult(), age=age), CATALOGUE)
        rows = names(form.observables + form.danger_signs)
        assert len(rows) == len(set(rows))


def rows(form):
    return {row.name for section in form.sections for row in section.rows}


def test_every_symptom_that_a_rule_reads_is_asked_of_somebody():
    ages = ("3 weeks", "1 year", "9 years", "20 years", "60 years", "age not known")
    people = [replace(an_adult(), age=age) for age in ages]
    asked = set()
    for person in people:
        form = form_for(person, CATALOGUE)
        asked |= set(names(form.observables))
    symptoms = {name for name, entry in CATALOGUE.entries.items() if entry.is_symptom}
    read = frozenset().union(*(rule.features() for rule in load_programme().rules))
    assert symptoms & read <= asked


def test_a_baby_under_two_months_is_looked_at_otherwise_than_a_child():
    baby, child = (
        form_for(replace(an_adult(), age=age), CATALOGUE) for age in ("8 weeks", "2 months")
    )
    assert {"feeds_poorly", "moves_little", "navel_red", "yellow_palms"} <= rows(baby)
    assert "muac_cm" not in names(baby.measure)
    assert "feeds_poorly" not in rows(child)
    assert names(child.measure)[0] == "muac_cm"


@pytest.mark.parametrize(("sex", "is_asked"), [("female", True), ("male", False)])
def test_what_is_asked_in_pregnancy_has_a_section_of_its_own(sex, is_asked):
    form = form_for(replace(an_adult(), sex=sex, age="25 years"), CATALOGUE)
    assert ({"iron_taken", "birth_place", "smoke_at_home"} <= rows(form)) is is_asked
    assert (form.sections[0].name == "pregnancy") is is_asked


@pytest.mark.parametrize(
    ("shown", "years"),
    [("34 years", 34), ("1 month", 1 / 12), ("12 days", 12 / 365.25), ("age not known", None)],
)
def test_the_age_as_shown_is_read_back(shown, years):
    assert age_in_years(shown) == (None if years is None else pytest.approx(years))


def test_a_filled_form_is_an_entry():
    entry = read().entry
    assert entry.measurements == {"systolic_mmhg": 150.0, "diastolic_mmhg": 94.0}
    assert entry.worker_id == WORKER
    assert entry.visited_on == date(2026, 1, 5)


def test_none_of_these_answers_no_to_each_sign_that_was_shown_and_to_no_other():
    signs = read().entry.danger_signs
    assert signs == dict.fromkeys(names(ADULT_FORM.danger_signs), False)


def test_a_ticked_sign_is_there_and_the_others_are_not():
    signs = read(danger_signs="danger_chest_pain").entry.danger_signs
    assert [name for name, there in signs.items() if there] == ["danger_chest_pain"]


def test_not_checked_is_not_no():
    assert read(danger_signs="not_asked").entry.danger_signs is None


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"outcome": ""}, "outcome"),
        ({"outcome": "flown"}, "outcome"),
        ({"outcome": "away"}, "outcome"),
        ({"systolic_mmhg": "a lot"}, "systolic_mmhg"),
        ({"systolic_mmhg": "1e2"}, "systolic_mmhg"),
        ({"systolic_mmhg": "-150"}, "systolic_mmhg"),
        ({"systolic_mmhg": "1500"}, "systolic_mmhg"),
        ({"systolic_mmhg": ""}, "systolic_mmhg"),
        ({"diastolic_mmhg": ""}, "diastolic_mmhg"),
        ({"systolic_mmhg": "90", "diastolic_mmhg": "130"}, "systolic_mmhg"),
        ({"danger_signs": ""}, "danger_signs"),
        ({"day": ""}, "day"),
        ({"day": "other", "other_day": "yesterday"}, "day"),
        ({"day": "other", "other_day": "2026-01-06"}, "day"),
        ({"tobacco": "sometimes"}, "tobacco"),
    ],
)
def test_a_problem_is_told_at_its_field(changes, field):
    answered = read(**changes)
    assert answered.entry is None
    assert field in [problem.field for problem in answered.problems]


def test_a_sign_and_none_contradict_each_other():
    fields = {**FILLED, "danger_signs": ["danger_chest_pain", "none"]}
    answered = read_visit(
        fields,
        person_id=ADULT,
        worker_id=None,
        form=ADULT_FORM,
        words=WORDS,
        last_day=LIST_DAY,
    )
    assert [problem.field for problem in answered.problems] == ["danger_signs"]


def test_all_problems_are_told_at_once():
    answered = read(outcome="", systolic_mmhg="x", danger_signs="", day="")
    assert len(answered.problems) == 3  # signs are asked of those who were seen


def test_an_unusual_number_is_asked_about_once_and_then_taken():
    asked = read(systolic_mmhg="260")
    assert asked.is_unusual
    assert asked.entry is None
    confirmed = read(systolic_mmhg="260", confirmed="yes")
    assert confirmed.entry.measurements["systolic_mmhg"] == 260


def test_a_visit_of_more_than_a_year_ago_is_asked_about_once_and_then_taken():
    assert read(day=str(LIST_DAY - timedelta(days=366))).entry is not None
    asked = read(day=str(LIST_DAY - timedelta(days=367)))
    assert (asked.is_unusual, asked.entry) == (True, None)
    assert [(one.field, one.message) for one in asked.problems] == [
        ("day", "That is more than a year ago. Is the year right?")
    ]
    assert read(day="1999-01-05", confirmed="yes").entry.visited_on == date(1999, 1, 5)
    assert not read(day="").is_unusual


def test_an_impossible_number_is_not_taken_even_if_confirmed():
    assert read(systolic_mmhg="999", confirmed="yes").entry is None


def test_a_decimal_comma_is_a_decimal_point():
    assert read(temperature_celsius="38,5").entry.measurements["temperature_celsius"] == 38.5


def test_nobody_at_home_needs_no_numbers_and_no_signs():
    entry = read(outcome="away", systolic_mmhg="", diastolic_mmhg="", danger_signs="").entry
    assert (entry.outcome, entry.measurements, entry.danger_signs) == ("away", {}, None)


def test_medicines_are_asked_of_those_with_a_condition():
    assert ADULT_FORM.asks_medicines
    assert not form_for(a_child(), CATALOGUE).asks_medicines
    told = replace(an_adult().advice[0], action="Measure again. Ask if medicines are taken.")
    assert form_for(replace(a_child(), advice=(told,)), CATALOGUE).asks_medicines
    assert read(medicine_adherence="partly").entry.measurements["medicine_adherence"] == "partly"


@given(st.dictionaries(st.sampled_from([*FILLED, "weight_kg", "other_day"]), st.text(max_size=12)))
def test_whatever_is_typed_gives_an_entry_or_a_problem(typed):
    answered = read(**typed)
    assert (answered.entry is None) == bool(answered.problems)
    for problem in answered.problems:
        for text in typed.values():
            assert len(text) < 6 or text not in problem.message
