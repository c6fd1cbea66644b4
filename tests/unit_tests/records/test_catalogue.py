"""The catalogue: one meaning for a code, limits in order, danger signs that can be asked."""

from __future__ import annotations

from collections import Counter
from importlib.resources import files

import pytest

from chw_tools.data_processing.spellings import UNITS, ucum
from chw_tools.records import Code, load_catalogue
from chw_tools.records.codes import CHW, DANGER_SIGN, LOINC, SYMPTOM

CATALOGUE = load_catalogue()
each_entry = pytest.mark.parametrize(
    "entry", CATALOGUE.entries.values(), ids=list(CATALOGUE.entries)
)


def loinc_check_digit(code: str) -> int:
    """Mod 10 check digit of the part before the hyphen (LOINC Users' Guide, appendix)."""
    digits = [int(digit) for digit in reversed(code)]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[::2]]
    return -(sum(doubled) + sum(digits[1::2])) % 10


def test_a_code_means_one_observable():
    counts = Counter(code for entry in CATALOGUE.entries.values() for code in entry.codes)
    assert [code for code, n in counts.items() if n > 1] == []
    assert len(CATALOGUE.by_code()) == len(counts)


@each_entry
def test_a_loinc_code_has_its_check_digit(entry):
    assert loinc_check_digit("8480") == 6
    for code in entry.codes:
        if code.system == LOINC:
            number, _, digit = code.code.partition("-")
            assert loinc_check_digit(number) == int(digit), code.code


@each_entry
def test_systems_are_known(entry):
    assert {code.system for code in entry.codes} <= {LOINC, CHW, DANGER_SIGN, SYMPTOM}


@each_entry
def test_limits_are_in_order_and_the_usual_lies_within_the_possible(entry):
    limits = [entry.low, entry.usual_low, entry.usual_high, entry.high]
    given = [limit for limit in limits if limit is not None]
    assert given == sorted(given)


@each_entry
def test_a_number_has_a_unit_and_limits_and_a_choice_has_answers(entry):
    if entry.kind == "number":
        assert entry.unit
        assert entry.low is not None
        assert entry.high is not None
        assert not entry.allowed
    else:
        assert len(entry.allowed) >= 2
        assert not entry.unit
        assert entry.low is entry.high is None


@each_entry
def test_its_units_are_read_as_themselves_and_common_ones_in_any_case(entry):
    for unit in filter(None, [entry.unit, *entry.units]):
        assert ucum(unit) == unit
        if unit in UNITS.values():
            assert ucum(unit.upper()) == unit


@each_entry
def test_factors_are_positive_and_change_something(entry):
    assert all(factor > 0 and factor != 1 for factor in entry.units.values())


@each_entry
def test_the_name_says_the_unit(entry):
    endings = {"mm[Hg]": "_mmhg", "Cel": "_celsius", "%": "_percent", "cm": "_cm", "kg": "_kg",
               "mmol/L": "_mmol_l", "umol/L": "_umol_l", "g/dL": "_g_dl", "/min": "_per_min",
               "d": "_days", "h": "_hours", "{score}": "_points"}  # fmt: skip
    if entry.unit in endings:
        assert entry.name.endswith(endings[entry.unit])


def test_danger_signs_are_asked_with_yes_or_no():
    signs = CATALOGUE.danger_signs()
    assert {sign.name for sign in signs} == {
        name for name in CATALOGUE.entries if name.startswith("danger_")
    }
    assert len(signs) >= 4
    for sign in signs:
        assert sign.is_danger_sign
        assert sign.kind == "choice"
        assert sign.allowed == ("no", "yes")


def test_the_whole_file_is_read():
    text = files("chw_tools.records").joinpath("catalogue.toml").read_text(encoding="utf-8")
    headings = [line for line in text.splitlines() if line.startswith("[")]
    assert len(headings) == len(CATALOGUE.entries)


def test_a_code_is_found_by_system_and_code_together():
    by_code = CATALOGUE.by_code()
    assert by_code[Code(LOINC, "8480-6")].name == "systolic_mmhg"
    assert Code(CHW, "8480-6") not in by_code
