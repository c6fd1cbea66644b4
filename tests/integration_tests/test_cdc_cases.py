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
#: Whole cases of each group, how many agree on status and day; and the same of rebuilt ones.
JUDGED = {
    "whole": {
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
        "Flu": (12, 9),
        "HepA": (11, 11),
    },
    "rebuilt": {
        "DTaP": (26, 23),
        "POL": (29, 28),
        "Hib": (26, 26),
        "HPV": (27, 19),
        "HepB": (18, 18),
        "PCV": (10, 9),
        "Rota": (7, 7),
    },
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
    brands = script.brands_of(cases)
    return [script.judge(case, schedule, brands) for case in cases]


def test_which_cases_can_be_judged(found):
    kinds = Counter(one.kind for one in found)
    assert kinds == {"whole": 398, "rebuilt": 143, "cut": 178, "medical": 26}


@pytest.mark.parametrize("kind", JUDGED)
def test_the_next_dose_and_its_day(found, kind):
    some = [one for one in found if one.kind == kind]
    n = Counter(one.group for one in some)
    agree = Counter(one.group for one in some if one.same_day)
    assert {group: (n[group], agree[group]) for group in n} == JUDGED[kind]
    assert sum(one.same_status for one in some) == {"whole": 398, "rebuilt": 138}[kind]


def test_which_doses_count(found):
    for kinds, doses in ((("whole",), (557, 554)), (("rebuilt", "cut"), (624, 624))):
        some = [one for one in found if one.kind in kinds]
        assert (sum(o.n_doses for o in some), sum(o.n_doses_same for o in some)) == doses


TITLES = {
    "#3 at age 14 weeks-5 days": 3,
    "Dose 2 to dose 3 interval 28 days": 3,
    "#1 @ 9 yrs, #2 @ 12 yrs, 2 mo, 3 days": 2,
    "# 2 (Tdap) to child age 7.  Forecast # 3 (Td) in 4 weeks": 2,
    "Invalid age for  dose # 2 in midst of others": None,
    "Age 7.  Two DTaP<12 months old.  Needs Tdap": None,
}


@pytest.mark.parametrize("title", TITLES)
def test_only_the_title_says_how_many_doses_there_were(script, title):
    assert script.last_dose_named(title) == TITLES[title]


def test_a_case_is_rebuilt_without_a_look_at_what_it_expects(script):
    held = [{"Date Administered": "2011-01-01", "Vaccine Name": "IPOL", "CVX": "10", "MVX": "PMC"}]
    case = {"title": "#2 Kinrix at 4", "assessment_date": "2015-01-01", "history": held}
    brands = {"kinrix": ("130", "SKB"), "ipol": ("10", "PMC")}
    added = script.rebuilt(case, brands)["history"][-1]
    assert (added["CVX"], added["MVX"], added["Date Administered"]) == ("130", "SKB", "2015-01-01")
    same = script.rebuilt(case | {"title": "#2 at 4"}, brands)["history"][-1]
    assert same["CVX"] == "10"


def test_every_difference_is_explained_and_the_page_says_so(script):
    text = script.page(VECTORS)
    assert "NOT EXPLAINED" not in text
    assert PAGE.read_text(encoding="utf-8") == text
