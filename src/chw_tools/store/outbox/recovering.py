"""After a crash: claims that lapsed, and sends of which nobody knows whether they arrived.

Lapsed before anything was handed over: due again. Lapsed after: ``unknown``. What is unknown is
never sent again; the provider is asked, a receipt is waited for, then a human is.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from chw_tools.outreach.claims import Ambiguous
from chw_tools.records import new_id
from chw_tools.store.connection import Reader
from chw_tools.store.instants import as_instant, as_text, instant
from chw_tools.store.outbox.changes import (
    MESSAGES,
    Change,
    change_all,
    locked,
    select_messages,
)
from chw_tools.store.scope import WHOLE, update_of
from chw_tools.store.tables import WORK

if TYPE_CHECKING:
    from datetime import datetime

    from chw_tools.outreach.wire import Handed
    from chw_tools.store.outbox.claiming import Desk

#: Reason of a message that was given to a human.
TO_HUMAN = "asked_a_human"


def recover(connection: sa.Connection, desk: Desk, *, now: datetime, limit: int) -> tuple[int, int]:
    """Free what lapsed claims hold; how many are due again and how many unknown.

    A claim from the future, as a clock that was set back leaves it, has lapsed too: whoever
    holds it can hand nothing over without the claim being looked at again.
    """
    leases = desk.policy.leases
    ahead = now + timedelta(seconds=2 * leases.lease_seconds)
    names = ("id", "person_id", "attempt", "handed_at")
    statement = select_messages(connection, names).where(
        MESSAGES.c.state == "sending",
        sa.or_(
            MESSAGES.c.lease_until <= instant(now),
            MESSAGES.c.lease_until > instant(ahead),
            MESSAGES.c.lease_until.is_(None),
        ),
    )
    rows = connection.execute(locked(statement.limit(limit), connection, skip=True)).all()
    free = {"lease_token": None, "lease_until": None}
    changes = [
        Change(key, person_id, "sending", "due", "claim_lapsed", attempt, free)
        if handed_at is None
        else Change(key, person_id, "sending", "unknown", "claim_lapsed", attempt, free)
        for key, person_id, attempt, handed_at in rows
    ]
    change_all(connection, changes, by=desk.by, now=now)
    n_unknown = sum(change.after == "unknown" for change in changes)
    return len(changes) - n_unknown, n_unknown


def ambiguous(connection: sa.Connection, *, limit: int) -> list[Ambiguous]:
    """Messages that are unknown and no human was asked about yet; the oldest first."""
    names = ("id", "person_id", "channel", "client_ref", "provider_id", "handed_at")
    statement = (
        select_messages(connection, names)
        .where(MESSAGES.c.state == "unknown", MESSAGES.c.reason != TO_HUMAN)
        .order_by(MESSAGES.c.changed_at)
        .limit(limit)
    )
    return [
        Ambiguous(row[0], row[1], row[2], row[3] or "", row[4] or "", as_instant(row[5]))
        for row in connection.execute(statement)
    ]


def resolve(
    connection: sa.Connection, desk: Desk, message_id: str, handed: Handed, *, now: datetime
) -> bool:
    """Write what the provider says of an ambiguous message; whether that settled it.

    That the provider does not find it settles nothing: it is not sent again.
    """
    after = {"accepted": "accepted", "permanent": "failed"}.get(handed.ending)
    if after is None:
        return False
    statement = select_messages(connection, ("person_id", "attempt", "provider_id")).where(
        MESSAGES.c.id == message_id, MESSAGES.c.state == "unknown"
    )
    row = connection.execute(locked(statement, connection, skip=True)).first()
    if row is None:
        return False
    values = {"provider_id": handed.provider_id or row[2]}
    reason = handed.reason or "looked_up"
    change = Change(message_id, row[0], "unknown", after, reason, row[1], values)
    change_all(connection, [change], by=desk.by, now=now)
    return True


def ask_humans(connection: sa.Connection, desk: Desk, *, now: datetime, limit: int) -> int:
    """Give what stayed unknown for too long to a human where the step matters; how many.

    An answer to somebody who wrote does not matter: whoever missed it writes again.
    """
    waited = now - timedelta(minutes=desk.policy.leases.unknown_wait_minutes)
    names = ("id", "person_id", "enrolment_id", "step", "is_urgent")
    statement = select_messages(connection, names).where(
        MESSAGES.c.state == "unknown",
        MESSAGES.c.reason != TO_HUMAN,
        MESSAGES.c.handed_at <= instant(waited),
    )
    rows = connection.execute(locked(statement.limit(limit), connection, skip=True)).all()
    matter = [row for row in rows if row[3] not in ("reply", "stop_reply")]
    _add_tasks(connection, desk, matter, now=now)
    _mark_asked(connection, [row[0] for row in rows], now=now)
    return len(matter)


def _mark_asked(connection: sa.Connection, ids: list[str], *, now: datetime) -> None:
    if ids:
        found = update_of("messages", scope=WHOLE).where(
            Reader(connection).among(MESSAGES.c.id, ids)
        )
        connection.execute(found.values(reason=TO_HUMAN, changed_at=as_text(now)))


def _add_tasks(connection: sa.Connection, desk: Desk, rows: list[Any], *, now: datetime) -> None:
    from sqlalchemy.dialects import postgresql, sqlite

    if not rows:
        return
    insert: Any = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    at = as_text(now)
    made = [
        {
            "id": new_id(),
            "dedupe_key": f"unknown:{key}",
            "person_id": person_id,
            "kind": "call",
            "urgency": "same_day" if is_urgent else "within_days",
            "state": "requested",
            "reason": "message_unknown",
            "enrolment_id": enrolment_id,
            "due_on": desk.today(now).isoformat(),
            "tries": 0,
            "made_at": at,
            "changed_at": at,
        }
        for key, person_id, enrolment_id, _, is_urgent in rows
    ]
    connection.execute(insert(WORK["tasks"]).on_conflict_do_nothing(), made)
