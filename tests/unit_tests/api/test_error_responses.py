"""How errors end a request."""

from __future__ import annotations

import json

import pytest

from chw_tools import errors
from chw_tools.api.error_responses import STATUSES, status_of
from chw_tools.testing.acts import ADULT

CANARY = "Canaria Zzyzx"


def every_error(kind=errors.ChwError):
    return [kind, *(error for child in kind.__subclasses__() for error in every_error(child))]


@pytest.mark.parametrize("kind", every_error())
def test_every_error_of_the_tree_has_a_status(kind):
    status = status_of(kind("what"))
    assert 400 <= status < 600
    assert status == next(s for k, s in STATUSES if issubclass(kind, k))


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (errors.NotFound, 404),
        (errors.Conflict, 409),
        (errors.PopulationMixed, 409),
        (errors.NothingToRead, 422),
        (errors.StoreUnavailable, 503),
        (errors.ModelRefused, 400),
    ],
)
def test_an_error_says_what_where_and_the_cure(client, acts, kind, status):
    def refuse(**_):
        raise kind("is wrong.", where="here", cure="Mend it.")

    acts.show_day = refuse
    answer = client.get("/api/v1/day")
    assert answer.status_code == status
    expected = {"error": kind.__name__, "what": "is wrong.", "where": "here", "cure": "Mend it."}
    assert answer.json() == expected
    assert client.get("/today/" + ADULT).status_code == status


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/v1/visits", {"person_id": CANARY, "visited_on": CANARY, "outcome": CANARY}),
        ("/api/v1/visits", {"person_id": ADULT, "visited_on": "2026-01-05", CANARY: 1}),
        (
            "/api/v1/visits",
            {"person_id": ADULT, "visited_on": "2026-01-05", "measurements": {CANARY: CANARY}},
        ),
        ("/api/v1/visits", [CANARY]),
        ("/api/v1/people/search", {"text": [CANARY]}),
        ("/api/v1/people/search", {"text": CANARY * 20}),
        ("/api/v1/score", {"person_ids": [CANARY]}),
        (f"/api/v1/people/{ADULT}/died", {"on": CANARY}),
    ],
)
def test_a_refused_body_is_never_repeated(client, path, body):
    answer = client.post(path, json=body)
    assert answer.status_code == 422
    assert "Canaria" not in answer.text
    assert answer.json()["error"] == "InputError"


def test_a_refused_body_names_our_fields(client):
    said = client.post("/api/v1/visits", json={"outcome": "seen"}).json()
    assert "body.person_id is missing" in said["what"]
    assert "body.visited_on" in said["where"]


def test_broken_json_is_not_repeated(client):
    text = json.dumps({"text": CANARY})[:-1]
    headers = {"content-type": "application/json"}
    answer = client.post("/api/v1/people/search", content=text, headers=headers)
    assert answer.status_code == 422
    assert "Canaria" not in answer.text


def test_numbers_that_are_none_are_refused(client):
    text = f'{{"person_id": "{ADULT}", "visited_on": "2026-01-05", "measurements": {{"bmi": NaN}}}}'
    headers = {"content-type": "application/json"}
    assert client.post("/api/v1/visits", content=text, headers=headers).status_code == 422


def test_the_api_answers_in_json_even_where_nothing_is(client):
    for path in ("/api/v1/nowhere", "/api/nowhere"):
        answer = client.get(path)
        assert answer.status_code == 404
        assert answer.json()["error"] == "NotFound"
    assert client.delete("/api/v1/day").status_code == 405


def test_a_name_cannot_be_searched_for_in_an_address(client):
    assert client.get("/api/v1/people", params={"text": CANARY}).status_code == 404
    assert client.get("/api/v1/people/search", params={"text": CANARY}).status_code in (404, 422)
