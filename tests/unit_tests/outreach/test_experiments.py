"""Arms are reproducible and hold no care back; a declaration is refused with every fault."""

import hmac
from dataclasses import replace
from datetime import date
from hashlib import sha256

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chw_tools.errors import InputError
from chw_tools.outreach.experiments import (
    SEEN,
    Arm,
    Experiment,
    arm_of,
    arms_of,
    may_take_part,
    read_experiment,
)
from chw_tools.outreach.messages import HOLDOUT
from chw_tools.programme.protocols import load_protocols
from chw_tools.records.derived import URGENCIES

PROTOCOLS = load_protocols()
ARMS = (
    Arm("plain", 0.6),
    Arm("warm", 0.3, templates={"before": "visit_before_warm"}),
    Arm(HOLDOUT, 0.1, withholds=("reminders",)),
)
TRIAL = Experiment(
    name="warm_words",
    question="Do warmer words bring more people to be seen?",
    protocol="visit_reminder",
    arms=ARMS,
    outcome=SEEN,
    window_days=14,
    n_planned=4000,
    starts_on=date(2026, 1, 1),
)


def declared(**changes):
    return TRIAL.declared() | changes


@given(st.uuids(), st.text(min_size=1))
def test_an_arm_is_the_first_32_bits_of_the_keyed_hash(person, salt):
    digest = hmac.new(salt.encode(), str(person).encode(), sha256).hexdigest()
    drawn = int(digest[:8], 16) / 2**32
    expected = "plain" if drawn < 0.6 else "warm" if drawn < 0.9 else HOLDOUT
    assert arm_of(TRIAL, str(person), salt) == expected


def test_one_person_alone_is_in_the_arm_that_she_is_in_among_many():
    people = [f"person-{n}" for n in range(500)]
    together = arms_of(TRIAL, people, "salt")
    assert [arm_of(TRIAL, person, "salt") for person in people] == list(together)


def test_shares_come_out_and_another_salt_gives_other_arms():
    people = [f"person-{n}" for n in range(20_000)]
    arms = pd.Series(arms_of(TRIAL, people, "salt"))
    shares = arms.value_counts(normalize=True)
    assert shares["plain"] == pytest.approx(0.6, abs=0.015)
    assert shares[HOLDOUT] == pytest.approx(0.1, abs=0.01)
    others = pd.Series(arms_of(TRIAL, people, "pepper"))
    assert (arms == others).mean() < 0.6


def test_a_declaration_read_again_is_the_same():
    assert read_experiment(TRIAL.declared(), protocols=PROTOCOLS) == TRIAL


def arms_without_holdout():
    return [{"name": "a", "share": 0.5}, {"name": "b", "share": 0.5}]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"arms": arms_without_holdout()}, "holdout"),
        ({"arms": [{"name": "a", "share": 0.96}, {"name": HOLDOUT, "share": 0.04}]}, "holdout"),
        ({"arms": [{"name": "a", "share": 0.5}, {"name": HOLDOUT, "share": 0.4}]}, "sum to 1"),
        ({"arms": [{"name": HOLDOUT, "share": 0.5}] * 2}, "names of their own"),
        ({"arms": [{"name": HOLDOUT, "share": 1.0}]}, "two arms"),
        ({"window_days": 0}, "window_days"),
        ({"n_planned": 0}, "n_planned"),
        ({"design": "peek"}, "design"),
        ({"alpha": 0.5}, "alpha"),
        ({"question": " "}, "question"),
        ({"protocol": "nowhere"}, "no protocol"),
        ({"protocol": "urgent_visit"}, "due care"),
        ({"colour": "blue"}, "`colour` is not known"),
        ({"window_days": "soon"}, "cannot be read"),
        (
            {"arms": [{"name": "a", "share": 0.5, "templates": {"later": "t"}}, *ARMS[2:]]},
            "cannot be read",
        ),
    ],
)
def test_a_faulty_declaration_is_refused(changes, said):
    with pytest.raises(InputError, match=said):
        read_experiment(declared(**changes), protocols=PROTOCOLS)


@pytest.mark.parametrize("care", ["call", "visit", "supervisor", "vaccine"])
def test_no_arm_withholds_due_care(care):
    arms = [{"name": "a", "share": 0.5}, {"name": HOLDOUT, "share": 0.5, "withholds": [care]}]
    with pytest.raises(InputError, match="due care"):
        read_experiment(declared(arms=arms), protocols=PROTOCOLS)


def test_only_the_holdout_withholds_and_only_steps_that_exist_differ():
    arms = [
        {"name": "a", "share": 0.5, "withholds": ["reminders"], "templates": {"later": "t"}},
        {"name": HOLDOUT, "share": 0.5},
    ]
    with pytest.raises(InputError, match=r"only `holdout` may.*step that the protocol has not"):
        read_experiment(declared(arms=arms), protocols=PROTOCOLS)


def test_a_missing_part_is_named():
    raw = TRIAL.declared()
    del raw["outcome"]
    with pytest.raises(InputError, match="no `outcome`"):
        read_experiment(raw, protocols=PROTOCOLS)


def test_nobody_urgent_takes_part():
    urgency = pd.Series(URGENCIES)
    assert list(may_take_part(urgency)) == [False, False, True, True]


def test_an_arm_is_found_by_name():
    assert TRIAL.arm(HOLDOUT).withholds == ("reminders",)
    with pytest.raises(KeyError, match="no arm other"):
        TRIAL.arm("other")
    assert replace(TRIAL, arms=ARMS[:1]).arm_names == ("plain",)
