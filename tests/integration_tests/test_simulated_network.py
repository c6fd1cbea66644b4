"""A day with the simulated network: everything that was sent comes back as something known."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from chw_tools.messaging.simulated import Habits, SimulatedNetwork
from chw_tools.outreach.filling import Filler
from chw_tools.outreach.messages import Message
from chw_tools.programme.outreach import load_outreach
from chw_tools.programme.templates import load_templates
from chw_tools.programme.words import load_words
from chw_tools.store.inbox import Inbox
from chw_tools.store.outbox import Desk, Outbox
from chw_tools.store.tables import WORK
from chw_tools.workflows.replies import collect_news, read_replies
from chw_tools.workflows.sending import Sender, send_due, settle_unknown

if TYPE_CHECKING:
    from chw_tools.store import Store

#: A Wednesday, noon in Nairobi.
NOON = datetime(2026, 3, 4, 9, tzinfo=UTC)
PEOPLE = 120


def phone(at: int) -> str:
    return f"+99955{at:08d}"


@pytest.fixture
def outbox(any_store: Store, rows: Any) -> Outbox:
    """Many people who agreed, each asked how they are."""
    names = [f"p{at}" for at in range(PEOPLE)]
    people = rows("people", **{name: {"phone": phone(at)} for at, name in enumerate(names)})
    any_store.save("people", people)
    given = {"purpose": "outreach", "decision": "given", "channel": None}
    given |= {"decided_on": pd.Timestamp("2026-01-01")}
    consents = {
        name: {**given, "person_id": key} for name, key in zip(names, people["id"], strict=True)
    }
    any_store.save("consents", rows("consents", **consents))
    filler = Filler(load_templates(), load_words())
    outbox = Outbox(any_store, Desk(load_outreach(), filler, "worker", {"sms": "simulated"}))
    outbox.plan([ask(key, at) for at, key in enumerate(people["id"])], now=NOON)
    return outbox


def ask(person_id: str, at: int) -> Message:
    return Message(
        dedupe_key=f"{person_id}:ask",
        person_id=person_id,
        purpose="outreach",
        step="ask",
        channel="sms",
        template="check_in",
        number=phone(at),
        due_at=NOON,
        not_after=NOON + timedelta(days=1),
    )


def table(store: Store, name: str) -> list[dict[str, Any]]:
    with store.working() as connection:
        return [dict(row._mapping) for row in connection.execute(WORK[name].select())]


def test_a_day_of_questions_and_answers(outbox: Outbox) -> None:
    now = [NOON]
    habits = Habits(wrong_number=0.05, opted_out=0.05, busy=0.1, lost_answer=0.1, stops=0.2)
    network = SimulatedNetwork(5, clock=lambda: now[0], habits=habits)
    store = outbox.store
    inbox = Inbox(store, load_words(), load_templates(), "KE")
    sender = Sender(outbox, store, {"sms": network}, load_outreach(), lambda: now[0])
    read: Counter[str] = Counter()
    for _ in range(26):
        collect_news(gateways=[network], outbox=outbox, inbox=inbox, now=now[0])
        read.update(read_replies(inbox=inbox, now=now[0]))
        send_due(sender)
        settle_unknown(sender)
        now[0] += timedelta(minutes=45)

    asked = [row for row in table(store, "messages") if row["step"] == "ask"]
    states = Counter(row["state"] for row in asked)
    assert sum(states.values()) == PEOPLE
    assert set(states) <= {"accepted", "sent", "delivered", "failed", "suppressed"}
    # A message is taken once: so many texts as references, and none of them twice.
    taken = [one for one in network.taken.values() if one.template == "check_in"]
    assert len({one.number for one in taken}) == len(taken)

    # Each answer ended as what it says, at the person who was asked.
    wrote = Counter(row["text"] for row in table(store, "inbound_messages"))
    assert read["answered"] == wrote["1"] > 0
    assert read["flagged"] == wrote["2"] > 0
    assert read["opted_out"] == wrote["STOP"] > 0
    by_number = {row["number"]: str(row["person_id"]) for row in asked}
    for row in table(store, "inbound_messages"):
        assert str(row["person_id"]) == by_number[row["number"]]
    red = [one for one in table(store, "tasks") if one["kind"] == "red_flag"]
    # People answer replies too; a second "2" to the same question asks for nothing new.
    unwell = {row["number"] for row in table(store, "inbound_messages") if row["text"] == "2"}
    assert len(red) == len(unwell)

    # Whoever said STOP, here or at the provider, has no consent left and a stopped number.
    gone = {row["number"] for row in table(store, "contact_points") if row["is_opted_out"]}
    said_stop = {r["number"] for r in table(store, "inbound_messages") if r["text"] == "STOP"}
    assert said_stop <= gone
    consents = store.load_register(tables=["consents"]).consents
    newest = consents.groupby("person_id")["decision"].last()
    assert {by_number[number] for number in gone} == set(newest[newest == "withdrawn"].index)
