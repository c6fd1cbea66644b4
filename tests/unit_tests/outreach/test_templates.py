"""Filling templates: what is sent, and every reason why not."""

from dataclasses import replace
from functools import cache

import pytest

from chw_tools.outreach.templates import (
    APPROVED_OR_DRAFT,
    FAULTS,
    Rendered,
    preview_templates,
    render,
)
from chw_tools.programme.templates import Templates, Text, Wording, load_templates
from chw_tools.programme.words import Words, load_words

MONTHS = tuple(f"M{month}" for month in range(1, 13))


@cache
def book() -> Templates:
    return load_templates()


@cache
def words() -> Words:
    return load_words()


def fill(name: str = "visit_before", version: int = 1, /, **changes: object) -> Rendered:
    given = {"language": "en", "variables": {"day": "2026-03-05"}, "words": words()} | changes
    return render(given.pop("book", book()), name, version, **given)  # type: ignore[arg-type]


def with_text(text: str, *, version: int = 1, state: str = "approved") -> Templates:
    worded = Wording("en", MONTHS, {"visit_before": Text(version, state, text)})
    return replace(book(), wordings={"en": worded})


def test_a_day_is_said_in_the_language() -> None:
    assert "5 March" in fill().text
    assert "5 mars" in fill(language="fr", states=APPROVED_OR_DRAFT).text


@pytest.mark.parametrize("language", ["fr", "sw-KE", "xx", None, ""])
def test_an_unknown_or_unapproved_language_falls_back(language: str | None) -> None:
    done = fill(language=language)
    assert (done.language, done.faults) == ("en", ())


def test_the_region_is_left_aside() -> None:
    assert fill(language="SW-ke", states=APPROVED_OR_DRAFT).language == "sw"


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"variables": {}}, "missing_variable"),
        ({"variables": {"day": ""}}, "missing_variable"),
        ({"variables": {"day": "Thursday; call Amina"}}, "wrong_variable"),
        ({"language": "xx", "fallback": ()}, "no_language"),
        ({"language": "fr", "fallback": ("sw",)}, "not_approved"),
        ({"book": with_text("Come on {day}.", state="draft")}, "not_approved"),
        ({"book": with_text("Come on {day}.", version=2)}, "template_changed"),
        ({"book": with_text("x" * 310 + "{day}")}, "too_long"),
        ({"book": with_text("Ç" * 60 + "ç" * 80 + "{day}")}, "too_long"),
        ({"book": with_text("Your HIV test is on {day}.")}, "forbidden_word"),
        ({"book": with_text("Your diabetic clinic is on {day}.")}, "forbidden_word"),
    ],
)
def test_each_fault(changes: dict[str, object], fault: str) -> None:
    assert fill(**changes).faults == (fault,)
    assert fault in FAULTS


def test_templates_that_are_not_there_or_another_version() -> None:
    assert fill("nothing").faults == ("unknown_template",)
    assert fill("visit_before", 2).faults == ("template_changed",)


def test_nothing_is_sent_that_was_not_declared() -> None:
    done = fill(variables={"day": "2026-03-05", "name": "Amina", "phone": "0712345678"})
    assert "Amina" not in done.text
    assert "0712" not in done.text
    assert "Amina" not in repr(fill(variables={"day": "Amina"}))


def test_a_gap_stays_to_be_seen() -> None:
    assert "{day}" in fill(variables={}).text


def test_a_number_to_call() -> None:
    template = replace(book().templates["visit_before"], variables=("phone",))
    call = replace(with_text("Call {phone}."), templates={"visit_before": template})
    assert fill(book=call, variables={"phone": "0800 720 000"}).text == "Call 0800 720 000."
    assert fill(book=call, variables={"phone": "http://x.y"}).faults == ("wrong_variable",)


def test_the_shipped_texts_can_be_sent() -> None:
    shipped = preview_templates(book(), words())
    assert len(shipped) == len(book().templates) * 4
    assert [(one.template, one.rendered.language) for one in shipped if one.rendered.faults] == []
    assert {one.state for one in shipped if one.rendered.language == "en"} == {"approved"}
    assert {one.state for one in shipped if one.rendered.language != "en"} == {"draft"}
    # In English each is one message; nowhere more than two.
    assert {one.rendered.segments for one in shipped if one.rendered.language == "en"} == {1}


def test_every_reminder_says_how_to_end_it() -> None:
    for one in preview_templates(book(), words()):
        if one.kind == "reminder":
            said = [word.strip(".,:") for word in one.rendered.text.split()]
            assert any(words().meaning(word) == "stop" for word in said[-3:]), one.template


def test_a_preview_of_one_language_shows_what_is_missing() -> None:
    del_one = dict(book().wordings["en"].texts)
    del del_one["who"]
    less = replace(book(), wordings={"en": replace(book().wordings["en"], texts=del_one)})
    missing = [
        one for one in preview_templates(less, words(), language="en") if one.rendered.faults
    ]
    assert [(one.template, one.state) for one in missing] == [("who", "missing")]
