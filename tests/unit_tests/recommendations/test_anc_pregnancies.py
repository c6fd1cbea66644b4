"""The antenatal kit's test pregnancies: said by a rule, or each difference explained."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "guidelines" / "anc_test_pregnancies.md"


@pytest.mark.shared
def test_every_expectation_is_said_by_a_rule_or_explained(shared: Path) -> None:
    spec = importlib.util.spec_from_file_location(
        "write_anc_pregnancies", ROOT / "scripts" / "write_anc_pregnancies.py"
    )
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    folder = shared / "vectors" / "who_dak"

    found = list(script.compared(folder))

    assert len({title for title, *_ in found}) == 42
    assert not [one for one in found if "no reason is given" in one[2]]
    known = [one for one in found if one[1] in script.RULES]
    assert (sum(ok for *_, ok in known), len(known)) == (51, 70)
    assert PAGE.read_text(encoding="utf-8") == script.page(folder)
