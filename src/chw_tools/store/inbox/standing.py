"""What is known of a number at the instant at which a message came from it."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa

from chw_tools.outreach.inbound import Prompt, Sharer, Standing
from chw_tools.outreach.messages import REPLY, STOP_REPLY
from chw_tools.outreach.numbers import read_number
from chw_tools.programme.words import plain
from chw_tools.store.instants import as_day_or_none, as_instant, instant
from chw_tools.store.tables import REGISTER, WORK

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from chw_tools.programme.words import Words
    from chw_tools.store.connection import Reader

INBOUND = WORK["inbound_messages"]
MESSAGES = WORK["messages"]
PEOPLE = REGISTER["people"]
#: States of a message that its person may have seen.
_SEEN = ("accepted", "sent", "delivered", "read", "unknown")
#: Digits at the end of a number by which the register is searched before each hit is read.
_TAIL = 7
#: What people put between digits.
_BETWEEN = (" ", "-", "(", ")", ".", "/")


class Received(NamedTuple):
    """One message as kept."""

    id: str
    channel: str
    number: str
    text: str
    received_at: datetime


def waiting(reader: Reader, *, limit: int) -> list[Received]:
    """Messages that nobody read yet, in the order in which they were written."""
    columns = ("id", "channel", "number", "text", "received_at")
    statement = reader.select("inbound_messages", columns).where(INBOUND.c.state == "received")
    rows = reader.rows(statement.order_by(INBOUND.c.received_at, INBOUND.c.id).limit(limit))
    return [Received(str(row[0]), row[1], row[2], row[3] or "", as_instant(row[4])) for row in rows]


def standing_of(
    reader: Reader,
    one: Received,
    *,
    words: Words,
    asking: Collection[str],
    registered: Collection[str],
) -> Standing:
    """What is known of the number as of the message.

    ``asking`` names templates that ask, ``registered`` people whose number it is by the register.
    """
    opened = one.received_at - timedelta(hours=words.limits.open_hours)
    return Standing(
        people=_people(reader, one.number, registered),
        prompts=_prompts(reader, one, asking, opened),
        asked_who_id=_asked_who(reader, one, opened),
        n_identical=_identical(reader, one),
        replies=_replies(reader, one),
    )


def _people(reader: Reader, number: str, registered: Collection[str]) -> tuple[Sharer, ...]:
    """Everybody alive whose number it is: by messages sent to it, and by the register."""
    written = reader.rows(
        reader.select("messages", ["person_id"]).where(MESSAGES.c.number == number).distinct()
    )
    ids = sorted({*registered, *(str(row[0]) for row in written)})
    rows = reader.rows(
        reader.select("people", ["id", "born_on"]).where(
            reader.among(PEOPLE.c.id, ids), PEOPLE.c.died_on.is_(None)
        )
    )
    return tuple(
        Sharer(str(key), born.year if (born := as_day_or_none(day)) is not None else None)
        for key, day in sorted(rows)
    )


def registered_on(
    reader: Reader, numbers: Collection[str], *, country: str
) -> dict[str, list[str]]:
    """Whose numbers these are by the register, which is looked through once for all of them."""
    tails = sorted({number[-_TAIL:] for number in numbers if number[-_TAIL:].isdigit()})
    found: dict[str, list[str]] = defaultdict(list)
    if not tails:
        return found
    digits: sa.ColumnElement[str] = PEOPLE.c.phone
    for sign in _BETWEEN:
        digits = sa.func.replace(digits, sign, "")
    # Digits of other scripts cannot be compared by the database, so each such number is read.
    foreign = (
        PEOPLE.c.phone.op("GLOB")("*[^ -~]*")
        if reader.dialect == "sqlite"
        else PEOPLE.c.phone.op("~")("[^ -~]")
    )
    tail = sa.func.substr(digits, sa.func.length(digits) - _TAIL + 1, type_=sa.Text())
    likely = sa.or_(reader.among(tail, tails), foreign)
    for key, phone in reader.rows(reader.select("people", ["id", "phone"]).where(likely)):
        number = read_number(phone, country=country).e164
        if number in numbers:
            found[number].append(str(key))
    return found


def _prompts(
    reader: Reader, one: Received, asking: Collection[str], opened: datetime
) -> tuple[Prompt, ...]:
    statement = reader.select("messages", ["id", "person_id", "handed_at"]).where(
        MESSAGES.c.number == one.number,
        MESSAGES.c.template.in_(sorted(asking)),
        MESSAGES.c.state.in_(_SEEN),
        MESSAGES.c.handed_at > instant(opened),
        MESSAGES.c.handed_at <= instant(one.received_at),
    )
    rows = reader.rows(statement)
    return tuple(Prompt(str(row[0]), str(row[1]), as_instant(row[2])) for row in rows)


def _asked_who(reader: Reader, one: Received, opened: datetime) -> str | None:
    statement = reader.select("inbound_messages", ["id"]).where(
        INBOUND.c.number == one.number,
        INBOUND.c.state == "asked_who",
        INBOUND.c.received_at > instant(opened),
        INBOUND.c.received_at <= instant(one.received_at),
        INBOUND.c.id != one.id,
    )
    newest = statement.order_by(INBOUND.c.received_at.desc(), INBOUND.c.id.desc()).limit(1)
    found = reader.value(newest)
    return None if found is None else str(found)


def _identical(reader: Reader, one: Received) -> int:
    hour = one.received_at - timedelta(hours=1)
    statement = reader.select("inbound_messages", ["text"]).where(
        INBOUND.c.number == one.number,
        INBOUND.c.received_at > instant(hour),
        INBOUND.c.received_at <= instant(one.received_at),
        INBOUND.c.id != one.id,
        # Of several of one instant, those with the higher key count as later.
        sa.or_(INBOUND.c.received_at < instant(one.received_at), INBOUND.c.id < one.id),
    )
    said = plain(one.text)
    return sum(plain(row[0] or "") == said for row in reader.rows(statement))


def _replies(reader: Reader, one: Received) -> tuple[str, ...]:
    day = one.received_at - timedelta(hours=24)
    statement = reader.select("messages", ["template"]).where(
        MESSAGES.c.number == one.number,
        MESSAGES.c.step.in_((REPLY, STOP_REPLY)),
        MESSAGES.c.made_at > instant(day),
    )
    return tuple(row[0] for row in reader.rows(statement))
