"""Numbers as people write them, and every way in which they are none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chw_tools.outreach.numbers import FAULTS, read_number, read_numbers

SCRIPTS = {
    "Arabic-Indic": "٠١٢٣٤٥٦٧٨٩",
    "Persian": "۰۱۲۳۴۵۶۷۸۹",
    "Devanagari": "०१२३४५६७८९",
    "Bengali": "০১২৩৪৫৬৭৮৯",
    "full width": "０１２３４５６７８９",
    "Myanmar": "၀၁၂၃၄၅၆၇၈၉",
}


@pytest.mark.parametrize("digits", SCRIPTS.values(), ids=SCRIPTS)
def test_digits_of_any_script(digits: str) -> None:
    written = "".join(digits[int(one)] for one in "0712345678")
    assert read_number(written, country="KE").e164 == "+254712345678"


@pytest.mark.parametrize(
    "written",
    [
        "0712 345-678",
        "(0712) 345678",
        "+254 712 345 678",
        "00254712345678",
        "\u202a0712345678\u202c",
    ],
)
def test_ways_to_write_one_number(written: str) -> None:
    number = read_number(written, country="KE")
    assert (number.e164, number.kind, number.can_text) == ("+254712345678", "mobile", True)


@pytest.mark.parametrize(
    ("written", "fault"),
    [
        (None, "no_number"),
        ("  ", "no_number"),
        ("none", "letters"),
        ("0712 FLOWER", "letters"),
        ("0712345678/0733123123", "several_numbers"),
        ("0712", "impossible"),
        ("+210 712 345 678", "no_country"),
        ("0900123456", "not_in_use"),
        ("+254 800 720 000", "not_personal"),
        ("+99912", "impossible"),
    ],
)
def test_no_number(written: str | None, fault: str) -> None:
    number = read_number(written, country="KE")
    assert number.fault == fault
    assert not number.can_text
    assert fault in FAULTS


def test_a_number_without_code_needs_a_country() -> None:
    assert read_number("0712345678", country="").fault == "no_country"
    assert read_number("+254712345678", country="").can_text


def test_a_landline_is_a_number_and_takes_no_text() -> None:
    number = read_number("020 222 2181", country="KE")
    assert (number.kind, number.fault, number.can_text) == ("landline", "", False)


def test_where_the_plan_does_not_tell() -> None:
    number = read_number("+1 201 555 0123", country="US")
    assert (number.kind, number.can_text) == ("unknown", True)


def test_simulated_people_have_numbers_of_nobody() -> None:
    number = read_number("+999 550 1234567", country="KE")
    assert (number.e164, number.is_simulated, number.can_text) == ("+9995501234567", True, True)
    assert "550" not in repr(number)


def test_many_are_as_one() -> None:
    texts = ["0712345678", None, "0712345678", "020 222 2181", float("nan")]
    frame = read_numbers(texts, country="KE")
    assert frame["e164"].tolist()[0] == "+254712345678"
    assert frame["can_text"].tolist() == [True, False, True, False, False]
    assert frame["fault"].tolist() == ["", "no_number", "", "", "no_number"]


@given(st.text(max_size=30))
def test_anything_ends_in_a_number_or_a_named_fault(text: str) -> None:
    number = read_number(text, country="IN")
    assert number.fault in ("", *FAULTS)
    assert number.fault or number.e164.startswith("+")
