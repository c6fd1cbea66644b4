"""From planned to handed over: waking, claiming, and the compare-and-swap before the call.

**A send begins when its hand-over commits**, with ``handed_at`` set. Every gate is judged when
a message is claimed and again in the hand-over, which first locks the number, the channel and
the message: whatever committed before (STOP, the kill switch, a death, a visit) is seen, and
whatever comes later comes after the send began.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from chw_tools.outreach.claims import Claim, Judged
from chw_tools.outreach.gates import judge
from chw_tools.outreach.windows import zone_named
from chw_tools.store.connection import Reader
from chw_tools.store.instants import as_instant, as_text, instant
from chw_tools.store.outbox.changes import (
    COLUMNS,
    MESSAGES,
    Change,
    change_all,
    locked,
    message_of,
    select_messages,
)
from chw_tools.store.outbox.contacts import lock_points, meet_channels, spend, switches
from chw_tools.store.outbox.facts import read_facts
from chw_tools.store.scope import WHOLE, update_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from datetime import date, datetime

    from chw_tools.outreach.gates import Text, Verdict
    from chw_tools.outreach.messages import Message
    from chw_tools.programme.outreach import Outreach

    #: Fills a message's template, for a person of a language; None where there is none.
    Render = Callable[[Message, str], Text | None]


@dataclass(frozen=True)
class Desk:
    """Who works, by what rules: what every act of the outbox needs.

    Parameters
    ----------
    policy : Outreach
        The programme's decisions.
    render : callable
        Fills templates.
    by : str
        Name of the worker process, for the diary; never a person's.
    providers : mapping of str to str
        Name of the gateway of each channel, kept with what is handed over.
    """

    policy: Outreach
    render: Render
    by: str = "worker"
    providers: Mapping[str, str] = field(default_factory=dict)

    @property
    def circuit(self) -> timedelta:
        """For how long a channel rests whose provider refuses the account."""
        return timedelta(minutes=self.policy.leases.circuit_minutes)

    def today(self, now: datetime) -> date:
        """The programme's own day, which budgets are counted in."""
        return now.astimezone(zone_named(self.policy.quiet_hours.time_zone)).date()


def wake(connection: sa.Connection, desk: Desk, *, now: datetime, limit: int) -> tuple[int, int]:
    """Make due what has come due, and end what is stale; how many of each."""
    at = instant(now)
    names = ("id", "person_id", "state", "attempt", "not_after")
    asleep = select_messages(connection, names).where(
        MESSAGES.c.state.in_(("planned", "retry_wait")), MESSAGES.c.due_at <= at
    )
    stale = select_messages(connection, names).where(
        MESSAGES.c.state == "due", MESSAGES.c.not_after <= at
    )
    rows = [
        tuple(row)
        for statement in (asleep.order_by(MESSAGES.c.due_at), stale)
        for row in connection.execute(locked(statement.limit(limit), connection, skip=True))
    ]
    changes = [
        Change(key, person_id, state, "expired", "not_after", attempt)
        if as_instant(not_after) <= now
        else Change(key, person_id, state, "due", attempt=attempt)
        for key, person_id, state, attempt, not_after in rows
    ]
    change_all(connection, changes, by=desk.by, now=now)
    n_expired = sum(change.after == "expired" for change in changes)
    return len(changes) - n_expired, n_expired


def claim(
    connection: sa.Connection, desk: Desk, channel: str, *, token: str, now: datetime, limit: int
) -> Judged:
    """Take due messages of a channel: the most pressing first, each past all gates.

    What a gate refuses is moved, suppressed or expired here. A channel that is stopped is left
    alone: its messages stay due.
    """
    today = desk.today(now)
    switch = switches(connection, desk.policy.channels, now=now, day=today, circuit=desk.circuit)[
        channel
    ]
    if switch.is_stopped or switch.is_broken:
        return Judged()
    if switch.messages_left is not None:
        limit = min(limit, max(switch.messages_left, 0))
    due = (
        select_messages(connection)
        .where(
            MESSAGES.c.state == "due",
            MESSAGES.c.channel == channel,
            MESSAGES.c.due_at <= instant(now),
        )
        .order_by(MESSAGES.c.priority, MESSAGES.c.due_at)
        .limit(limit)
    )
    messages = [message_of(row) for row in connection.execute(locked(due, connection, skip=True))]
    if not messages:
        return Judged()
    tally = read_facts(connection, messages, switches={channel: switch}, now=now)
    texts = {
        m.id: desk.render(m, m.language or tally.languages.get(m.person_id, "")) for m in messages
    }
    passed, refused = _judge_all(messages, texts, tally, desk.policy, now)
    lease = {"lease_token": token, "lease_until": as_text(_lease_end(desk.policy, now))}
    change_all(
        connection,
        [Change(m.id, m.person_id, "due", "sending", None, m.attempt, lease) for m in passed]
        + [change for m, verdict in refused if (change := _refusal(m, verdict, "due"))],
        by=desk.by,
        now=now,
    )
    claims = tuple(Claim(m, text, token) for m in passed if (text := texts[m.id]) is not None)
    return Judged(claims, tuple(refused), len(messages))


def _lease_end(policy: Outreach, now: datetime) -> datetime:
    return now + timedelta(seconds=policy.leases.lease_seconds)


