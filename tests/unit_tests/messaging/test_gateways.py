"""Each provider's gateway against a server that behaves as its documentation says, and worse."""

import base64
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import pytest

from chw_tools.messaging.africas_talking import AfricasTalking
from chw_tools.messaging.connecting import Caller
from chw_tools.messaging.signing import is_own_signed
from chw_tools.messaging.twilio import Twilio
from chw_tools.messaging.webhook import RapidPro, Webhook
from chw_tools.messaging.whatsapp_cloud import WhatsAppCloud
from chw_tools.outreach.wire import Gateway, Outgoing

from .conftest import AMBIGUOUS

MESSAGE = Outgoing(
    message_id="m1",
    client_ref="ref-1",
    number="+254712345678",
    text="Health programme: hello é",
    language="sw",
    template="visit_before",
    variables={"day": "5 Machi"},
)


def at_gateway(url: str) -> Gateway:
    return AfricasTalking(Caller(url, allow_private=True), "user", "the-key", "CHW")


def twilio(url: str) -> Gateway:
    back = "https://chw.example/callbacks/twilio"
    return Twilio(Caller(url, allow_private=True), "AC1", "the-token", "+15005550006", back)


def whatsapp(url: str) -> Gateway:
    replies = frozenset({"stopped"})
    return WhatsAppCloud(Caller(url, allow_private=True), "1234", "the-token", replies)


def webhook(url: str) -> Gateway:
    return Webhook(Caller(url, allow_private=True), "the-secret", lambda: 1000.0)


def rapidpro(url: str) -> Gateway:
    return RapidPro(Caller(url, allow_private=True), "the-token")


GATEWAYS: dict[str, tuple[Callable[[str], Gateway], Any]] = {
    "africas_talking": (
        at_gateway,
        {"SMSMessageData": {"Recipients": [{"statusCode": 101, "messageId": "ATXid_1"}]}},
    ),
    "twilio": (twilio, {"sid": "SM1", "status": "queued", "error_code": None}),
    "whatsapp": (whatsapp, {"messages": [{"id": "wamid.1"}]}),
    "webhook": (webhook, {"id": "w1"}),
    "rapidpro": (rapidpro, {"id": 17, "status": "queued"}),
}
ALL = pytest.mark.parametrize("which", GATEWAYS)


@ALL
def test_accepted(provider, which: str) -> None:
    build, answer = GATEWAYS[which]
    provider.says(201, answer)
    done = build(provider.url).send(MESSAGE)
    assert done.ending == "accepted"
    assert done.provider_id
    assert len(provider.requests) == 1


@ALL
@pytest.mark.parametrize("how", AMBIGUOUS)
def test_no_answer_after_the_hand_over_is_unknown(
    provider, impatient, which: str, how: str
) -> None:
    answer, reasons = AMBIGUOUS[how]
    provider.answers.append(answer)
    done = GATEWAYS[which][0](provider.url).send(MESSAGE)
    assert done.ending == "unknown"
    assert done.reason in reasons
    assert len(provider.requests) == 1


@ALL
@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b"null", b'{"id": {}}', b"\xff\xfe",
                                  b"[" * 60_000])  # fmt: skip
def test_a_body_that_nobody_understands_is_unknown(provider, which: str, body: bytes) -> None:
    provider.says(200, body)
    done = GATEWAYS[which][0](provider.url).send(MESSAGE)
    assert (done.ending, done.reason) == ("unknown", "malformed_answer")


@ALL
@pytest.mark.parametrize(
    ("status", "ending"),
    [
        (301, "account"), (302, "account"), (307, "account"), (400, "account"), (401, "account"),
        (402, "account"), (403, "account"), (404, "account"), (429, "retry"), (500, "retry"),
        (502, "retry"), (503, "retry"), (504, "unknown"),
    ],
)  # fmt: skip
def test_a_status_alone(provider, which: str, status: int, ending: str) -> None:
    provider.says(status, b"<html>", Location="http://127.0.0.1:1/")
    assert GATEWAYS[which][0](provider.url).send(MESSAGE).ending == ending


@ALL
def test_nobody_there(which: str) -> None:
    done = GATEWAYS[which][0]("http://127.0.0.1:1").send(MESSAGE)
    assert (done.ending, done.reason) == ("retry", "no_connection")


@ALL
def test_a_name_that_nobody_knows(which: str) -> None:
    done = GATEWAYS[which][0]("http://nowhere.invalid").send(MESSAGE)
    assert (done.ending, done.reason) == ("retry", "no_connection")


