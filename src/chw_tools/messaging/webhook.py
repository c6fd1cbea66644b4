"""Any other service over HTTP: signed JSON both ways, or RapidPro with its tokens.

Plain style: POST ``{"id", "to", "text", "language", "template"}``, signed in ``X-CHW-Signature``;
``id`` is our reference, so that a service may drop a message that it already has. It answers 2xx
with ``{"id"}``, or any status with ``{"error"}``: ``invalid_number``, ``landline``,
``unsupported_number``, ``opted_out``, ``account`` or ``later``. It calls back with
``{"status": "sent", "id"}``, ``id`` being our reference or its own, or with
``{"from", "text", "id", "at"}``, signed the same way.

RapidPro style: broadcasts are asked for by its API and inbound messages come from a flow's
webhook call; both carry a token, since a flow cannot sign. RapidPro tells no delivery of a
broadcast.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

import orjson

from chw_tools.messaging.handing import (
    MALFORMED,
    by_status,
    hand_over,
    read_json,
    refused,
    text_of,
)
from chw_tools.messaging.signing import digest_of, is_own_signed, is_same, sign_own
from chw_tools.outreach.wire import Handed, InboundNews, ReceiptNews, Reported

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from chw_tools.messaging.connecting import Caller, Reply
    from chw_tools.outreach.wire import Outgoing

NAME = "webhook"
_ERRORS: dict[str, Handed] = {
    "invalid_number": Handed("permanent", reason="invalid_number"),
    "landline": Handed("permanent", reason="landline"),
    "unsupported_number": Handed("permanent", reason="unsupported_number"),
    "opted_out": Handed("opted_out", reason="opted_out_at_provider"),
    "account": Handed("account", reason="account_refused"),
    "later": Handed("retry", reason="provider_error"),
}
_STATES: dict[str, Reported] = {
    "accepted": "accepted",
    "sent": "sent",
    "delivered": "delivered",
    "read": "read",
    "failed": "failed",
}


@dataclass(frozen=True)
class Webhook:
    """The gateway in plain style; ``now_seconds`` gives the time that is signed."""

    caller: Caller = field(repr=False)
    secret: str = field(repr=False)
    now_seconds: Callable[[], float]
    channel: Literal["sms", "whatsapp"] = "sms"
    name: str = NAME

    def send(self, message: Outgoing) -> Handed:
        """Hand one message over, once."""
        given = {
            "id": message.client_ref,
            "to": message.number,
            "text": message.text,
            "language": message.language,
            "template": message.template,
        }
        return hand_over(lambda: self._call(given), _read, number=message.number)

    def look_up(self, client_ref: str, provider_id: str) -> Handed | None:
        """What the service says of our reference: ``GET <url>/<reference>``, answered as a POST.

        A 404 says that it never got it.
        """
        if not client_ref:
            return None
        path = f"/{quote(client_ref, safe='')}"
        headers = self._signed(client_ref.encode())
        found = hand_over(lambda: self.caller.get(path, headers=headers), _read_look_up)
        return None if found.ending in ("unknown", "account") else found

    def _call(self, given: dict[str, str]) -> Reply:
        # The very bytes that are signed are those sent.
        body = orjson.dumps(given)
        return self.caller.post(content=body, headers=self._signed(body))

    def _signed(self, body: bytes) -> dict[str, str]:
        signature = sign_own(self.secret, body, at_seconds=int(self.now_seconds()))
        return {"X-CHW-Signature": signature, "Content-Type": "application/json"}


def _read(reply: Reply) -> Handed:
    found = read_json(reply.body)
    known = _ERRORS.get(text_of(found.get("error")))
    if known is not None:
        return known
    if not 200 <= reply.status < 300:
        return by_status(reply) or refused(reply)
    provider_id = text_of(found.get("id"))
    return Handed("accepted", provider_id) if provider_id else MALFORMED


def _read_look_up(reply: Reply) -> Handed:
    return Handed("retry", reason="never_arrived") if reply.status == 404 else _read(reply)


@dataclass(frozen=True)
class RapidPro:
    """The gateway in RapidPro style: one broadcast a message."""

    caller: Caller = field(repr=False)
    token: str = field(repr=False)
    channel: Literal["sms", "whatsapp"] = "sms"
    name: str = "rapidpro"

    def send(self, message: Outgoing) -> Handed:
        """Hand one message over, once."""
        scheme = "tel:" if self.channel == "sms" else "whatsapp:"
        number = message.number if self.channel == "sms" else message.number.removeprefix("+")
        given = {"urns": [scheme + number], "text": message.text}
        headers = {"Authorization": f"Token {self.token}"}
        return hand_over(
            lambda: self.caller.post("/api/v2/broadcasts.json", json=given, headers=headers),
            _read,
            number=message.number,
        )

    def look_up(self, client_ref: str, provider_id: str) -> Handed | None:
        """RapidPro knows none of our references."""
        return None


@dataclass(frozen=True)
class WebhookCallbacks:
    """Reports and messages received, as JSON: signed, or in RapidPro style with a token."""

    secret: str = field(repr=False)
    channel: Literal["sms", "whatsapp"] = "sms"
    name: str = NAME

    def is_signed(self, *, url: str, headers: Mapping[str, str], body: bytes) -> bool:
        """Whether it carries our signature of these bytes, made in the last minutes."""
        if not self.secret:
            return False
        if self.name == "rapidpro":
            return is_same(headers.get("authorization", ""), f"Token {self.secret}")
        given = headers.get("x-chw-signature", "")
        now = float(headers.get(":now", "0"))
        return is_own_signed(self.secret, body, given, now_seconds=now)

    def receipts(self, *, headers: Mapping[str, str], body: bytes) -> Sequence[ReceiptNews]:
        """The report in it, if it is one."""
        found = read_json(body)
        state, key = _STATES.get(text_of(found.get("status"))), text_of(found.get("id"))
        if state is None or not key:
            return ()
        known = _ERRORS.get(text_of(found.get("error")))
        reason = (known.reason if known else "provider_error") if state == "failed" else ""
        ref = text_of(found.get("ref")) or key
        return (ReceiptNews(self.name, key, state, reason, ref),)

    def inbound(self, *, headers: Mapping[str, str], body: bytes) -> Sequence[InboundNews]:
        """The message received in it, if it is one."""
        found = read_json(body)
        said = found.get("text", found.get("content"))
        number = text_of(found.get("from")).removeprefix("tel:")
        if not isinstance(said, str) or not number:
            return ()
        key = text_of(found.get("id")) or digest_of(body)
        at = _instant(found.get("at"))
        return (InboundNews(self.name, key, self.channel, number, said, at),)


def _instant(value: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(text_of(value))
    except ValueError:
        return None
    return found if found.tzinfo is not None else None
