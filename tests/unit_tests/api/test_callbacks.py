"""The entrance of providers: signed or nothing, small, quick, and only where it is wanted."""

from __future__ import annotations

import warnings
from urllib.parse import urlencode

import pytest

from chw_tools.api.app import build_app
from chw_tools.api.behind_proxy import SECRET_HEADER, Proxy
from chw_tools.api.callbacks import LIMIT_BYTES
from chw_tools.messaging.africas_talking import AfricasTalkingCallbacks
from chw_tools.messaging.signing import sign_own, sign_sha256, sign_twilio
from chw_tools.messaging.twilio import TwilioCallbacks
from chw_tools.messaging.webhook import WebhookCallbacks
from chw_tools.messaging.whatsapp_cloud import WhatsAppCallbacks
from chw_tools.testing.acts import FakeActs

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

PUBLIC = "https://chw.example/callbacks/twilio"
PROVIDERS = {
    "twilio": TwilioCallbacks("the-token", PUBLIC),
    "africas_talking": AfricasTalkingCallbacks("path-secret-of-16", ("192.0.2.0/24",)),
    "whatsapp_cloud": WhatsAppCallbacks("app-secret", "verify-token-here", "1234"),
    "webhook": WebhookCallbacks("webhook-secret-16"),
}
BODY = urlencode({"MessageSid": "SM1", "MessageStatus": "delivered"}).encode()


def client(acts: FakeActs, address: str = "127.0.0.1", proxy: Proxy | None = None) -> TestClient:
    return TestClient(
        build_app(acts, proxy=proxy),
        base_url="http://tunnel.example",
        client=(address, 50000),
        follow_redirects=False,
    )


@pytest.fixture
def acts() -> FakeActs:
    return FakeActs(callbacks=dict(PROVIDERS))


def signed(body: bytes = BODY, query: str = "") -> dict[str, str]:
    fields = [tuple(one.split("=")) for one in body.decode().split("&")]
    url = f"{PUBLIC}?{query}" if query else PUBLIC
    return {"x-twilio-signature": sign_twilio("the-token", url, fields)}


def test_good_news_is_kept_and_read_after_the_answer(acts) -> None:
    answer = client(acts).post("/callbacks/twilio", content=BODY, headers=signed())
    assert (answer.status_code, answer.content) == (200, b"")
    assert acts.news == [("twilio", BODY)]
    assert acts.n_read == 1


def test_the_query_is_signed_too(acts) -> None:
    headers = signed(query="ref=r1")
    place = "/callbacks/twilio"
    assert client(acts).post(f"{place}?ref=r1", content=BODY, headers=headers).status_code == 200
    assert client(acts).post(f"{place}?ref=r2", content=BODY, headers=headers).status_code == 403


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/callbacks/twilio", {}),
        ("/callbacks/twilio", {"x-twilio-signature": "wrong"}),
        ("/callbacks/twilio", {"x-twilio-signature": "wr\xf6ng"}),
        ("/callbacks/nobody", {}),
        ("/callbacks/africas_talking", {}),
        ("/callbacks/africas_talking/guessed", {}),
        ("/callbacks/whatsapp_cloud", {"x-hub-signature-256": "sha256=0"}),
        ("/callbacks/webhook", {"x-chw-signature": "t=0,v1=0"}),
        ("/callbacks/webhook", {":now": "0", "x-chw-signature": "t=0,v1=0"}),
    ],
)
def test_a_wrong_signature_is_told_nothing(acts, path: str, headers: dict[str, str]) -> None:
    sent = {name: value.encode("latin-1") for name, value in headers.items() if name[0] != ":"}
    answer = client(acts).post(path, content=BODY, headers=sent)
    assert (answer.status_code, answer.content) == (403, b"")
    assert acts.news == []
    assert acts.n_read == 0
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_each_provider_is_known_by_its_own_proof(acts, monkeypatch) -> None:
    browser = client(acts)
    body = b"{}"
    meta = {"x-hub-signature-256": f"sha256={sign_sha256('app-secret', body)}"}
    assert browser.post("/callbacks/whatsapp_cloud", content=body, headers=meta).status_code == 200
    monkeypatch.setattr("chw_tools.api.callbacks.time", lambda: 1000.0)
    own = {"x-chw-signature": sign_own("webhook-secret-16", body, at_seconds=990)}
    assert browser.post("/callbacks/webhook", content=body, headers=own).status_code == 200
    old = {"x-chw-signature": sign_own("webhook-secret-16", body, at_seconds=100)}
    assert browser.post("/callbacks/webhook", content=body, headers=old).status_code == 403


