"""Every number of every monitoring rule decides something: one step off is noticed.

Each number has a person just found and one just not, written by hand. They all live in one
small register, which the rules read once; then each number is moved by one step either way,
and one of its two people must change sides.
"""

from dataclasses import fields, replace

import pytest
from tests.unit_tests.monitoring.conftest import RULES, Told

from chw_tools.monitoring.finding import find_follow_ups

UPPER, LOWER = "systolic_mmhg", "diastolic_mmhg"
BY_NAME = {rule.id: rule for rule in RULES}


class Teller:
    """Tells of one person among many of a register."""

    def __init__(self, told, person):
        self.told, self.person = told, person

    def lives(self, years=50.0):
        self.told.person(self.person, years=years)
        return self

    def readings(self, name, values, days):
        for value, day in zip(values, days, strict=True):
            self.told.measured(name, value, day, person=self.person)
        return self

    def has(self, name, *args, **kwargs):
        getattr(self.told, name)(*args, person=self.person, **kwargs)
        return self


def series(name, values, days=(90, 60, 30), *, years=50.0):
    return lambda who: who.lives(years).readings(name, values, days)


def pair(upper, lower, days=(40, 10)):
    def tell(who):
        who.lives().readings(UPPER, [upper] * len(days), days)
        who.readings(LOWER, [lower] * len(days), days)

    return tell


def weights(*kilos, days=(90, 60, 10), years=1.0):
    return series("weight_kg", kilos, days, years=years)


def told(name, *args, **kwargs):
    return lambda who: who.lives().has(name, *args, **kwargs)


def supplied(newest):
    return lambda who: who.lives().has("medicine", newest + 30).has("medicine", newest)


def unmet(days):
    return lambda who: who.lives().has("risk", "high").has("visit", days)


def advised(advice, days):
    return told("advised", advice, days)


RISE, HIGH, SUGAR = (120, 125, 132), (150, 150), (5, 6, 8)
FALL = (8.2, 8.25, 8.0)

#: Rule, number, step, who is just found, who is just not.
CASES = [
    ("pressure_rising", "readings", 1, series(UPPER, RISE), series(UPPER, (120, 132), (60, 30))),
    (
        "pressure_rising",
        "change",
        1,
        series(UPPER, (122, 127, 132)),
        series(UPPER, (123, 127, 132)),
    ),
    ("pressure_rising", "to", 1, series(UPPER, (110, 120, 130)), series(UPPER, (110, 120, 129))),
    ("pressure_rising", "span_days", 1, *(series(UPPER, RISE, (n, 40, 10)) for n in (375, 376))),
    ("pressure_rising", "fresh_days", 1, *(series(UPPER, RISE, (120, 90, n)) for n in (60, 61))),
    ("pressure_rising", "from_years", 1, *(series(UPPER, RISE, years=n) for n in (18.02, 17.98))),
    (
        "pressure_uncontrolled",
        "readings",
        1,
        series(UPPER, HIGH, (40, 10)),
        series(UPPER, (150,), (10,)),
    ),
    ("pressure_uncontrolled", "any.0", 1, pair(140, 80), pair(139, 80)),
    ("pressure_uncontrolled", "any.1", 1, pair(120, 90), pair(120, 89)),
    ("pressure_uncontrolled", "span_days", 1, *(series(UPPER, HIGH, (n, 10)) for n in (375, 376))),
    ("pressure_uncontrolled", "fresh_days", 1, *(series(UPPER, HIGH, (120, n)) for n in (90, 91))),
    (
        "pressure_uncontrolled",
        "from_years",
        1,
        *(series(UPPER, HIGH, (40, 10), years=n) for n in (18.02, 17.98)),
    ),
    (
        "glucose_worsening",
        "readings",
        1,
        series("glucose_mmol_l", SUGAR),
        series("glucose_mmol_l", (5, 8), (60, 30)),
    ),
    (
        "glucose_worsening",
        "change",
        0.1,
        series("glucose_mmol_l", (6, 7, 8)),
        series("glucose_mmol_l", (6.1, 7, 8)),
    ),
    (
        "glucose_worsening",
        "to",
        0.1,
        series("glucose_mmol_l", (4, 6, 7)),
        series("glucose_mmol_l", (4, 6, 6.9)),
    ),
    (
        "glucose_worsening",
        "span_days",
        1,
        *(series("glucose_mmol_l", SUGAR, (n, 40, 10)) for n in (740, 741)),
    ),
    (
        "glucose_worsening",
        "fresh_days",
        1,
        *(series("glucose_mmol_l", SUGAR, (180, 120, n)) for n in (90, 91)),
    ),
    (
        "glucose_worsening",
        "from_years",
        1,
        *(series("glucose_mmol_l", SUGAR, years=n) for n in (18.02, 17.98)),
    ),
    ("weight_faltering", "readings", 1, weights(*FALL), weights(8.2, 7.9, days=(60, 10))),
    ("weight_faltering", "change", 0.01, weights(8.2, 8.2, 8.15), weights(8.2, 8.2, 8.16)),
    (
        "weight_faltering",
        "span_days",
        1,
        *(weights(11, 11.1, 11, days=(n, 40, 10), years=3) for n in (375, 376)),
    ),
    (
        "weight_faltering",
        "fresh_days",
        1,
        *(weights(11, 10.5, 10, days=(120, 90, n), years=2) for n in (60, 61)),
    ),
    (
        "weight_faltering",
        "until_months",
        1,
        *(weights(17, 16.5, 15, years=n / 12) for n in (59.9, 60.04)),
    ),
    ("missed_refill", "supply_days", 1, supplied(38), supplied(37)),
    ("missed_refill", "grace_days", 1, told("medicine", 38, 8), told("medicine", 37, 7)),
    ("missed_refill", "fresh_days", 1, told("medicine", 210, 180), told("medicine", 211, 181)),
    (
        "missed_antenatal_contact",
        "overdue_days",
        1,
        *(advised("antenatal_contact", n) for n in (8, 7)),
    ),
    (
        "missed_postnatal_contact",
        "overdue_days",
        1,
        *(advised("postnatal_contact", n) for n in (3, 2)),
    ),
    ("vaccine_overdue", "overdue_days", 1, *(advised("vaccines_due", n) for n in (29, 28))),
    ("care_overdue", "overdue_days", 1, *(advised("bp_follow_up_high", n) for n in (31, 30))),
    ("high_risk_unseen", "days", 1, unmet(60), unmet(59)),
    ("silent_after_message", "hours", 1, told("message", 48), told("message", 47)),
    ("silent_after_message", "fresh_days", 1, told("message", 720), told("message", 721)),
    ("referral_open", "any.0", 1, pair(160, 80, (5,)), pair(159, 80, (5,))),
    ("referral_open", "any.1", 1, pair(120, 100, (5,)), pair(120, 99, (5,))),
    (
        "referral_open",
        "days",
        1,
        *(told("measured", "danger_chest_pain", "yes", n) for n in (3, 2)),
    ),
    (
        "referral_open",
        "fresh_days",
        1,
        *(told("measured", "danger_chest_pain", "yes", n) for n in (60, 61)),
    ),
]
#: Days in which each rule's follow-up is due.
DUE = {
    "pressure_rising": 7,
    "pressure_uncontrolled": 7,
    "glucose_worsening": 7,
    "weight_faltering": 3,
    "missed_refill": 3,
    "missed_antenatal_contact": 3,
    "missed_postnatal_contact": 1,
    "vaccine_overdue": 7,
    "care_overdue": 14,
    "high_risk_unseen": 7,
    "silent_after_message": 2,
    "referral_open": 1,
}
NUMBERS = [(rule_id, name) for rule_id, name, *_ in CASES]


