"""Whether one message may go out now: eleven gates, judged when it is claimed and handed over.

Never at planning: consent, death, a visit or an opt-out between plan and hour decide. A gate
is a function of the message, the facts read in that transaction, the programme's decisions
and the instant; it gives a :class:`Verdict`, or None where it lets the message pass.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Literal, Protocol

from chw_tools.outreach.messages import HOLDOUT, STOP_REPLY
from chw_tools.outreach.windows import day_began, is_open, next_open, zone_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date, datetime

    from chw_tools.outreach.messages import Message
    from chw_tools.programme.outreach import Outreach

Act = Literal["send", "hold", "move", "suppress", "expire"]


class Text(Protocol):
    """A filled template (:mod:`chw_tools.outreach.templates` gives it)."""

    @property
    def text(self) -> str: ...
    @property
    def language(self) -> str: ...
    @property
    def segments(self) -> int: ...
    @property
    def faults(self) -> Sequence[str]: ...


@dataclass(frozen=True)
class Switch:
    """What holds for a channel; None of a number left is no limit."""

    is_stopped: bool = False
    is_broken: bool = False
    segments_left: int | None = None
    messages_left: int | None = None


@dataclass(frozen=True)
class Contact:
    """What holds for the number, whoever shares it.

    ``handed_at`` are the instants at which messages to it were handed over in the last eight
    days, answers apart from all others.
    """

    kind: str = "unknown"
    is_opted_out: bool = False
    is_bad: bool = False
    handed_at: tuple[datetime, ...] = ()
    replied_at: tuple[datetime, ...] = ()


@dataclass(frozen=True)
class Standing:
    """What the register says of the person today."""

    is_known: bool = True
    has_died: bool = False
    has_moved: bool = False
    is_merged: bool = False
    muted_until: date | None = None


@dataclass(frozen=True)
class Enrolled:
    """How the enrolment stands; ``is_visited`` since its goal counts."""

    state: str = "active"
    arm: str | None = None
    is_visited: bool = False


@dataclass(frozen=True)
class Facts:
    """All that the gates look at, as read in the transaction that acts on it."""

    switch: Switch = field(default_factory=Switch)
    consent: str | None = "given"
    contact: Contact = field(default_factory=Contact)
    person: Standing = field(default_factory=Standing)
    enrolled: Enrolled | None = None
    text: Text | None = None


@dataclass(frozen=True)
class Verdict:
    """What is to be done with a message; ``gate`` and ``reason`` say why not to send it.

    ``hold`` leaves it due, ``move`` gives it another hour, ``suppress`` and ``expire`` end it.
    """

    act: Act
    gate: str = ""
    reason: str = ""
    due_at: datetime | None = None


SEND = Verdict("send")


def stopped(message: Message, facts: Facts, policy: Outreach, now: datetime) -> Verdict | None:
    """G1: somebody pulled the switch, or the provider refuses the whole account."""
    if facts.switch.is_stopped:
        return Verdict("hold", "G1", "stopped")
    return Verdict("hold", "G1", "channel_broken") if facts.switch.is_broken else None


def consent(message: Message, facts: Facts, policy: Outreach, now: datetime) -> Verdict | None:
    """G2: consent of the person, for the purpose, by this channel, as it stands now.

    An answer to somebody who wrote needs none of its own.
    """
    if message.is_reply or facts.consent == "given":
        return None
    return Verdict("suppress", "G2", f"consent_{facts.consent or 'missing'}")


def opted_out(message: Message, facts: Facts, policy: Outreach, now: datetime) -> Verdict | None:
    """G3: STOP was said from the number, by whoever shares it; or it is found not to work.

    One message passes: the confirmation of STOP itself.
    """
    if facts.contact.is_opted_out and message.step != STOP_REPLY:
        return Verdict("suppress", "G3", "opted_out")
    if not message.number:
        return Verdict("suppress", "G3", "no_number")
    if facts.contact.is_bad:
        return Verdict("suppress", "G3", "number_bad")
    if facts.contact.kind == "landline" and message.channel != "email":
        return Verdict("suppress", "G3", "landline")
    return None


def standing(message: Message, facts: Facts, policy: Outreach, now: datetime) -> Verdict | None:
    """G4: alive, here, still enrolled, not muted."""
    person = facts.person
    reasons = {
        "not_in_register": not person.is_known,
        "died": person.has_died,
        "moved": person.has_moved,
        "merged": person.is_merged,
    }
    for reason, holds in reasons.items():
        if holds and not message.is_reply:
            return Verdict("suppress", "G4", reason)
    if message.enrolment_id is None:
        return None
    if facts.enrolled is None or facts.enrolled.state != "active":
        return Verdict("suppress", "G4", "not_enrolled")
    if person.muted_until is not None:
        zone = zone_of(message.number, policy.quiet_hours)
        if person.muted_until > now.astimezone(zone).date():
            return _moved(message, policy, now, gate="G4", reason="muted", least=person.muted_until)
    return None


def goal_met(message: Message, facts: Facts, policy: Outreach, now: datetime) -> Verdict | None:
    """G5: the visit that the message asks for took place."""
    if facts.enrolled is not None and facts.enrolled.is_visited:
        return Verdict("suppress", "G5", "goal_met")
    return None


def expired(message: Message, facts: Facts, policy: Outreach, now: datetime) -> Verdict | None:
    """G6: stale."""
    return Verdict("expire", "G6", "not_after") if now >= message.not_after else None


def quiet_hours(message: Message, facts: Facts, policy: Outreach, now: datetime) -> Verdict | None:
    """G7: the hour is quiet where the person lives: moved to the next open one.

    It must stay open for as long as a hand-over holds. An answer to somebody who just wrote
    is not kept until morning.
    """
    hours = policy.quiet_hours
    zone = zone_of(message.number, hours)
    latest = now + timedelta(seconds=policy.leases.hand_over_seconds)
    if message.is_reply or (is_open(now, zone, hours) and is_open(latest, zone, hours)):
        return None
    return _moved(message, policy, latest, gate="G7", reason="quiet_hours")


def caps(message: Message, facts: Facts, policy: Outreach, now: datetime) -> Verdict | None:
    """G8: enough was sent to the number today, or in seven days: moved to a later day.

    What is urgent passes; answers are counted for themselves.
    """
    zone = zone_of(message.number, policy.quiet_hours)
    if message.is_reply:
        today = day_began(now, zone)
        replied = sum(at >= today for at in facts.contact.replied_at)
        most = policy.caps.replies_per_day
        return Verdict("suppress", "G8", "enough_replies") if replied >= most else None
    if message.is_urgent or not facts.contact.handed_at:
        return None
    week, today = day_began(now, zone, days_ago=6), day_began(now, zone)
    in_week = sorted(at for at in facts.contact.handed_at if at >= week)
    local = now.astimezone(zone).date()
    if len(in_week) >= policy.caps.per_week:
        # Free again when the oldest of the last few falls out of the seven days.
        oldest = in_week[-policy.caps.per_week].astimezone(zone).date()
        least = max(oldest + timedelta(days=7), local + timedelta(days=1))
        return _moved(message, policy, now, gate="G8", reason="enough_this_week", least=least)
    if sum(at >= today for at in in_week) >= policy.caps.per_day:
        least = local + timedelta(days=1)
        return _moved(message, policy, now, gate="G8", reason="enough_today", least=least)
    return None


def wording(message: Message, facts: Facts, policy: Outreach, now: datetime) -> Verdict | None:
    """G9: approved, in a language at hand, nothing missing, short enough, nothing forbidden."""
    if facts.text is None:
        return Verdict("suppress", "G9", "template_unknown")
    if facts.text.faults:
        return Verdict("suppress", "G9", facts.text.faults[0])
    if message.channel == "sms" and facts.text.segments > policy.caps.max_segments:
        return Verdict("suppress", "G9", "too_long")
    return None


def holdout(message: Message, facts: Facts, policy: Outreach, now: datetime) -> Verdict | None:
    """G10: the arm of an experiment that is told nothing."""
    arms = {message.arm, facts.enrolled.arm if facts.enrolled else None}
    return Verdict("suppress", "G10", "holdout") if HOLDOUT in arms else None


def limits(message: Message, facts: Facts, policy: Outreach, now: datetime) -> Verdict | None:
    """G11: the channel's budget of the day and its rate over all workers."""
    switch, needs = facts.switch, facts.text.segments if facts.text else 1
    if switch.messages_left is not None and switch.messages_left < 1:
        return Verdict("hold", "G11", "rate")
    if switch.segments_left is not None and switch.segments_left < needs:
        least = now.astimezone(zone_of(message.number, policy.quiet_hours)).date()
        least += timedelta(days=1)
        return _moved(message, policy, now, gate="G11", reason="budget", least=least)
    return None


