"""The judging of doses and what skips one, on series made up for the purpose."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from chw_tools.programme.immunisation import (
    DoseInterval,
    DoseVaccine,
    LiveConflict,
    Period,
    Series,
    SeriesDose,
    SkipWhen,
    VaccineSchedule,
)
from chw_tools.recommendations.immunisation import Given, Person, in_series, next_dose

BORN = date(2024, 1, 10)
ANY = (DoseVaccine("1"),)


def weeks(n: int) -> Period:
    return Period(days=7 * n)


def at(days: int) -> date:
    return BORN + timedelta(days=days)


def schedule(*doses: SeriesDose, conflicts: tuple[LiveConflict, ...] = ()) -> VaccineSchedule:
    series = Series("s", "Made up", doses)
    held = {code: (("Made up", None, None),) for code in ("1", "2")}
    return VaccineSchedule((series,), held, conflicts)


def judged(plan: VaccineSchedule, *doses: Given | int, sex: str = "female", as_of: int = 1000):
    history = [one if isinstance(one, Given) else Given(at(one), "1") for one in doses]
    found = next_dose("Made up", history, person=Person(BORN, sex), schedule=plan, as_of=at(as_of))
    assert found is not None
    return found


def judgements(found) -> list[str]:
    return [one.judgement for one in found.judged]


def test_what_is_given_after_the_last_dose_is_extra():
    found = judged(schedule(SeriesDose(vaccines=ANY)), 10, 40)
    assert (judgements(found), found.status) == (["valid", "extra"], "complete")


def test_a_recurring_dose_is_due_again_and_again():
    yearly = DoseInterval(best=Period(months=12))
    plan = schedule(
        SeriesDose(vaccines=ANY), SeriesDose(vaccines=ANY, intervals=(yearly,), recurring=True)
    )
    found = judged(plan, 10, 400, 800)
    assert judgements(found) == ["valid"] * 3
    assert (found.status, found.number) == ("not_complete", 2)
    assert found.due_on == Period(months=12).after(at(800))


def test_a_dose_is_for_one_sex_only_where_the_schedule_says_so():
    plan = schedule(SeriesDose(vaccines=ANY, sexes=frozenset({"female"})))
    assert judgements(judged(plan, 10)) == ["valid"]
    history = [Given(at(10), "1")]
    boy = Person(BORN, "male")
    assert next_dose("Made up", history, person=boy, schedule=plan, as_of=at(20)) is None
    both = schedule(SeriesDose(vaccines=ANY), SeriesDose(vaccines=ANY, sexes=frozenset({"male"})))
    first = Series("s", "Made up", both.series[0].doses)
    found = in_series(
        first,
        [Given(at(10), "1"), Given(at(40), "1")],
        person=Person(BORN, "female"),
        schedule=both,
        as_of=at(50),
    )
    assert judgements(found) == ["valid", "sex"]


def test_a_vaccine_not_of_the_dose_or_of_another_maker_does_not_count():
    plan = schedule(SeriesDose(vaccines=(DoseVaccine("1", maker="A"),)))
    assert judgements(judged(plan, Given(at(10), "2"))) == ["vaccine"]
    assert judgements(judged(plan, Given(at(10), "1", "B"))) == ["vaccine"]
    assert judgements(judged(plan, Given(at(10), "1", "A"))) == ["valid"]
    assert judgements(judged(plan, Given(at(10), "1"))) == ["valid"]  # the maker is not known


def test_a_dose_at_or_after_the_last_age_is_too_old():
    plan = schedule(SeriesDose(vaccines=ANY, end_age=weeks(10)))
    assert judgements(judged(plan, 70)) == ["too_old"]
    assert judgements(judged(plan, 69)) == ["valid"]


@pytest.mark.parametrize(("day", "judgement"), [(79, "too_soon"), (80, "valid")])
def test_an_interval_may_count_from_a_named_dose(day, judgement):
    from_first = DoseInterval(from_dose=1, minimum=weeks(10))
    two = SeriesDose(vaccines=ANY)
    plan = schedule(two, two, SeriesDose(vaccines=ANY, intervals=(from_first,)))
    assert judgements(judged(plan, 10, 20, day)) == ["valid", "valid", judgement]


@pytest.mark.parametrize(("day", "judgement"), [(89, "too_soon"), (90, "valid")])
def test_an_interval_may_count_from_a_dose_later_than_the_first(day, judgement):
    from_second = DoseInterval(from_dose=2, minimum=weeks(10))
    dose = SeriesDose(vaccines=ANY)
    plan = schedule(dose, dose, dose, SeriesDose(vaccines=ANY, intervals=(from_second,)))
    assert judgements(judged(plan, 10, 20, 30, day)) == ["valid"] * 3 + [judgement]


def test_an_interval_from_a_dose_that_was_not_given_binds_nothing():
    from_first = DoseInterval(from_dose=1, minimum=weeks(10))
    skip = ((SkipWhen("age", begin=Period()),),)
    plan = schedule(
        SeriesDose(vaccines=ANY, skips=skip), SeriesDose(vaccines=ANY, intervals=(from_first,))
    )
    assert judgements(judged(plan, 10)) == ["valid"]


@pytest.mark.parametrize(("gap", "judgement"), [(20, "too_soon"), (21, "valid"), (28, "valid")])
def test_another_interval_may_be_kept_in_its_place(gap, judgement):
    plan = schedule(
        SeriesDose(vaccines=ANY),
        SeriesDose(
            vaccines=ANY,
            intervals=(DoseInterval(minimum=weeks(4)),),
            also_intervals=(DoseInterval(least=weeks(3), minimum=weeks(4)),),
        ),
    )
    assert judgements(judged(plan, 10, 10 + gap)) == ["valid", judgement]


def test_the_days_of_grace_are_not_for_a_dose_that_repeats_an_early_one():
    graced = DoseInterval(least=Period(days=24), minimum=weeks(4))
    plan = schedule(SeriesDose(vaccines=ANY), SeriesDose(vaccines=ANY, intervals=(graced,)))
    assert judgements(judged(plan, 10, 34)) == ["valid", "valid"]
    assert judgements(judged(plan, 10, 33, 58)) == ["valid", "too_soon", "too_soon"]
    assert judgements(judged(plan, 10, 33, 61)) == ["valid", "too_soon", "valid"]


@pytest.mark.parametrize(("day", "number"), [(93, 2), (94, None)])
def test_a_dose_may_be_skipped_so_long_after_the_last(day, number):
    skip = ((SkipWhen("interval", interval=weeks(12)),),)
    plan = schedule(SeriesDose(vaccines=ANY), SeriesDose(vaccines=ANY, skips=skip))
    found = judged(plan, 10, as_of=day)
    assert (found.number, found.status == "complete") == (number, number is None)


def test_nothing_is_skipped_by_an_interval_before_the_first_dose():
    skip = ((SkipWhen("interval", interval=weeks(1)),),)
    assert judged(schedule(SeriesDose(vaccines=ANY, skips=skip))).number == 1


COUNTS = {
    "greater than": (SkipWhen("count", count=1), {1: False, 2: True, 3: True}),
    "equals": (SkipWhen("count", count=2, logic="equals"), {1: False, 2: True, 3: False}),
    "less than": (SkipWhen("count", count=2, logic="less than"), {1: True, 2: False, 3: False}),
    "of a vaccine": (SkipWhen("count", cvx=frozenset({"2"})), {1: False, 2: False, 3: False}),
    "before an age": (SkipWhen("count", end=Period(days=25)), {1: True, 2: True, 3: True}),
    "from an age on": (SkipWhen("count", begin=Period(days=25)), {1: False, 2: False, 3: True}),
    "from a day on": (SkipWhen("count", first_day=at(20)), {1: False, 2: True, 3: True}),
    "until a day": (SkipWhen("count", last_day=at(9)), {1: False, 2: False, 3: False}),
}


@pytest.mark.parametrize("title", COUNTS)
@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_dose_may_be_skipped_by_the_count_of_those_given(title, n):
    when, skipped = COUNTS[title]
    dose = SeriesDose(vaccines=ANY)
    plan = schedule(*[dose] * n, SeriesDose(vaccines=ANY, skips=((when,),)))
    found = judged(plan, *[10 * place for place in range(1, n + 1)])
    assert (found.status == "complete") is skipped[n]


def test_only_doses_that_count_may_be_asked_for():
    young = SeriesDose(vaccines=ANY, minimum_age=weeks(2))
    for only_valid, status in ((True, "not_complete"), (False, "complete")):
        when = SkipWhen("count", count=1, only_valid=only_valid)
        plan = schedule(young, SeriesDose(vaccines=ANY, skips=((when,),)))
        assert judged(plan, 5, 20).status == status


def test_all_conditions_of_one_set_must_hold():
    old, many = SkipWhen("age", begin=weeks(20)), SkipWhen("count", count=0)
    plan = schedule(SeriesDose(vaccines=ANY), SeriesDose(vaccines=ANY, skips=((old, many),)))
    assert judged(plan, 10, as_of=100).status == "not_complete"
    assert judged(plan, 10, as_of=140).status == "complete"


@pytest.mark.parametrize(("gap", "judgement"), [(0, "valid"), (20, "live_conflict"), (28, "valid")])
def test_a_live_vaccine_disturbs_another_for_a_time(gap, judgement):
    conflict = LiveConflict("2", "1", Period(days=1), Period(days=28), Period(days=28))
    plan = schedule(SeriesDose(vaccines=ANY), conflicts=(conflict,))
    found = judged(plan, Given(at(10), "2"), 10 + gap)
    assert judgements(found)[-1] == judgement
