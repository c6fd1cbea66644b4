"""Writing what a message means: its state, the opt-out, consent, the task, the reply."""

from __future__ import annotations

from datetime import timedelta
from hashlib import blake2b
from typing import TYPE_CHECKING

import pandas as pd
import sqlalchemy as sa

from chw_tools.outreach.messages import REPLY, STOP_REPLY, Message
from chw_tools.programme.words import plain
from chw_tools.records import TABLES, conform, new_id
from chw_tools.store.connection import Reader
from chw_tools.store.inbox.receiving import insert_if_new
from chw_tools.store.inbox.standing import INBOUND, PEOPLE, Received
from chw_tools.store.instants import as_instant, as_instant_or_none, as_text
from chw_tools.store.outbox.contacts import POINTS, start_number, stop_number
from chw_tools.store.outbox.planning import plan_messages
from chw_tools.store.scope import WHOLE, update_of
from chw_tools.store.tables import REGISTER, WORK

if TYPE_CHECKING:
    from datetime import datetime

    from chw_tools.outreach.inbound import Reading, Standing
    from chw_tools.programme.templates import Templates

#: How long a reply still answers; later it would only puzzle. A decision of this project.
_REPLY_HOURS = 6
#: Days until a message for a human is to be read, by its urgency.
_DUE_DAYS = {"emergency": 0, "same_day": 0, "within_days": 2}
#: Wording of a consent that a text message took back or gave again.
BY_STOP, BY_START = "reply:STOP", "reply:START"
_PURPOSE = "outreach"
#: Channels that a consent can name.
_CONSENT_CHANNELS = ("sms", "whatsapp")
#: Reasons of a STOP or START whose consent is still to be written.
_DUE = {"stop": "stop_consent_due", "start": "start_consent_due"}
_DONE = {due: reason for reason, due in _DUE.items()}


def end(connection: sa.Connection, one: Received, reading: Reading, *, now: datetime) -> bool:
    """Give the message its state; False if somebody else did meanwhile."""
    found = update_of("inbound_messages", scope=WHOLE).where(
        INBOUND.c.id == one.id, INBOUND.c.state == "received"
    )
    values = {
        "state": reading.state,
        "reason": _DUE.get(reading.reason, reading.reason)
        if reading.person_id is not None and one.channel in _CONSENT_CHANNELS
        else reading.reason,
        "person_id": reading.person_id,
        "answers_id": reading.answers_id,
        "changed_at": as_text(now),
    }
    return connection.execute(found.values(values)).rowcount == 1


def resolve(connection: sa.Connection, reading: Reading, *, now: datetime) -> None:
    """Give the earlier message whose person is known now its person."""
    if reading.resolves_id is None:
        return
    found = update_of("inbound_messages", scope=WHOLE).where(
        INBOUND.c.id == reading.resolves_id, INBOUND.c.state == "asked_who"
    )
    values = {
        "state": "answered",
        "reason": "well",
        "person_id": reading.person_id,
        "answers_id": reading.answers_id,
        "changed_at": as_text(now),
    }
    connection.execute(found.values(values))


# -- opt-outs --------------------------------------------------------------------------


def is_stopped(connection: sa.Connection, number: str) -> tuple[bool, datetime | None]:
    """Whether the last word from a number, by when it was written, is STOP; and when.

    Of a STOP and a START of one instant the STOP counts. A provider's own opt-out counts as a
    STOP of the instant at which it was told.
    """
    reader = Reader(connection)
    statement = reader.select("inbound_messages", ["received_at", "state"]).where(
        INBOUND.c.number == number, INBOUND.c.state.in_(("opted_out", "opted_in"))
    )
    said = [(as_instant(at), state == "opted_out") for at, state in reader.rows(statement)]
    held = reader.rows(
        reader.select("contact_points", ["opted_out_at"]).where(
            POINTS.c.number == number, POINTS.c.is_opted_out.is_(True)
        )
    )
    told = as_instant_or_none(held[0][0]) if held else None
    if told is not None:
        said.append((told, True))
    if not said:
        return False, None
    at, stopped = max(said)
    return stopped, at


def settle_opt(connection: sa.Connection, one: Received, *, now: datetime) -> bool:
    """Make the number's opt-out what the last word says; whether it is stopped."""
    stopped, at = is_stopped(connection, one.number)
    if stopped:
        stop_number(connection, one.number, now=at or now)
    else:
        start_number(connection, one.number, now=at or now)
    return stopped


def consents_due(reader: Reader, *, limit: int) -> list[tuple[Received, str]]:
    """STOPs and STARTs of people whose consent is still to be written, in their order."""
    columns = ("id", "channel", "number", "text", "received_at", "person_id")
    statement = reader.select("inbound_messages", columns).where(
        INBOUND.c.state.in_(("opted_out", "opted_in")), INBOUND.c.reason.in_(_DONE)
    )
    rows = reader.rows(statement.order_by(INBOUND.c.received_at, INBOUND.c.id).limit(limit))
    return [
        (Received(str(row[0]), row[1], row[2], row[3] or "", as_instant(row[4])), str(row[5]))
        for row in rows
    ]


