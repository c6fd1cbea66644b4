"""The pages of longer plans over fake acts: started, followed, read, put in force; no script."""

from __future__ import annotations

import time

import pytest

from chw_tools.records import new_id
from chw_tools.testing.acts import ADULT, WORKER
from chw_tools.web.planning_form import FORMS


def made(browser, **fields):
    """A plan started on the page, and the address where it is kept."""
    begun = browser.post("/planning/new", data=fields)
    assert begun.status_code == 303
    job = begun.headers["location"]
    for _ in range(500):
        answer = browser.get(job)
        if answer.status_code == 303:
            return answer.headers["location"]
        if "could not be made" in answer.text:
            return answer
        time.sleep(0.01)
    raise AssertionError("the job never ended")


def test_where_no_plan_is_kept_the_page_says_what_to_do(browser):
    page = browser.get("/planning").text
    assert "No plan is kept yet" in page
    for kind in FORMS:
        assert f'href="/planning/new?kind={kind}"' in page


@pytest.mark.parametrize("kind", FORMS)
def test_every_form_has_a_label_for_each_field(browser, kind):
    page = browser.get(f"/planning/new?kind={kind}").text
    for row in FORMS[kind]:
        assert f'name="{row.name}"' in page
        assert f'for="{row.name}"' in page or f'id="{row.name}"' in page
    assert browser.get("/planning/new?kind=party").status_code == 200


def test_a_week_is_started_followed_and_read(browser, acts):
    where = made(browser, kind="week", days="3", risk_floor="20", seconds="5")
    page = browser.get(where).text

    assert acts.runs[0].kind == "week"
    assert "2 people at 2 homes are visited by 1 workers." in page
    assert "All that must be done fits" in page
    assert f'href="/people/{ADULT}"' in page
    assert "Simulated people" in page
    run = where.rpartition("/")[2]
    assert f'src="/api/v1/planning/{run}/map.svg"' in page
    assert f'href="/planning/{run}"' in browser.get("/planning").text
    own = browser.get(f"/planning/{run}/workers/{WORKER}").text
    assert "08:08" in own
    assert "At home with the one before." in own
    assert f"calendars/{WORKER}.ics" in own
    assert browser.get(f"/planning/{run}/workers/{new_id()}").status_code == 404


def test_what_failed_says_why_and_how_to_go_on(browser):
    page = made(browser, kind="needs").text
    assert "Nothing was ever recorded." in page
    assert "Ingest records first." in page
    assert "Nothing was kept or changed" in page
    assert "http-equiv" not in page


@pytest.mark.parametrize(
    ("fields", "field", "said"),
    [
        ({"kind": "week", "days": "9"}, "days", "Enter a number from 1 to 7."),
        ({"kind": "week", "on": "soon"}, "on", "Choose a day."),
        ({"kind": "week", "floors": "village"}, "floor", "GROUP:NAME:N"),
        ({"kind": "what_if", "changes": "luck=+1"}, "changes", "nothing of that name"),
        ({"kind": "what_if"}, "changes", "name what would change"),
    ],
)
def test_what_cannot_be_used_is_said_at_the_field_and_nothing_starts(
    browser, acts, fields, field, said
):
    answer = browser.post("/planning/new", data=fields)
    assert answer.status_code == 422
    assert said in answer.text
    assert f'href="#{field}' in answer.text
    assert f'id="{field}' in answer.text
    assert not acts.runs


def test_caseloads_come_into_force_by_a_second_tap_only(browser, acts):
    browser.post("/planning/new", data={"kind": "caseloads", "absent": WORKER})
    acts.run_planning(a_draft(), lambda *_: None)
    run = acts.runs[-1].id
    acts.runs[-1] = kept_as_draft(acts.runs[-1])
    page = browser.get(f"/planning/{run}").text
    assert f'href="/planning/{run}/in-force"' in page
    asked = browser.get(f"/planning/{run}/in-force").text
    assert "Put these caseloads in force?" in asked
    assert acts.runs[-1].kind == "caseloads_draft"
    put = browser.post(f"/planning/{run}/in-force")
    assert put.status_code == 303
    assert acts.runs[-1].kind == "caseloads"
    assert "from now on" in browser.get(put.headers["location"]).text


def a_draft():
    from chw_tools.workflows.planning import PlanningAsked

    return PlanningAsked("caseloads")


def kept_as_draft(run):
    from dataclasses import replace

    return replace(run, kind="caseloads_draft")


def test_the_rest_of_a_day_is_ordered_anew_from_the_list(browser, acts):
    assert f'href="/today/{WORKER}/rest?on=2026-01-05"' in browser.get(f"/today/{WORKER}").text
    form = browser.get(f"/today/{WORKER}/rest?on=2026-01-05").text
    assert "The worker cannot go on" in form
    done = browser.post(
        f"/today/{WORKER}/rest?on=2026-01-05", data={"at": "11:30", "why": "ill", "done": ADULT}
    )
    (asked,) = acts.replanned
    assert (asked.at, asked.is_ill, asked.done) == ("11:30", True, (ADULT,))
    assert "1 done, 2 still to see" in done.text
    assert "until 12:40" in done.text


def test_a_time_that_is_none_is_said_at_the_field(browser, acts):
    wrong = browser.post(f"/today/{WORKER}/rest", data={"at": "noon"})
    assert wrong.status_code == 422
    assert "Write 14:05." in wrong.text
    assert not acts.replanned
