"""The inbox on both databases: whatever people write, it ends in a state that somebody sees."""

from __future__ import annotations

import itertools
import random
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from chw_tools.outreach.messages import Message
from chw_tools.outreach.templates import render
from chw_tools.outreach.wire import Handed, InboundNews
from chw_tools.programme.outreach import load_outreach
from chw_tools.programme.templates import Templates, load_templates
from chw_tools.programme.words import Words, load_words
from chw_tools.store import Store, open_store
from chw_tools.store.inbox import Inbox
from chw_tools.store.outbox import Answer, Desk, Outbox
from chw_tools.store.tables import WORK

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

#: A Wednesday, noon in Nairobi.
NOON = datetime(2026, 3, 4, 9, tzinfo=UTC)
ADA, BEN = "+254712000001", "+254712000002"


@cache
def words() -> Words:
    return load_words()


@cache
def templates() -> Templates:
    return load_templates()


def fill(message: Message, language: str) -> Any:
    return render(
        templates(),
        message.template,
        message.template_version,
        language=language,
        variables=message.variables,
        words=words(),
    )


def inbox_of(store: Store) -> Inbox:
    return Inbox(store, words(), templates(), "KE")


@pytest.fixture
def inbox(any_store: Store, rows: Any) -> Inbox:
    """Ada alone on a number; Ben and Cat share another; everybody agreed to messages."""
    return filled(any_store, rows)


def filled(store: Store, rows: Any) -> Inbox:
    people = rows(
        "people",
        ada={"phone": "0712 000-001", "born_on": pd.Timestamp("1990-05-01")},
        ben={"phone": "٠٧١٢٠٠٠٠٠٢", "born_on": pd.Timestamp("1985-05-01")},
        cat={"phone": "+254 712 000 002", "born_on": pd.Timestamp("2001-05-01")},
        dan={"phone": "0712000001", "died_on": pd.Timestamp("2025-01-01")},
    )
    store.save("people", people)
    given = {"purpose": "outreach", "decision": "given", "channel": None}
    ids = dict(zip(("ada", "ben", "cat"), people["id"], strict=False))
    given |= {"decided_on": pd.Timestamp("2026-01-01")}
    consents = {name: {**given, "person_id": key} for name, key in ids.items()}
    store.save("consents", rows("consents", **consents))
    return inbox_of(store)


def said(text: str, number: str = ADA, at: int = 0, key: str | None = None) -> InboundNews:
    moment = NOON + timedelta(minutes=at)
    return InboundNews("twilio", key or f"{number}:{at}:{text}", "sms", number, text, moment)


def prompt(store: Store, person_id: str, number: str, *, at: datetime) -> str:
    """A question that was asked of somebody and delivered; its key."""
    outbox = Outbox(store, Desk(load_outreach(), fill, "w", {"sms": "twilio"}))
    message = Message(
        dedupe_key=f"{person_id}:{at}",
        person_id=person_id,
        purpose="outreach",
        step="ask",
        channel="sms",
        template="check_in",
        number=number,
        due_at=at,
        not_after=at + timedelta(days=1),
    )
    [planned] = outbox.plan([message], now=at)
    outbox.wake(now=at)
    claims = outbox.hand_over(outbox.claim("sms", now=at, limit=9).claims, now=at).claims
    assert [claim.message.id for claim in claims] == [planned.id]
    outbox.finish([Answer(claims[0], Handed("accepted", planned.id), "twilio")], now=at)
    return planned.id


def table(inbox: Inbox, name: str) -> list[dict[str, Any]]:
    with inbox.store.working() as connection:
        return [dict(row._mapping) for row in connection.execute(WORK[name].select())]


def letters(inbox: Inbox) -> dict[str, tuple[str, str]]:
    return {one.text: (one.state, one.reason) for one in inbox.letters()}


def replies(inbox: Inbox) -> list[str]:
    return sorted(row["template"] for row in table(inbox, "messages") if "reply" in row["step"])


