"""Callbacks: who truly sent them, and what they tell, whatever they hold."""

import json
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chw_tools.messaging.africas_talking import AfricasTalkingCallbacks
from chw_tools.messaging.signing import sign_own, sign_sha256, sign_twilio
from chw_tools.messaging.twilio import TwilioCallbacks
from chw_tools.messaging.webhook import WebhookCallbacks
from chw_tools.messaging.whatsapp_cloud import WhatsAppCallbacks

AT = AfricasTalkingCallbacks("a-long-enough-secret")
TWILIO = TwilioCallbacks("12345", "https://mycompany.com/myapp.php")
WHATSAPP = WhatsAppCallbacks("secret", "verify-me-please-now", "1234")
WEBHOOK = WebhookCallbacks("the-shared-secret!")
RAPIDPRO = WebhookCallbacks("the-shared-secret!", "sms", "rapidpro")
EVERY = pytest.mark.parametrize(
    "callbacks", [AT, TWILIO, WHATSAPP, WEBHOOK, RAPIDPRO], ids=lambda one: one.name
)

NONSENSE = [
    b"",
    b"{",
    b"[]",
    b"null",
    b"\xff",
    b"a=1&a=2",
    b"[" * 60_000,
    b"&".join(b"a=1" for _ in range(300)),
    b'{"entry": 1}',
    b'{"entry": [1, {"changes": [null]}]}',
    b'{"status": {}, "id": []}',
    b'{"from": 1e999, "text": 2}',
]


def form(**fields: str) -> bytes:
    return urlencode(fields).encode()


@EVERY
@pytest.mark.parametrize("body", NONSENSE)
def test_nothing_is_read_from_what_is_none(callbacks, body: bytes) -> None:
    assert not callbacks.is_signed(url="https://x/callbacks/y/z", headers={}, body=body)
    assert callbacks.receipts(headers={}, body=body) == ()
    assert callbacks.inbound(headers={}, body=body) == ()


@EVERY
@given(body=st.binary(max_size=200))
def test_no_bytes_raise(callbacks, body: bytes) -> None:
    callbacks.is_signed(url="", headers={"authorization": "é"}, body=body)
    callbacks.receipts(headers={}, body=body)
    callbacks.inbound(headers={}, body=body)


@EVERY
def test_no_secret_is_shown(callbacks) -> None:
    assert "secret" not in repr(callbacks)
    assert "12345" not in repr(callbacks)


# -- Africa's Talking ---------------------------------------------------------------


def test_africas_talking_secret_in_the_path() -> None:
    def signed(path: str, headers: dict[str, str] | None = None, by=AT) -> bool:
        return by.is_signed(url=f"https://chw.example{path}", headers=headers or {}, body=b"")

    assert signed("/callbacks/africas_talking/a-long-enough-secret")
    assert signed("/callbacks/africas_talking/a-long-enough-secret?x=/y")
    assert not signed("/callbacks/africas_talking/another")
    assert not signed("/callbacks/africas_talking/")
    listed = AfricasTalkingCallbacks("s" * 16, ("192.0.2.0/24", "2001:db8::/32"))
    place = "/callbacks/africas_talking/" + "s" * 16
    assert signed(place, {":remote": "192.0.2.7"}, listed)
    assert not signed(place, {":remote": "198.51.100.1"}, listed)
    assert not signed(place, {":remote": "unknown"}, listed)
    assert not signed(place, {"x-forwarded-for": "192.0.2.7"}, listed)


@pytest.mark.parametrize(
    ("status", "failure", "state", "reason"),
    [
        ("Sent", "", "accepted", ""),
        ("Submitted", "", "sent", ""),
        ("Buffered", "", "sent", ""),
        ("Success", "", "delivered", ""),
        ("Failed", "UserInBlackList", "failed", "opted_out_at_provider"),
        ("Failed", "AbsentSubscriber", "failed", "not_reached"),
        ("Rejected", "Whatever", "failed", "provider_error"),
    ],
)
def test_africas_talking_reports(status: str, failure: str, state: str, reason: str) -> None:
    body = form(id="ATXid_1", status=status, phoneNumber="+254712345678", failureReason=failure)
    (news,) = AT.receipts(headers={}, body=body)
    assert (news.provider_id, news.state, news.reason) == ("ATXid_1", state, reason)
    assert AT.inbound(headers={}, body=body) == ()


def test_africas_talking_messages_and_opt_outs() -> None:
    body = form(date="2026-03-02 09:00:00", id="77", to="22384", linkId="x", text="ACHA",
                **{"from": "+254712345678"})  # fmt: skip
    (news,) = AT.inbound(headers={}, body=body)
    assert (news.provider_id, news.text, news.channel) == ("77", "ACHA", "sms")
    # No zone is told: nobody knows when that was.
    assert news.received_at is None
    assert AT.receipts(headers={}, body=body) == ()
    stop = form(senderId="CHW", phoneNumber="+254712345678")
    (news,) = AT.inbound(headers={}, body=stop)
    assert (news.text, news.number) == ("STOP", "+254712345678")
    assert AT.inbound(headers={}, body=stop)[0].provider_id == news.provider_id
    assert "254712345678" not in news.provider_id + repr(news)
    zoned = form(date="2026-03-02T09:00:00+03:00", id="1", text="x", **{"from": "+1"})
    assert AT.inbound(headers={}, body=zoned)[0].received_at == datetime(2026, 3, 2, 6, tzinfo=UTC)