def _moved(
    message: Message,
    policy: Outreach,
    now: datetime,
    *,
    gate: str,
    reason: str,
    least: date | None = None,
) -> Verdict:
    zone = zone_of(message.number, policy.quiet_hours)
    at = next_open(now, zone, policy.quiet_hours, key=message.id, least=least)
    if at is None or at >= message.not_after:
        return Verdict("expire", gate, reason)
    return Verdict("move", gate, reason, at)


#: The gates in the order in which they are asked.
GATES: dict[str, Callable[[Message, Facts, Outreach, datetime], Verdict | None]] = {
    "G1": stopped,
    "G2": consent,
    "G3": opted_out,
    "G4": standing,
    "G5": goal_met,
    "G6": expired,
    "G7": quiet_hours,
    "G8": caps,
    "G9": wording,
    "G10": holdout,
    "G11": limits,
}


def judge(message: Message, facts: Facts, *, policy: Outreach, now: datetime) -> Verdict:
    """The verdict of the first gate that does not let the message pass; else :data:`SEND`.

    Parameters
    ----------
    message : Message
        As claimed.
    facts : Facts
        Read in the same transaction.
    policy : Outreach
        The programme's decisions.
    now : datetime
        Aware.
    """
    for gate in GATES.values():
        verdict = gate(message, facts, policy, now)
        if verdict is not None:
            return verdict
    return SEND