def stopped(inbox: Inbox, number: str = ADA) -> bool:
    return any(
        row["number"] == number and bool(row["is_opted_out"])
        for row in table(inbox, "contact_points")
    )


def decisions(inbox: Inbox, who: str) -> list[str]:
    consents = inbox.store.load_register(tables=["consents"]).consents
    return consents[consents["person_id"] == who]["decision"].tolist()


LATER = NOON + timedelta(hours=5)


def test_stop_stops_the_number_and_takes_back_the_consent(
    inbox: Inbox, key: Callable[[str, str], str]
) -> None:
    assert inbox.receive([said("STOP")], now=NOON) == 1
    assert inbox.read_all(now=LATER) == {"opted_out": 1}
    assert stopped(inbox)
    assert sorted(decisions(inbox, key("people", "ada"))) == ["given", "withdrawn"]
    assert replies(inbox) == ["stopped"]
    [letter] = inbox.letters()
    assert (letter.person_id, letter.number) == (key("people", "ada"), ADA)
    assert ADA not in repr(letter)


def test_the_confirmation_of_stop_goes_out_and_nothing_else(inbox: Inbox) -> None:
    inbox.receive([said("STOP")], now=NOON)
    inbox.read_all(now=NOON)
    outbox = Outbox(inbox.store, Desk(load_outreach(), fill, "w", {"sms": "twilio"}))
    outbox.wake(now=NOON)
    [claim] = outbox.claim("sms", now=NOON, limit=9).claims
    assert claim.text.text.startswith("Health programme: you will get no more messages.")
    assert len(outbox.hand_over([claim], now=NOON).claims) == 1


def test_start_gives_back_what_stop_took(inbox: Inbox, key: Callable[[str, str], str]) -> None:
    inbox.receive([said("STOP"), said("START", at=5)], now=LATER)
    inbox.read_all(now=LATER)
    assert not stopped(inbox)
    assert decisions(inbox, key("people", "ada"))[-1] in ("given", "withdrawn")
    newest = inbox.store.load_register(tables=["consents"]).consents
    own = newest[newest["person_id"] == key("people", "ada")]
    assert sorted(own["wording_version"].dropna()) in ([], ["reply:START", "reply:STOP"])


def test_start_is_no_first_consent(inbox: Inbox, rows: Any, key: Callable[[str, str], str]) -> None:
    eve = rows("people", eve={"phone": "0712000009"})
    inbox.store.save("people", eve)
    inbox.receive([said("START", "+254712000009")], now=NOON)
    assert inbox.read_all(now=NOON) == {"opted_in": 1}
    assert decisions(inbox, key("people", "eve")) == []


def test_stop_on_a_shared_number_stops_it_for_all(
    inbox: Inbox, key: Callable[[str, str], str]
) -> None:
    inbox.receive([said("বন্ধ", BEN)], now=NOON)
    inbox.read_all(now=NOON)
    assert stopped(inbox, BEN)
    for who in ("ben", "cat"):
        assert decisions(inbox, key("people", who)) == ["given"]
    assert replies(inbox) == ["stopped"]


def test_an_answer_finds_its_question(inbox: Inbox, key: Callable[[str, str], str]) -> None:
    asked = prompt(inbox.store, key("people", "ada"), ADA, at=NOON)
    inbox.receive([said("١", at=30)], now=LATER)
    assert inbox.read_all(now=LATER) == {"answered": 1}
    [row] = table(inbox, "inbound_messages")
    assert (str(row["answers_id"]), row["reason"]) == (asked, "well")
    assert str(row["person_id"]) == key("people", "ada")
    assert replies(inbox) == ["well_heard"]
    assert table(inbox, "tasks") == []


def test_an_answer_from_before_the_question_is_none(
    inbox: Inbox, key: Callable[[str, str], str]
) -> None:
    prompt(inbox.store, key("people", "ada"), ADA, at=NOON)
    inbox.receive([said("1", at=-10), said("1", at=60 * 24 * 4)], now=NOON + timedelta(days=5))
    inbox.read_all(now=NOON + timedelta(days=5))
    assert {row["reason"] for row in table(inbox, "inbound_messages")} == {"nothing_asked"}