# -- Twilio ----------------------------------------------------------------------------

CALL = {
    "Digits": "1234",
    "To": "+18005551212",
    "From": "+14158675309",
    "Caller": "+14158675309",
    "CallSid": "CA1234567890ABCDE",
}


def test_twilio_published_example() -> None:
    """Token, address, form and signature as in Twilio's own documentation and tests."""
    headers = {"x-twilio-signature": "RSOYDt4T1cUTdK1PDd93/VVr8B8=", ":query": "foo=1&bar=2"}
    assert TWILIO.is_signed(url="http://inside/", headers=headers, body=form(**CALL))
    other = CALL | {"From": "+14158675310", "Caller": "+14158675310"}
    headers["x-twilio-signature"] = "GvWf1cFY/Q7PnoempGyD5oXAezc="
    assert TWILIO.is_signed(url="http://inside/", headers=headers, body=form(**other))


@pytest.mark.parametrize(
    ("query", "body"),
    [
        ("foo=1&bar=3", form(**CALL)),
        ("", form(**CALL)),
        ("foo=1&bar=2", form(**(CALL | {"Digits": "9999"}))),
        ("foo=1&bar=2", form(**CALL, Extra="x")),
        ("foo=1&bar=2", b""),
    ],
)
def test_twilio_changed(query: str, body: bytes) -> None:
    headers = {"x-twilio-signature": "RSOYDt4T1cUTdK1PDd93/VVr8B8=", ":query": query}
    assert not TWILIO.is_signed(url="", headers=headers, body=body)


def test_twilio_empty_fields_and_other_scripts_are_signed() -> None:
    fields = {"Body": "قف", "From": "+1", "Empty": ""}
    signature = sign_twilio("12345", TWILIO.public_url, list(fields.items()))
    headers = {"x-twilio-signature": signature}
    assert TWILIO.is_signed(url="", headers=headers, body=form(**fields))
    assert not TwilioCallbacks("", TWILIO.public_url).is_signed(
        url="", headers={"x-twilio-signature": ""}, body=b""
    )


@pytest.mark.parametrize(
    ("status", "code", "state", "reason"),
    [
        ("queued", "", "accepted", ""),
        ("sent", "", "sent", ""),
        ("delivered", "", "delivered", ""),
        ("read", "", "read", ""),
        ("undelivered", "30005", "failed", "invalid_number"),
        ("undelivered", "30006", "failed", "landline"),
        ("failed", "21610", "failed", "opted_out_at_provider"),
        ("failed", "", "failed", "provider_error"),
    ],
)
def test_twilio_reports(status: str, code: str, state: str, reason: str) -> None:
    body = form(MessageSid="SM1", MessageStatus=status, ErrorCode=code, From="+1", Body="x")
    (news,) = TWILIO.receipts(headers={":query": "ref=ref-1"}, body=body)
    assert (news.provider_id, news.state, news.reason) == ("SM1", state, reason)
    assert news.client_ref == "ref-1"
    assert TWILIO.inbound(headers={}, body=body) == ()


def test_twilio_message() -> None:
    body = form(MessageSid="SM2", From="+254712345678", To="+1", Body="STOP", SmsStatus="received")
    (news,) = TWILIO.inbound(headers={}, body=body)
    assert (news.provider_id, news.number, news.text) == ("SM2", "+254712345678", "STOP")
    assert TWILIO.receipts(headers={}, body=body) == ()


# -- WhatsApp ---------------------------------------------------------------------------


