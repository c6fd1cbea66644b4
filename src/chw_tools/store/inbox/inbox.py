"""The inbox as the rest of the toolkit sees it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from chw_tools.outreach.inbound import interpret
from chw_tools.store.connection import Reader
from chw_tools.store.inbox import ending, receiving, standing
from chw_tools.store.instants import as_instant
from chw_tools.store.outbox.contacts import lock_points, meet
from chw_tools.store.scope import WHOLE

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    import sqlalchemy as sa

    from chw_tools.outreach.inbound import Reading, Standing
    from chw_tools.outreach.wire import InboundNews
    from chw_tools.programme.templates import Templates
    from chw_tools.programme.words import Words
    from chw_tools.store.inbox.standing import Received
    from chw_tools.store.scope import Scope
    from chw_tools.store.store import Store

_AT_A_TIME = 500


@dataclass(frozen=True)
class Letter:
    """One message received, as a human looks at it."""

    id: str
    channel: str
    number: str = field(repr=False)
    person_id: str | None
    text: str = field(repr=False)
    state: str
    reason: str
    received_at: datetime


@dataclass(frozen=True)
class Waiting:
    """How the inbox stands: messages by state."""

    by_state: Mapping[str, int]


@dataclass(frozen=True)
class Inbox:
    """Messages received into a store, and every act on them.

    ``now`` is an aware instant: nothing here looks at a clock. Whatever the order in which
    messages are delivered, and however often, STOP and START count by when they were written.

    Parameters
    ----------
    store : Store
        Where they are.
    words, templates
        The programme's.
    country : str
        For numbers without a country code.
    by : str
        Who works, for the diary.
    """

    store: Store
    words: Words
    templates: Templates
    country: str = ""
    by: str = "inbox"

    def receive(self, news: Sequence[InboundNews], *, now: datetime) -> int:
        """Keep messages; how many were not known. Nothing is done about them yet."""
        with self.store.working() as connection:
            return receiving.receive(connection, news, country=self.country, now=now)

    def read_all(self, *, now: datetime, limit: int = _AT_A_TIME) -> Mapping[str, int]:
        """Read what waits, each message in a transaction of its own; how many by state."""
        with self.store._reading() as reader:
            found = standing.waiting(reader, limit=limit)
            numbers = {one.number for one in found}
            whose = standing.registered_on(reader, numbers, country=self.country)
        ended = [self._read(one, whose.get(one.number, ()), now=now) for one in found]
        self.settle_consents(now=now)
        return Counter(state for state in ended if state is not None)

    def settle_consents(self, *, now: datetime, limit: int = _AT_A_TIME) -> int:
        """Write the consents that STOP and START change; how many.

        After the opt-out, and apart from it: events of the register may have to wait for a long
        import, and STOP may not. What a crash leaves over is found here the next time.
        """
        with self.store._reading() as reader:
            due = ending.consents_due(reader, limit=limit)
        return sum(self._settle(one, person_id, now=now) for one, person_id in due)

    def _settle(self, one: Received, person_id: str, *, now: datetime) -> bool:
        with self.store.transaction(), self.store.working() as connection:
            if not ending.settled(connection, one, now=now):
                return False
            stopped, _ = ending.is_stopped(connection, one.number)
            row = ending.consent_row(Reader(connection), one, person_id, stopped=stopped, now=now)
            if row is not None:
                self.store.save("consents", row)
        return row is not None

    def letters(
        self, *, state: str | None = None, limit: int = 100, scope: Scope = WHOLE
    ) -> list[Letter]:
        """Messages received, the newest first; in one state, or all."""
        table = standing.INBOUND.c
        columns = ("id", "channel", "number", "person_id", "text", "state", "reason", "received_at")
        with self.store._reading(scope) as reader:
            statement = reader.select("inbound_messages", columns)
            if state is not None:
                statement = statement.where(table.state == state)
            rows = reader.rows(statement.order_by(table.received_at.desc(), table.id).limit(limit))
        return [
            Letter(
                str(row[0]),
                row[1],
                row[2],
                None if row[3] is None else str(row[3]),
                row[4] or "",
                row[5],
                row[6] or "",
                as_instant(row[7]),
            )
            for row in rows
        ]

    def status(self, *, scope: Scope = WHOLE) -> Waiting:
        """How many messages are in each state."""
        import sqlalchemy as sa

        table = standing.INBOUND.c
        with self.store._reading(scope) as reader:
            statement = reader.select("inbound_messages", ["state", sa.func.count()])
            rows = reader.rows(statement.group_by(table.state))
        return Waiting({row[0]: int(row[1]) for row in rows})

    def _read(self, one: Received, registered: Collection[str], *, now: datetime) -> str | None:
        with self.store.working() as connection:
            # Whoever hands over to the number holds this row: STOP waits for nobody's send.
            meet(connection, {one.number: "unknown"}, now=now)
            lock_points(connection, {one.number})
            known = self._standing(connection, one, registered)
            reading = interpret(one.text, known, self.words)
            if not ending.end(connection, one, reading, now=now):
                return None
            ending.resolve(connection, reading, now=now)
            if reading.state in ("opted_out", "opted_in"):
                ending.settle_opt(connection, one, now=now)
            ending.ask_human(connection, one, reading, now=now)
            self._reply(connection, one, reading, known, now=now)
        return reading.state

    def _standing(
        self, connection: sa.Connection, one: Received, registered: Collection[str]
    ) -> Standing:
        return standing.standing_of(
            Reader(connection),
            one,
            words=self.words,
            asking=self.templates.asking("well"),
            registered=registered,
        )

    def _reply(
        self,
        connection: sa.Connection,
        one: Received,
        reading: Reading,
        known: Standing,
        *,
        now: datetime,
    ) -> None:
        ending.reply(connection, one, reading, known, templates=self.templates, by=self.by, now=now)