def test_two_and_danger_raise_a_task_now(inbox: Inbox, key: Callable[[str, str], str]) -> None:
    prompt(inbox.store, key("people", "ada"), ADA, at=NOON)
    inbox.receive([said("2", at=1), said("२", at=2), said("she is bleeding", at=3)], now=LATER)
    assert inbox.read_all(now=LATER) == {"flagged": 3}
    tasks = {(row["kind"], row["urgency"], row["reason"]) for row in table(inbox, "tasks")}
    assert tasks == {("red_flag", "same_day", "unwell"), ("red_flag", "emergency", "danger")}
    assert len(table(inbox, "tasks")) == 2


def test_whom_it_is_about_is_asked_once(inbox: Inbox, key: Callable[[str, str], str]) -> None:
    prompt(inbox.store, key("people", "ben"), BEN, at=NOON)
    asked = prompt(inbox.store, key("people", "cat"), BEN, at=NOON + timedelta(days=1))
    now = NOON + timedelta(days=1, hours=2)
    day = 60 * 24
    inbox.receive([said("1", BEN, at=day + 10)], now=now)
    assert inbox.read_all(now=now) == {"asked_who": 1}
    assert replies(inbox) == ["who"]
    inbox.receive([said("٢٠٠١", BEN, at=day + 20)], now=now)
    assert inbox.read_all(now=now) == {"answered": 1}
    rows_ = table(inbox, "inbound_messages")
    assert {row["state"] for row in rows_} == {"answered"}
    assert {str(row["person_id"]) for row in rows_} == {key("people", "cat")}
    assert {str(row["answers_id"]) for row in rows_} == {asked}
    inbox.receive([said("sawa", BEN, at=day + 30)], now=now)
    assert inbox.read_all(now=now) == {"to_a_human": 1}


def test_everything_else_is_a_human_s(inbox: Inbox) -> None:
    inbox.receive(
        [
            said("can you come on Friday?"),
            said("x" * 5000, at=1),
            said("", at=2),
            said("hello\x00\ud800", "+254799999999", at=3),
            said("offer!", "SAFARICOM", at=4),
        ],
        now=LATER,
    )
    assert inbox.read_all(now=LATER) == {"to_a_human": 5}
    reasons = sorted(row["reason"] for row in table(inbox, "inbound_messages"))
    assert reasons == ["empty", "free_text", "oversized", "unknown_number", "unknown_number"]
    assert len(table(inbox, "tasks")) == 5
    assert replies(inbox) == []
    assert inbox.status().by_state == {"to_a_human": 5}
    assert inbox.letters(state="answered") == []


def test_a_loop_ends_in_silence(inbox: Inbox) -> None:
    inbox.receive([said("auto-reply: I am away", at=at) for at in range(8)], now=LATER)
    assert inbox.read_all(now=LATER) == {"to_a_human": 3, "looping": 5}
    assert len(table(inbox, "tasks")) == 1
    inbox.receive([said("HELP", at=20 + at) for at in range(8)], now=LATER)
    assert inbox.read_all(now=LATER) == {"helped": 3, "looping": 5}
    assert replies(inbox) == ["helped"] * 3


def test_a_replay_changes_nothing(inbox: Inbox, key: Callable[[str, str], str]) -> None:
    news = [said("STOP"), said("hello", at=1)]
    assert inbox.receive(news, now=NOON) == 2
    inbox.read_all(now=NOON)
    before = [table(inbox, name) for name in ("inbound_messages", "tasks", "messages")]
    assert inbox.receive(news * 3, now=LATER) == 0
    assert inbox.read_all(now=LATER) == {}
    assert [table(inbox, name) for name in ("inbound_messages", "tasks", "messages")] == before


def test_a_clock_ahead_is_cut_to_now(inbox: Inbox) -> None:
    inbox.receive([said("hello", at=60 * 24 * 365)], now=NOON)
    assert inbox.letters()[0].received_at == NOON


