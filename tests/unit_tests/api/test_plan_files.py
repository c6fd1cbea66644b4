"""Kept plans as files over HTTP, by the same rules as everything: keys unless names are asked."""

from __future__ import annotations

import json

import pytest

from chw_tools.records import new_id
from chw_tools.testing.acts import ADULT, WORKER
from chw_tools.workflows.planning import PlanningAsked


@pytest.fixture
def run(acts):
    return acts.run_planning(PlanningAsked("week"), lambda *_: None)


@pytest.mark.parametrize(
    ("path", "kind", "begins"),
    [
        ("map.svg", "image/svg+xml", "<svg"),
        (f"map.svg?worker_id={WORKER}", "image/svg+xml", "<svg"),
        ("routes.geojson", "application/geo+json", "{"),
        ("visits.csv", "text/csv", "worker,day"),
        ("waiting.csv", "text/csv", "person_id"),
        (f"calendars/{WORKER}.ics", "text/calendar", "BEGIN:VCALENDAR"),
    ],
)
def test_each_file_is_of_its_kind_and_named(client, run, path, kind, begins):
    answer = client.get(f"/api/v1/planning/{run}/{path}")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(kind)
    assert answer.text.startswith(begins)
    assert 'filename="week-2026-01-05-' in answer.headers["content-disposition"]
    assert answer.headers["cache-control"] == "no-store"
    assert "Invented" not in answer.text


def test_people_are_named_only_where_that_is_asked_for(client, run):
    for path in ("visits.csv", f"calendars/{WORKER}.ics"):
        plain = client.get(f"/api/v1/planning/{run}/{path}").text
        named = client.get(f"/api/v1/planning/{run}/{path}?names=true").text
        assert "Invented Person" not in plain
        assert ADULT in plain
        assert "Invented Person" in named
        assert "Worker 1" in plain


def test_simulated_people_are_said_to_be_so_on_maps_and_calendars(client, run):
    for path in ("map.svg", f"calendars/{WORKER}.ics"):
        assert "simulated people" in client.get(f"/api/v1/planning/{run}/{path}").text


def test_what_is_not_there_is_not_found(client, acts, run):
    other = acts.run_planning(PlanningAsked("posts"), lambda *_: None)
    for key, path in (
        (new_id(), "map.svg"),
        (other, "visits.csv"),
        (run, f"calendars/{new_id()}.ics"),
    ):
        answer = client.get(f"/api/v1/planning/{key}/{path}")
        assert answer.status_code == 404
        assert answer.json()["error"] == "NotFound"


def test_only_caseloads_come_into_force(client, acts, run):
    answer = client.post(f"/api/v1/planning/{run}/in_force", json={"confirmed": True})
    assert answer.status_code == 409
    assert "caseloads" in answer.json()["cure"]
    unsaid = client.post(f"/api/v1/planning/{run}/in_force", json={"confirmed": False})
    assert unsaid.status_code == 422


def test_the_rest_of_a_day_is_asked_for_with_a_time(client, acts):
    sent = {"worker_id": WORKER, "at": "11:30", "is_ill": True}
    answer = client.post("/api/v1/day/rest", json=sent)
    assert answer.status_code == 200
    assert answer.json()["n_left"] == 2
    assert acts.replanned[0].is_ill
    assert client.post("/api/v1/day/rest", json={**sent, "at": "25:00"}).status_code == 422
    assert client.post("/api/v1/day/rest", json={**sent, "worker_id": ADULT}).status_code == 404


def test_the_description_tells_the_kind_of_each_file(client):
    paths = json.loads(client.get("/api/v1/openapi.json").text)["paths"]
    told = paths["/api/v1/planning/{run_id}/map.svg"]["get"]["responses"]["200"]
    assert list(told["content"]) == ["image/svg+xml"]
