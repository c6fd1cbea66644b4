"""The next dose by the shipped schedule: what counts, what is next, and when."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chw_tools.programme.immunisation import load_schedule
from chw_tools.recommendations.immunisation import Given, Person, next_dose

SCHEDULE = load_schedule()
BORN = date(2024, 1, 10)
GIRL = Person(BORN, "female")


def at(days: int) -> date:
    return BORN + timedelta(days=days)


def after(antigen: str, as_of: int, *doses: tuple[int, str], person: Person = GIRL):
    history = [Given(at(day), cvx) for day, cvx in doses]
    return next_dose(antigen, history, person=person, schedule=SCHEDULE, as_of=at(as_of))


def test_a_newborn_is_due_for_bcg_now_and_for_dtp_at_six_weeks():
    assert after("BCG", 0).due_on == BORN
    dtp = after("DTP", 0)
    assert (dtp.status, dtp.number, dtp.due_on) == ("not_complete", 1, at(42))


def test_the_second_dose_is_four_weeks_after_the_first_and_late_after_eight():
    dtp = after("DTP", 60, (45, "198"))
    assert (dtp.number, dtp.due_on, dtp.overdue_on) == (2, at(45 + 28), at(45 + 56))


@pytest.mark.parametrize(
    ("first", "second", "judgement"), [(41, 90, "too_young"), (42, 69, "too_soon")]
)
def test_a_dose_too_early_does_not_count(first, second, judgement):
    dtp = after("DTP", 100, (first, "198"), (second, "198"))
    assert judgement in [one.judgement for one in dtp.judged]
    assert dtp.number == 2
    # Four weeks count from the last dose, also from one that did not count.
    assert dtp.due_on == at(second + 28)


def test_a_dose_of_something_else_changes_nothing():
    assert after("DTP", 60, (0, "19"), (45, "133")) == after("DTP", 60)


def test_bcg_is_not_asked_for_after_four_weeks_without_a_test():
    assert after("BCG", 28).status == "not_complete"
    assert after("BCG", 29).status == "aged_out"


def test_a_missed_birth_dose_is_passed_over_at_six_weeks():
    assert after("HepB", 41).number == 1
    assert after("HepB", 42).number == 2
    done = after("HepB", 200, (45, "198"), (75, "198"), (105, "198"))
    assert (done.status, done.n_valid) == ("complete", 3)


def test_two_doses_of_rotarix_are_enough_and_three_of_others():
    assert after("Rotavirus", 100, (45, "119"), (75, "119")).status == "complete"
    mixed = after("Rotavirus", 100, (45, "119"), (75, "116"))
    assert (mixed.status, mixed.number) == ("not_complete", 3)


def test_live_vaccines_are_given_together_or_four_weeks_apart():
    together = after("Measles", 300, (280, "04"))
    assert together.judged[0].judgement == "valid"
    close = after("Measles", 320, (280, "37"), (290, "04"))
    assert close.judged[0].judgement == "live_conflict"
    assert close.due_on == at(290 + 28)


def test_hpv_is_for_girls_of_nine_years():
    assert after("HPV", 0, person=Person(BORN, "male")) is None
    assert after("HPV", 0).due_on == date(2033, 1, 10)


def test_doses_later_than_the_day_are_not_known():
    assert after("DTP", 60, (45, "198"), (75, "198")) == after("DTP", 60, (45, "198"))


@given(
    st.lists(st.tuples(st.integers(0, 700), st.sampled_from(["19", "198", "04", "119", "178"]))),
    st.integers(0, 720),
)
def test_the_next_dose_is_never_allowed_after_it_is_due(doses, as_of):
    for antigen in SCHEDULE.names():
        one = after(antigen, as_of, *doses)
        assert one is not None
        if one.status == "not_complete":
            assert one.earliest_on <= one.due_on
            assert one.overdue_on is None or one.overdue_on >= one.earliest_on
        else:
            assert one.due_on is None
