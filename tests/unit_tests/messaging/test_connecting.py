"""Where a call may go, and what it costs to wait."""

import socket

import httpcore
import httpx
import pytest

from chw_tools.errors import SettingsFault
from chw_tools.messaging import connecting
from chw_tools.messaging.connecting import AddressRefused, Caller, checked_address
from chw_tools.messaging.handing import hand_over
from chw_tools.outreach.wire import Handed

PRIVATE = [
    "127.0.0.1", "10.0.0.1", "172.16.5.4", "192.168.1.1", "169.254.169.254", "0.0.0.0",  # noqa: S104
    "100.64.0.1", "224.0.0.1", "255.255.255.255", "::1", "fe80::1", "fc00::1", "::ffff:10.0.0.1",
    "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "localhost", "2002:a00:1::",
]  # fmt: skip


@pytest.mark.parametrize("host", PRIVATE)
def test_no_private_address_in_any_spelling(host: str) -> None:
    # Some spellings are refused as no address at all, and some as no name.
    with pytest.raises((httpx.ConnectError, SettingsFault)) as caught:
        Caller(f"https://[{host}]" if ":" in host else f"https://{host}").post()
    if isinstance(caught.value, httpx.ConnectError):
        assert isinstance(caught.value.__cause__, AddressRefused | httpcore.ConnectError)
    if host in ("127.0.0.1", "::1", "2130706433", "169.254.169.254", "::ffff:10.0.0.1"):
        assert isinstance(caught.value.__cause__, AddressRefused)


def test_one_private_address_among_several_is_enough_to_refuse(monkeypatch) -> None:
    found = [(2, 1, 6, "", ("93.184.216.34", 443)), (2, 1, 6, "", ("10.0.0.1", 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with pytest.raises(AddressRefused):
        checked_address("rebinding.example", 443, allow_private=False)
    assert checked_address("rebinding.example", 443, allow_private=True) == "93.184.216.34"


def test_what_was_checked_is_what_is_connected_to(monkeypatch) -> None:
    # A name that is public when asked first and private when asked again gains nothing.
    answers = iter(["93.184.216.34", "127.0.0.1"])
    asked = []

    def resolve(host, port, *_, **__):
        asked.append(host)
        return [(2, 1, 6, "", (next(answers), port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    connected = []

    def connect(self, host, *_):
        connected.append(host)
        raise connecting.httpcore.ConnectError

    monkeypatch.setattr(connecting.httpcore.SyncBackend, "connect_tcp", connect)
    with pytest.raises(httpx.ConnectError):
        Caller("https://rebinding.example").post()
    assert (asked, connected) == (["rebinding.example"], ["93.184.216.34"])


@pytest.mark.parametrize(
    "url",
    ["http://api.example", "ftp://api.example", "https://", "api.example", "https://u:p@api.example",
     "file:///etc/passwd"],
)  # fmt: skip
def test_only_https_without_a_password(url: str) -> None:
    with pytest.raises(SettingsFault) as caught:
        Caller(url)
    assert "u:p" not in str(caught.value)


def test_private_needs_the_operator_s_word() -> None:
    with pytest.raises(SettingsFault):
        Caller("ftp://127.0.0.1", allow_private=True)
    assert Caller("http://127.0.0.1", allow_private=True)


def test_a_path_is_kept_and_a_redirect_is_an_answer(provider) -> None:
    provider.says(302, b"", Location="http://127.0.0.1:1/elsewhere")
    reply = Caller(f"{provider.url}/base/", allow_private=True).post("/send", form={"a": "b"})
    assert reply.status == 302
    assert provider.head.startswith("POST /base/send HTTP/1.1")
    assert len(provider.requests) == 1


def test_no_proxy_of_the_environment(provider, monkeypatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    provider.says(200, b"")
    assert Caller(provider.url, allow_private=True).get().status == 200


def test_a_simulated_number_is_never_told() -> None:
    def call():
        raise AssertionError

    done = hand_over(call, lambda reply: Handed("accepted"), number="+9995501234567")
    assert (done.ending, done.reason) == ("permanent", "simulated_number")