def envelope(phone_number_id: str = "1234", **value: object) -> bytes:
    value = {"metadata": {"phone_number_id": phone_number_id}} | value
    entry = {"id": "0", "changes": [{"field": "messages", "value": value}]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


def test_whatsapp_signature() -> None:
    body = envelope(messages=[])
    good = {"x-hub-signature-256": f"sha256={sign_sha256('secret', body)}"}
    assert WHATSAPP.is_signed(url="", headers=good, body=body)
    assert not WHATSAPP.is_signed(url="", headers=good, body=body + b" ")
    assert not WHATSAPP.is_signed(url="", headers={}, body=body)
    bare = {"x-hub-signature-256": sign_sha256("secret", body)}
    assert not WHATSAPP.is_signed(url="", headers=bare, body=body)
    nobody = WhatsAppCallbacks("", "", "1234")
    empty = {"x-hub-signature-256": f"sha256={sign_sha256('', body)}"}
    assert not nobody.is_signed(url="", headers=empty, body=body)


def test_whatsapp_set_up() -> None:
    asked = {
        "hub.mode": "subscribe",
        "hub.verify_token": "verify-me-please-now",
        "hub.challenge": "7",
    }
    assert WHATSAPP.challenge(asked) == "7"
    assert WHATSAPP.challenge(asked | {"hub.verify_token": "x"}) is None
    assert WHATSAPP.challenge(asked | {"hub.mode": "x"}) is None
    assert WhatsAppCallbacks("s", "", "1").challenge(asked | {"hub.verify_token": ""}) is None


def test_whatsapp_reports() -> None:
    body = envelope(
        statuses=[
            {"id": "wamid.1", "status": "read", "biz_opaque_callback_data": "ref-1"},
            {"id": "wamid.2", "status": "failed", "errors": [{"code": 131026}]},
            {"id": "wamid.3", "status": "failed"},
            {"id": "wamid.4", "status": "something new"},
        ]
    )
    news = WHATSAPP.receipts(headers={}, body=body)
    assert [(one.provider_id, one.state, one.reason) for one in news] == [
        ("wamid.1", "read", ""),
        ("wamid.2", "failed", "not_on_whatsapp"),
        ("wamid.3", "failed", "provider_error"),
    ]
    assert news[0].client_ref == "ref-1"


def test_whatsapp_messages() -> None:
    base = {"from": "254712345678", "timestamp": "1772442000"}
    body = envelope(
        messages=[
            base | {"id": "1", "type": "text", "text": {"body": "قف"}},
            base | {"id": "2", "type": "button", "button": {"text": "1"}},
            base
            | {"id": "3", "type": "interactive", "interactive": {"button_reply": {"title": "2"}}},
            base | {"id": "5", "interactive": {"list_reply": {"title": "3"}}},
            base | {"id": "4", "type": "audio", "audio": {"id": "x"}, "timestamp": "not a time"},
        ]
    )
    news = WHATSAPP.inbound(headers={}, body=body)
    assert [one.text for one in news] == ["قف", "1", "2", "3", "[audio]"]
    assert news[0].number == "+254712345678"
    assert news[0].received_at == datetime(2026, 3, 2, 9, tzinfo=UTC)
    assert news[4].received_at is None
    assert WHATSAPP.inbound(headers={}, body=envelope("9999", messages=[base | {"id": "1"}])) == ()


# -- generic webhook and RapidPro ----------------------------------------------------------


def test_webhook_signature_and_its_age() -> None:
    body = b'{"id": "1", "from": "+254712345678", "text": "1"}'

    def signed(at: int, now: float, sent: bytes = body) -> bool:
        headers = {"x-chw-signature": sign_own("the-shared-secret!", body, at_seconds=at)}
        return WEBHOOK.is_signed(url="", headers=headers | {":now": str(now)}, body=sent)

    assert signed(1000, 1000)
    assert signed(1000, 1300)
    assert not signed(1000, 1301)
    assert not signed(1400, 1000)
    assert not signed(1000, 1000, body + b" ")
    for stamp in ("", "t=,v1=", "t=-5,v1=x", "t=٣,v1=x", "t=" + "9" * 30 + ",v1=x", "v1=x"):
        headers = {"x-chw-signature": stamp, ":now": "1000"}
        assert not WEBHOOK.is_signed(url="", headers=headers, body=body)
    assert not WebhookCallbacks("").is_signed(url="", headers={}, body=body)


def test_webhook_news() -> None:
    said = b'{"status": "failed", "id": "w1", "error": "landline", "ref": "ref-1"}'
    (news,) = WEBHOOK.receipts(headers={}, body=said)
    assert (news.state, news.reason, news.client_ref) == ("failed", "landline", "ref-1")
    assert WEBHOOK.receipts(headers={}, body=b'{"status": "failed", "id": "w1"}')[0].reason == (
        "provider_error"
    )
    assert (
        WEBHOOK.receipts(headers={}, body=b'{"status": "sent", "id": "r2"}')[0].client_ref == "r2"
    )
    told = b'{"from": "tel:+254712345678", "text": "1", "at": "2026-03-02T09:00:00Z"}'
    (heard,) = WEBHOOK.inbound(headers={}, body=told)
    assert heard.number == "+254712345678"
    assert heard.received_at == datetime(2026, 3, 2, 9, tzinfo=UTC)
    assert len(heard.provider_id) == 32
    late = b'{"from": "+1", "text": "1", "id": "i", "at": "2026-03-02T09:00:00"}'
    assert WEBHOOK.inbound(headers={}, body=late)[0].received_at is None


def test_rapidpro_token_and_flow() -> None:
    body = b'{"id": "run-1", "from": "+254712345678", "content": "STOP"}'
    good = {"authorization": "Token the-shared-secret!"}
    assert RAPIDPRO.is_signed(url="", headers=good, body=body)
    assert not RAPIDPRO.is_signed(url="", headers={"authorization": "Token x"}, body=body)
    (news,) = RAPIDPRO.inbound(headers={}, body=body)
    assert (news.provider, news.provider_id, news.text) == ("rapidpro", "run-1", "STOP")
