"""What goes over the wire and comes back: the words that the outbox and every gateway share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

#: How a hand-over ended.
#:
#: ``accepted``   the provider has it;
#: ``retry``      it certainly does not have it, and may later (refused before hand-over);
#: ``permanent``  it never will: the number is invalid, a landline, not supported;
#: ``opted_out``  the provider keeps an opt-out for the number;
#: ``account``    the whole account is refused (credentials, balance, sender): no attempt burnt;
#: ``unknown``    it may or may not have it (no answer after hand-over): never resent blindly.
Ending = Literal["accepted", "retry", "permanent", "opted_out", "account", "unknown"]

#: States that a receipt can report, in rising rank; ``failed`` beats ``sent``, never ``delivered``.
Reported = Literal["accepted", "sent", "delivered", "read", "failed"]


@dataclass(frozen=True)
class Outgoing:
    """One message, ready to be handed to a provider.

    Parameters
    ----------
    message_id : str
        Key of the outbox row.
    client_ref : str
        Our reference of this hand-over, told to the provider where it takes one.
    number : str
        E.164 number, or an e-mail address. Never logged.
    text : str
        Filled text. Never logged.
    language : str
        Language of the text, as a BCP 47 tag.
    template : str
        Name of the template: providers of approved templates (WhatsApp) are told it.
    variables : mapping
        Values that filled it, in the template's order.
    subject : str
        For e-mail.
    """

    message_id: str
    client_ref: str
    number: str = field(repr=False)
    text: str = field(repr=False)
    language: str = "en"
    template: str = ""
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    subject: str = field(default="", repr=False)


@dataclass(frozen=True)
class Handed:
    """What one hand-over came to; ``reason`` is a key, never the provider's free text."""

    ending: Ending
    provider_id: str = ""
    reason: str = ""


@dataclass(frozen=True)
class ReceiptNews:
    """One report on one message, as a signed callback told it."""

    provider: str
    provider_id: str
    state: Reported
    reason: str = ""
    client_ref: str = ""


@dataclass(frozen=True)
class InboundNews:
    """One message received, as a signed callback told it."""

    provider: str
    provider_id: str
    channel: Literal["sms", "whatsapp", "email"]
    number: str = field(repr=False)
    text: str = field(repr=False)
    received_at: datetime | None = None


class Gateway(Protocol):
    """One way out: a provider, a file, or the simulated network."""

    @property
    def name(self) -> str:
        """Name of the provider, as kept in the outbox."""
        ...

    @property
    def channel(self) -> Literal["sms", "whatsapp", "email"]:
        """The channel it serves."""
        ...

    def send(self, message: Outgoing) -> Handed:
        """Hand one message over, once; never raises for what a provider may do."""
        ...

    def look_up(self, client_ref: str, provider_id: str) -> Handed | None:
        """What became of an ambiguous hand-over; None where the provider cannot say."""
        ...


class Callbacks(Protocol):
    """How a provider's callbacks are checked and read."""

    @property
    def name(self) -> str: ...

    def is_signed(self, *, url: str, headers: Mapping[str, str], body: bytes) -> bool:
        """Whether the provider truly sent it."""
        ...

    def receipts(self, *, headers: Mapping[str, str], body: bytes) -> Sequence[ReceiptNews]:
        """The reports on messages in it."""
        ...

    def inbound(self, *, headers: Mapping[str, str], body: bytes) -> Sequence[InboundNews]:
        """The messages received in it."""
        ...
