"""What the gates look at, read in the transaction that acts on it: a dozen queries a batch.

Deaths, moves, merges, corrections and taken-back decisions are read as
:func:`chw_tools.data_processing.as_known_on` reads them (a test holds the two together), but
for a batch of people at a time and without waiting for the whole register. Where the two could
differ, this one rather does not send.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import UTC, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from chw_tools.outreach.gates import Contact, Enrolled, Facts, Standing, Switch
from chw_tools.records.tables import DEATHS
from chw_tools.store.connection import Reader
from chw_tools.store.instants import as_day_or_none, as_instant, as_text
from chw_tools.store.scope import WHOLE, among_given, given_ids, select_from
from chw_tools.store.tables import REGISTER, WORK

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import date, datetime

    from chw_tools.outreach.gates import Text
    from chw_tools.outreach.messages import Message

#: The earth's earliest clock runs so many hours ahead of UTC: no day there lies beyond.
_AHEAD = timedelta(hours=14)
#: Seven days of the recipient, wherever, lie within so many.
_RECENT = timedelta(days=9)
#: Tasks after which a person is not kept quiet any more.
_DONE = ("completed", "failed", "cancelled")
#: Longer chains of "taken back" are no register's work.
_MOST_UNDONE = 32
_CHANGES = ("id", "person_id", "change", "into_person_id", "supersedes_id", "happened_on")
#: A call is no visit.
_NO_VISIT = ("phone",)


@dataclass
class Tally:
    """The facts of one batch; what is let out is counted at once, for the next in the batch."""

    switches: dict[str, Switch]
    contacts: dict[str, Contact] = field(default_factory=dict)
    people: dict[str, Standing] = field(default_factory=dict)
    consents: dict[tuple[str, str, str], str] = field(default_factory=dict)
    enrolled: dict[str, Enrolled] = field(default_factory=dict)
    languages: dict[str, str] = field(default_factory=dict)
    spent: dict[str, tuple[int, int]] = field(default_factory=dict)

    def facts_of(self, message: Message, text: Text | None) -> Facts:
        """The facts for one message."""
        return Facts(
            switch=self.switches[message.channel],
            consent=self.consents.get((message.person_id, message.purpose, message.channel)),
            contact=self.contacts.get(message.number, Contact()),
            person=self.people[message.person_id],
            enrolled=self.enrolled.get(message.enrolment_id or ""),
            text=text,
        )

    def count(self, message: Message, text: Text | None, now: datetime) -> None:
        """Count a message that may go out."""
        contact = self.contacts.get(message.number, Contact())
        if message.is_reply:
            contact = replace(contact, replied_at=(*contact.replied_at, now))
        else:
            contact = replace(contact, handed_at=(*contact.handed_at, now))
        self.contacts[message.number] = contact
        segments = text.segments if text is not None else 1
        before = self.spent.get(message.channel, (0, 0))
        self.spent[message.channel] = (before[0] + segments, before[1] + 1)
        switch = self.switches[message.channel]
        self.switches[message.channel] = replace(
            switch,
            segments_left=_less(switch.segments_left, segments),
            messages_left=_less(switch.messages_left, 1),
        )


# -- statements, built once for each database ----------------------------------------


@lru_cache(maxsize=4)
def _statements(dialect: str) -> dict[str, sa.Select[Any]]:
    """Every SELECT of this module; ``ids`` are the keys asked for.

    Building them anew for each batch would cost more than running them.
    """
    points, rows, tasks = WORK["contact_points"].c, WORK["messages"].c, WORK["tasks"].c
    people, changes = REGISTER["people"].c, REGISTER["person_changes"].c
    visits, outcomes = REGISTER["visits"].c, REGISTER["outcomes"].c
    consents, enrolments = REGISTER["consents"].c, WORK["enrolments"].c

    def one_of(column: sa.ColumnElement[Any]) -> Any:
        return among_given(column, dialect)

    def select(name: str, *columns: str) -> sa.Select[Any]:
        return select_from(name, columns, scope=WHOLE)

    since_instant = sa.bindparam("since", type_=rows.handed_at.type)
    since_day = sa.bindparam("since", type_=visits.visited_on.type)
    return {
        "points": select("contact_points", "number", "kind", "is_opted_out", "is_bad").where(
            one_of(points.number)
        ),
        # What failed did not arrive; what is unknown may have. No upper end: a clock may be
        # set back.
        "handed": select("messages", "id", "number", "step", "handed_at").where(
            one_of(rows.number), rows.handed_at >= since_instant, rows.state != "failed"
        ),
        "changes": select("person_changes", *_CHANGES).where(
            sa.or_(one_of(changes.person_id), one_of(changes.into_person_id))
        ),
        "people": select("people", "id", "died_on", "moved_on", "language").where(
            one_of(people.id)
        ),
        "told": select("visits", "outcome", "person_id", "visited_on").where(
            one_of(visits.person_id), visits.outcome.in_(("died", "moved")), _is_last("visits")
        ),
        "deaths": select("outcomes", "person_id", "happened_on").where(
            one_of(outcomes.person_id),
            outcomes.outcome.in_(DEATHS),
            outcomes.is_positive.is_(True),
            _is_last("outcomes"),
        ),
        "muted": select("tasks", "person_id", "snoozed_until").where(
            one_of(tasks.person_id), tasks.snoozed_until.is_not(None), tasks.state.not_in(_DONE)
        ),
        "consents": select("consents", "person_id", "purpose", "channel", "decision")
        .where(one_of(consents.person_id), _is_last("consents"))
        .order_by(consents.decided_on, consents.server_seq),
        "enrolments": select(
            "enrolments", "id", "person_id", "state", "arm", "anchor_on", "goal_from"
        ).where(one_of(enrolments.id)),
        "seen": select("visits", "person_id", "visited_on").where(
            one_of(visits.person_id),
            visits.visited_on >= since_day,
            visits.outcome == "seen",
            visits.kind.not_in(_NO_VISIT),
            _is_last("visits"),
        ),
    }


def _rows(reader: Reader, name: str, ids: Collection[str], **other: str) -> list[Any]:
    given = given_ids(ids, reader.dialect)
    statement = _statements(reader.dialect)[name]
    return [tuple(row) for row in reader.connection.execute(statement, {"ids": given, **other})]


def _less(left: int | None, by: int) -> int | None:
    return None if left is None else left - by


def read_facts(
    connection: sa.Connection,
    messages: Collection[Message],
    *,
    switches: dict[str, Switch],
    now: datetime,
) -> Tally:
    """The facts of some messages.

    Locks nothing itself: what must not change until commit is locked by the caller before.
    """
    reader = Reader(connection)
    ids = {message.person_id for message in messages}
    into, void = _merges(reader, ids)
    tally = Tally(dict(switches))
    tally.contacts = _contacts(reader, messages, now=now)
    tally.people, tally.languages = _standings(reader, ids, into, void, now=now)
    for person_id, until in _muted(reader, ids).items():
        tally.people[person_id] = replace(tally.people[person_id], muted_until=until)
    tally.consents = _consents(reader, messages, into)
    tally.enrolled = _enrolments(reader, messages, into)
    return tally


# -- numbers -----------------------------------------------------------------------


def _contacts(
    reader: Reader, messages: Collection[Message], *, now: datetime
) -> dict[str, Contact]:
    numbers = {message.number for message in messages}
    held = {
        row[0]: Contact(kind=row[1], is_opted_out=bool(row[2]), is_bad=bool(row[3]))
        for row in _rows(reader, "points", numbers)
    }
    own = {message.id for message in messages}
    at: dict[tuple[str, bool], list[datetime]] = defaultdict(list)
    for key, number, step, handed_at in _rows(
        reader, "handed", numbers, since=as_text(now - _RECENT)
    ):
        if key not in own:
            at[number, step in ("reply", "stop_reply")].append(as_instant(handed_at))
    return {
        number: replace(
            held.get(number, Contact()),
            handed_at=tuple(at.get((number, False), ())),
            replied_at=tuple(at.get((number, True), ())),
        )
        for number in numbers
    }


# -- people ------------------------------------------------------------------------


def _merges(reader: Reader, ids: Collection[str]) -> tuple[dict[str, set[str]], list[Any]]:
    """For each person the entries merged into theirs, themselves included; and the changes.

    The changes are those that stand: neither taken back nor a taking back.
    """
    found: dict[str, Any] = {}
    asked: set[str] = set()
    ask = set(ids)
    while ask:
        rows = _rows(reader, "changes", ask)
        found |= {row[0]: row for row in rows}
        asked |= ask
        ask = {row[1] for row in rows} - asked
    standing = _without_undone(list(found.values()))
    merged: dict[str, set[str]] = defaultdict(set)
    for row in standing:
        if row[2] == "merged" and row[3] is not None and row[3] != row[1]:
            merged[row[3]].add(row[1])
    return {person_id: _all_into(person_id, merged) for person_id in ids}, standing


def _without_undone(rows: list[Any]) -> list[Any]:
    undoing = {row[0]: row[4] for row in rows if row[2] == "undone" and row[4] is not None}
    void: set[str] = set()
    for _ in range(_MOST_UNDONE):
        found = {named for key, named in undoing.items() if key not in void}
        if found == void:
            break
        void = found
    superseded = {row[4] for row in rows if row[4] is not None and row[2] != "undone"}
    return [
        row
        for row in rows
        if row[0] not in void and row[0] not in superseded and row[2] != "undone"
    ]


def _all_into(person_id: str, merged: Mapping[str, set[str]]) -> set[str]:
    found, ask = {person_id}, {person_id}
    while ask:
        ask = {one for key in ask for one in merged.get(key, ())} - found
        found |= ask
    return found


def _standings(
    reader: Reader,
    ids: Collection[str],
    into: Mapping[str, set[str]],
    changes: list[Any],
    *,
    now: datetime,
) -> tuple[dict[str, Standing], dict[str, str]]:
    latest = (now.astimezone(UTC) + _AHEAD).date()
    every = sorted({one for group in into.values() for one in group})
    rows = _rows(reader, "people", every)
    gone: dict[str, set[str]] = {"died": set(), "moved": set(), "merged": set()}
    for key, died_on, moved_on, _ in rows:
        _note(gone["died"], key, died_on, latest)
        _note(gone["moved"], key, moved_on, latest)
    for _, key, change, into_id, _, happened_on in changes:
        if change in gone and (change != "merged" or into_id not in (None, key)):
            _note(gone[change], key, happened_on, latest)
    for what, key, on in _told(reader, every):
        _note(gone[what], key, on, latest)
    known = {row[0] for row in rows}
    standings = {
        key: Standing(
            is_known=key in known,
            has_died=not gone["died"].isdisjoint(into[key]),
            has_moved=not gone["moved"].isdisjoint(into[key]),
            is_merged=key in gone["merged"],
        )
        for key in ids
    }
    return standings, {row[0]: row[3] for row in rows if row[3]}


def _note(keys: set[str], key: str, on: Any, latest: date) -> None:
    day = as_day_or_none(on)
    if day is not None and day <= latest:
        keys.add(key)


def _told(reader: Reader, ids: list[str]) -> Iterable[tuple[str, str, Any]]:
    """Deaths and moves that visits and outcomes tell of."""
    yield from _rows(reader, "told", ids)
    for person_id, happened_on in _rows(reader, "deaths", ids):
        yield "died", person_id, happened_on


def _is_last(name: str) -> sa.ColumnElement[bool]:
    """Whether no other row corrects a row of events."""
    table = REGISTER[name]
    later = table.alias("later")
    return ~sa.exists().where(later.c.supersedes_id == table.c.id, later.c.id != table.c.id)


def _muted(reader: Reader, ids: Collection[str]) -> dict[str, date]:
    until: dict[str, date] = {}
    for person_id, snoozed in _rows(reader, "muted", ids):
        day = as_day_or_none(snoozed)
        if day is not None:
            until[person_id] = max(day, until.get(person_id, day))
    return until


# -- consent and goals ---------------------------------------------------------------


def _consents(
    reader: Reader, messages: Collection[Message], into: Mapping[str, set[str]]
) -> dict[tuple[str, str, str], str]:
    """The newest decision that covers each person, purpose and channel.

    A decision without a channel covers them all. Where entries merged into one person decided
    otherwise on the same day, nobody knows which came last: then whoever refused is believed.
    """
    table = REGISTER["consents"].c
    every = sorted({one for group in into.values() for one in group})
    names = ("person_id", "purpose", "channel", "decision", "decided_on")
    statement = (
        reader.select("consents", names)
        .where(reader.among(table.person_id, every), _is_last("consents"))
        .order_by(table.decided_on, table.server_seq)
    )
    rows: dict[str, list[Any]] = defaultdict(list)
    for row in reader.rows(statement):
        rows[row[0]].append(row)
    newest: dict[tuple[str, str, str], str] = {}
    for message in messages:
        last = [
            covering[-1]
            for one in into[message.person_id]
            if (
                covering := [
                    row
                    for row in rows.get(one, ())
                    if row[1] == message.purpose and row[2] in (None, message.channel)
                ]
            )
        ]
        if last:
            day = max(str(row[4]) for row in last)
            said = {row[3] for row in last if str(row[4]) == day}
            wanted = (message.person_id, message.purpose, message.channel)
            newest[wanted] = "given" if said == {"given"} else min(said - {"given"})
    return newest


def _enrolments(
    reader: Reader, messages: Collection[Message], into: Mapping[str, set[str]]
) -> dict[str, Enrolled]:
    wanted = [message.enrolment_id for message in messages if message.enrolment_id]
    if not wanted:
        return {}
    rows = _rows(reader, "enrolments", wanted)
    since = {row[0]: as_day_or_none(row[5]) or as_day_or_none(row[4]) for row in rows}
    seen = _last_seen(reader, into, min(day for day in since.values() if day) if since else None)
    return {
        key: Enrolled(
            state=state,
            arm=arm,
            is_visited=any(
                on >= since[key] for one in into.get(person_id, ()) for on in seen.get(one, ())
            ),
        )
        for key, person_id, state, arm, _, _ in rows
    }


def _last_seen(
    reader: Reader, into: Mapping[str, set[str]], since: date | None
) -> dict[str, list[Any]]:
    if since is None:
        return {}
    every = sorted({one for group in into.values() for one in group})
    seen: dict[str, list[Any]] = defaultdict(list)
    for person_id, visited_on in _rows(reader, "seen", every, since=since.isoformat()):
        seen[person_id].append(as_day_or_none(visited_on))
    return seen