def outcome(inbox: Inbox) -> tuple[Any, ...]:
    """What is left of it all, without keys and the instants of working."""
    consents = inbox.store.load_register(tables=["consents"]).consents
    return (
        sorted(
            (row["text"], row["state"], str(row["person_id"]))
            for row in table(inbox, "inbound_messages")
        ),
        sorted(
            (row["number"], bool(row["is_opted_out"])) for row in table(inbox, "contact_points")
        ),
        sorted((row["kind"], row["urgency"], row["reason"]) for row in table(inbox, "tasks")),
        consents.groupby("person_id")["decision"].last().to_dict(),
    )


NEWS = (
    said("STOP", at=0),
    said("START", at=10),
    said("STOP", at=20, key="again"),
    said("natokwa damu", at=30),
    said("2", at=40),
    said("come on Friday", at=50),
    said("STOP", BEN, at=0),
    said("START", BEN, at=1),
    said("HELP", BEN, at=2),
)


def test_any_order_and_any_repetition_ends_the_same(tmp_path: Any, rows: Any) -> None:
    ends = set()
    for seed in range(12):
        draw = random.Random(seed)
        shuffled: list[InboundNews] = [*NEWS, *draw.sample(NEWS, 4)]
        draw.shuffle(shuffled)
        cuts = sorted(draw.sample(range(len(shuffled)), 3))
        with open_store(f"sqlite:///{tmp_path / f'{seed}.db'}") as store:
            inbox = filled(store, rows)
            for part in parts(shuffled, cuts):
                inbox.receive(part, now=LATER)
                inbox.read_all(now=LATER)
            ends.add(repr(outcome(inbox)))
    assert len(ends) == 1


def parts(news: Sequence[InboundNews], cuts: Sequence[int]) -> list[Sequence[InboundNews]]:
    edges = [0, *cuts, len(news)]
    return [news[low:high] for low, high in itertools.pairwise(edges)]


def test_a_provider_s_own_opt_out_counts_by_its_instant(inbox: Inbox) -> None:
    outbox = Outbox(inbox.store, Desk(load_outreach(), fill, "w", {"sms": "twilio"}))
    outbox.stop_number(ADA, now=NOON + timedelta(minutes=10))
    inbox.receive([said("START", at=5)], now=LATER)
    inbox.read_all(now=LATER)
    assert stopped(inbox)
    inbox.receive([said("START", at=15)], now=LATER)
    inbox.read_all(now=LATER)
    assert not stopped(inbox)


def test_of_one_instant_stop_counts(inbox: Inbox) -> None:
    inbox.receive([said("START", key="a"), said("STOP", key="b")], now=LATER)
    inbox.read_all(now=LATER)
    assert stopped(inbox)


def test_what_a_crash_left_of_a_consent_is_written_the_next_time(
    inbox: Inbox, key: Callable[[str, str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox.receive([said("STOP")], now=NOON)
    with monkeypatch.context() as patch:
        patch.setattr(Inbox, "settle_consents", lambda *_, **__: 0)
        inbox.read_all(now=NOON)
    # The number is stopped already; the consent waits, and is told to.
    assert stopped(inbox)
    assert decisions(inbox, key("people", "ada")) == ["given"]
    assert inbox.letters()[0].reason == "stop_consent_due"
    inbox.read_all(now=LATER)
    assert decisions(inbox, key("people", "ada"))[-1] == "withdrawn"
    assert inbox.letters()[0].reason == "stop"
    assert inbox.settle_consents(now=LATER) == 0


def test_an_e_mail_is_read_and_answered_by_nobody(inbox: Inbox) -> None:
    mail = InboundNews("x", "1", "email", "ada@mail.example", "STOP", NOON)
    inbox.receive([mail], now=NOON)
    assert inbox.read_all(now=NOON) == {"opted_out": 1}
    assert stopped(inbox, "ada@mail.example")
    assert replies(inbox) == []
