"""The words of the pages."""

from __future__ import annotations

import re
import string
from datetime import date
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chw_tools.records import DERIVED_TABLES, TABLES, WORK_TABLES
from chw_tools.records.contacting import CALL_OUTCOMES, TASK_KINDS
from chw_tools.web.wording import load_wording, plain

WORDS = load_wording()
TEMPLATES = list(files("chw_tools.web").joinpath("templates").iterdir())
CODE = [
    f
    for package in ("chw_tools.web", "chw_tools.api")
    for f in files(package).iterdir()
    if f.name.endswith(".py")
]
USED = {
    key
    for file in (*TEMPLATES, *CODE)
    for key in re.findall(r"\b([a-z]+\.[a-z_0-9]+)\b(?=\"|')", file.read_text("utf-8"))
}


def base(key: str) -> str:
    return re.sub(r"_(one|other)$", "", key)


def test_every_word_used_is_in_the_catalogue():
    sections = {key.partition(".")[0] for key in WORDS.words}
    known = set(WORDS.words) | {base(key) for key in WORDS.words}
    used = {key for key in USED if key.partition(".")[0] in sections and ".html" not in key}
    assert not {key for key in used - known if not key.endswith("_")}
    assert len(used) > 100


def test_every_word_in_the_catalogue_is_used():
    by_data = (
        *("urgency", "sex", "outcome", "visit_kind", "status", "change", "band", "unit", "section"),
        *("stage", "channel", "task_kind", "gate", "message_state", "message_reason"),
        *("text_fault", "text_state", "text_language", "text_units", "text_kind"),
        *("call_outcome", "call_effect", "task_name", "task_reason"),
        *("experiment_state", "experiment_design", "planning_kind", "planning_question"),
        *("planning_about", "planning_field", "planning_hint", "planning_progress"),
        *("planning_said", "planning_table", "planning_table_about", "planning_column"),
        *("planning_measure",),
    )
    text = "".join(file.read_text("utf-8") for file in (*TEMPLATES, *CODE))
    unused = {
        key
        for key in WORDS.words
        if key.partition(".")[0] not in by_data
        and base(key) not in text
        and not key.startswith(("date.", "visit.medicine_"))
    }
    assert not unused


@pytest.mark.parametrize(
    ("section", "values"),
    [
        ("urgency", DERIVED_TABLES["recommendations"].column("urgency").allowed),
        ("sex", TABLES["people"].column("sex").allowed),
        ("outcome", TABLES["visits"].column("outcome").allowed),
        ("visit_kind", TABLES["visits"].column("kind").allowed),
        ("change", TABLES["person_changes"].column("change").allowed),
        ("band", DERIVED_TABLES["risks"].column("band").allowed),
        ("call_outcome", CALL_OUTCOMES),
        ("call_effect", CALL_OUTCOMES),
        ("task_name", TASK_KINDS),
        ("experiment_state", WORK_TABLES["experiments"].column("state").allowed),
    ],
)
def test_every_value_that_a_record_may_hold_has_words(section, values):
    assert {f"{section}.{value}" for value in values} <= set(WORDS.words)


def test_both_plural_forms_take_the_same_fills():
    def fills(key):
        return {name for _, name, _, _ in string.Formatter().parse(WORDS.words[key]) if name}

    for key in WORDS.words:
        if key.endswith("_one"):
            assert fills(key) <= fills(key[:-4] + "_other")


def test_plurals_days_and_lateness():
    assert WORDS("today.heading", n=1) == "1 person to visit"
    assert WORDS("today.heading", n=12) == "12 people to visit"
    assert WORDS.long_day(date(2026, 1, 5)) == "Monday 5 January"
    assert WORDS.day(date(2026, 12, 31)) == "31 Dec 2026"
    late = [WORDS.lateness(days) for days in (1, 59, 60, 365, 366)]
    assert late == [
        "1 day late",
        "59 days late",
        "2 months late",
        "12 months late",
        "More than a year late",
    ]


def test_units_are_shown_as_people_write_them():
    assert WORDS.in_plain_units("168 mm[Hg]") == "168 mmHg"
    assert WORDS.in_plain_units("never") == "never"
    assert WORDS.in_plain_units("12 {score}") == "12 {score}"


@given(st.text())
def test_plain_text_holds_nothing_that_disguises(text):
    shown = plain(text)
    for mark in (0x202E, 0x2066, 0x200F, 0x0, 0x1B, 0x9B):
        assert chr(mark) not in shown
    assert plain(shown) == shown


def test_letters_of_every_script_stay():
    for name in ("Amélie", "नेहा", "می\u200cخواهم", "Ọlá", "ʻOkina"):
        assert plain(name) == name
