"""What became of a hand-over: written once, by whoever still holds the claim."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chw_tools.outreach.claims import Finished
from chw_tools.outreach.machines import BAD_NUMBER, RAISABLE, raised
from chw_tools.outreach.retries import retry_at
from chw_tools.store.connection import Reader
from chw_tools.store.instants import as_text
from chw_tools.store.outbox.changes import (
    COLUMNS,
    MESSAGES,
    Change,
    change_all,
    locked,
    message_of,
    select_messages,
)
from chw_tools.store.outbox.contacts import broke, lock_points, mark_bad, mend, stop_number
from chw_tools.store.outbox.receipts import apply_kept
from chw_tools.store.scope import WHOLE, update_of

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    import sqlalchemy as sa

    from chw_tools.outreach.claims import Answer
    from chw_tools.outreach.messages import Message
    from chw_tools.store.outbox.claiming import Desk

_FREE = {"lease_token": None, "lease_until": None}
_NOT_HANDED = {**_FREE, "handed_at": None}


def finish(
    connection: sa.Connection, desk: Desk, answers: Collection[Answer], *, now: datetime
) -> Finished:
    """Write what the gateways said.

    An answer to a claim that lapsed meanwhile is news like a receipt: it may raise the state,
    and never sends anything again.
    """
    if not answers:
        return Finished()
    given = {one.claim.message.id: one for one in answers}
    lock_points(connection, {one.claim.message.number for one in answers})
    rows = _rows(connection, list(given))
    changes, silent = [], []
    for key, answer in given.items():
        message, state, token = rows[key]
        change = _outcome(answer, message, state, desk, now=now, holds=token == answer.claim.token)
        if change is None:
            continue
        if change.before == change.after:
            silent.append((key, answer))
        else:
            changes.append(change)
    change_all(connection, changes, by=desk.by, now=now)
    _name_provider(connection, silent)
    broken = _account_faults(connection, answers, now=now)
    opted_out = _number_faults(connection, answers, now=now)
    accepted = [a for a in answers if a.handed.ending == "accepted" and a.handed.provider_id]
    apply_kept(
        connection, [(a.provider, a.handed.provider_id) for a in accepted], by=desk.by, now=now
    )
    return Finished(tuple((c.message_id, c.after) for c in changes), opted_out, broken)


def _rows(connection: sa.Connection, ids: list[str]) -> dict[str, tuple[Message, str, Any]]:
    names = (*COLUMNS, "state", "lease_token")
    statement = select_messages(connection, names).where(
        Reader(connection).among(MESSAGES.c.id, ids)
    )
    ordered = locked(statement.order_by(MESSAGES.c.id), connection, skip=False)
    return {
        row[0]: (message_of(row[: len(COLUMNS)]), row[-2], row[-1])
        for row in connection.execute(ordered)
    }


def _outcome(
    answer: Answer, message: Message, state: str, desk: Desk, *, now: datetime, holds: bool
) -> Change | None:
    """The move that an answer makes; None where it changes nothing."""
    if state == "sending" and holds:
        return _held_outcome(answer, message, desk, now=now)
    named = {"provider": answer.provider, "provider_id": answer.handed.provider_id or None}
    if answer.handed.ending != "accepted" or state not in RAISABLE:
        return None
    after = raised(state, "accepted")
    # A receipt was faster, or the claim lapsed: only the provider's reference is news.
    return Change(message.id, message.person_id, state, after, "late", message.attempt, named)


def _held_outcome(answer: Answer, message: Message, desk: Desk, *, now: datetime) -> Change:
    ending, reason = answer.handed.ending, answer.handed.reason or answer.handed.ending

    def become(after: str, why: str | None, **values: Any) -> Change:
        return Change(message.id, message.person_id, "sending", after, why, message.attempt, values)

    named = {"provider": answer.provider, "provider_id": answer.handed.provider_id or None}
    if ending == "accepted":
        return become("accepted", None, **_FREE, **named)
    if ending == "unknown":
        return become("unknown", reason, **_FREE, **named)
    if ending == "permanent":
        return become("failed", reason, **_FREE, **named)
    if ending == "opted_out":
        return become("suppressed", "opted_out_at_provider", **_NOT_HANDED, **named)
    if ending == "account":
        # The channel is at fault, not the message: no attempt is burnt.
        return become("due", "channel_broken", **_NOT_HANDED, attempt=message.attempt - 1)
    return _retry(answer, message, desk, reason, now=now)


def _retry(answer: Answer, message: Message, desk: Desk, reason: str, *, now: datetime) -> Change:
    at = retry_at(message, attempt=message.attempt, policy=desk.policy, now=now)
    values: dict[str, Any] = {**_NOT_HANDED, "provider": answer.provider}
    if at is None:
        after, reason = "failed", "tries_used_up"
    elif at >= message.not_after:
        after, reason = "failed", "no_time_to_retry"
    else:
        after = "retry_wait"
        values["due_at"] = as_text(at)
    return Change(message.id, message.person_id, "sending", after, reason, message.attempt, values)


def _name_provider(connection: sa.Connection, silent: Collection[tuple[str, Answer]]) -> None:
    for key, answer in silent:
        found = update_of("messages", scope=WHOLE).where(
            MESSAGES.c.id == key, MESSAGES.c.provider_id.is_(None)
        )
        values = {"provider": answer.provider, "provider_id": answer.handed.provider_id}
        connection.execute(found.values(values))


def _account_faults(
    connection: sa.Connection, answers: Collection[Answer], *, now: datetime
) -> tuple[tuple[str, str], ...]:
    """Open the circuit of channels whose account is refused; those that were not open yet.

    Any other answer shows that the account is in order.
    """
    refused = {
        a.claim.message.channel: a.handed.reason or "account"
        for a in answers
        if a.handed.ending == "account"
    }
    mend(connection, {a.claim.message.channel for a in answers} - set(refused), now=now)
    return tuple(
        (channel, reason)
        for channel, reason in sorted(refused.items())
        if broke(connection, channel, now=now, reason=reason)
    )


def _number_faults(
    connection: sa.Connection, answers: Collection[Answer], *, now: datetime
) -> tuple[Message, ...]:
    """Note numbers that do not work or are opted out at the provider."""
    bad = {
        a.claim.message.number: a.handed.reason
        for a in answers
        if a.handed.ending == "permanent" and a.handed.reason in BAD_NUMBER
    }
    if bad:
        mark_bad(connection, bad, now=now)
    stopped = [a.claim.message for a in answers if a.handed.ending == "opted_out"]
    for number in sorted({message.number for message in stopped}):
        stop_number(connection, number, now=now)
    return tuple(stopped)
