"""One message as it is planned, claimed and judged: plain values, no text yet."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

#: Step of an answer to somebody who wrote: it needs no consent of its own, and no quiet hours.
REPLY = "reply"
#: Step of the one confirmation after STOP: the only message that goes to a stopped number.
STOP_REPLY = "stop_reply"
#: The arm of an experiment that gets no reminders; by this name everywhere.
HOLDOUT = "holdout"


@dataclass(frozen=True, kw_only=True)
class Message:
    """One message to one person.

    Whoever plans one leaves ``id``, ``client_ref`` and ``attempt`` alone: the outbox gives them.

    Parameters
    ----------
    dedupe_key : str
        See :func:`dedupe_key`; the outbox takes a key once.
    person_id : str
        Whom it is about.
    purpose : str
        Purpose that consent must cover, such as ``outreach``.
    step : str
        Step of the protocol; :data:`REPLY` and :data:`STOP_REPLY` are answers.
    channel : str
        ``sms``, ``whatsapp`` or ``email``.
    template, template_version : str, int
        What it says.
    number : str
        E.164 number, or address. Never logged.
    due_at, not_after : datetime
        UTC; not before the first, stale after the second.
    occurrence : int
        Which time this step comes.
    language : str
        Language wanted, as a BCP 47 tag; empty for the person's own.
    variables : mapping
        Values that fill the template. Never logged.
    is_urgent : bool
        May pass the caps; never consent.
    priority : int
        Lower goes first.
    """

    dedupe_key: str
    person_id: str
    purpose: str
    step: str
    channel: str
    template: str
    number: str = field(repr=False)
    due_at: datetime
    not_after: datetime
    template_version: int = 1
    occurrence: int = 1
    enrolment_id: str | None = None
    language: str = ""
    variables: Mapping[str, Any] = field(default_factory=dict, repr=False)
    is_urgent: bool = False
    priority: int = 100
    experiment: str | None = None
    arm: str | None = None
    id: str = ""
    client_ref: str = ""
    attempt: int = 0

    @property
    def is_reply(self) -> bool:
        """Whether it answers somebody who just wrote."""
        return self.step in (REPLY, STOP_REPLY)


def dedupe_key(
    enrolment_id: str, *, step: str, occurrence: int, template_version: int, channel: str
) -> str:
    """The key under which a step's message is sent once.

    >>> dedupe_key("e1", step="due_day", occurrence=1, template_version=2, channel="sms")
    'e1:due_day:1:2:sms'
    """
    return f"{enrolment_id}:{step}:{occurrence}:{template_version}:{channel}"
