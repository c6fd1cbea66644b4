"""Outreach over fake acts: the switch, and a timeline without anybody's number."""

from __future__ import annotations

from chw_tools.testing.acts import ADULT, CHILD


def test_the_switch_stops_everything_and_lets_it_go_on(browser, acts):
    assert "Messages go out." in browser.get("/outreach").text
    assert browser.post("/outreach/stop").headers["location"] == "/outreach"
    assert acts.stopped == "by_hand"
    page = browser.get("/outreach").text
    assert "Everything is stopped." in page
    assert 'action="/outreach/start"' in page
    browser.post("/outreach/start")
    assert acts.stopped is None


def test_a_get_stops_nothing(browser, acts):
    assert browser.get("/outreach/stop").status_code == 405
    assert acts.stopped is None


def test_every_stage_is_counted_and_unknown_is_explained(browser):
    page = browser.get("/outreach").text
    for words in ("Planned", "With the provider", "Arrived", "Not sent, for a reason"):
        assert words in page
    assert "never sent again by itself" in page


def test_a_refusal_says_why_in_words(browser):
    page = browser.get(f"/people/{ADULT}/messages").text
    assert "Not sent</strong>: no consent was recorded" in page
    assert "consent_missing" not in page


def test_a_rehearsal_shows_each_hour_and_why_something_stays(browser):
    page = browser.get("/outreach/rehearsal?days=14").text
    assert "What would go out in 14 days" in page
    assert "Health programme: somebody will visit you." in page
    assert "1 × no consent was recorded" in page
    assert 'type="range"' in page
    assert browser.get("/outreach/rehearsal?days=400").status_code == 404


def test_nothing_sent_is_said(browser):
    assert "Nothing was sent to this person" in browser.get(f"/people/{CHILD}/messages").text


def test_every_gate_reason_has_words(browser):
    """A reason that a gate gives is never shown as its key."""
    import ast
    import inspect

    from chw_tools.outreach import gates, templates
    from chw_tools.web.wording import load_wording

    tree = ast.parse(inspect.getsource(gates))
    given = {
        call.args[2].value
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        and getattr(call.func, "id", "") == "Verdict"
        and len(call.args) > 2
        and isinstance(call.args[2], ast.Constant)
    }
    moved = {
        word.value.value
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "_moved"
        for word in call.keywords
        if word.arg == "reason"
    }
    words = load_wording()
    assert len(given) > 8
    unsaid = {
        r for r in given | moved | set(templates.FAULTS) if not words.known(f"message_reason.{r}")
    }
    assert unsaid == set()
