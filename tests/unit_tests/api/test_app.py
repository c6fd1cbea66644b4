"""The API: its description, and each route over fake acts."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter

from chw_tools.api import examples, schemas
from chw_tools.api.app import build_app
from chw_tools.api.jobs import Job
from chw_tools.records import DERIVED_TABLES, TABLES, new_id
from chw_tools.testing.acts import ADULT, CHILD, HOUSEHOLD, LIST_DAY, WORKER, FakeActs
from chw_tools.workflows.calls import CallsView
from chw_tools.workflows.views import DayView, HouseholdView, PersonFound, PersonView

OPERATIONS = {
    "show_calls": ("get", "/api/v1/calls"),
    "record_outcome": ("post", "/api/v1/calls/{task_id}/outcome"),
    "show_day": ("get", "/api/v1/day"),
    "plan_visits": ("post", "/api/v1/plan"),
    "run_planning": ("post", "/api/v1/planning"),
    "show_job": ("get", "/api/v1/planning/jobs/{job_id}"),
    "find_runs": ("get", "/api/v1/planning"),
    "show_run": ("get", "/api/v1/planning/{run_id}"),
    "draw_plan": ("get", "/api/v1/planning/{run_id}/map.svg"),
    "show_plan_routes": ("get", "/api/v1/planning/{run_id}/routes.geojson"),
    "show_plan_visits": ("get", "/api/v1/planning/{run_id}/visits.csv"),
    "show_plan_waiting": ("get", "/api/v1/planning/{run_id}/waiting.csv"),
    "show_plan_calendar": ("get", "/api/v1/planning/{run_id}/calendars/{worker_id}.ics"),
    "put_in_force": ("post", "/api/v1/planning/{run_id}/in_force"),
    "replan_day": ("post", "/api/v1/day/rest"),
    "find_people": ("post", "/api/v1/people/search"),
    "show_person": ("get", "/api/v1/people/{person_id}"),
    "show_household": ("get", "/api/v1/households/{household_id}"),
    "merge_person": ("post", "/api/v1/people/{person_id}/merge"),
    "move_person": ("post", "/api/v1/people/{person_id}/moved"),
    "report_death": ("post", "/api/v1/people/{person_id}/died"),
    "undo_change": ("post", "/api/v1/changes/{change_id}/undo"),
    "record_visit": ("post", "/api/v1/visits"),
    "score_people": ("post", "/api/v1/score"),
    "recommend_actions": ("post", "/api/v1/recommend"),
    "data_dictionary": ("get", "/api/v1/dictionary"),
    "check_health": ("get", "/healthz"),
    "check_readiness": ("get", "/readyz"),
    "read_metrics": ("get", "/metrics"),
}

#: What an address may hold; `names` says only whether a file has them.
KEYS_AND_DAYS = {
    "worker_id",
    "visit_on",
    "person_id",
    "household_id",
    "change_id",
    "task_id",
    "job_id",
    "run_id",
    "kind",
    "limit",
    "names",
}


@pytest.fixture(scope="module")
def description():
    return build_app(FakeActs()).openapi()


def test_operation_ids_are_the_names_of_the_workflows(description):
    found = {
        operation["operationId"]: (method, path)
        for path, methods in description["paths"].items()
        for method, operation in methods.items()
    }
    assert found == OPERATIONS


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_route_has_a_summary_and_an_example_of_each_answer(description, name):
    method, path = OPERATIONS[name]
    operation = description["paths"][path][method]
    assert operation["description"]
    for answer in operation["responses"].values():
        assert all("example" in held for held in answer["content"].values())
        assert answer["content"]


@pytest.mark.parametrize("name", [n for n, (method, _) in OPERATIONS.items() if method == "post"])
def test_every_body_has_an_example(description, name):
    method, path = OPERATIONS[name]
    body = description["paths"][path][method]["requestBody"]["content"]["application/json"]
    schema = description["components"]["schemas"][body["schema"]["$ref"].rpartition("/")[2]]
    assert schema["example"]
    assert schema["additionalProperties"] is False


@pytest.mark.parametrize(
    ("shape", "example"),
    [
        (DayView, examples.DAY),
        (PersonView, examples.PERSON_VIEW),
        (HouseholdView, examples.HOUSEHOLD_VIEW),
        (tuple[PersonFound, ...], examples.FOUND),
        (schemas.VisitSent, examples.VISIT_SENT),
        (schemas.PlanMade, examples.PLAN_MADE),
        (CallsView, examples.CALLS),
        (Job, examples.JOB),
        (schemas.RunShown, examples.KEPT_RUN),
        (list[schemas.RiskRow], examples.RISKS),
        (list[schemas.RecommendationRow], examples.RECOMMENDATIONS),
        (schemas.ErrorSaid, examples.ERROR),
    ],
)
def test_the_examples_are_of_the_shape_they_illustrate(shape, example):
    adapter = TypeAdapter(shape)
    assert adapter.dump_python(adapter.validate_python(example), mode="json")


def test_no_address_holds_a_name(description):
    for path, methods in description["paths"].items():
        for operation in methods.values():
            asked = {p["name"] for p in operation.get("parameters", ())}
            assert asked <= KEYS_AND_DAYS, path


def test_a_home_with_everybody_in_it(client):
    home = client.get(f"/api/v1/households/{HOUSEHOLD}").json()
    assert [member["person_id"] for member in home["members"]] == [ADULT, CHILD]
    assert home["members"][0]["advice"][0]["urgency"] == "same_day"
    assert home["follow_up_on"] == LIST_DAY.isoformat()
    assert client.get(f"/api/v1/households/{new_id()}").status_code == 404
    assert client.get("/api/v1/households/next-door").status_code == 422


def test_the_day_of_a_worker(client):
    day = client.get("/api/v1/day", params={"worker_id": WORKER}).json()
    assert day["visit_on"] == LIST_DAY.isoformat()
    assert [stop["person_id"] for stop in day["stops"]] == [ADULT]
    assert [person["person_id"] for person in day["waiting"]] == [CHILD]
    missing = client.get("/api/v1/day", params={"worker_id": WORKER, "visit_on": "2030-01-01"})
    assert missing.status_code == 404


def test_people_are_found_by_a_name_in_the_body(client):
    found = client.post("/api/v1/people/search", json={"text": "child"}).json()
    assert [person["person_id"] for person in found] == [CHILD]


def test_a_visit_sent_twice_is_kept_once(client, acts):
    visit = {**examples.VISIT_SENT, "person_id": ADULT, "visit_id": new_id()}
    first = client.post("/api/v1/visits", json=visit)
    again = client.post("/api/v1/visits", json=visit)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json() == {"visit_id": visit["visit_id"]}
    assert len(acts.visits) == 1
    other = client.post("/api/v1/visits", json={**visit, "minutes": 12})
    assert other.status_code == 409


def test_a_sign_not_asked_stays_apart_from_a_sign_not_there(client, acts):
    body = {"person_id": ADULT, "visited_on": "2026-01-05"}
    client.post("/api/v1/visits", json=body)
    client.post("/api/v1/visits", json={**body, "danger_signs": {}})
    assert [visit.danger_signs for visit in acts.visits.values()] == [None, {}]


def test_a_visit_entered_late_is_known_late(client, acts):
    body = {"person_id": ADULT, "visited_on": "2026-01-02", "known_on": "2026-01-05"}
    visit_id = client.post("/api/v1/visits", json=body).json()["visit_id"]
    assert acts.visits[visit_id].visited_on.isoformat() == "2026-01-02"
    assert acts.known_on[visit_id].isoformat() == "2026-01-05"


def test_changes_and_their_undoing(client, acts):
    path = f"/api/v1/people/{ADULT}"
    for what, body in (
        ("died", {"on": "2026-01-05"}),
        ("moved", {"on": "2026-01-05"}),
        ("merge", {"on": "2026-01-05", "into_person_id": CHILD}),
    ):
        answer = client.post(f"{path}/{what}", json=body)
        assert answer.status_code == 201
        change = answer.json()["change_id"]
        assert change in {c.change_id for c in acts.people[ADULT].changes}
        undo = {"person_id": ADULT, "on": "2026-01-05"}
        assert client.post(f"/api/v1/changes/{change}/undo", json=undo).status_code == 201
        assert client.post(f"/api/v1/changes/{change}/undo", json=undo).status_code == 404
    itself = {"on": "2026-01-05", "into_person_id": ADULT}
    assert client.post(f"{path}/merge", json=itself).status_code == 409


def test_a_plan_answers_with_its_figures(client, acts):
    made = client.post("/api/v1/plan", json={"visit_on": "2026-01-06"}).json()
    assert (made["visit_on"], made["n_visits"]) == ("2026-01-06", 1)
    assert acts.planned[0]["worker_id"] is None


def test_risks_and_advice_of_nobody_are_empty_lists(client):
    for path in ("/api/v1/score", "/api/v1/recommend"):
        assert client.post(path, json={"person_ids": [ADULT]}).json() == []


def test_the_dictionary_holds_every_declared_table(client):
    tables = {table["name"]: table for table in client.get("/api/v1/dictionary").json()}
    assert set(tables) == {*TABLES, *DERIVED_TABLES}
    born = next(c for c in tables["people"]["columns"] if c["name"] == "born_on")
    assert born["identifying"] is True


def test_health_says_for_whom_the_service_is(client):
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"status": "ok", "population": "simulated"}
