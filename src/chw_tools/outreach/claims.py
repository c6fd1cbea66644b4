"""What passes between the outbox and whoever sends: claims, answers, and what came of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from chw_tools.outreach.gates import Text, Verdict
    from chw_tools.outreach.messages import Message
    from chw_tools.outreach.wire import Handed


@dataclass(frozen=True)
class Claim:
    """A message that one worker holds, with its text."""

    message: Message
    text: Text
    token: str


@dataclass(frozen=True)
class Judged:
    """What came of one batch: what may go on, and every verdict against."""

    claims: tuple[Claim, ...] = ()
    refused: tuple[tuple[Message, Verdict], ...] = ()
    n_judged: int = 0


@dataclass(frozen=True)
class Answer:
    """What one gateway said of one claim."""

    claim: Claim
    handed: Handed
    provider: str


@dataclass(frozen=True)
class Finished:
    """What answers came to: messages by their state now, opt-outs, channels found broken.

    ``opted_out`` are messages whose number the provider holds as opted out: the consent of
    their people is to be withdrawn. ``broken`` are channels that broke with this batch, each
    once: somebody must be told.
    """

    states: tuple[tuple[str, str], ...] = ()
    opted_out: tuple[Message, ...] = ()
    broken: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Ambiguous:
    """A message of which nobody knows whether the provider has it."""

    message_id: str
    person_id: str
    channel: str
    client_ref: str
    provider_id: str
    handed_at: datetime