@ALL
def test_nothing_of_a_message_or_a_secret_is_shown(which: str) -> None:
    shown = repr(GATEWAYS[which][0]("http://127.0.0.1:1")) + repr(MESSAGE)
    for secret in ("the-token", "the-key", "the-secret", "254712345678", "hello", "Machi"):
        assert secret not in shown


@pytest.mark.parametrize(
    ("code", "ending", "reason"),
    [
        (100, "accepted", ""),
        (102, "accepted", ""),
        (401, "permanent", "risk_hold"),
        (402, "account", "sender_refused"),
        (403, "permanent", "invalid_number"),
        (404, "permanent", "unsupported_number"),
        (405, "account", "no_balance"),
        (406, "opted_out", "opted_out_at_provider"),
        (407, "permanent", "not_routed"),
        (500, "retry", "provider_error"),
        (501, "retry", "provider_error"),
        (502, "retry", "provider_error"),
        (999, "unknown", "malformed_answer"),
    ],
)
def test_africas_talking_codes(provider, code: int, ending: str, reason: str) -> None:
    recipient = {"statusCode": code, "messageId": "ATXid_1", "number": MESSAGE.number}
    provider.says(201, {"SMSMessageData": {"Recipients": [recipient]}})
    done = at_gateway(provider.url).send(MESSAGE)
    assert (done.ending, done.reason) == (ending, reason)


def test_africas_talking_request(provider) -> None:
    provider.says(201, {"SMSMessageData": {"Message": "InvalidSenderId", "Recipients": []}})
    assert at_gateway(provider.url).send(MESSAGE).reason == "sender_refused"
    assert "POST /version1/messaging " in provider.head
    assert "apikey: the-key" in provider.head.lower()
    form = {key: values[0] for key, values in parse_qs(provider.body.decode()).items()}
    assert form == {
        "username": "user",
        "to": MESSAGE.number,
        "message": MESSAGE.text,
        "bulkSMSMode": "1",
        "from": "CHW",
    }
    assert at_gateway(provider.url).look_up("ref-1", "") is None


def test_africas_talking_id_none(provider) -> None:
    provider.says(
        201, {"SMSMessageData": {"Recipients": [{"statusCode": 101, "messageId": "None"}]}}
    )
    assert at_gateway(provider.url).send(MESSAGE).ending == "unknown"


@pytest.mark.parametrize(
    ("status", "code", "ending", "reason"),
    [
        (400, 21610, "opted_out", "opted_out_at_provider"),
        (400, 21211, "permanent", "invalid_number"),
        (400, 21614, "permanent", "landline"),
        (400, 21408, "account", "country_not_allowed"),
        (401, 20003, "account", "credentials"),
        (429, 20429, "retry", "too_many"),
        (400, 99999, "account", "http_400"),
    ],
)
def test_twilio_codes(provider, status: int, code: int, ending: str, reason: str) -> None:
    provider.says(status, {"code": code, "message": "To +254712345678 ...", "status": status})
    done = twilio(provider.url).send(MESSAGE)
    assert (done.ending, done.reason) == (ending, reason)


def test_twilio_request_and_look_up(provider) -> None:
    provider.says(201, {"sid": "SM1"})
    assert twilio(provider.url).send(MESSAGE).provider_id == "SM1"
    assert "POST /2010-04-01/Accounts/AC1/Messages.json " in provider.head
    assert base64.b64encode(b"AC1:the-token").decode() in provider.head
    form = {key: values[0] for key, values in parse_qs(provider.body.decode()).items()}
    assert form["StatusCallback"] == "https://chw.example/callbacks/twilio?ref=ref-1"
    assert (form["To"], form["From"], form["Body"]) == (
        MESSAGE.number,
        "+15005550006",
        MESSAGE.text,
    )
    assert twilio(provider.url).look_up("ref-1", "") is None
    provider.says(200, {"sid": "SM1", "status": "delivered"})
    found = twilio(provider.url).look_up("ref-1", "SM1")
    assert found is not None
    assert found.ending == "accepted"
    assert provider.head.startswith("GET /2010-04-01/Accounts/AC1/Messages/SM1.json")
    provider.says(500, b"")
    assert twilio(provider.url).look_up("ref-1", "SM1") is None


