"""What would be sent in the days to come, hour by hour, if nothing else happened; nothing is sent.

The gates are those of the worker, asked at the hour at which it would ask them; what goes out
counts against the caps, budgets and rates of what comes after. Facts are those of now: who
consents, dies, comes or answers meanwhile is not foreseen.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from chw_tools.outreach.gates import Contact, judge
from chw_tools.outreach.windows import zone_named

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime

    from chw_tools.outreach.gates import Facts, Switch, Text, Verdict
    from chw_tools.outreach.messages import Message
    from chw_tools.programme.outreach import Outreach


@dataclass(frozen=True)
class Foreseen:
    """One thing that would happen to one message.

    Parameters
    ----------
    at : datetime
        When, in UTC.
    message : Message
        To whom, by what means, about what.
    verdict : Verdict
        ``send``, or what the named gate would do instead.
    text : Text or None
        What it would say. Never logged.
    """

    at: datetime
    message: Message
    verdict: Verdict
    text: Text | None = field(repr=False, default=None)


@dataclass
class _Spent:
    """What the rehearsal itself let out so far."""

    policy: Outreach
    contacts: dict[str, Contact] = field(default_factory=dict)
    segments: dict[tuple[str, date], int] = field(default_factory=lambda: defaultdict(int))
    messages: dict[tuple[str, datetime], int] = field(default_factory=lambda: defaultdict(int))

    def facts_at(self, message: Message, facts: Facts, at: datetime) -> Facts:
        """The facts of a message with what was let out before it."""
        contact = self.contacts.get(message.number, facts.contact)
        return replace(facts, contact=contact, switch=self._switch(message, facts.switch, at))

    def _switch(self, message: Message, switch: Switch, at: datetime) -> Switch:
        limits = self.policy.channels[message.channel]
        segments = self.segments[message.channel, self._day(at)]
        messages = self.messages[message.channel, _minute(at)]
        return replace(
            switch,
            segments_left=limits.segments_per_day - segments if limits.segments_per_day else None,
            messages_left=limits.per_minute - messages if limits.per_minute else None,
        )

    def _day(self, at: datetime) -> date:
        return at.astimezone(zone_named(self.policy.quiet_hours.time_zone)).date()

    def began(self, message: Message, facts: Facts, now: datetime) -> None:
        """Count what was let out before the rehearsal, the first time that a channel is met."""
        key = message.channel, self._day(now)
        limit = self.policy.channels[message.channel].segments_per_day
        if limit and key not in self.segments and facts.switch.segments_left is not None:
            self.segments[key] = limit - facts.switch.segments_left

    def count(self, message: Message, facts: Facts, at: datetime) -> None:
        """Count one message let out."""
        contact = facts.contact
        if message.is_reply:
            contact = replace(contact, replied_at=(*contact.replied_at, at))
        else:
            contact = replace(contact, handed_at=(*contact.handed_at, at))
        self.contacts[message.number] = contact
        self.segments[message.channel, self._day(at)] += facts.text.segments if facts.text else 1
        self.messages[message.channel, _minute(at)] += 1


def _minute(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)


def rehearse(
    ahead: Iterable[tuple[Message, Facts]], *, policy: Outreach, now: datetime, days: int
) -> list[Foreseen]:
    """What would happen to messages in the days to come, in the order of time.

    Parameters
    ----------
    ahead : iterable of (Message, Facts)
        What comes due, with what the gates would look at now (``Outbox.outlook``).
    policy : Outreach
        The programme's decisions.
    now : datetime
        Aware; the beginning.
    days : int
        How far to look.

    Returns
    -------
    list of Foreseen
        Each send, move, suppression and expiry, the last three naming their gate. A message
        that a gate holds (a stopped channel) is told once.
    """
    until, spent = now + timedelta(days=days), _Spent(policy)
    waiting: list[tuple[datetime, int, int, Message, Facts]] = []
    for place, (message, facts) in enumerate(ahead):
        spent.began(message, facts, now)
        due = max(message.due_at, now)
        heapq.heappush(waiting, (due, message.priority, place, message, facts))
    told = []
    while waiting and waiting[0][0] < until:
        at, priority, place, message, given = heapq.heappop(waiting)
        facts = spent.facts_at(message, given, at)
        verdict = judge(message, facts, policy=policy, now=at)
        if verdict.reason == "rate":
            later = _minute(at) + timedelta(minutes=1)
            heapq.heappush(waiting, (later, priority, place, message, given))
            continue
        told.append(Foreseen(at, message, verdict, facts.text))
        if verdict.act == "send":
            spent.count(message, facts, at)
        elif verdict.due_at is not None:
            heapq.heappush(waiting, (verdict.due_at, priority, place, message, given))
    return told