def people_of(at):
    return [f"018bcfe5-6800-7cc0-8b4f-{900_000 + 2 * at + side:012d}" for side in (0, 1)]


@pytest.fixture(scope="module")
def evidence():
    register = Told()
    for at, (*_, just, just_not) in enumerate(CASES):
        for person, tell in zip(people_of(at), (just, just_not), strict=True):
            tell(Teller(register, person))
    return register.evidence


def moved(rule, name, step):
    """The rule with one number a step further."""
    if not name.startswith("any."):
        return replace(rule, **{name: getattr(rule, name) + step})
    at, levels = int(name[4:]), list(rule.any)
    levels[at] = replace(levels[at], value=levels[at].value + step)
    return replace(rule, any=tuple(levels))


@pytest.mark.parametrize("at", range(len(CASES)), ids=[".".join(one) for one in NUMBERS])
def test_a_step_either_way_changes_who_is_found(evidence, at):
    rule_id, name, step, *_ = CASES[at]

    def verdicts(rule):
        found = set(find_follow_ups(evidence, rules=[rule])["person_id"])
        return [person in found for person in people_of(at)]

    rule = BY_NAME[rule_id]
    assert verdicts(rule) == [True, False]
    assert verdicts(moved(rule, name, step)) != [True, False]
    assert verdicts(moved(rule, name, -step)) != [True, False]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_follow_up_is_due_in_the_days_of_its_rule(evidence, rule):
    found = find_follow_ups(evidence, rules=[rule])
    days = (found["due_by"] - found["as_of"]).dt.days
    assert set(days) == {DUE[rule.id]}


def numbers_of(rule):
    """Names of the numbers that a rule uses; what it does not use is nought or none."""
    for one in fields(rule):
        value = getattr(rule, one.name)
        if one.name == "any":
            yield from (f"any.{at}" for at in range(len(value)))
        elif isinstance(value, int | float) and not isinstance(value, bool) and value:
            yield one.name


def test_every_number_of_every_rule_has_its_case():
    tested = {*NUMBERS, *((rule_id, "due_days") for rule_id in DUE)}
    tested |= {(rule_id, "again_days") for rule_id in BY_NAME}  # test_closing: after ninety days
    assert {(rule.id, name) for rule in RULES for name in numbers_of(rule)} == tested
