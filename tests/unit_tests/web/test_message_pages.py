"""The page of messages: every text in every language, with what it costs and whether it goes."""

from __future__ import annotations

import pytest

from chw_tools.programme.templates import load_templates


@pytest.mark.parametrize("language", ["en", "fr", "sw", "es"])
def test_every_message_is_shown_as_it_arrives(browser, language: str) -> None:
    page = browser.get(f"/outreach/templates?language={language}")
    assert page.status_code == 200
    assert page.text.count('class="phone"') == len(load_templates().templates)
    assert page.text.count('class="mark done"') == (19 if language == "en" else 0)
    assert ("Draft, to nobody real" in page.text) == (language != "en")
    assert f'lang="{language}"' in page.text
    # A problem would be told on the page.
    assert "Cannot be sent" not in page.text


def test_english_is_shown_unless_another_is_asked_for(browser) -> None:
    assert 'aria-current="page">English' in browser.get("/outreach/templates").text


def test_letters_that_cost_are_named(browser) -> None:
    page = browser.get("/outreach/templates?language=fr").text
    assert "halve the room" in page
    assert "2 SMS" in page


def test_a_language_that_is_not_worded(browser) -> None:
    assert browser.get("/outreach/templates?language=xx").status_code == 404
