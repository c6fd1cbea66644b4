"""The outbox as the rest of the toolkit sees it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chw_tools.store.outbox import (
    claiming,
    contacts,
    finishing,
    looking,
    planning,
    receipts,
    recovering,
)
from chw_tools.store.scope import WHOLE

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from chw_tools.outreach.claims import Ambiguous, Answer, Claim, Finished, Judged
    from chw_tools.outreach.gates import Facts
    from chw_tools.outreach.messages import Message
    from chw_tools.outreach.wire import Handed, ReceiptNews
    from chw_tools.store.outbox.claiming import Desk
    from chw_tools.store.outbox.looking import Happening, OutboxStatus
    from chw_tools.store.scope import Scope
    from chw_tools.store.store import Store

#: Rows woken or freed in one transaction.
_AT_A_TIME = 1000


@dataclass(frozen=True)
class Outbox:
    """Messages of a store, and every act on them; each act is a transaction of its own.

    Inside :meth:`Store.transaction` an act joins it. ``now`` is an aware instant: nothing here
    looks at a clock. Several workers, also on several machines, may use one outbox at a time.

    Parameters
    ----------
    store : Store
        Where the messages are.
    desk : Desk
        Who works and by what rules.
    """

    store: Store
    desk: Desk

    # -- planning --------------------------------------------------------------------

    def plan(
        self,
        messages: Sequence[Message],
        *,
        now: datetime,
        kinds: Mapping[str, str] | None = None,
    ) -> list[Message]:
        """Add messages; those whose ``dedupe_key`` was not known yet, with their keys."""
        with self.store.working() as connection:
            return planning.plan_messages(
                connection, messages, by=self.desk.by, now=now, kinds=kinds or {}
            )

    def cancel(
        self,
        *,
        reason: str,
        now: datetime,
        message_ids: Collection[str] | None = None,
        enrolment_ids: Collection[str] | None = None,
        person_ids: Collection[str] | None = None,
    ) -> int:
        """Take out messages that no worker holds and no provider has; how many."""
        with self.store.working() as connection:
            return planning.cancel(
                connection,
                reason=reason,
                by=self.desk.by,
                now=now,
                message_ids=message_ids,
                enrolment_ids=enrolment_ids,
                person_ids=person_ids,
            )

    # -- sending ---------------------------------------------------------------------

    def wake(self, *, now: datetime, limit: int = _AT_A_TIME) -> tuple[int, int]:
        """Make due what has come due; how many, and how many were stale instead."""
        with self.store.working() as connection:
            return claiming.wake(connection, self.desk, now=now, limit=limit)

    def claim(self, channel: str, *, now: datetime, limit: int) -> Judged:
        """Take due messages of a channel past all gates; nobody else can hold them now."""
        token = f"{self.desk.by}:{secrets.token_hex(8)}"
        with self.store.working() as connection:
            return claiming.claim(connection, self.desk, channel, token=token, now=now, limit=limit)

    def hand_over(self, claims: Collection[Claim], *, now: datetime) -> Judged:
        """Begin the sends of claims: only those given back may be handed to a gateway.

        The send begins when this returns; see :mod:`chw_tools.store.outbox.claiming`. Asked
        again for a claim that was not sent yet, the answer may be different.
        """
        with self.store.working() as connection:
            return claiming.hand_over(connection, self.desk, claims, now=now)

    def release(self, claims: Collection[Claim], *, now: datetime) -> int:
        """Give back claims that were certainly not sent."""
        with self.store.working() as connection:
            return claiming.release(connection, self.desk, claims, now=now)

    def finish(self, answers: Collection[Answer], *, now: datetime) -> Finished:
        """Write what gateways answered."""
        with self.store.working() as connection:
            return finishing.finish(connection, self.desk, answers, now=now)

    # -- after a crash -----------------------------------------------------------------

    def recover(self, *, now: datetime, limit: int = _AT_A_TIME) -> tuple[int, int]:
        """Free what lapsed claims hold; how many are due again and how many unknown."""
        with self.store.working() as connection:
            return recovering.recover(connection, self.desk, now=now, limit=limit)

    def ambiguous(self, *, limit: int = 100) -> list[Ambiguous]:
        """Messages of which nobody knows whether the provider has them."""
        with self.store._reading() as reader:
            return recovering.ambiguous(reader.connection, limit=limit)

    def resolve(self, message_id: str, handed: Handed, *, now: datetime) -> bool:
        """Write what the provider says of an ambiguous message; whether that settled it."""
        with self.store.working() as connection:
            return recovering.resolve(connection, self.desk, message_id, handed, now=now)

    def ask_humans(self, *, now: datetime, limit: int = _AT_A_TIME) -> int:
        """Give what stayed unknown to a human, where it matters; how many."""
        with self.store.working() as connection:
            return recovering.ask_humans(connection, self.desk, now=now, limit=limit)

    # -- receipts ------------------------------------------------------------------------

    def apply_receipts(self, news: Sequence[ReceiptNews], *, now: datetime) -> int:
        """Keep reports and raise what they are about; how many were not known before."""
        with self.store.working() as connection:
            return receipts.apply_receipts(connection, news, by=self.desk.by, now=now)

    def match_receipts(self, *, now: datetime, limit: int = _AT_A_TIME) -> int:
        """Raise messages whose reports came before they were known."""
        with self.store.working() as connection:
            return receipts.match_receipts(connection, by=self.desk.by, now=now, limit=limit)

    # -- switches ------------------------------------------------------------------------

    def stop_number(self, number: str, *, now: datetime) -> bool:
        """Note STOP from a number; once this returns no send to it begins."""
        with self.store.working() as connection:
            return contacts.stop_number(connection, number, now=now)

    def start_number(self, number: str, *, now: datetime) -> bool:
        """Note START from a number."""
        with self.store.working() as connection:
            return contacts.start_number(connection, number, now=now)

    def mark_bad(self, numbers: Mapping[str, str], *, now: datetime) -> None:
        """Note numbers that no message may go to, with the reason's key."""
        with self.store.working() as connection:
            contacts.mark_bad(connection, numbers, now=now)

    def stop(self, channel: str = contacts.ALL, *, now: datetime, reason: str = "") -> bool:
        """Stop a channel, or all: once this returns no send by it begins."""
        with self.store.working() as connection:
            return contacts.turn(
                connection, channel, now=now, reason=reason or "stopped", is_stopped=True
            )

    def start(self, channel: str = contacts.ALL, *, now: datetime) -> bool:
        """Let a channel send again, also one that its provider had refused."""
        with self.store.working() as connection:
            return contacts.turn(
                connection, channel, now=now, reason=None, is_stopped=False, is_broken=False
            )

    # -- looking ---------------------------------------------------------------------------

    def status(self, *, now: datetime) -> OutboxStatus:
        """How the outbox stands."""
        with self.store._reading() as reader:
            return looking.status(reader.connection, self.desk, now=now)

    def timeline(self, person_id: str, *, scope: Scope = WHOLE) -> list[Happening]:
        """Everything done about messages to one person, the oldest first."""
        with self.store._reading(scope) as reader:
            return looking.timeline(reader, person_id)

    def outlook(self, *, now: datetime, until: datetime) -> list[tuple[Message, Facts]]:
        """What comes due by an instant, with what the gates would look at now."""
        with self.store._reading() as reader:
            return looking.outlook(reader.connection, self.desk, now=now, until=until)
