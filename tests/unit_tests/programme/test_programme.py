"""A programme is read with its sources, and every fault is told at once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chw_tools.errors import ProgrammeFault
from chw_tools.programme import RiskBands, load_programme
from chw_tools.records.derived import RISK_BANDS

if TYPE_CHECKING:
    from pathlib import Path

OWN_CAPACITY = """
[planning.capacity_minutes]
value = 240
source = "Time study in our district, 2026"
verified = true
"""


def test_every_number_and_rule_of_the_defaults_has_a_source() -> None:
    programme = load_programme()

    assert all(figure.source.strip() for figure in programme.figures)
    keys = [figure.key for figure in programme.figures]
    assert len(keys) == len(set(keys)) >= len(programme.rules) + 15


def test_what_was_not_read_is_listed_as_to_be_confirmed() -> None:
    programme = load_programme()
    open_keys = {figure.key for figure in programme.unverified()}

    assert "visit_effects.hospital_admission_180d" in open_keys
    assert "rules.antenatal_contact" not in open_keys


def test_a_folder_changes_one_number_and_keeps_the_rest(tmp_path: Path) -> None:
    (tmp_path / "programme.toml").write_text(OWN_CAPACITY)
    programme, default = load_programme(tmp_path), load_programme()

    assert programme.planning.capacity_minutes == 240
    assert programme.planning.visit_minutes == default.planning.visit_minutes
    assert programme.rules == default.rules
    own = next(f for f in programme.figures if f.key == "planning.capacity_minutes")
    assert own.verified
    assert own.source == "Time study in our district, 2026"


def test_a_changed_number_does_not_borrow_the_defaults_source(tmp_path: Path) -> None:
    (tmp_path / "programme.toml").write_text("[planning.capacity_minutes]\nvalue = 240\n")

    with pytest.raises(ProgrammeFault, match=r"planning.capacity_minutes.*own `source`"):
        load_programme(tmp_path)


def test_a_changed_rule_is_no_longer_verified_unless_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "rules.toml").write_text(
        '[pregnancy_past_term]\ndue_days = 1\nsource = "National guideline 2025, p. 12"\n'
    )
    rule = next(r for r in load_programme(tmp_path).rules if r.id == "pregnancy_past_term")

    assert (rule.due_days, rule.verified) == (1, False)
    assert rule.urgency == "same_day"


def test_wording_may_change_without_a_new_source(tmp_path: Path) -> None:
    (tmp_path / "rules.toml").write_text('[visit_anyone]\naction = "Tembelea nyumba."\n')
    rule = next(r for r in load_programme(tmp_path).rules if r.id == "visit_anyone")

    assert rule.action == "Tembelea nyumba."


def test_all_faults_are_told_together_with_file_and_key(tmp_path: Path) -> None:
    (tmp_path / "programme.toml").write_text(
        '[planning.walking_km_per_h]\nvalue = 0\nsource = "x"\n'
        '[planning.spead]\nvalue = 1\nsource = "x"\n'
        '[risk_bands.default]\nmoderate = 0.5\nsource = "x"\n'
        '[visit_effects.death]\nrelative_risk = 0.5\nlow = 0.6\nhigh = 0.9\nsource = ""\n'
        '[visit_within_days.very_high]\nvalue = 90\nsource = "x"\n'
    )
    (tmp_path / "rules.toml").write_text(
        '[bp_high]\nurgency = "soon"\nany = [["systolic", ">=", 160]]\nsource = "x"\n'
        "[any_danger_sign]\noff = true\n"
    )

    with pytest.raises(ProgrammeFault) as fault:
        load_programme(tmp_path)

    for told in (
        "planning.walking_km_per_h.value",
        "planning.spead",
        "risk_bands.default: moderate, high and very_high must rise",
        "visit_effects.death: relative_risk must lie between",
        "visit_effects.death.source",
        "a very high risk may not wait longer",
        "rules.toml:2, bp_high.urgency",
        "no feature is called systolic",
        "a danger sign cannot be switched off",
    ):
        assert told in str(fault.value)


def test_a_file_that_is_no_toml_and_a_folder_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "rules.toml").write_text("[broken")

    with pytest.raises(ProgrammeFault, match=r"rules.toml, whole file: cannot be read"):
        load_programme(tmp_path)
    with pytest.raises(ProgrammeFault, match="there is no such folder"):
        load_programme(tmp_path / "absent")


FAULTS = {
    "a figure that is no table": (
        "programme.toml",
        "planning = { visit_minutes = 30 }",
        "planning.visit_minutes: must be a table",
    ),
    "a band that is no table": (
        "programme.toml",
        "[risk_bands]\nfever = 3",
        "risk_bands.fever: must be a table",
    ),
    "a name that is no text": ("programme.toml", "name = 5", "name: must be a text"),
    "a state that is no yes or no": (
        "programme.toml",
        '[planning.detour]\nvalue = 1.5\nsource = "x"\nverified = "maybe"',
        "planning.detour.verified: must be true or false",
    ),
    "a step at a risk that is no table": (
        "programme.toml",
        "[risk_steps]\ncvd_10y = 3",
        "risk_steps.cvd_10y: must be a table",
    ),
    "a step at a band that is no table": (
        "programme.toml",
        "[risk_steps.falls]\nhigh = 3",
        "risk_steps.falls.high: must be a table with action",
    ),
    "a step at a low risk": (
        "programme.toml",
        '[risk_steps.falls.low]\naction = "Rest."\nsource = "x"',
        "risk_steps.falls.low: is not a key",
    ),
    "a step without a source": (
        "programme.toml",
        '[risk_steps.falls.high]\naction = "Look at the floor."\nsource = " "',
        "risk_steps.falls.high.source: a step without a source is not used",
    ),
    "a rule that is no table": ("rules.toml", "fever = 3", "fever: must be a table"),
    "an unknown operator": (
        "rules.toml",
        '[bp_high]\nall = [["systolic_mmhg", "~", 1]]\nsource = "x"',
        "a condition is [feature, op, value]",
    ),
    "an operator without its value": (
        "rules.toml",
        '[bp_high]\nall = [["systolic_mmhg", ">="]]\nsource = "x"',
        "a value too many or too few",
    ),
    "a schedule that is no table": (
        "rules.toml",
        '[antenatal_contact]\nschedule = 3\nsource = "x"',
        "antenatal_contact.schedule: must be a table",
    ),
    "contacts that do not rise": (
        "rules.toml",
        '[antenatal_contact]\nsource = "x"\n[antenatal_contact.schedule]\nat = [20, 12]\n'
        'feature = "gestational_weeks"\ndays_per_unit = 7\nearly_days = 7',
        "antenatal_contact.schedule.at: must be rising numbers",
    ),
    "names that are no list": (
        "rules.toml",
        '[bp_high]\nreplaces = "bp_raised"\nsource = "x"',
        "bp_high.replaces: must be a list of names",
    ),
    "names that are no texts": (
        "rules.toml",
        '[bp_high]\nrows = [3]\nsource = "x"',
        "bp_high.rows: must be a list of names",
    ),
    "advice of days that waits for a visit": (
        "rules.toml",
        '[bp_high]\nat_visit = true\nsource = "x"',
        "bp_high.at_visit: only routine advice can wait for a visit",
    ),
    "more signs than there are": (
        "rules.toml",
        '[bp_high]\nat_least = 9\nsource = "x"',
        "bp_high.at_least: must be from 1 to the number of `any`",
    ),
    "fewer signs than one": (
        "rules.toml",
        '[bp_high]\nat_least = 0\nsource = "x"',
        "bp_high.at_least: must be from 1 to the number of `any`",
    ),
    "a rule that replaces one that is not there": (
        "rules.toml",
        '[bp_high]\nreplaces = ["bp_low"]\nsource = "x"',
        "no rule is called bp_low",
    ),
    "a danger sign that may wait": (
        "rules.toml",
        '[bp_very_high]\nurgency = "routine"\nsource = "x"',
        "a danger sign is an emergency or of the same day",
    ),
    "a rule of one's own without a source": (
        "rules.toml",
        '[mine]\nlabel = "M"\nkind = "measure"\nurgency = "routine"\n'
        'action = "A."\nreason = "R."\nsource = ""',
        "mine.source: a threshold without a source is not used",
    ),
    "a key that is not one": (
        "rules.toml",
        '[bp_high]\nwithin_day = 3\nsource = "x"',
        "bp_high.within_day: is not a key of this table",
    ),
}


@pytest.mark.parametrize("title", FAULTS)
def test_a_fault_names_its_file_and_key(title: str, tmp_path: Path) -> None:
    file, text, said = FAULTS[title]
    (tmp_path / file).write_text(text)

    with pytest.raises(ProgrammeFault) as fault:
        load_programme(tmp_path)

    assert said in str(fault.value)
    assert file in str(fault.value)


def test_a_rule_that_is_no_danger_sign_can_be_switched_off(tmp_path: Path) -> None:
    (tmp_path / "rules.toml").write_text("[tobacco_advice]\noff = true\n")
    ids = {rule.id for rule in load_programme(tmp_path).rules}

    assert "tobacco_advice" not in ids
    assert len(ids) == len(load_programme().rules) - 1


def test_a_folder_changes_one_number_of_a_schedule_and_keeps_its_others(tmp_path: Path) -> None:
    text = "schedule = {{ early_days = {} }}\n"
    (tmp_path / "rules.toml").write_text(
        "[antenatal_contact]\n" + text.format(3) + 'source = "Ours"\n'
    )
    shipped = {rule.id: rule for rule in load_programme().rules}["antenatal_contact"]
    own = {rule.id: rule for rule in load_programme(tmp_path).rules}["antenatal_contact"]
    assert shipped.schedule is not None
    assert own.schedule == replace(shipped.schedule, early_days=3)
    assert not own.verified

    early = shipped.schedule.early_days
    (tmp_path / "rules.toml").write_text("[antenatal_contact]\n" + text.format(early))
    same = {rule.id: rule for rule in load_programme(tmp_path).rules}["antenatal_contact"]
    assert same == shipped  # what is the same needs no new source

    (tmp_path / "rules.toml").write_text("[antenatal_contact]\n" + text.format(early + 1))
    with pytest.raises(ProgrammeFault, match="needs its own `source`"):
        load_programme(tmp_path)


def test_an_outcome_without_declared_effect_is_given_none() -> None:
    programme = load_programme()
    effect = programme.effect_for("neonatal_death")

    assert effect is not None
    assert effect.reduction == pytest.approx(0.25)
    assert programme.effect_for("cvd_10y") is None
    assert programme.bands_for("no_such_outcome") == programme.risk_bands["default"]


@given(st.lists(st.floats(0, 1), min_size=2, max_size=20))
def test_a_higher_risk_never_has_a_lower_band(risks: list[float]) -> None:
    bands = RiskBands(0.05, 0.1, 0.2).of(sorted(risks))
    places = [RISK_BANDS.index(band) for band in bands]

    assert places == sorted(places)


def test_a_risk_that_is_not_known_has_no_band() -> None:
    assert RiskBands(0.05, 0.1, 0.2).of([np.nan, 0.05]).tolist() == [None, "moderate"]
