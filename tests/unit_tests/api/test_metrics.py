"""The counters say what happened, by route template, and hold nobody's values."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from chw_tools.api.app import build_app
from chw_tools.api.logs import AllowedOnly
from chw_tools.api.metrics import METRICS, Metrics
from chw_tools.errors import StoreUnavailable
from chw_tools.store import Census
from chw_tools.testing.acts import ADULT, LIST_DAY, WORKER, FakeActs

CANARY = "Canaria-Zzyzx"


def _samples(client):
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    families = text_string_to_metric_families(answer.text)
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def test_requests_are_counted_by_route_template_and_status(client):
    client.get(f"/api/v1/people/{ADULT}")
    client.get(f"/api/v1/people/{ADULT}")
    client.get("/api/v1/nowhere")
    found = _samples(client)
    by_route = {
        dict(labels)["route"] + " " + dict(labels)["status"]: value
        for (name, labels), value in found.items()
        if name == "chw_http_requests_total"
    }
    assert by_route["/api/v1/people/{person_id} 200"] == 2
    assert by_route["- 404"] == 1
    count = ("chw_http_request_seconds_count", (("method", "GET"), ("route", "-")))
    assert found[count] == 1


def test_a_failure_is_counted_by_its_kind(client, acts):
    def crash(**_):
        raise RuntimeError(CANARY)

    acts.show_person = crash
    client.get(f"/api/v1/people/{ADULT}")
    labels = (("kind", "RuntimeError"), ("route", "/api/v1/people/{person_id}"))
    assert _samples(client)["chw_http_failures_total", labels] == 1


def test_what_the_store_holds_is_told(client):
    found = _samples(client)
    assert found["chw_records", (("table", "people"),)] == 2
    assert found["chw_planned_visits", ()] == 1
    assert found["chw_up", ()] == 1
    labels = (
        ("model", "invented 1"),
        ("outcome", "hospital_admission_180d"),
        ("state", "estimated"),
    )
    assert found["chw_scores", labels] == 1


def test_ages_are_counted_from_today():
    metrics = Metrics(
        lambda: Census(planned_on=LIST_DAY, last_recorded_on=LIST_DAY),
        lambda: LIST_DAY.replace(day=9),
    )
    text = metrics.write().decode()
    assert "chw_plan_age_days 4.0" in text
    assert "chw_data_age_days 4.0" in text


def test_an_empty_store_has_no_ages():
    text = Metrics(Census, lambda: LIST_DAY).write().decode()
    assert "chw_up 1.0" in text
    assert "_age_days" not in text


def test_a_store_that_does_not_answer_is_told_as_down():
    def broken():
        raise StoreUnavailable("The database did not answer.")

    text = Metrics(broken, lambda: LIST_DAY).write().decode()
    assert "chw_up 0.0" in text
    assert "chw_records" not in text


def test_a_store_that_does_not_answer_is_alive_and_not_ready(acts):
    class Down(FakeActs):
        @property
        def population(self):
            raise StoreUnavailable("The database did not answer.", cure="See whether it runs.")

        @population.setter
        def population(self, value):
            pass

    from starlette.testclient import TestClient

    client = TestClient(
        build_app(Down()), base_url="http://127.0.0.1:8000", client=("127.0.0.1", 50000)
    )
    assert client.get("/healthz").status_code == 200
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["cure"] == "See whether it runs."


def test_the_census_is_taken_once_in_a_while():
    taken = []
    metrics = Metrics(lambda: taken.append(1) or Census(), lambda: LIST_DAY)
    for _ in range(5):
        metrics.write()
    assert len(taken) == 1


def test_every_declared_series_and_no_other_is_served(client, acts):
    acts.show_person = lambda **_: 1 / 0
    client.get(f"/people/{ADULT}")
    text = client.get("/metrics").text
    served = {name for name in re.findall(r"# TYPE (\S+) ", text) if "_created" not in name}
    assert served == {metric.name for metric in METRICS}


@pytest.mark.parametrize("header", ["Amina", "00c0ffee; drop", "x" * 500, "00C0FFEE"])
def test_a_request_id_that_could_hold_a_value_is_not_taken(client, header):
    given = client.get("/healthz", headers={"x-request-id": header}).headers["x-request-id"]
    assert re.fullmatch(r"[0-9a-f]{16}", given)


def test_a_request_id_of_digits_is_kept_in_answer_and_log(client, caplog):
    caplog.set_level(logging.INFO, logger="chw_tools.access")
    answer = client.get("/healthz", headers={"x-request-id": "00c0ffee"})
    assert answer.headers["x-request-id"] == "00c0ffee"
    assert caplog.records[-1].request_id == "00c0ffee"


def test_no_canary_gets_into_logs_or_metrics(client, acts, caplog):
    """Values sent in every place that a request has, on routes that work, fail and refuse."""
    caplog.set_level(logging.DEBUG)
    for path in (f"/people/{CANARY}", f"/{CANARY}", f"/api/v1/day?worker_id={CANARY}"):
        client.get(path, headers={"user-agent": CANARY, "referer": CANARY, "cookie": CANARY})
    client.request(CANARY.upper().replace("-", ""), "/healthz")
    client.post("/api/v1/people/search", json={"text": CANARY})
    client.post("/api/v1/people/search", json={CANARY: CANARY})
    client.post("/api/v1/visits", json={"person_id": ADULT, "note": CANARY})
    client.post(f"/api/v1/people/{ADULT}/died", content=CANARY)

    def crash(**_):
        raise ValueError(CANARY)

    acts.show_day = crash
    client.get(f"/api/v1/day?worker_id={WORKER}")
    lines = [AllowedOnly().format(record) for record in caplog.records]
    told = "\n".join(lines) + client.get("/metrics").text
    assert len(lines) >= 8
    assert CANARY.lower() not in told.lower()
    assert CANARY.replace("-", "").lower() not in told.lower()


def test_the_docs_say_every_series():
    page = (Path(__file__).parents[3] / "docs/monitoring.md").read_text(encoding="utf-8")
    for one in METRICS:
        labels = ", ".join(one.labels) or "–"
        assert f"| `{one.name}` | {one.kind} | {labels} | {one.meaning} |" in page
