"""Reports of providers: each kept once, and a message's state the highest of all of them.

The state depends on the set of reports alone: not on their order, nor on how often each came,
nor on whether a report came before the provider's reference was known.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from chw_tools.outreach.machines import BAD_NUMBER, RANK, raised
from chw_tools.records import new_id
from chw_tools.store.connection import Reader
from chw_tools.store.instants import as_text
from chw_tools.store.outbox.changes import (
    MESSAGES,
    Change,
    change_all,
    locked,
    select_messages,
)
from chw_tools.store.outbox.contacts import mark_bad, stop_number
from chw_tools.store.scope import WHOLE, update_of
from chw_tools.store.tables import WORK

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from chw_tools.outreach.wire import ReceiptNews

RECEIPTS = WORK["receipts"]
#: Reason of a failure where the provider keeps an opt-out, which then is one here too.
OPTED_OUT = "opted_out_at_provider"
_LEASE_FREE = {"lease_token": None, "lease_until": None}


def apply_receipts(
    connection: sa.Connection, news: Sequence[ReceiptNews], *, by: str, now: datetime
) -> int:
    """Keep reports and raise what they are about; how many were not known before.

    A report on a message that is not known is kept, and counts once the message is.
    """
    n_new = sum(_keep(connection, one, now=now) for one in news)
    _name_by_reference(connection, news)
    apply_kept(connection, [(one.provider, one.provider_id) for one in news], by=by, now=now)
    return n_new


def _keep(connection: sa.Connection, one: ReceiptNews, *, now: datetime) -> bool:
    from sqlalchemy.dialects import postgresql, sqlite

    insert: Any = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    row = {
        "id": new_id(),
        "provider": one.provider,
        "provider_id": one.provider_id,
        "state": one.state,
        "reason": one.reason or None,
        "received_at": as_text(now),
    }
    kept = insert(RECEIPTS).values(row).on_conflict_do_nothing().returning(RECEIPTS.c.id)
    if connection.execute(kept).first() is not None:
        return True
    if one.reason:
        # Of several reasons for one state the first by the alphabet: no matter which came first.
        found = update_of("receipts", scope=WHOLE).where(
            RECEIPTS.c.provider == one.provider,
            RECEIPTS.c.provider_id == one.provider_id,
            RECEIPTS.c.state == one.state,
            sa.or_(RECEIPTS.c.reason.is_(None), RECEIPTS.c.reason > one.reason),
        )
        connection.execute(found.values(reason=one.reason))
    return False


def _name_by_reference(connection: sa.Connection, news: Collection[ReceiptNews]) -> None:
    """Tell a message the provider's reference where the report names our own."""
    by_reference = {one.client_ref: one for one in news if one.client_ref}
    for client_ref, one in sorted(by_reference.items()):
        found = update_of("messages", scope=WHOLE).where(
            sa.cast(MESSAGES.c.client_ref, sa.Text) == client_ref,
            MESSAGES.c.provider_id.is_(None),
            sa.or_(MESSAGES.c.provider == one.provider, MESSAGES.c.provider.is_(None)),
            MESSAGES.c.handed_at.is_not(None),
        )
        connection.execute(found.values(provider=one.provider, provider_id=one.provider_id))


def apply_kept(
    connection: sa.Connection,
    references: Collection[tuple[str, str]],
    *,
    by: str,
    now: datetime,
) -> int:
    """Raise the messages of some provider references to what the kept reports say."""
    wanted = set(references)
    if not wanted:
        return 0
    reports = _reports(connection, wanted)
    return _raise(connection, reports, by=by, now=now) if reports else 0


def _reports(
    connection: sa.Connection, wanted: set[tuple[str, str]]
) -> dict[tuple[str, str], dict[str, str | None]]:
    reader = Reader(connection)
    statement = reader.select("receipts", ["provider", "provider_id", "state", "reason"])
    ids = sorted({provider_id for _, provider_id in wanted})
    found: dict[tuple[str, str], dict[str, str | None]] = defaultdict(dict)
    for provider, provider_id, state, reason in reader.rows(
        statement.where(reader.among(RECEIPTS.c.provider_id, ids))
    ):
        if (provider, provider_id) in wanted:
            found[provider, provider_id][state] = reason
    return found


def _raise(
    connection: sa.Connection,
    reports: dict[tuple[str, str], dict[str, str | None]],
    *,
    by: str,
    now: datetime,
) -> int:
    names = ("id", "person_id", "state", "attempt", "provider", "provider_id", "number")
    ids = sorted({provider_id for _, provider_id in reports})
    statement = (
        select_messages(connection, names)
        .where(Reader(connection).among(MESSAGES.c.provider_id, ids))
        .order_by(MESSAGES.c.id)
    )
    changes, about, bad, stopped = [], [], dict[str, str](), set[str]()
    for row in connection.execute(locked(statement, connection, skip=False)):
        key, person_id, state, attempt, provider, provider_id, number = row
        told = reports.get((provider, provider_id))
        if told is None:
            continue
        about.append((key, provider, provider_id))
        highest = max(told, key=RANK.__getitem__)
        after = raised(state, highest)
        if after != state:
            reason = told[highest]
            changes.append(Change(key, person_id, state, after, reason, attempt, _LEASE_FREE))
            if after == "failed" and number and reason in BAD_NUMBER:
                bad[number] = reason
            if after == "failed" and number and reason == OPTED_OUT:
                stopped.add(number)
    if bad:
        mark_bad(connection, bad, now=now)
    for number in sorted(stopped):
        stop_number(connection, number, now=now)
    change_all(connection, changes, by=by, now=now)
    _name_messages(connection, about)
    return len(changes)


def _name_messages(connection: sa.Connection, about: Collection[tuple[str, str, str]]) -> None:
    if not about:
        return
    statement = (
        update_of("receipts", scope=WHOLE)
        .where(
            RECEIPTS.c.provider == sa.bindparam("of_provider"),
            RECEIPTS.c.provider_id == sa.bindparam("of_reference"),
            RECEIPTS.c.message_id.is_(None),
        )
        .values(message_id=sa.bindparam("key"))
    )
    rows = [{"key": k, "of_provider": p, "of_reference": r} for k, p, r in about]
    connection.execute(statement, rows)


def match_receipts(connection: sa.Connection, *, by: str, now: datetime, limit: int) -> int:
    """Raise messages whose reports came before their reference was known."""
    reader = Reader(connection)
    statement = reader.select("receipts", ["provider", "provider_id"]).where(
        RECEIPTS.c.message_id.is_(None),
        sa.exists().where(
            MESSAGES.c.provider_id == RECEIPTS.c.provider_id,
            MESSAGES.c.provider == RECEIPTS.c.provider,
        ),
    )
    rows = reader.rows(statement.limit(limit))
    return apply_kept(connection, [(row[0], row[1]) for row in rows], by=by, now=now)