def test_twilio_error_in_an_accepted_answer_and_a_service(provider) -> None:
    provider.says(201, {"sid": "SM1", "error_code": 21610})
    service = Twilio(Caller(provider.url, allow_private=True), "AC1", "t", "MG1")
    assert service.send(MESSAGE).ending == "opted_out"
    assert b"MessagingServiceSid=MG1" in provider.body
    assert b"StatusCallback" not in provider.body


@pytest.mark.parametrize(
    ("code", "ending", "reason"),
    [
        (131026, "permanent", "not_on_whatsapp"),
        (131047, "permanent", "window_closed"),
        (131050, "opted_out", "opted_out_at_provider"),
        (130429, "retry", "too_many"),
        (190, "account", "credentials"),
        (132001, "account", "template_refused"),
        (7, "account", "http_400"),
    ],
)
def test_whatsapp_codes(provider, code: int, ending: str, reason: str) -> None:
    provider.says(400, {"error": {"code": code, "message": "(#1) ..."}})
    done = whatsapp(provider.url).send(MESSAGE)
    assert (done.ending, done.reason) == (ending, reason)


def test_whatsapp_template_and_reply(provider) -> None:
    answer = {"messages": [{"id": "wamid.1"}]}
    provider.says(200, answer)
    whatsapp(provider.url).send(MESSAGE)
    sent = json.loads(provider.body)
    assert "POST /v21.0/1234/messages " in provider.head
    assert "authorization: bearer the-token" in provider.head.lower()
    assert sent["to"] == "254712345678"
    assert sent["biz_opaque_callback_data"] == "ref-1"
    assert sent["template"] == {
        "name": "visit_before",
        "language": {"code": "sw"},
        "components": [{"type": "body", "parameters": [{"type": "text", "text": "5 Machi"}]}],
    }
    provider.says(200, answer)
    reply = Outgoing("m2", "ref-2", MESSAGE.number, "Done.", template="stopped")
    whatsapp(provider.url).send(reply)
    assert json.loads(provider.body)["text"]["body"] == "Done."
    provider.says(200, answer)
    whatsapp(provider.url).send(Outgoing("m3", "r3", MESSAGE.number, "x", template="check_in"))
    assert "components" not in json.loads(provider.body)["template"]
    assert whatsapp(provider.url).look_up("ref-1", "") is None


@pytest.mark.parametrize(
    ("error", "ending", "reason"),
    [
        ("invalid_number", "permanent", "invalid_number"),
        ("opted_out", "opted_out", "opted_out_at_provider"),
        ("account", "account", "account_refused"),
        ("later", "retry", "provider_error"),
    ],
)
def test_webhook_errors(provider, error: str, ending: str, reason: str) -> None:
    provider.says(422, {"error": error})
    done = webhook(provider.url).send(MESSAGE)
    assert (done.ending, done.reason) == (ending, reason)


def test_webhook_signs_the_bytes_it_sends_and_asks_again(provider) -> None:
    provider.says(200, {"id": "w1"})
    webhook(provider.url).send(MESSAGE)
    lines = dict(line.lower().split(": ", 1) for line in provider.head.split("\r\n")[1:])
    signature = lines["x-chw-signature"]
    assert is_own_signed("the-secret", provider.body, signature, now_seconds=1000)
    assert json.loads(provider.body)["id"] == "ref-1"
    provider.says(200, {"id": "w1"})
    assert webhook(provider.url).look_up("ref-1", "").ending == "accepted"  # type: ignore[union-attr]
    assert provider.head.startswith("GET /ref-1 ")
    provider.says(404, {})
    assert webhook(provider.url).look_up("ref-1", "").reason == "never_arrived"  # type: ignore[union-attr]
    provider.says(500, b"")
    assert webhook(provider.url).look_up("ref-1", "").ending == "retry"  # type: ignore[union-attr]
    provider.says(200, b"?")
    assert webhook(provider.url).look_up("ref-1", "") is None
    assert webhook(provider.url).look_up("", "") is None


def test_rapidpro_request(provider) -> None:
    provider.says(201, {"id": 17})
    assert rapidpro(provider.url).send(MESSAGE).provider_id == "17"
    assert json.loads(provider.body) == {"urns": ["tel:+254712345678"], "text": MESSAGE.text}
    assert "authorization: token the-token" in provider.head.lower()
    assert rapidpro(provider.url).look_up("ref-1", "17") is None
    provider.says(201, {"id": 18})
    RapidPro(Caller(provider.url, allow_private=True), "t", "whatsapp").send(MESSAGE)
    assert json.loads(provider.body)["urns"] == ["whatsapp:254712345678"]
