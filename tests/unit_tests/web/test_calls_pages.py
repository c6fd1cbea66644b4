"""The page of calls and that of experiments, over fake acts."""

from __future__ import annotations

from chw_tools.testing.acts import ADULT, TASK, WORKER


def test_a_call_is_one_tap_and_says_why(browser):
    page = browser.get("/calls").text
    assert 'href="tel:+99900000001"' in page
    assert "Blood pressure was 140/90 or more" in page
    assert "Did not answer the messages" in page
    assert "1 put off" in page
    assert f'href="/people/{ADULT}"' in page


def test_every_outcome_is_offered_with_what_it_does(browser):
    page = browser.get("/calls").text
    for words in ("Agreed", "Call later", "Not reached", "Has died", "no more messages or calls"):
        assert words in page


def test_an_outcome_is_kept_and_the_list_comes_back(browser, acts):
    answer = browser.post(f"/calls/{TASK}?worker={WORKER}", data={"outcome": "agreed", "key": ""})
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/calls?worker={WORKER}&did=kept"
    assert acts.outcomes == ["agreed"]
    page = browser.get(answer.headers["location"]).text
    assert "Kept." in page
    assert "Nobody to call" in page


def test_a_second_tap_is_told_so(browser, acts):
    browser.post(f"/calls/{TASK}", data={"outcome": "agreed"})
    again = browser.post(f"/calls/{TASK}", data={"outcome": "died"})
    assert again.headers["location"] == "/calls?did=late"
    assert "done already" in browser.get("/calls?did=late").text
    assert acts.outcomes == ["agreed"]


def test_a_get_keeps_nothing_and_a_strange_task_is_not_found(browser, acts):
    assert browser.get(f"/calls/{TASK}").status_code == 405
    other = TASK.replace("f1", "f2")
    assert browser.post(f"/calls/{other}", data={"outcome": "agreed"}).status_code == 404
    assert acts.outcomes == []


def test_an_experiment_shows_the_answer_and_beside_it_the_one_per_protocol(browser):
    page = browser.get("/outreach/experiments").text
    assert "As drawn (intention to treat)" in page
    assert "1.50" in page
    assert "no longer alike" in page
    assert "nobody urgent takes part" in page
