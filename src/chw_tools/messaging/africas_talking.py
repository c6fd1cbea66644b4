"""SMS through Africa's Talking: one POST a message, and its callbacks.

Africa's Talking signs no callback: a secret stands in the path, and the senders' networks can be
listed. What is told is checked against what was sent all the same: a report on a message that is
not ours changes nothing.

Source
------
docs.africastalking.com/sms/deliveryreports and /sms/notifications (read); status codes of a
recipient as the Community Health Toolkit maps them (``docs/sources.md``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from chw_tools.messaging.handing import (
    MALFORMED,
    by_status,
    dig,
    hand_over,
    read_json,
    refused,
    text_of,
)
from chw_tools.messaging.signing import digest_of, form_of, is_from, is_secret_in_path
from chw_tools.outreach.wire import Handed, InboundNews, ReceiptNews, Reported

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from chw_tools.messaging.connecting import Caller, Reply
    from chw_tools.outreach.wire import Outgoing

NAME = "africas_talking"
URL = "https://api.africastalking.com"

#: Status codes of a recipient.
_CODES: dict[str, Handed] = {
    "401": Handed("permanent", reason="risk_hold"),
    "402": Handed("account", reason="sender_refused"),
    "403": Handed("permanent", reason="invalid_number"),
    "404": Handed("permanent", reason="unsupported_number"),
    "405": Handed("account", reason="no_balance"),
    "406": Handed("opted_out", reason="opted_out_at_provider"),
    "407": Handed("permanent", reason="not_routed"),
    "409": Handed("opted_out", reason="do_not_disturb"),
    "500": Handed("retry", reason="provider_error"),
    "501": Handed("retry", reason="provider_error"),
    "502": Handed("retry", reason="provider_error"),
}
_ACCEPTED = ("100", "101", "102")
_STATES: dict[str, Reported] = {
    "Sent": "accepted",
    "Submitted": "sent",
    "Buffered": "sent",
    "Success": "delivered",
    "Rejected": "failed",
    "Failed": "failed",
}
_FAILURES = {
    "UserInBlackList": "opted_out_at_provider",
    "UserInBlacklist": "opted_out_at_provider",
    "UserDoesNotExist": "invalid_number",
    "UserIsInactive": "number_inactive",
    "UserAccountSuspended": "number_inactive",
    "UserNotProvisioned": "unsupported_number",
    "NotNetworkSubscriber": "invalid_number",
    "AbsentSubscriber": "not_reached",
    "DeliveryFailure": "not_reached",
}


@dataclass(frozen=True)
class AfricasTalking:
    """The gateway. ``sender`` is a short code or sender id; empty for the account's own."""

    caller: Caller = field(repr=False)
    username: str
    api_key: str = field(repr=False)
    sender: str = ""
    name: str = NAME
    channel: Literal["sms"] = "sms"

    def send(self, message: Outgoing) -> Handed:
        """Hand one message over, once."""
        form = {"username": self.username, "to": message.number, "message": message.text}
        form["bulkSMSMode"] = "1"
        if self.sender:
            form["from"] = self.sender
        headers = {"apiKey": self.api_key, "Accept": "application/json"}
        return hand_over(
            lambda: self.caller.post("/version1/messaging", form=form, headers=headers),
            _read,
            number=message.number,
        )

    def look_up(self, client_ref: str, provider_id: str) -> Handed | None:
        """Africa's Talking takes no reference of ours, and lists only what was received."""
        return None


def _read(reply: Reply) -> Handed:
    decided = by_status(reply)
    if decided is not None:
        return decided
    if not 200 <= reply.status < 300:
        return refused(reply)
    found = read_json(reply.body)
    recipient = dig(found, "SMSMessageData", "Recipients", 0)
    if recipient is None:
        said = text_of(dig(found, "SMSMessageData", "Message"))
        return Handed("account", reason="sender_refused") if "SenderId" in said else MALFORMED
    code = text_of(dig(recipient, "statusCode"))
    if code in _ACCEPTED:
        provider_id = text_of(dig(recipient, "messageId"))
        return Handed("accepted", provider_id) if provider_id not in ("", "None") else MALFORMED
    return _CODES.get(code, MALFORMED)


@dataclass(frozen=True)
class AfricasTalkingCallbacks:
    """Reports, messages received and opt-outs, as forms.

    Parameters
    ----------
    secret : str
        Last part of the path that the provider was given.
    networks : tuple of str
        Networks that callbacks may come from; empty for any.
    """

    secret: str = field(repr=False)
    networks: tuple[str, ...] = ()
    name: str = NAME

    def is_signed(self, *, url: str, headers: Mapping[str, str], body: bytes) -> bool:
        """Whether the secret stands in the path, and the sender's network is listed."""
        return is_secret_in_path(url, self.secret) and is_from(headers, self.networks)

    def receipts(self, *, headers: Mapping[str, str], body: bytes) -> Sequence[ReceiptNews]:
        """The report in the form, if it is one."""
        form = form_of(body)
        state = _STATES.get(form.get("status", ""))
        if state is None or not form.get("id"):
            return ()
        reason = _FAILURES.get(form.get("failureReason", ""), "provider_error")
        return (ReceiptNews(NAME, form["id"], state, reason if state == "failed" else ""),)

    def inbound(self, *, headers: Mapping[str, str], body: bytes) -> Sequence[InboundNews]:
        """The message received in the form, or the opt-out, which is a STOP."""
        form = form_of(body)
        if "text" in form and form.get("from"):
            at = _instant(form.get("date", ""))
            key = form.get("id") or digest_of(body)
            return (InboundNews(NAME, key, "sms", form["from"], form["text"], at),)
        if form.get("senderId") and form.get("phoneNumber") and "status" not in form:
            key = f"opt_out:{digest_of(body)}"
            return (InboundNews(NAME, key, "sms", form["phoneNumber"], "STOP"),)
        return ()


def _instant(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    # Without a zone nobody knows when it was.
    return found if found.tzinfo is not None else None
