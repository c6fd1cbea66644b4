"""Moving enrolments on: goals met, silence, calls without an answer, and who left.

One enrolment is judged at a time from what is known of it now; the order of events that led
there does not matter. Whatever ends an enrolment ends all that was still to come of it: its
planned messages are taken out, its open tasks closed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pandas as pd

from chw_tools.outreach.enrolment import Reach, may_call, task_row
from chw_tools.outreach.machines import ENROLMENT
from chw_tools.outreach.messages import HOLDOUT
from chw_tools.outreach.tasks import OPEN, TASK, new_tasks

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from datetime import date, datetime

    from chw_tools.programme.protocols import OutreachProtocol

#: States of enrolments that go on.
LIVE = ("active", "escalated")
#: Messages that may still go out.
_WAITING = ("planned", "due", "sending", "retry_wait")
#: Messages that did not arrive, or of which nobody will know.
_NOT_ARRIVED = ("failed", "expired", "suppressed", "unknown")
_REACHED = ("accepted", "sent", "delivered", "read")
#: Suppressions that say nothing of the person's being reached.
_NO_FAULT = ("holdout", "goal_met")
#: Calls that ended without anybody being spoken to.
NOT_REACHED = "not_reachable"
#: A number that is somebody else's: calling again is of no use.
WRONG_NUMBER = "wrong_number"
#: A message whose fate is unknown is waited for so long; then it counts as not arrived.
_UNKNOWN_FOR = timedelta(minutes=15)

SILENT, UNDELIVERED, NO_ANSWERS, LATE = "silent", "undelivered", "no_answers", "late"


@dataclass(frozen=True)
class Course:
    """What became of some enrolments so far; tables as declared.

    Parameters
    ----------
    enrolments : DataFrame
        Live ones.
    follow_ups : DataFrame
        Theirs, open or closed.
    messages : DataFrame
        Theirs.
    tasks, task_events : DataFrame
        Theirs.
    answered : Series
        Instant of the last message received, by person.
    seen : Series
        Last day on which each person was met, by person.
    gone : mapping of str to str
        ``died``, ``moved`` or ``merged``, by person.
    withdrawn : collection of (str, str)
        People with the purpose for which they refused or withdrew consent.
    """

    enrolments: pd.DataFrame
    follow_ups: pd.DataFrame
    messages: pd.DataFrame
    tasks: pd.DataFrame
    task_events: pd.DataFrame
    answered: pd.Series = field(default_factory=lambda: pd.Series(dtype="datetime64[us, UTC]"))
    seen: pd.Series = field(default_factory=lambda: pd.Series(dtype="datetime64[s]"))
    gone: Mapping[str, str] = field(default_factory=dict)
    withdrawn: Collection[tuple[str, str]] = ()


@dataclass(frozen=True)
class Move:
    """One change of state of a row, to be made by compare-and-swap."""

    id: str
    before: str
    after: str
    reason: str


@dataclass(frozen=True)
class Advanced:
    """What is to be done.

    Parameters
    ----------
    enrolments : tuple of Move
        Changes of enrolments; the messages of those that end or go to a human are cancelled.
    tasks : DataFrame
        New tasks, as declared.
    task_moves : tuple of Move
        Tasks that somebody need not do any more.
    """

    enrolments: tuple[Move, ...]
    tasks: pd.DataFrame
    task_moves: tuple[Move, ...]


def advance(
    course: Course,
    *,
    protocols: Mapping[str, OutreachProtocol],
    reaches: Mapping[str, Reach],
    today: date,
    now: datetime,
) -> Advanced:
    """Judge every live enrolment; the same facts give the same answer.

    Parameters
    ----------
    course : Course
        What is known.
    protocols : mapping of str to OutreachProtocol
        The programme's; an enrolment of a protocol that is gone only ends.
    reaches : mapping of str to Reach
        How people may be reached.
    today : date
        The programme's day.
    now : datetime
        The instant.
    """
    facts = _Facts.of(course)
    moves: list[Move] = []
    tasks: list[dict[str, Any]] = []
    task_moves: list[Move] = []
    for row in course.enrolments.itertuples(index=False):
        protocol = protocols.get(row.protocol)
        mine = facts.tasks.get(row.id, [])
        end = _end(row, facts, course, protocol, mine, today)
        if end is not None:
            moves.append(_move(row, *end))
            task_moves += _dropped(mine, end[0])
        elif protocol is not None:
            reach = reaches.get(row.person_id, Reach())
            why = _why_a_human(row, facts, protocol, course, now) if row.state == "active" else ""
            if why:
                moves.append(_move(row, "escalated", why))
            tasks += _climb(row, why, facts, protocol, reach, mine, today)
    return Advanced(tuple(moves), new_tasks(tasks, now=now), tuple(task_moves))


def _move(row: Any, after: str, reason: str) -> Move:
    ENROLMENT.check(row.state, after)
    return Move(row.id, row.state, after, reason)


@dataclass(frozen=True)
class _Facts:
    """The tables of a course by what they are looked up by."""

    follow_ups: Mapping[str, Any]
    messages: Mapping[str, list[Any]]
    tasks: Mapping[str, list[Any]]
    tries: Mapping[str, list[Any]]

    @classmethod
    def of(cls, course: Course) -> _Facts:
        return cls(
            {one.id: one for one in course.follow_ups.itertuples(index=False)},
            _by(course.messages, "enrolment_id"),
            _by(course.tasks, "enrolment_id"),
            _by(course.task_events, "task_id"),
        )


def _by(frame: pd.DataFrame, name: str) -> dict[str, list[Any]]:
    at = frame.columns.get_loc(name)
    found: dict[str, list[Any]] = {}
    for row in frame.itertuples(index=False):
        found.setdefault(row[at], []).append(row)
    return found


def _end(
    row: Any,
    facts: _Facts,
    course: Course,
    protocol: OutreachProtocol | None,
    tasks: list[Any],
    today: date,
) -> tuple[str, str] | None:
    """The state that an enrolment ends in and why, or None while it goes on."""
    gone = course.gone.get(row.person_id)
    if gone:
        return "closed", gone
    if protocol is not None and (row.person_id, protocol.purpose) in course.withdrawn:
        return "withdrawn", "consent_withdrawn"
    follow_up = facts.follow_ups.get(row.follow_up_id)
    if follow_up is None:
        return "closed", "no_follow_up"
    met = "goal_met" if row.state == "active" else "resolved"
    if follow_up.state == "closed":
        if follow_up.outcome == "refused":
            return "withdrawn", "refused"
        return met, str(follow_up.outcome)
    seen = course.seen.get(row.person_id)
    if seen is not None and seen >= (row.anchor_on if pd.isna(row.goal_from) else row.goal_from):
        return met, "seen"
    if protocol is None:
        return "closed", "no_protocol"
    is_over = pd.Timestamp(today) > row.anchor_on + pd.Timedelta(days=protocol.ends_after_days)
    # Whoever is with a human stays there until something came of it.
    if is_over and not any(task.state in OPEN for task in tasks):
        return "expired", "time_over"
    return None


def _why_a_human(
    row: Any, facts: _Facts, protocol: OutreachProtocol, course: Course, now: datetime
) -> str:
    """Why messages are not enough, or nothing while they may still be."""
    messages = facts.messages.get(row.id, [])
    if any(_did_not_arrive(one, now) for one in messages):
        return UNDELIVERED
    if not messages or any(one.state in _WAITING for one in messages):
        return ""
    # The holdout's silence counts from when a message would have gone: calls come to all alike.
    told = [one for one in messages if one.state in _REACHED or one.reason == HOLDOUT]
    if not told:
        return ""
    last = max(one.due_at if pd.isna(one.handed_at) else one.handed_at for one in told)
    answered = course.answered.get(row.person_id)
    first = min(one.due_at if pd.isna(one.handed_at) else one.handed_at for one in told)
    if answered is not None and answered >= first:
        return ""
    return SILENT if now - last >= timedelta(hours=protocol.ladder.silent_hours) else ""


def _did_not_arrive(message: Any, now: datetime) -> bool:
    if message.state not in _NOT_ARRIVED or message.reason in _NO_FAULT:
        return False
    return bool(message.state != "unknown" or now - message.changed_at >= _UNKNOWN_FOR)


def _climb(
    row: Any,
    why: str,
    facts: _Facts,
    protocol: OutreachProtocol,
    reach: Reach,
    mine: list[Any],
    today: date,
) -> Iterator[dict[str, Any]]:
    """The tasks that the ladder asks for now; each is asked for once."""
    if row.state == "active" and not why:
        return
    urgency = facts.follow_ups[row.follow_up_id].urgency
    key = {"id": row.id, "person_id": row.person_id, "follow_up_id": row.follow_up_id}

    def ask(kind: str, reason: str) -> dict[str, Any]:
        return task_row(
            key, urgency, protocol, kind=kind, why=reason, on=today, who=reach.worker_id
        )

    calls = [task for task in mine if task.kind == "call"]
    visits = [task for task in mine if task.kind == "visit"]
    if not calls and not visits:
        yield ask("call" if may_call(reach) else "visit", why or row.reason)
    elif not visits and any(_is_in_vain(task, facts, protocol) for task in calls):
        yield ask("visit", NO_ANSWERS)
    asked = {task.dedupe_key for task in mine if task.kind == "supervise"}
    for task in (*calls, *visits):
        supervising = f"{task.id}:supervise"
        if _is_late(task, protocol, today) and supervising not in asked:
            yield {**ask("supervise", LATE), "dedupe_key": supervising}


def _is_in_vain(task: Any, facts: _Facts, protocol: OutreachProtocol) -> bool:
    """Whether so many calls on as many days reached nobody, or the number is another's."""
    tries = facts.tries.get(task.id, [])
    days = {one.at.date() for one in tries if one.outcome == NOT_REACHED}
    wrong = any(one.outcome == WRONG_NUMBER for one in tries)
    return wrong or len(days) >= protocol.ladder.no_answers


def _is_late(task: Any, protocol: OutreachProtocol, today: date) -> bool:
    day = pd.Timestamp(today)
    if task.state not in OPEN or (pd.notna(task.snoozed_until) and task.snoozed_until > day):
        return False
    return bool((day - task.due_on).days > protocol.ladder.supervise_after_days)


def _dropped(tasks: list[Any], end: str) -> Iterator[Move]:
    """Open tasks of an enrolment that ended: a visit that was made is done, all else is void."""
    for task in tasks:
        if task.state not in OPEN:
            continue
        after = "completed" if end in ("goal_met", "resolved") and task.kind == "visit" else None
        after = after or "cancelled"
        TASK.check(task.state, after)
        yield Move(task.id, task.state, after, end)
