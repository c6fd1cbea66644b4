"""A follow-up ends by what is recorded, never because time passed."""

from datetime import UTC, datetime

import pandas as pd
import pytest
from tests.unit_tests.monitoring.conftest import PERSON, RULES, TODAY, Told

from chw_tools.monitoring import close_follow_ups, find_follow_ups, raise_follow_ups
from chw_tools.records import conform, empty_table
from chw_tools.records.contacting import FOLLOW_UPS

NOW = datetime(2026, 3, 1, 6, tzinfo=UTC)
NONE = empty_table(FOLLOW_UPS)


def raised(told, held=NONE, as_of=TODAY):
    found = find_follow_ups(told.evidence_on(as_of), rules=RULES)
    return raise_follow_ups(found, held, rules=RULES, now=NOW)


def ended(told, held, days_later):
    """Outcomes of the follow-ups that end on a later day."""
    evidence = told.evidence_on(TODAY + pd.Timedelta(days=days_later))
    found = find_follow_ups(evidence, rules=RULES)
    closed = close_follow_ups(held, found, evidence, rules=RULES)
    assert set(closed["closed_on"]) <= {evidence.as_of}
    rule_of = held.set_index("id")["rule_id"]
    return dict(zip(closed["id"].map(rule_of), closed["outcome"], strict=True))


def of_all_rules():
    """A woman with a follow-up of nearly every rule."""
    told = Told().person().risk("high").visit(100).message(60).medicine(60, 30)
    told.advised("antenatal_contact", 20).advised("vaccines_due", 40)
    told.advised("bp_follow_up_high", 40).measured("danger_chest_pain", "yes", 5)
    for value, day in zip((120, 150, 170), (90, 60, 30), strict=True):
        told.measured("systolic_mmhg", value, day)
    return told


def test_time_alone_ends_nothing():
    told = of_all_rules()
    held = raised(told)
    assert len(held) == 9
    told.advice.clear()  # the advice lapses, as a pregnancy's does
    for days in (1, 30, 400, 4000):
        assert ended(told, held, days) == {}


def test_a_measurement_ends_what_was_measured_and_no_visit_does():
    told = of_all_rules()
    held = raised(told)
    told.visit(-3).measured("systolic_mmhg", 118, -3)
    outcome = ended(told, held, 3)
    assert outcome["pressure_uncontrolled"] == "measured"
    assert outcome["pressure_rising"] == "measured"
    other = of_all_rules().visit(-3).measured("weight_kg", 60, -3)
    assert {"pressure_uncontrolled", "pressure_rising"}.isdisjoint(ended(other, held, 3))


def test_a_meeting_ends_what_asked_for_one():
    told = of_all_rules()
    held = raised(told)
    told.visit(-3).advice.clear()
    assert ended(told, held, 3) == {
        "high_risk_unseen": "seen",
        "silent_after_message": "seen",
        "referral_open": "seen",
        "missed_antenatal_contact": "seen",
        "care_overdue": "seen",
    }
    told.visit(-4, kind="facility")
    assert ended(told, held, 4)["referral_open"] == "seen"


def test_a_call_or_an_empty_house_ends_nothing():
    told = of_all_rules()
    held = raised(told)
    told.advice.clear()
    told.visit(-3, kind="phone").visit(-3, outcome="away").visit(-3, outcome="refused")
    assert ended(told, held, 3) == {}


def test_care_that_is_still_overdue_is_not_ended_by_a_visit():
    told = of_all_rules()
    held = raised(told)
    assert "care_overdue" not in ended(told.visit(-3), held, 3)


def test_a_visit_of_before_that_was_known_before_ends_nothing_later():
    told = Told().person().advised("bp_follow_up_high", 40).visit(10)
    held = raised(told)
    told.advice.clear()
    assert ended(told, held, 60) == {}
    told.visit(2, known=-5)
    assert ended(told, held, 60) == {"care_overdue": "seen"}


def test_a_supply_ends_a_missed_refill_of_its_kind_only():
    told = of_all_rules()
    held = raised(told)
    assert "missed_refill" not in ended(told.medicine(-2, code="A10BA02"), held, 2)
    assert ended(told.medicine(-2), held, 2)["missed_refill"] == "supplied"


