"""SMS through Twilio: one POST a message, and its signed callbacks.

Source
------
Twilio: Messages resource, error 21610, "Validating requests" (``docs/sources.md`` says which
parts were read).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal
from urllib.parse import parse_qs, quote

from chw_tools.messaging.handing import (
    MALFORMED,
    by_status,
    dig,
    hand_over,
    read_json,
    refused,
    text_of,
)
from chw_tools.messaging.signing import fields_of, form_of, is_same, sign_twilio
from chw_tools.outreach.wire import Handed, InboundNews, ReceiptNews, Reported

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from chw_tools.messaging.connecting import Caller, Reply
    from chw_tools.outreach.wire import Outgoing

NAME = "twilio"
URL = "https://api.twilio.com"

_CODES: dict[str, Handed] = {
    "21610": Handed("opted_out", reason="opted_out_at_provider"),
    "21211": Handed("permanent", reason="invalid_number"),
    "21217": Handed("permanent", reason="invalid_number"),
    "21614": Handed("permanent", reason="landline"),
    "21612": Handed("permanent", reason="not_routed"),
    "21408": Handed("account", reason="country_not_allowed"),
    "21606": Handed("account", reason="sender_refused"),
    "21611": Handed("retry", reason="queue_full"),
    "20003": Handed("account", reason="credentials"),
    "20429": Handed("retry", reason="too_many"),
}
_STATES: dict[str, Reported] = {
    "accepted": "accepted",
    "scheduled": "accepted",
    "queued": "accepted",
    "sending": "accepted",
    "sent": "sent",
    "delivered": "delivered",
    "read": "read",
    "undelivered": "failed",
    "failed": "failed",
    "canceled": "failed",
}
_FAILURES = {
    "21610": "opted_out_at_provider",
    "21211": "invalid_number",
    "21614": "landline",
    "30003": "not_reached",
    "30004": "opted_out_at_provider",
    "30005": "invalid_number",
    "30006": "landline",
    "30007": "filtered",
}


@dataclass(frozen=True)
class Twilio:
    """The gateway.

    Parameters
    ----------
    account, token : str
        Account SID and its token.
    sender : str
        A number, or the SID of a messaging service (``MG…``).
    callback_url : str
        Where reports are asked for; our reference goes along, so that a report can be matched
        even where the answer to the hand-over was lost.
    """

    caller: Caller = field(repr=False)
    account: str
    token: str = field(repr=False)
    sender: str
    callback_url: str = ""
    name: str = NAME
    channel: Literal["sms"] = "sms"

    def send(self, message: Outgoing) -> Handed:
        """Hand one message over, once."""
        by = "MessagingServiceSid" if self.sender.startswith("MG") else "From"
        form = {"To": message.number, by: self.sender, "Body": message.text}
        if self.callback_url:
            form["StatusCallback"] = f"{self.callback_url}?ref={quote(message.client_ref)}"
        path = f"/2010-04-01/Accounts/{quote(self.account, safe='')}/Messages.json"
        auth = (self.account, self.token)
        return hand_over(
            lambda: self.caller.post(path, form=form, auth=auth), _read, number=message.number
        )

    def look_up(self, client_ref: str, provider_id: str) -> Handed | None:
        """What became of a message whose reference is known; Twilio knows none of ours."""
        if not provider_id:
            return None
        place = f"/2010-04-01/Accounts/{quote(self.account, safe='')}/Messages/"
        path = f"{place}{quote(provider_id, safe='')}.json"
        auth = (self.account, self.token)
        found = hand_over(lambda: self.caller.get(path, auth=auth), _read)
        return found if found.ending in ("accepted", "permanent", "opted_out") else None


def _read(reply: Reply) -> Handed:
    found = read_json(reply.body)
    if reply.status >= 400:
        known = _CODES.get(text_of(found.get("code")))
        return known or by_status(reply) or refused(reply)
    if not 200 <= reply.status < 300:
        return by_status(reply) or refused(reply)
    known = _CODES.get(text_of(found.get("error_code")))
    if known is not None:
        return known
    provider_id = text_of(dig(found, "sid"))
    return Handed("accepted", provider_id) if provider_id else MALFORMED


@dataclass(frozen=True)
class TwilioCallbacks:
    """Reports and messages received, as signed forms.

    ``public_url`` is the address as Twilio knows it, without query: behind a proxy the one that
    we see is another, and the signature is over theirs.
    """

    token: str = field(repr=False)
    public_url: str
    name: str = NAME

    def is_signed(self, *, url: str, headers: Mapping[str, str], body: bytes) -> bool:
        """Whether Twilio signed the form for this address."""
        query = headers.get(":query", "")
        known = f"{self.public_url}?{query}" if query else self.public_url
        given = headers.get("x-twilio-signature", "")
        return bool(self.token) and is_same(given, sign_twilio(self.token, known, fields_of(body)))

    def receipts(self, *, headers: Mapping[str, str], body: bytes) -> Sequence[ReceiptNews]:
        """The report in the form, if it is one."""
        form = form_of(body)
        state = _STATES.get(form.get("MessageStatus", ""))
        if state is None or not form.get("MessageSid"):
            return ()
        reason = ""
        if state == "failed":
            reason = _FAILURES.get(form.get("ErrorCode", ""), "provider_error")
        ref = parse_qs(headers.get(":query", "")).get("ref", [""])[0]
        return (ReceiptNews(NAME, form["MessageSid"], state, reason, ref),)

    def inbound(self, *, headers: Mapping[str, str], body: bytes) -> Sequence[InboundNews]:
        """The message received in the form, if it is one."""
        form = form_of(body)
        if "Body" not in form or not form.get("From") or not form.get("MessageSid"):
            return ()
        if "MessageStatus" in form:
            return ()
        return (InboundNews(NAME, form["MessageSid"], "sms", form["From"], form["Body"]),)
