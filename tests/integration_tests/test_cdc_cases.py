"""The schedule engine against 745 cases of the CDC, on the CDC's own schedule of 2016.

Which cases can be judged, and why the others differ, is told in
docs/guidelines/immunisation_cases.md, which the script under test writes.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "guidelines" / "immunisation_cases.md"
VECTORS = ROOT.parent / "shared" / "vectors" / "immunization"
pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not VECTORS.exists(), reason="public vectors are not here"),
]
#: Whole cases of each group, and how many agree on status and day.
WHOLE = {
    "DTaP": (53, 53),
    "POL": (47, 47),
    "Hib": (59, 59),
    "HPV": (55, 24),
    "HepB": (28, 28),
    "PCV": (23, 23),
    "MMR": (31, 30),
    "Var": (34, 34),
    "Rota": (25, 25),
    "MCV": (20, 20),
    "Flu": (12, 0),
    "HepA": (11, 11),
}


@pytest.fixture(scope="module")
def script():
    loaded = {}
    for name in ("cdc_schedule", "write_immunisation_cases"):
        spec = spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
        loaded[name] = module_from_spec(spec)
        sys.modules[name] = loaded[name]
        spec.loader.exec_module(loaded[name])
    yield loaded["write_immunisation_cases"]
    for name in loaded:
        del sys.modules[name]


@pytest.fixture(scope="module")
def found(script):
    cases = json.loads((VECTORS / script.CASES).read_text(encoding="utf-8"))
    schedule = script.read_cdc_schedule(VECTORS / "schedule")
    return [script.judge(case, schedule) for case in cases]


def test_which_cases_can_be_judged(found):
    assert Counter(one.kind for one in found) == {"whole": 398, "cut": 321, "medical": 26}


def test_the_next_dose_and_its_day(found):
    whole = [one for one in found if one.kind == "whole"]
    assert all(one.same_status for one in whole)
    n = Counter(one.group for one in whole)
    agree = Counter(one.group for one in whole if one.same_day)
    assert {group: (n[group], agree[group]) for group in n} == WHOLE


def test_which_doses_count(found):
    for kind, doses in (("whole", (557, 554)), ("cut", (624, 624))):
        some = [one for one in found if one.kind == kind]
        assert (sum(o.n_doses for o in some), sum(o.n_doses_same for o in some)) == doses


def test_every_difference_is_explained_and_the_page_says_so(script):
    text = script.page(VECTORS)
    assert "NOT EXPLAINED" not in text
    assert PAGE.read_text(encoding="utf-8") == text
