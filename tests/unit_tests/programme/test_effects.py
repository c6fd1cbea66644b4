"""Effects are read with their sources, and every fault is told with its line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from chw_tools.programme.effects import load_effects
from chw_tools.programme.programme import read_programme

if TYPE_CHECKING:
    from pathlib import Path


def test_every_effect_has_a_population_a_source_and_somebody_who_acts() -> None:
    for effect in load_effects().effects:
        assert effect.population
        assert effect.source
        assert effect.who_acts
        assert effect.who
        assert (effect.relative_risk is None) != (effect.lowers_mmhg is None)


FAULTS = {
    "no table": ("walk = 3", "walk: must be a table"),
    "no source": ('[mine]\nsource = ""', "mine.source: an effect without a source"),
    "both": ('[walk]\nrelative_risk = 0.9\nsource = "x"', "either relative_risk or lowers_mmhg"),
    "turned round": ('[walk]\nlow = 9\nsource = "x"', "lowers_mmhg must lie between"),
    "harm": ('[stop_tobacco]\nhigh = 1.2\nsource = "x"', "high: must be a number from 0 to 1"),
    "kind": ('[walk]\nkind = "magic"\nsource = "x"', "walk.kind: must be one of"),
    "feature": ('[walk]\nwho = [["shoes", "==", 1]]\nsource = "x"', "no feature is called shoes"),
    "operator": ('[walk]\nwho = [["bmi", "~", 1]]\nsource = "x"', "a condition is"),
    "borrowed": ("[walk]\nhigh = 4", "walk: a changed number or condition needs its own"),
    "key": ('[walk]\nspeed = 4\nsource = "x"', "walk.speed: is not a key"),
}


@pytest.mark.parametrize("title", FAULTS)
def test_a_fault_is_told_with_its_file_and_line(title: str, tmp_path: Path) -> None:
    text, said = FAULTS[title]
    (tmp_path / "effects.toml").write_text(text)

    found = [str(finding) for finding in read_programme(tmp_path)[1].findings]

    assert any(said in one and one.startswith("effects.toml:") for one in found), found


def test_an_effect_can_be_left_out(tmp_path: Path) -> None:
    (tmp_path / "effects.toml").write_text("[walk]\noff = true\n")
    programme, problems = read_programme(tmp_path)

    assert problems.findings == []
    assert "walk" not in {effect.id for effect in programme.effects.effects}
