"""What stands around every request."""

from __future__ import annotations

import json
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chw_tools.api.app import build_app
from chw_tools.api.logs import AllowedOnly
from chw_tools.api.security import BODY_LIMIT_BYTES, is_loopback, json_depth
from chw_tools.testing.acts import ADULT, WORKER, FakeActs

CANARY = "Canaria Zzyzx"
PAGES = ["/", f"/today/{WORKER}", f"/people/{ADULT}", "/nowhere", "/people/not-a-key"]
API = ["/api/v1/day", f"/api/v1/people/{ADULT}", "/api/v1/nowhere", "/healthz"]


@pytest.mark.parametrize("path", [*PAGES, *API, "/static/app.css"])
def test_every_answer_carries_the_security_headers(client, path):
    headers = client.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "server" not in headers
    assert headers["cache-control"] == ("no-cache" if "static" in path else "no-store")


def test_a_crash_answers_500_with_headers_and_without_the_error_text(client, acts, caplog):
    def crash(**_):
        raise RuntimeError(CANARY)

    acts.show_person = crash
    caplog.set_level(logging.DEBUG)
    for path in (f"/people/{ADULT}", f"/api/v1/people/{ADULT}"):
        answer = client.get(path)
        assert answer.status_code == 500
        assert "content-security-policy" in answer.headers
        assert CANARY not in answer.text
    failures = [r for r in caplog.records if r.getMessage() == "failure"]
    assert [r.kind for r in failures] == ["RuntimeError", "RuntimeError"]
    assert all(r.place.startswith("chw_tools") or ":" in r.place for r in failures)
    assert CANARY not in caplog.text
    assert not [line for r in caplog.records if CANARY in (line := AllowedOnly().format(r))]


def test_the_access_log_holds_routes_and_no_keys(client, caplog):
    caplog.set_level(logging.INFO, logger="chw_tools.access")
    client.get(f"/people/{ADULT}?worker={WORKER}")
    client.get(f"/api/v1/people/{ADULT}")
    lines = [AllowedOnly().format(r) for r in caplog.records if r.name == "chw_tools.access"]
    said = [json.loads(line) for line in lines]
    assert [(one["event"], one["method"], one["status"]) for one in said] == [
        ("request", "GET", 200)
    ] * 2
    assert [one["route"] for one in said] == ["/people/{person_id}", "/api/v1/people/{person_id}"]
    assert not [line for line in lines if ADULT in line or WORKER in line]


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:8000", "10.0.0.1", ""])
def test_a_rebound_host_name_is_refused(client, host):
    for path in ("/", "/api/v1/day"):
        assert client.get(path, headers={"host": host}).status_code == 421


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost", "[::1]:8000"])
def test_loopback_host_names_are_served(client, host):
    assert client.get("/healthz", headers={"host": host}).status_code == 200


def test_another_machine_is_refused(client, acts):
    elsewhere = type(client)(
        build_app(acts), base_url="http://127.0.0.1", client=("192.168.1.7", 4000)
    )
    assert elsewhere.get("/api/v1/day").status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site", "origin": "http://127.0.0.1:8000"},
        {"sec-fetch-site": "same-site"},
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},
        {},
    ],
)
def test_a_form_from_another_site_changes_nothing(client, acts, headers):
    form = {"on": "2026-01-05"}
    answer = client.post(f"/people/{ADULT}/died", data=form, headers=headers)
    assert answer.status_code == 403
    assert acts.people[ADULT].status == "in the register"


@pytest.mark.parametrize(
    "headers", [{"sec-fetch-site": "same-origin"}, {"origin": "http://127.0.0.1:8000"}]
)
def test_a_form_from_our_own_page_is_taken(client, acts, headers):
    client.post(f"/people/{ADULT}/died", data={"on": "2026-01-05"}, headers=headers)
    assert acts.people[ADULT].status == "died"


def test_a_cross_site_json_post_is_refused_too(client, acts):
    headers = {"sec-fetch-site": "cross-site"}
    body = {"on": "2026-01-05"}
    path = f"/api/v1/people/{ADULT}/died"
    assert client.post(path, json=body, headers=headers).status_code == 403
    # A "simple" content type would need no leave from the browser, so it is not read as JSON.
    plain = {"content-type": "text/plain", "origin": "http://127.0.0.1:8000"}
    said = client.post(path, content='{"on": "2026-01-05"}', headers=plain)
    assert said.status_code == 422
    assert acts.people[ADULT].status == "in the register"


def test_a_large_body_is_refused_whether_declared_or_not(client):
    large = b"x" * (BODY_LIMIT_BYTES + 1)
    json = {"content-type": "application/json"}
    path = "/api/v1/people/search"
    assert client.post(path, content=large, headers=json).status_code == 413
    chunks = (large[i : i + 50_000] for i in range(0, len(large), 50_000))
    answer = client.post(path, content=chunks, headers=json)
    assert answer.status_code == 413
    assert set(answer.json()) == {"error", "what", "where", "cure"}


def test_a_deep_body_is_refused(client):
    deep = b"[" * 5_000 + b"]" * 5_000
    json = {"content-type": "application/json"}
    assert client.post("/api/v1/visits", content=deep, headers=json).status_code == 400


def test_a_form_of_very_many_fields_is_refused(client):
    text = "&".join(f"f{i}=1" for i in range(5_000))
    headers = {
        "sec-fetch-site": "same-origin",
        "content-type": "application/x-www-form-urlencoded",
    }
    assert client.post("/search", content=text, headers=headers).status_code == 422


@given(
    st.recursive(
        st.none() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_the_depth_of_a_body_is_that_of_its_value(value):
    def depth(part):
        if isinstance(part, (list, dict)):
            inside = part.values() if isinstance(part, dict) else part
            return 1 + max((depth(item) for item in inside), default=0)
        return 0

    assert json_depth(json.dumps(value).encode()) == depth(value)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.0.2", "::", "example.org", "localhost.evil"])  # noqa: S104
def test_other_addresses_are_no_loopback(host):
    assert not is_loopback(host)


def test_no_documentation_page_that_loads_from_elsewhere(client):
    for path in ("/docs", "/redoc", "/openapi.json"):
        assert client.get(path).status_code == 404


def test_build_app_needs_no_clock_store_or_network():
    assert build_app(FakeActs(population=None)).title == "CHW Tools"
