"""Longer plans over HTTP: started, followed, read when kept; what is wrong is said."""

from __future__ import annotations

import threading
import time

import pytest

from chw_tools.api.jobs import MOST_WAITING, Jobs
from chw_tools.errors import Conflict, NotFound
from chw_tools.records import new_id


def until_over(client, job_id):
    for _ in range(500):
        job = client.get(f"/api/v1/planning/jobs/{job_id}").json()
        if job["state"] in ("done", "failed"):
            return job
        time.sleep(0.01)
    raise AssertionError("the job never ended")


def test_a_plan_is_started_followed_and_read(client):
    begun = client.post("/api/v1/planning", json={"kind": "week", "days": 3, "seconds": 5})
    assert begun.status_code == 202

    job = until_over(client, begun.json()["job_id"])
    assert (job["state"], job["what"], job["done"], job["total"]) == ("done", "weeks planned", 1, 2)
    kept = client.get(f"/api/v1/planning/{job['run_id']}").json()
    assert kept["kind"] == "week"
    assert [run["run_id"] for run in client.get("/api/v1/planning").json()] == [job["run_id"]]
    assert client.get("/api/v1/planning", params={"kind": "posts"}).json() == []


def test_what_was_wrong_is_told_by_the_job(client):
    begun = client.post("/api/v1/planning", json={"kind": "needs"}).json()

    job = until_over(client, begun["job_id"])
    assert job["state"] == "failed"
    assert job["error"]["error"] == "NothingToRead"
    assert job["error"]["cure"] == "Ingest records first."


@pytest.mark.parametrize(
    ("sent", "where"),
    [
        ({"kind": "needs", "days": 3}, "days"),
        ({"kind": "week", "policies": ["risk"]}, "policies"),
        ({"kind": "week", "floors": ["nobody:1:1"]}, "floor"),
        ({"kind": "what_if"}, "changes"),
        ({"kind": "what_if", "changes": ["luck=+1"]}, ""),
        ({"kind": "week", "seconds": 0}, "body.seconds"),
        ({"kind": "party"}, "body.kind"),
    ],
)
def test_what_a_kind_does_not_take_is_refused_at_once(client, acts, sent, where):
    answer = client.post("/api/v1/planning", json=sent)

    assert answer.status_code == 422
    assert where in answer.json()["where"]
    assert not acts.runs


def test_what_is_not_there(client):
    assert client.get(f"/api/v1/planning/jobs/{new_id()}").status_code == 404
    assert client.get(f"/api/v1/planning/{new_id()}").status_code == 404


def test_stock_is_sent_as_rows(client):
    batch = {"place_id": "depot", "item": "ors", "quantity": 10, "expires_on": "2026-05-01"}
    sent = {"kind": "supplies", "stock": [batch], "depots": ["depot"]}
    job = until_over(client, client.post("/api/v1/planning", json=sent).json()["job_id"])

    assert job["state"] == "done"


def test_one_at_a_time_and_no_more_than_may_wait():
    jobs, go, running = Jobs(), threading.Event(), []

    def act(progress):
        running.append(1)
        go.wait(10)
        return new_id()

    begun = [jobs.start("week", act) for _ in range(MOST_WAITING + 1)]
    with pytest.raises(Conflict, match="wait already"):
        jobs.start("week", act)
    while not running:
        time.sleep(0.01)
    assert len(running) == 1
    assert jobs.find(begun[0].job_id).state == "running"
    assert jobs.find(begun[1].job_id).state == "waiting"
    go.set()
    jobs.close()


def test_an_unexpected_end_says_nothing_of_what_happened_and_the_next_job_runs():
    jobs = Jobs()

    def broken(progress):
        raise RuntimeError("a name")

    lost = jobs.start("week", broken)
    good = jobs.start("week", lambda progress: "key")
    while jobs.find(good.job_id).state != "done":
        time.sleep(0.01)
    assert jobs.find(lost.job_id).state == "failed"
    assert "a name" not in str(jobs.find(lost.job_id).error)
    with pytest.raises(NotFound):
        jobs.find(new_id())
    jobs.close()