def test_a_dose_and_an_answer_end_what_waits_for_them():
    told = of_all_rules()
    held = raised(told)
    told.advice.clear()
    told.answer(-5).row(
        "immunisations",
        person_id=PERSON,
        system="cvx",
        code="107",
        given_on=TODAY + pd.Timedelta(days=2),
        known_on=TODAY + pd.Timedelta(days=2),
    )
    outcome = ended(told, held, 3)
    assert outcome["vaccine_overdue"] == "vaccinated"
    assert outcome["silent_after_message"] == "answered"


@pytest.mark.parametrize(("column", "outcome"), [("died_on", "died"), ("moved_on", "moved")])
def test_whoever_died_or_left_is_followed_up_no_more(column, outcome):
    told = of_all_rules()
    held = raised(told)
    told.tables["people"][0][column] = TODAY + pd.Timedelta(days=2)
    assert set(ended(told, held, 1).values()) == set()
    assert set(ended(told, held, 2).values()) == {outcome}
    assert len(ended(told, held, 2)) == len(held)


def test_a_merged_entry_is_followed_up_under_the_one_that_stays():
    told = of_all_rules()
    held = raised(told)
    other = PERSON.replace("0001", "0999")
    told.person(other).row(
        "person_changes",
        person_id=PERSON,
        change="merged",
        into_person_id=other,
        happened_on=TODAY,
        known_on=TODAY,
    )
    assert set(ended(told, held, 0).values()) == {"merged"}
    assert set(raised(told, held)["person_id"]) == {other}


def test_a_rule_that_was_taken_out_leaves_its_follow_ups_to_a_human():
    told = of_all_rules()
    held = raised(told)
    later = (
        told.visit(-3).measured("systolic_mmhg", 118, -3).evidence_on(TODAY + pd.Timedelta(days=3))
    )
    assert close_follow_ups(held, held.iloc[:0], later, rules=()).empty


def test_the_same_finding_is_raised_once():
    told = of_all_rules()
    held = raised(told)
    assert raised(told, held).empty
    pd.testing.assert_frame_equal(raised(told), held)
    assert raised(told, held, TODAY + pd.Timedelta(days=1)).empty


def test_another_occasion_waits_while_one_of_the_rule_is_open():
    told = Told().person().measured("systolic_mmhg", 150, 40).measured("systolic_mmhg", 150, 10)
    held = raised(told)
    told.measured("systolic_mmhg", 155, 0)
    assert raised(told, held).empty
    closed = held.assign(state="closed", closed_on=TODAY)
    again = raised(told, closed)
    assert len(again) == 1
    assert again["dedupe_key"].iloc[0] != held["dedupe_key"].iloc[0]


def test_what_a_call_closed_is_raised_again_after_ninety_days_if_it_stands():
    told = Told().person(since=4000).risk("high")
    held = raised(told)
    closed = held.assign(state="closed", closed_on=TODAY, outcome="visited_elsewhere")
    assert raised(told, closed, TODAY + pd.Timedelta(days=89)).empty
    again = raised(told, closed, TODAY + pd.Timedelta(days=90))
    assert again["dedupe_key"].iloc[0] == f"{held['dedupe_key'].iloc[0]}#2"
    both = conform(FOLLOW_UPS, pd.concat([closed, again.assign(state="open")]))
    assert raised(told, both, TODAY + pd.Timedelta(days=500)).empty
    seen = ended(told.visit(-95), again, 95)
    assert seen == {"high_risk_unseen": "seen"}


@pytest.mark.parametrize("outcome", ["died", "moved"])
def test_who_is_here_after_all_is_followed_up_again_at_once(outcome):
    told = Told().person(since=4000).risk("high")
    held = raised(told)
    closed = held.assign(state="closed", closed_on=TODAY, outcome=outcome)
    again = raised(told, closed, TODAY + pd.Timedelta(days=1))
    assert again["dedupe_key"].tolist() == [f"{held['dedupe_key'].iloc[0]}#2"]