def settled(connection: sa.Connection, one: Received, *, now: datetime) -> bool:
    """Note that the consent of a STOP or START is written; False if somebody did before."""
    reason = sa.case(_DONE, value=INBOUND.c.reason, else_=INBOUND.c.reason)
    found = update_of("inbound_messages", scope=WHOLE).where(
        INBOUND.c.id == one.id, INBOUND.c.reason.in_(_DONE)
    )
    return connection.execute(found.values(reason=reason, changed_at=as_text(now))).rowcount == 1


def consent_row(
    reader: Reader, one: Received, person_id: str, *, stopped: bool, now: datetime
) -> pd.DataFrame | None:
    """The consent that STOP takes back, or START gives again; None where nothing changes.

    START gives back only what STOP took: it is no first consent.
    """
    table = REGISTER["consents"].c
    statement = reader.select("consents", ["decision", "wording_version"]).where(
        table.person_id == person_id,
        table.purpose == _PURPOSE,
        sa.or_(table.channel.is_(None), table.channel == one.channel),
    )
    newest = statement.order_by(table.decided_on.desc(), table.server_seq.desc()).limit(1)
    decision, wording = next(iter(reader.rows(newest)), (None, None))
    if stopped == (decision == "withdrawn") or (not stopped and wording != BY_STOP):
        return None
    row = {
        "id": new_id(),
        "person_id": person_id,
        "purpose": _PURPOSE,
        "channel": one.channel,
        "decision": "withdrawn" if stopped else "given",
        # As of today: a decision of an earlier day would be outweighed by a later one.
        "decided_on": pd.Timestamp(now.date()),
        "wording_version": BY_STOP if stopped else BY_START,
        "source": "chw",
        "known_on": pd.Timestamp(now.date()),
    }
    return conform(TABLES["consents"], pd.DataFrame([row]))


# -- tasks -------------------------------------------------------------------------------


def ask_human(connection: sa.Connection, one: Received, reading: Reading, *, now: datetime) -> None:
    """Raise the task that a message asks for, once for the same words of a day."""
    asked = reading.task
    if asked is None:
        return
    about = reading.answers_id if reading.reason == "unwell" else None
    key = about or _same_words(one, reading)
    at = as_text(now)
    insert_if_new(
        connection,
        WORK["tasks"],
        {
            "id": new_id(),
            "dedupe_key": f"{asked.kind}:{reading.reason}:{key}",
            "person_id": reading.person_id,
            "kind": asked.kind,
            "urgency": asked.urgency,
            "state": "requested",
            "reason": reading.reason,
            "inbound_id": one.id,
            "worker_id": _worker_of(Reader(connection), reading.person_id),
            "due_on": (now.date() + timedelta(days=_DUE_DAYS[asked.urgency])).isoformat(),
            "tries": 0,
            "made_at": at,
            "changed_at": at,
        },
    )


def _same_words(one: Received, reading: Reading) -> str:
    """Number, day and words in one: what is said twice is looked at once."""
    words = plain(one.text) if reading.state == "to_a_human" else ""
    day = one.received_at.date().isoformat()
    text = "\x1f".join((one.number, day, words))
    return blake2b(text.encode(), digest_size=16).hexdigest()


def _worker_of(reader: Reader, person_id: str | None) -> str | None:
    if person_id is None:
        return None
    homes = REGISTER["households"]
    of = reader.select("people", ["household_id"]).where(PEOPLE.c.id == person_id)
    found = reader.value(reader.select("households", ["worker_id"]).where(homes.c.id.in_(of)))
    return None if found is None else str(found)


# -- replies -----------------------------------------------------------------------------


def reply(
    connection: sa.Connection,
    one: Received,
    reading: Reading,
    standing: Standing,
    *,
    templates: Templates,
    by: str,
    now: datetime,
) -> None:
    """Put the automatic reply into the outbox, whose gates judge it like any other message."""
    template = templates.templates.get(reading.reply)
    if template is None or one.channel == "email":
        return
    message = Message(
        dedupe_key=f"reply:{one.id}:{template.name}",
        person_id=reading.person_id or standing.people[0].person_id,
        purpose=_PURPOSE,
        step=STOP_REPLY if template.name == "stopped" else REPLY,
        channel=one.channel,
        template=template.name,
        template_version=template.version,
        number=one.number,
        due_at=now,
        not_after=now + timedelta(hours=_REPLY_HOURS),
        priority=10,
    )
    plan_messages(connection, [message], by=by, now=now, kinds={})