def test_a_sender_s_word_on_its_address_is_not_believed(acts) -> None:
    place = "/callbacks/africas_talking/path-secret-of-16"
    claims = {"x-forwarded-for": "192.0.2.1", ":remote": "192.0.2.1"}
    sent = {name: value for name, value in claims.items() if name[0] != ":"}
    assert client(acts).post(place, content=b"id=1", headers=sent).status_code == 403
    proxy = Proxy("s" * 32, frozenset({"chw.example"}))
    through = {SECRET_HEADER: "s" * 32, "x-forwarded-proto": "https"}
    browser = client(acts, "10.0.0.9", proxy)
    good = {**through, "x-forwarded-for": "203.0.113.7, 192.0.2.1"}
    forged = {**through, "x-forwarded-for": "192.0.2.1, 203.0.113.7"}
    assert browser.post(place, content=b"id=1", headers=good).status_code == 200
    assert browser.post(place, content=b"id=1", headers=forged).status_code == 403


def test_only_through_the_proxy_or_from_this_machine(acts) -> None:
    proxy = Proxy("s" * 32, frozenset({"chw.example"}))
    good = {**signed(), SECRET_HEADER: "s" * 32, "x-forwarded-proto": "https"}
    browser = client(acts, "10.0.0.9", proxy)
    assert browser.post("/callbacks/twilio", content=BODY, headers=good).status_code == 200
    for less in (SECRET_HEADER, "x-forwarded-proto"):
        sent = {name: value for name, value in good.items() if name != less}
        assert browser.post("/callbacks/twilio", content=BODY, headers=sent).status_code == 403
    abroad = client(acts, "203.0.113.7")
    assert abroad.post("/callbacks/twilio", content=BODY, headers=signed()).status_code == 403


def test_the_pages_are_no_more_open_than_before(acts) -> None:
    assert client(acts).get("/").status_code == 421
    assert client(acts).get("/callbacks/../").status_code in (403, 404, 421)
    assert client(acts, "203.0.113.7").get("/api/v1/dictionary").status_code == 403


def test_what_is_too_large_or_too_deep(acts) -> None:
    browser = client(acts)
    large = b"a=" + b"x" * LIMIT_BYTES
    assert browser.post("/callbacks/twilio", content=large, headers=signed()).status_code == 413
    deep = b"[" * 1000
    assert browser.post("/callbacks/webhook", content=deep).status_code == 400
    assert acts.news == []


def test_a_store_that_does_not_answer_is_asked_again_later(acts) -> None:
    acts.is_down = True
    answer = client(acts).post("/callbacks/twilio", content=BODY, headers=signed())
    assert (answer.status_code, answer.content) == (503, b"")


def test_the_address_is_set_up_by_whoever_knows_the_token(acts) -> None:
    asked = {
        "hub.mode": "subscribe",
        "hub.verify_token": "verify-token-here",
        "hub.challenge": "42",
    }
    browser = client(acts)
    assert browser.get("/callbacks/whatsapp_cloud", params=asked).text == "42"
    wrong = asked | {"hub.verify_token": "guessed"}
    assert browser.get("/callbacks/whatsapp_cloud", params=wrong).status_code == 403
    assert browser.get("/callbacks/twilio", params=asked).status_code == 403
    assert browser.get("/callbacks/nobody").status_code == 403


def test_without_providers_there_is_no_such_place() -> None:
    acts = FakeActs()
    answer = client(acts).post("/callbacks/twilio", content=BODY, headers=signed())
    # As any other address of another host: not served.
    assert answer.status_code == 421