def _judge_all(
    messages: Sequence[Message],
    texts: dict[str, Text | None],
    tally: Any,
    policy: Outreach,
    now: datetime,
) -> tuple[list[Message], list[tuple[Message, Verdict]]]:
    passed, refused = [], []
    for message in messages:
        text = texts[message.id]
        verdict = judge(message, tally.facts_of(message, text), policy=policy, now=now)
        if verdict.act == "send":
            tally.count(message, text, now)
            passed.append(message)
        else:
            refused.append((message, verdict))
    return passed, refused


_ENDS = {"move": "planned", "suppress": "suppressed", "expire": "expired", "hold": "due"}
#: What a message that nobody holds any more has lost.
_RELEASED: dict[str, Any] = {"lease_token": None, "lease_until": None, "handed_at": None}


def _refusal(
    message: Message, verdict: Verdict, before: str, *, is_handed: bool = False
) -> Change | None:
    """What a verdict does to a message; nothing where it is due and stays so."""
    after = _ENDS[verdict.act]
    if after == before:
        return None
    values: dict[str, Any] = {} if before == "due" else dict(_RELEASED)
    if is_handed:
        values["attempt"] = message.attempt - 1
    if verdict.due_at is not None:
        values["due_at"] = as_text(verdict.due_at)
    reason = f"{verdict.gate}:{verdict.reason}"
    return Change(message.id, message.person_id, before, after, reason, message.attempt, values)


def hand_over(
    connection: sa.Connection, desk: Desk, claims: Collection[Claim], *, now: datetime
) -> Judged:
    """Those claims whose send begins with this commit; the others are refused or not ours.

    Of a claim that was handed over before and not sent yet it is asked again, as after a long
    call before it: the answer may be different by then, and the message is taken back.
    """
    if not claims:
        return Judged()
    held = {one.message.id: one for one in claims}
    lock_points(connection, {one.message.number for one in claims})
    today = desk.today(now)
    channels = {one.message.channel for one in claims}
    meet_channels(connection, channels, now=now)
    found = switches(
        connection, desk.policy.channels, now=now, day=today, circuit=desk.circuit, lock=True
    )
    rows = _own_rows(connection, held, now=now)
    if not rows:
        return Judged()
    messages = [message_of(row[: len(COLUMNS)]) for row in rows]
    again = {row[0] for row in rows if row[-1] is not None}
    tally = read_facts(connection, messages, switches=found, now=now)
    texts: dict[str, Any] = {message.id: held[message.id].text for message in messages}
    passed, refused = _judge_all(messages, texts, tally, desk.policy, now)
    newly = [m for m in passed if m.id not in again]
    _set_handed(connection, desk, newly, texts, now=now)
    spend(connection, _newly(tally.spent, passed, again, texts), now=now, day=today)
    change_all(
        connection,
        [c for m, v in refused if (c := _refusal(m, v, "sending", is_handed=m.id in again))],
        by=desk.by,
        now=now,
    )
    by_id = {m.id: m for m in passed}
    claims_left = tuple(held[key] for key in held if key in by_id)
    return Judged(claims_left, tuple(refused), len(messages))


def _newly(
    spent: dict[str, tuple[int, int]], passed: list[Message], again: set[str], texts: dict[str, Any]
) -> dict[str, tuple[int, int]]:
    """What is spent, without what was counted at the first hand-over already."""
    newly = dict(spent)
    for message in passed:
        if message.id in again:
            segments, n_messages = newly[message.channel]
            newly[message.channel] = (segments - texts[message.id].segments, n_messages - 1)
    return newly


def _own_rows(connection: sa.Connection, held: dict[str, Claim], *, now: datetime) -> list[Any]:
    """The rows that these claims still hold, locked; in the order of the claims."""
    among = Reader(connection).among(MESSAGES.c.id, list(held))
    names = (*COLUMNS, "lease_token", "lease_until", "handed_at")
    statement = (
        select_messages(connection, names)
        .where(among, MESSAGES.c.state == "sending")
        .order_by(MESSAGES.c.id)
    )
    rows = {
        row[0]: tuple(row)
        for row in connection.execute(locked(statement, connection, skip=False))
        if row[-3] == held[row[0]].token and as_instant(row[-2]) > now
    }
    return [rows[key] for key in held if key in rows]


def _set_handed(
    connection: sa.Connection,
    desk: Desk,
    messages: list[Message],
    texts: dict[str, Any],
    *,
    now: datetime,
) -> None:
    if not messages:
        return
    statement = (
        update_of("messages", scope=WHOLE)
        .where(MESSAGES.c.id == sa.bindparam("key"), MESSAGES.c.handed_at.is_(None))
        .values(
            handed_at=as_text(now),
            attempt=MESSAGES.c.attempt + 1,
            language=sa.bindparam("new_language"),
            segments=sa.bindparam("new_segments"),
            provider=sa.bindparam("new_provider"),
        )
    )
    connection.execute(
        statement,
        [
            {
                "key": m.id,
                "new_language": texts[m.id].language,
                "new_segments": texts[m.id].segments,
                "new_provider": desk.providers.get(m.channel),
            }
            for m in messages
        ],
    )


def release(
    connection: sa.Connection, desk: Desk, claims: Collection[Claim], *, now: datetime
) -> int:
    """Give back claims that were certainly not sent; how many were still held."""
    rows = _own_rows(connection, {one.message.id: one for one in claims}, now=now)
    changes = []
    for row in rows:
        message, is_handed = message_of(row[: len(COLUMNS)]), row[-1] is not None
        values = _RELEASED | {"attempt": message.attempt - is_handed}
        changes.append(
            Change(
                message.id, message.person_id, "sending", "due", "released", message.attempt, values
            )
        )
    change_all(connection, changes, by=desk.by, now=now)
    return len(changes)
