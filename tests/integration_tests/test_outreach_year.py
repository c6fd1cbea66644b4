"""A small made-up year: nobody is written to who must not be, by a witness of its own."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from chw_tools.outreach import gates
from chw_tools.programme.outreach import load_outreach
from chw_tools.store import open_store
from chw_tools.testing.outreach_witness import Event, Witness
from chw_tools.testing.outreach_year import Year

NAIROBI = ZoneInfo("Africa/Nairobi")


def _year(**how):
    with open_store("sqlite://") as store:
        return Year(store, load_outreach(), hours=(0, 8, 9, 13, 17, 18), **how).run()


def test_nobody_is_written_to_who_must_not_be():
    told = _year(people=300, days=24)
    assert told.faults == {}
    assert told.n_calls > 200
    assert {"died", "moved", "merged", "withdrew", "stopped", "started", "visited"} <= set(
        told.events
    )
    ended = told.states.get("suppressed", 0) + told.states.get("expired", 0)
    assert told.n_calls + ended + told.states.get("planned", 0) == told.n_messages


@pytest.mark.parametrize(
    ("gate", "fault"),
    [
        ("G2", "sent without consent"),
        ("G3", "sent after STOP"),
        ("G4", "sent though moved"),
        ("G5", "sent though visited"),
        ("G7", "sent on a Sunday"),
        ("G8", "two in a day"),
    ],
)
def test_the_witness_sees_what_a_missing_gate_lets_out(monkeypatch, gate, fault):
    monkeypatch.setitem(gates.GATES, gate, lambda message, facts, policy, now: None)
    assert fault in _year(people=160, days=16).faults


def _witness(n=2):
    return Witness(["given"] * n, [f"+2547{at:08d}" for at in range(n)], NAIROBI)


def test_the_witness_forgives_who_changed_their_mind():
    witness, at = _witness(), datetime(2026, 1, 5, 9, tzinfo=UTC)
    for what in ("withdrew", "agreed", "stopped", "started"):
        witness.note(Event(at, what, 0))
    witness.judge(0, date(2026, 1, 5), "on_the_day", at)
    assert witness.faults == {}
    witness.note(Event(at, "stopped", 0))
    witness.judge(0, date(2026, 1, 5), "on_the_day", at + timedelta(days=1))
    assert set(witness.faults) == {"sent after STOP"}


def test_consent_of_two_entries_of_one_person_is_the_last_decision():
    witness, at = _witness(), datetime(2026, 1, 5, 9, tzinfo=UTC)
    witness.note(Event(at, "merged", 1))
    witness.note(Event(at, "withdrew", 1))
    assert not witness.consents(0)
    witness.note(Event(at, "agreed", 0))
    assert witness.consents(0)


def test_the_same_seed_is_the_same_year():
    policy = load_outreach()
    with open_store("sqlite://") as one, open_store("sqlite://") as other:
        first, second = (
            Year(store, policy, people=40, days=14, hours=(10, 15)).run() for store in (one, other)
        )
    assert first.events == second.events
    assert first.states == second.states
