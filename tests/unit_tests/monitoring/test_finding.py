"""Each rule finds what it says, and nothing one step short of it."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit_tests.monitoring.conftest import PERSON, RULES, TODAY, Told, on

from chw_tools.monitoring.evidence import Evidence
from chw_tools.monitoring.finding import COLUMNS, find_follow_ups

UPPER, LOWER = "systolic_mmhg", "diastolic_mmhg"


def pressures(*values, days=(90, 60, 30), person=None):
    told = Told().person() if person is None else person
    for value, day in zip(values, days, strict=True):
        told.measured(UPPER, value, day)
    return told


class TestRising:
    @pytest.mark.parametrize(
        ("values", "found"),
        [
            ((120, 125, 130), True),
            ((121, 125, 130), False),  # 9 mmHg in all
            ((119, 125, 129), False),  # not yet 130
            ((120, 120, 130), False),  # not at each visit
            ((125, 120, 135), False),
            ((140, 130, 120), False),
        ],
    )
    def test_it_takes_three_rising_readings_ten_in_all_and_130(self, values, found):
        assert ("pressure_rising" in pressures(*values).found()) == found

    @pytest.mark.parametrize(("newest", "found"), [(60, True), (61, False)])
    def test_the_newest_is_fresh(self, newest, found):
        told = pressures(120, 125, 132, days=(newest + 60, newest + 30, newest))
        assert ("pressure_rising" in told.found()) == found

    @pytest.mark.parametrize(("oldest", "found"), [(365, True), (366, False)])
    def test_the_oldest_is_not_of_another_year(self, oldest, found):
        told = pressures(120, 125, 132, days=(oldest + 10, 40, 10))
        assert ("pressure_rising" in told.found()) == found

    def test_two_readings_are_too_few_and_two_of_one_day_are_one(self):
        assert "pressure_rising" not in pressures(120, 135, days=(60, 30)).found()
        told = pressures(120, 125, 132, days=(60, 30, 30))
        assert "pressure_rising" not in told.found()

    def test_of_two_readings_of_one_day_the_later_key_counts(self):
        told = pressures(120, 125, 110, 132, days=(90, 60, 30, 30))
        facts = find_follow_ups(told.evidence, rules=RULES)["facts"].iloc[0]
        assert facts["values"] == "120, 125, 132"

    @pytest.mark.parametrize(("years", "found"), [(18.1, True), (17.9, False)])
    def test_it_is_of_adults(self, years, found):
        told = pressures(120, 125, 132, person=Told().person(years=years))
        assert ("pressure_rising" in told.found()) == found

    def test_an_unknown_age_hides_nobody(self):
        told = pressures(120, 125, 132, person=Told().person(born_on=None))
        assert "pressure_rising" in told.found()


class TestGlucose:
    @pytest.mark.parametrize(
        ("values", "found"),
        [((5, 6, 7), True), ((5.1, 6, 7), False), ((4.9, 6, 6.9), False), ((5, 5, 8), False)],
    )
    @pytest.mark.parametrize("name", ["glucose_mmol_l", "fasting_glucose_mmol_l"])
    def test_it_takes_a_rise_of_two_to_seven(self, name, values, found):
        told = Told().person()
        for value, day in zip(values, (90, 60, 30), strict=True):
            told.measured(name, value, day)
        assert ("glucose_worsening" in told.found()) == found


class TestUncontrolled:
    @pytest.mark.parametrize(
        ("pairs", "found"),
        [
            (((140, 80), (140, 80)), True),
            (((139, 89), (150, 80)), False),
            (((150, 80), (139, 89)), False),
            (((120, 90), (139, 90)), True),
            (((150, 100), (120, 90)), True),
        ],
    )
    def test_either_pressure_counts_on_each_of_two_days(self, pairs, found):
        told = Told().person()
        for (upper, lower), day in zip(pairs, (40, 10), strict=True):
            told.measured(UPPER, upper, day).measured(LOWER, lower, day)
        assert ("pressure_uncontrolled" in told.found()) == found

    def test_a_day_with_one_of_the_pressures_is_a_day(self):
        told = Told().person().measured(UPPER, 150, 40).measured(LOWER, 95, 10)
        assert "pressure_uncontrolled" in told.found()
        told.measured(UPPER, 120, 5)
        assert "pressure_uncontrolled" not in told.found()

    @pytest.mark.parametrize(("newest", "found"), [(90, True), (91, False)])
    def test_the_newest_is_fresh(self, newest, found):
        told = pressures(150, 150, days=(newest + 30, newest))
        assert ("pressure_uncontrolled" in told.found()) == found

    def test_the_facts_hold_what_was_read(self):
        told = Told().person().measured(UPPER, 150, 40).measured(LOWER, 95, 40)
        told.measured(UPPER, 152, 10)
        row = find_follow_ups(told.evidence, rules=RULES).iloc[0]
        assert row["facts"] == {"values": "150/95, 152", "n": 2, "day": "2026-02-19"}
        assert row["due_by"] == TODAY + pd.Timedelta(days=7)
        assert row["since"] == on(10)


class TestWeight:
    def child(self, *kilos, months=12.0, **values):
        told = Told().person(years=months / 12, sex="female", **values)
        for kilo, day in zip(kilos, (90, 60, 10), strict=True):
            told.measured("weight_kg", kilo, day)
        return told

    def test_a_child_that_loses_its_place_is_found(self):
        # 9 months 8.2 kg, 10 months 8.2, 11.7 months 8.1 (median of girls 8.2, 8.5, 8.9).
        assert "weight_faltering" in self.child(8.2, 8.15, 8.1).found()

    def test_a_child_that_grows_along_its_curve_is_not(self):
        assert "weight_faltering" not in self.child(8.2, 8.5, 8.9).found()

    def test_a_fall_short_of_one_space_is_not_yet_one(self):
        assert "weight_faltering" not in self.child(8.2, 8.45, 8.7).found()

    def test_it_is_of_children_under_five(self):
        assert "weight_faltering" not in self.child(20, 19, 15, months=61).found()

    def test_swollen_feet_weigh(self):
        told = self.child(8.2, 8.15, 8.1).measured("oedema", "yes", 10)
        assert "weight_faltering" not in told.found()


class TestRefill:
    @pytest.mark.parametrize(("ended", "found"), [(7, False), (8, True), (180, True), (181, False)])
    def test_a_supply_that_ended_is_missed_after_a_week(self, told, ended, found):
        told.medicine(ended + 30, ended)
        assert ("missed_refill" in told.found()) == found

    @pytest.mark.parametrize(("newest", "found"), [(37, False), (38, True)])
    def test_where_only_days_of_supply_are_known_a_month_is_reckoned(self, told, newest, found):
        told.medicine(newest + 30).medicine(newest)
        assert ("missed_refill" in told.found()) == found

    def test_a_medicine_noted_once_says_nothing_of_its_end(self, told):
        assert "missed_refill" not in told.medicine(100).found()

    @pytest.mark.parametrize("status", ["stopped", "completed"])
    def test_what_was_stopped_is_not_missed(self, told, status):
        assert "missed_refill" not in told.medicine(60, 30, status=status).found()

    def test_a_newer_supply_of_the_same_kind_ends_it(self, told):
        assert "missed_refill" not in told.medicine(60, 30).medicine(20, code="C09AA02").found()

    def test_another_kind_of_medicine_does_not(self, told):
        assert "missed_refill" in told.medicine(60, 30).medicine(20, code="A10BA02").found()

    def test_a_medicine_of_no_interest_is_none(self, told):
        assert "missed_refill" not in told.medicine(60, 30, code="N02BE01").found()


class TestCare:
    @pytest.mark.parametrize(
        ("advice", "limit", "rule"),
        [
            ("antenatal_contact", 7, "missed_antenatal_contact"),
            ("postnatal_contact", 2, "missed_postnatal_contact"),
            ("postnatal_first_week", 2, "missed_postnatal_contact"),
            ("vaccines_due", 28, "vaccine_overdue"),
            ("bp_follow_up_high", 30, "care_overdue"),
        ],
    )
    def test_advice_is_overdue_after_its_days(self, advice, limit, rule):
        assert Told().person().advised(advice, limit).found() == set()
        assert Told().person().advised(advice, limit + 1).found() == {rule}

    def test_homes_that_the_plan_visits_anyway_are_no_follow_up(self, told):
        assert told.advised("visit_anyone", 200).found() == set()

    def test_the_most_urgent_advice_raises_the_urgency_and_never_lowers_it(self, told):
        told.advised("antenatal_contact", 10).advised("postnatal_contact", 5)
        found = find_follow_ups(told.evidence, rules=RULES).set_index("rule_id")["urgency"]
        assert found.to_dict() == {
            "missed_antenatal_contact": "within_days",
            "missed_postnatal_contact": "same_day",
        }
        told = Told().person().advised("antenatal_contact", 10, urgency="same_day")
        assert find_follow_ups(told.evidence, rules=RULES)["urgency"].tolist() == ["same_day"]

    def test_what_sums_up_other_advice_tells_the_oldest_and_leaves_urgency_to_the_plan(self, told):
        told.advised("bp_follow_up_high", 40).advised("tobacco_advice", 50, urgency="within_days")
        found = find_follow_ups(told.evidence, rules=RULES)
        assert found[["rule_id", "urgency"]].to_numpy().tolist() == [["care_overdue", "routine"]]
        assert found["since"].iloc[0] == on(50)


class TestUnseen:
    @pytest.mark.parametrize(("days", "found"), [(59, False), (60, True)])
    def test_a_high_risk_unseen_for_two_months(self, told, days, found):
        assert ("high_risk_unseen" in told.risk("high").visit(days).found()) == found

    def test_a_call_is_no_meeting_and_neither_is_an_empty_house(self, told):
        told.risk("very_high").visit(80).visit(3, kind="phone").visit(2, outcome="away")
        assert "high_risk_unseen" in told.found()

    def test_whoever_was_never_met_counts_from_being_entered(self):
        assert "high_risk_unseen" in Told().person(since=60).risk("high").found()
        assert "high_risk_unseen" not in Told().person(since=59).risk("high").found()

    def test_other_bands_and_no_estimate_are_none(self, told):
        told.visit(300).risk("moderate").risk("high", state="not_valid")
        assert "high_risk_unseen" not in told.found()


class TestSilence:
    @pytest.mark.parametrize(
        ("hours", "found"), [(47, False), (48, True), (720, True), (721, False)]
    )
    def test_two_days_without_an_answer(self, told, hours, found):
        assert ("silent_after_message" in told.message(hours).found()) == found

    def test_an_answer_or_a_meeting_ends_it(self):
        assert Told().person().message(60).answer(59).found() == set()
        assert Told().person().message(60).visit(1).found() == set()
        assert Told().person().message(60).answer(61).found() == {"silent_after_message"}

    def test_what_never_left_was_not_unanswered(self, told):
        for state in ("planned", "suppressed", "failed", "unknown"):
            told.message(60, state=state)
        assert told.found() == set()

    def test_messages_of_a_protocol_are_its_own_business(self, told):
        assert told.message(60, enrolment=PERSON).found() == set()


class TestReferral:
    @pytest.mark.parametrize(("days", "found"), [(2, False), (3, True), (60, True), (61, False)])
    def test_a_danger_sign_without_a_facility_visit(self, told, days, found):
        told.measured("danger_chest_pain", "yes", days)
        assert ("referral_open" in told.found()) == found

    @pytest.mark.parametrize(
        ("upper", "lower", "found"), [(160, 80, True), (159, 99, False), (120, 100, True)]
    )
    def test_a_pressure_to_refer_for(self, told, upper, lower, found):
        told.measured(UPPER, upper, 5).measured(LOWER, lower, 5)
        assert ("referral_open" in told.found()) == found

    @pytest.mark.parametrize("kind", ["facility", "inpatient", "emergency"])
    def test_a_facility_visit_of_the_same_day_or_later_is_an_outcome(self, told, kind):
        told.measured("danger_chest_pain", "yes", 5)
        assert "referral_open" in told.visit(6, kind=kind).visit(5).found()
        assert "referral_open" not in told.visit(5, kind=kind).found()

    def test_a_later_visit_at_home_looked_again(self, told):
        told.measured("danger_chest_pain", "yes", 5)
        assert "referral_open" not in told.visit(4).found()

    def test_a_sign_that_was_not_there_is_none(self, told):
        assert told.measured("danger_chest_pain", "no", 5).found() == set()


def test_the_dead_and_those_who_left_are_not_followed_up():
    for gone in ("died_on", "moved_on"):
        told = Told().person(**{gone: on(1)}).measured("danger_chest_pain", "yes", 5)
        assert (
            told.risk("high").message(60).medicine(60, 30).advised("vaccines_due", 90).found()
            == set()
        )


def test_what_became_known_later_is_not_yet_found():
    told = Told().person().measured(UPPER, 150, 40).measured(UPPER, 150, 10, known=-1)
    assert "pressure_uncontrolled" not in told.found()


def test_nothing_known_is_nothing_found():
    found = find_follow_ups(Told().evidence, rules=RULES)
    assert list(found.columns) == list(COLUMNS)
    assert found.empty
    assert find_follow_ups(Told().evidence, rules=()).empty


_READING = st.tuples(
    st.integers(0, 5),
    st.sampled_from([UPPER, LOWER, "glucose_mmol_l", "weight_kg"]),
    st.integers(3, 190),
    st.integers(0, 120),
)


@given(st.lists(_READING, max_size=40), st.data())
@settings(max_examples=8, deadline=None)
def test_one_person_alone_is_found_as_among_many(readings, data):
    people = [f"018bcfe5-6800-7cc0-8b4f-{n:012d}" for n in range(900, 906)]
    told = Told()
    for n, person in enumerate(people):
        told.person(person, years=2 + 15 * n)
        told.visit(n * 25, person=person).risk("high", person=person)
    for n, name, value, day in readings:
        told.measured(name, float(value), day, person=people[n])
    together = find_follow_ups(told.evidence, rules=RULES)
    person = data.draw(st.sampled_from(people))
    known = told.evidence.known.of_people([person])
    mine = [
        table[table["person_id"] == person]
        for table in (told.evidence.recommendations, told.evidence.risks)
    ]
    alone = find_follow_ups(Evidence(known, TODAY, *mine), rules=RULES)
    expected = together[together["person_id"] == person].reset_index(drop=True)
    pd.testing.assert_frame_equal(alone, expected)
