"""A store full of planned messages, and gateways that only take note: for tests of the outbox."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Literal

import pandas as pd

from chw_tools.outreach.messages import Message, dedupe_key
from chw_tools.outreach.wire import Handed, Outgoing
from chw_tools.programme.outreach import ChannelLimits, Outreach, load_outreach
from chw_tools.records import TABLES, Source, conform, derived_ids
from chw_tools.store.connection import insert_rows
from chw_tools.store.instants import as_text
from chw_tools.store.outbox import Desk, Outbox
from chw_tools.store.tables import WORK

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from chw_tools.store import Store

_SOURCE = Source("made-up", first_seen_ms=1_700_000_000_000)


@dataclass(frozen=True)
class PlainText:
    """The same few words for everybody."""

    text: str = "Please come to the clinic."
    language: str = "en"
    segments: int = 1
    faults: tuple[str, ...] = ()


def fill_plainly(message: Message, language: str) -> PlainText:
    """A text for any template."""
    return PlainText(language=language or "en")


def open_all_hours(policy: Outreach | None = None, **leases: float) -> Outreach:
    """The programme's decisions without quiet hours and limits, as a machine's test wants them."""
    policy = policy or load_outreach()
    hours = replace(policy.quiet_hours, opens=time(0), closes=time.max, closed_weekdays=frozenset())
    free = dict.fromkeys(policy.channels, ChannelLimits(0, 0))
    return replace(
        policy, quiet_hours=hours, channels=free, leases=replace(policy.leases, **leases)
    )


def number_of(at: int) -> str:
    """The made-up number of a made-up person (Kenya's 0700 range, seven digits)."""
    return f"+2547{at:08d}"


def plan_for_many(
    store: Store, policy: Outreach, *, people: int, now: datetime, template: str = "visit_before"
) -> list[Message]:
    """As many made-up people, who agreed and are enrolled, each with one message due now."""
    day = pd.Timestamp(now.date())
    ids = derived_ids(_SOURCE, "people", [str(at) for at in range(people)])
    row = {"source": _SOURCE.name, "known_on": day - pd.Timedelta(days=9)}
    known = pd.DataFrame({"id": ids, "sex": "female", "language": "en", **row})
    agreed = pd.DataFrame(
        {
            "id": derived_ids(_SOURCE, "consents", [str(at) for at in range(people)]),
            "person_id": ids,
            "purpose": "outreach",
            "decision": "given",
            "decided_on": row["known_on"],
            **row,
        }
    )
    with store.transaction():
        store.save("people", conform(TABLES["people"], known))
        store.save("consents", conform(TABLES["consents"], agreed))
    enrolments = _enrol(store, ids, now=now)
    messages = [
        Message(
            dedupe_key=dedupe_key(
                enrolment, step="due_day", occurrence=1, template_version=1, channel="sms"
            ),
            person_id=person_id,
            purpose="outreach",
            step="due_day",
            channel="sms",
            template=template,
            variables={"day": (now + timedelta(days=3)).date().isoformat()},
            number=number_of(at),
            due_at=now,
            not_after=now + timedelta(days=3),
            enrolment_id=enrolment,
        )
        for at, (person_id, enrolment) in enumerate(zip(ids, enrolments, strict=True))
    ]
    outbox = Outbox(store, Desk(policy, fill_plainly, "planner"))
    return [
        planned
        for at in range(0, people, 5000)
        for planned in outbox.plan(messages[at : at + 5000], now=now)
    ]


def _enrol(store: Store, ids: Sequence[str], *, now: datetime) -> list[str]:
    keys = derived_ids(_SOURCE, "enrolments", ids)
    today, at = now.date().isoformat(), as_text(now)
    with store.working() as connection:
        insert_rows(
            connection,
            WORK["enrolments"],
            (
                "id",
                "dedupe_key",
                "person_id",
                "protocol",
                "protocol_version",
                "anchor_on",
                "state",
                "made_at",
                "changed_at",
            ),
            [
                (key, f"{person_id}:reminders", person_id, "reminders", 1, today, "active", at, at)
                for key, person_id in zip(keys, ids, strict=True)
            ],
        )
    return keys


@dataclass
class NotingGateway:
    """Takes every message, and only counts."""

    name: str = "noting"
    channel: Literal["sms", "whatsapp", "email"] = "sms"
    n_calls: int = 0

    def send(self, message: Outgoing) -> Handed:
        """Take one message."""
        self.n_calls += 1
        return Handed("accepted", f"{self.name}-{message.client_ref}")

    def look_up(self, client_ref: str, provider_id: str) -> Handed | None:
        """It cannot say."""
        return None


@dataclass(frozen=True)
class RecordingGateway:
    """A provider that is a file: one line for each call, on the disk before it answers.

    Several processes may write the same file, and any of them may be killed at any point.
    """

    path: Path
    name: str = "recording"
    channel: Literal["sms", "whatsapp", "email"] = "sms"

    def send(self, message: Outgoing) -> Handed:
        """Write the call down."""
        line = f"{message.message_id} {message.client_ref} {os.getpid()}\n".encode()
        handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(handle, line)
            os.fsync(handle)
        finally:
            os.close(handle)
        return Handed("accepted", f"{self.name}-{message.client_ref}")

    def look_up(self, client_ref: str, provider_id: str) -> Handed | None:
        """It cannot say."""
        return None

    def calls(self) -> list[str]:
        """The message of every call, in the order of calls."""
        if not self.path.exists():
            return []
        return [line.split()[0] for line in self.path.read_text(encoding="ascii").splitlines()]


def now_in_utc() -> datetime:
    """The machine's clock."""
    return datetime.now(UTC)
