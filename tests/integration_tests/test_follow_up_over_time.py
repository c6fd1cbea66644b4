"""Sixty days of a small simulated programme: sent, silent, called, visited, gone; and legal."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from chw_tools.data_processing import as_known_on
from chw_tools.monitoring import Evidence
from chw_tools.outreach.machines import ENROLMENT
from chw_tools.outreach.tasks import OPEN
from chw_tools.outreach.wire import Handed
from chw_tools.programme import load_programme
from chw_tools.programme.templates import load_templates
from chw_tools.records import TABLES, conform, new_id
from chw_tools.store import open_store
from chw_tools.store.casebook import Casebook
from chw_tools.store.outbox import Answer, Desk, Outbox
from chw_tools.workflows.calls import record_outcome, show_calls
from chw_tools.workflows.monitor import follow_up

PROGRAMME = load_programme()
TEMPLATES = load_templates().templates
#: What calls come to here, and how often.
OUTCOMES = {
    "not_reachable": 0.4,
    "agreed": 0.15,
    "call_later": 0.15,
    "visited_elsewhere": 0.1,
    "refused": 0.1,
    "moved": 0.05,
    "died": 0.05,
}


@pytest.fixture(scope="module")
def lived(small_register):
    """The store after sixty days, looked at every fifth day."""
    rng = np.random.default_rng(5)
    people = small_register.people["id"].head(70).tolist()
    register = small_register.of_people(people)
    store = open_store("sqlite://")
    store.set_population("simulated")
    last = small_register.visits["known_on"].max()
    phones = [f"+999{n:08d}" for n in range(len(register.people))]
    with store.transaction():
        for name, table in register.tables():
            store.save(name, table.assign(phone=phones) if name == "people" else table)
        store.save("consents", _consents(register.people, last))
    cases, outbox = Casebook(store), Outbox(store, Desk(PROGRAMME.outreach, render=_render))
    for days in range(-60, 1, 5):
        on = last + pd.Timedelta(days=days)
        _day(store, cases, outbox, on, rng)
    _run(store, cases, outbox, last, 20)
    yield store, cases, outbox, last
    store.close()


def _consents(people, last):
    rows = people[["id"]].rename(columns={"id": "person_id"}).iloc[::2]
    return conform(
        TABLES["consents"],
        rows.assign(
            id=[new_id() for _ in range(len(rows))],
            purpose="outreach",
            decision="given",
            decided_on=last - pd.Timedelta(days=200),
            known_on=last - pd.Timedelta(days=200),
            source="test",
        ),
    )


def _render(_message, _language):
    return SimpleNamespace(text="text", language="en", segments=1, faults=())


def _now(on, hour):
    return (on + pd.Timedelta(hours=hour)).tz_localize("UTC").to_pydatetime()


def _run(store, cases, outbox, on, hour):
    now = _now(on, hour)
    messages, inbound = cases.heard(since=now - timedelta(days=60))
    known = as_known_on(store.load_register(), on)
    return follow_up(
        Evidence(known, on, messages=messages, inbound=inbound),
        programme=PROGRAMME,
        templates=TEMPLATES,
        cases=cases,
        outbox=outbox,
        now=now,
    )


def _day(store, cases, outbox, on, rng):
    _run(store, cases, outbox, on, 5)
    outbox.wake(now=_now(on, 9))
    claims = outbox.claim("sms", now=_now(on, 9), limit=50).claims
    begun = outbox.hand_over(claims, now=_now(on, 9)).claims
    outbox.finish([_answer(claim, rng) for claim in begun], now=_now(on, 9))
    for row in show_calls(store=store, cases=cases, programme=PROGRAMME, today=on.date()).rows[:4]:
        record_outcome(
            store=store,
            cases=cases,
            outbox=outbox,
            task_id=row.task_id,
            outcome=str(rng.choice(list(OUTCOMES), p=list(OUTCOMES.values()))),
            on=on.date(),
            today=on.date(),
            now=_now(on, 12),
            country=PROGRAMME.country,
        )


def _answer(claim, rng):
    ending = str(rng.choice(["accepted", "permanent"], p=[0.8, 0.2]))
    return Answer(claim, Handed(ending, provider_id=new_id()), "test")


def test_all_of_it_happened(lived):
    _, cases, _, _ = lived
    follow_ups, enrolments = cases.follow_ups(), cases.load("enrolments")
    assert "closed" in set(follow_ups["state"])
    assert set(enrolments["state"]) - {"active"}, set(enrolments["state"])
    assert set(cases.load("tasks")["kind"]) >= {"visit"}
    assert len(cases.load("messages")) > 0


def test_every_state_is_one_of_its_machine_and_no_follow_up_closed_without_an_outcome(lived):
    _, cases, _, _ = lived
    assert set(cases.load("enrolments")["state"]) <= set(ENROLMENT.moves)
    closed = cases.follow_ups(state="closed")
    assert closed["outcome"].notna().all()
    assert closed["closed_on"].notna().all()


def test_nothing_waits_to_be_said_or_done_after_an_end(lived):
    _, cases, _, _ = lived
    enrolments = cases.load("enrolments")
    ended = set(enrolments.loc[enrolments["state"].isin(ENROLMENT.ends), "id"])
    messages, tasks = cases.load("messages"), cases.load("tasks")
    waiting = messages[messages["state"].isin(["planned", "due", "retry_wait"])]
    assert ended.isdisjoint(waiting["enrolment_id"])
    assert ended.isdisjoint(tasks.loc[tasks["state"].isin(OPEN), "enrolment_id"])


def test_nobody_who_is_gone_or_refused_is_still_followed(lived):
    store, cases, _, last = lived
    known = as_known_on(store.load_register(), last).people
    here = set(known.loc[known["died_on"].isna() & known["moved_on"].isna(), "id"])
    assert set(cases.follow_ups(state="open")["person_id"]) <= here
    assert set(cases.tasks()["person_id"]) <= here


def test_one_more_look_changes_nothing(lived):
    store, cases, outbox, last = lived
    assert _run(store, cases, outbox, last, 20).is_nothing
