"""Outcome definitions are complete, or refused with every fault named."""

from __future__ import annotations

import pytest

from chw_tools.errors import ProgrammeFault
from chw_tools.programme.outcomes import load_outcomes

_SOUND = """
[fall]
label = "A fall"
recorded = ["fall"]
kind = "within_days"
horizon_days = 90
intended_use = "x"
not_for = "y"
"""


def test_every_shipped_definition_says_its_use_and_its_limits():
    outcomes = load_outcomes()
    assert {"hospital_admission_180d", "diabetes", "death_5y"} <= set(outcomes)
    for definition in outcomes.values():
        assert definition.intended_use
        assert definition.not_for
        assert definition.known_caveats
        assert definition.recorded


def test_no_shipped_definition_lets_the_answer_in_as_an_input():
    diabetes = load_outcomes()["diabetes"]
    assert "diabetes" in diabetes.exclude_condition_groups
    assert "laboratory" in diabetes.exclude_features


def test_a_programme_adds_its_own(tmp_path):
    (tmp_path / "outcomes.toml").write_text(_SOUND)
    outcomes = load_outcomes(tmp_path)
    assert outcomes["fall"].recorded == ("fall",)
    assert "death_5y" in outcomes


def test_all_faults_are_told_at_once(tmp_path):
    broken = _SOUND.replace("horizon_days = 90", "horizon = 90").replace('label = "A fall"', "")
    (tmp_path / "outcomes.toml").write_text(broken)
    with pytest.raises(ProgrammeFault) as error:
        load_outcomes(tmp_path)
    for part in ("unknown key horizon", "label is missing", "horizon_days must be"):
        assert part in str(error.value)


@pytest.mark.parametrize("text", ["[a", 'fall = "x"', '[fall]\nkind = "soon"'])
def test_what_is_no_definition_is_refused(tmp_path, text):
    (tmp_path / "outcomes.toml").write_text(text)
    with pytest.raises(ProgrammeFault):
        load_outcomes(tmp_path)
