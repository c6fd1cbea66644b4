"""WhatsApp through Meta's Cloud API: approved templates, answers in free text, signed callbacks.

WhatsApp lets a business begin only with a template that Meta approved, of the same name and
language as ours and with our variables in their order; within 24 hours of a message received it
may answer in free text, as our replies do.

Source
------
Meta's error codes as republished by their partners, and the shape of its callbacks
(``docs/sources.md``); the signature's example in ``signing.sign_sha256``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from chw_tools.messaging.handing import (
    MALFORMED,
    by_status,
    dig,
    hand_over,
    read_json,
    refused,
    text_of,
)
from chw_tools.messaging.signing import is_same, sign_sha256
from chw_tools.outreach.wire import Handed, InboundNews, ReceiptNews, Reported

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from chw_tools.messaging.connecting import Caller, Reply
    from chw_tools.outreach.wire import Outgoing

NAME = "whatsapp_cloud"
URL = "https://graph.facebook.com"

_TEMPLATE = Handed("account", reason="template_refused")
_LATER = Handed("retry", reason="too_many")
_CODES: dict[str, Handed] = {
    "131026": Handed("permanent", reason="not_on_whatsapp"),
    "131021": Handed("permanent", reason="invalid_number"),
    "131030": Handed("permanent", reason="invalid_number"),
    "131047": Handed("permanent", reason="window_closed"),
    "131049": Handed("permanent", reason="held_back"),
    "131051": Handed("permanent", reason="unsupported_message"),
    "131050": Handed("opted_out", reason="opted_out_at_provider"),
    "1": Handed("retry", reason="provider_error"),
    "2": Handed("retry", reason="provider_error"),
    "131000": Handed("retry", reason="provider_error"),
    "131016": Handed("retry", reason="provider_error"),
    "133004": Handed("retry", reason="provider_error"),
    "4": _LATER,
    "80007": _LATER,
    "130429": _LATER,
    "131056": _LATER,
    "0": Handed("account", reason="credentials"),
    "190": Handed("account", reason="credentials"),
    "368": Handed("account", reason="account_blocked"),
    "131031": Handed("account", reason="account_blocked"),
    "131042": Handed("account", reason="no_balance"),
    "131048": Handed("account", reason="spam_limit"),
    "132000": _TEMPLATE,
    "132001": _TEMPLATE,
    "132005": _TEMPLATE,
    "132007": _TEMPLATE,
    "132012": _TEMPLATE,
    "132015": _TEMPLATE,
    "132016": _TEMPLATE,
}
_STATES: dict[str, Reported] = {
    "sent": "sent",
    "delivered": "delivered",
    "read": "read",
    "failed": "failed",
}


@dataclass(frozen=True)
class WhatsAppCloud:
    """The gateway.

    Parameters
    ----------
    phone_number_id, token : str
        The sending number's id, and the access token.
    free_texts : frozenset of str
        Templates that answer a message received, and go as free text.
    version : str
        Of the Graph API.
    """

    caller: Caller = field(repr=False)
    phone_number_id: str
    token: str = field(repr=False)
    free_texts: frozenset[str] = frozenset()
    version: str = "v21.0"
    name: str = NAME
    channel: Literal["whatsapp"] = "whatsapp"

    def send(self, message: Outgoing) -> Handed:
        """Hand one message over, once."""
        path = f"/{self.version}/{self.phone_number_id}/messages"
        headers = {"Authorization": f"Bearer {self.token}"}
        body = self._body(message)
        return hand_over(
            lambda: self.caller.post(path, json=body, headers=headers), _read, number=message.number
        )

    def look_up(self, client_ref: str, provider_id: str) -> Handed | None:
        """Meta tells by callbacks alone."""
        return None

    def _body(self, message: Outgoing) -> dict[str, Any]:
        body: dict[str, Any] = {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "to": message.number.removeprefix("+"),
            # Comes back in every report on the message.
            "biz_opaque_callback_data": message.client_ref,
        }
        if not message.template or message.template in self.free_texts:
            return body | {"type": "text", "text": {"preview_url": False, "body": message.text}}
        template: dict[str, Any] = {
            "name": message.template,
            "language": {"code": message.language},
        }
        if message.variables:
            given = [{"type": "text", "text": value} for value in message.variables.values()]
            template["components"] = [{"type": "body", "parameters": given}]
        return body | {"type": "template", "template": template}


def _read(reply: Reply) -> Handed:
    found = read_json(reply.body)
    if not 200 <= reply.status < 300:
        known = _CODES.get(text_of(dig(found, "error", "code")))
        return known or by_status(reply) or refused(reply)
    provider_id = text_of(dig(found, "messages", 0, "id"))
    return Handed("accepted", provider_id) if provider_id else MALFORMED


@dataclass(frozen=True)
class WhatsAppCallbacks:
    """Reports and messages received, as signed JSON; and the question asked at set-up.

    Parameters
    ----------
    app_secret : str
        Signs the callbacks.
    verify_token : str
        What Meta repeats when the address is set up.
    phone_number_id : str
        Ours: news of other numbers of the account are not.
    """

    app_secret: str = field(repr=False)
    verify_token: str = field(repr=False)
    phone_number_id: str
    name: str = NAME

    def is_signed(self, *, url: str, headers: Mapping[str, str], body: bytes) -> bool:
        """Whether Meta signed exactly these bytes."""
        given = headers.get("x-hub-signature-256", "")
        wanted = f"sha256={sign_sha256(self.app_secret, body)}"
        return bool(self.app_secret) and is_same(given, wanted)

    def challenge(self, query: Mapping[str, str]) -> str | None:
        """What to answer when the address is set up; None if it is not Meta that asks."""
        token = query.get("hub.verify_token", "")
        if query.get("hub.mode") != "subscribe" or not self.verify_token:
            return None
        return query.get("hub.challenge", "") if is_same(token, self.verify_token) else None

    def receipts(self, *, headers: Mapping[str, str], body: bytes) -> Sequence[ReceiptNews]:
        """Every report in it."""
        return tuple(
            ReceiptNews(NAME, provider_id, state, reason, ref)
            for value in self._values(body)
            for one in _list(dig(value, "statuses"))
            if (provider_id := text_of(dig(one, "id")))
            and (state := _STATES.get(text_of(dig(one, "status")))) is not None
            for reason in [_failure(one) if state == "failed" else ""]
            for ref in [text_of(dig(one, "biz_opaque_callback_data"))]
        )

    def inbound(self, *, headers: Mapping[str, str], body: bytes) -> Sequence[InboundNews]:
        """Every message received in it; of pictures and voices only that they came."""
        return tuple(
            InboundNews(NAME, key, "whatsapp", f"+{number}", _said(one), _instant(one))
            for value in self._values(body)
            for one in _list(dig(value, "messages"))
            if (key := text_of(dig(one, "id"))) and (number := text_of(dig(one, "from")))
        )

    def _values(self, body: bytes) -> Iterator[Any]:
        for entry in _list(read_json(body).get("entry")):
            for change in _list(dig(entry, "changes")):
                value = dig(change, "value")
                if text_of(dig(value, "metadata", "phone_number_id")) == self.phone_number_id:
                    yield value


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _failure(status: Any) -> str:
    known = _CODES.get(text_of(dig(status, "errors", 0, "code")))
    return known.reason if known is not None else "provider_error"


def _said(message: Any) -> str:
    for path in (
        ("text", "body"),
        ("button", "text"),
        ("interactive", "button_reply", "title"),
        ("interactive", "list_reply", "title"),
    ):
        said = dig(message, *path)
        if isinstance(said, str):
            return said
    return f"[{text_of(dig(message, 'type')) or 'unknown'}]"


def _instant(message: Any) -> datetime | None:
    stamp = text_of(dig(message, "timestamp"))
    # Ten digits last until the year 2286.
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 10):
        return None
    return datetime.fromtimestamp(int(stamp), tz=UTC)
