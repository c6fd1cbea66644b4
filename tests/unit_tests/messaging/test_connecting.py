"""Where a call may go, and what it costs to wait."""

import socket
import ssl
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpcore
import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

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


def certificates(folder: Path, name: str) -> tuple[str, ssl.SSLContext]:
    """A certificate for a name: the file that vouches for it, and the server's side."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    both = made.public_bytes(Encoding.PEM) + key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    (folder / "both.pem").write_bytes(both)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "both.pem")
    return str(folder / "both.pem"), server


def answer_tls(listening: socket.socket, context: ssl.SSLContext) -> None:
    """Answer whoever accepts the certificate."""
    while True:
        try:
            connection, _ = listening.accept()
        except OSError:
            return
        try:
            with context.wrap_socket(connection, server_side=True) as encrypted:
                encrypted.recv(65536)
                encrypted.sendall(b"HTTP/1.1 204 X\r\n\r\n")
        except OSError:
            continue


def test_https_by_name_at_a_checked_address(tmp_path, monkeypatch) -> None:
    """The certificate is checked against the name, though the address was looked up before."""
    trusted, server_side = certificates(tmp_path, "gateway.example")
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        port = listening.getsockname()[1]
        threading.Thread(target=answer_tls, args=(listening, server_side), daemon=True).start()
        found = [(2, 1, 6, "", ("127.0.0.1", port))]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        caller = Caller(f"https://gateway.example:{port}", allow_private=True)
        with pytest.raises(httpx.ConnectError):
            caller.get()  # nobody vouches for the certificate
        caller._trust = ssl.create_default_context(cafile=trusted)
        assert caller.get().status == 204
        other = Caller(f"https://other.example:{port}", allow_private=True)
        other._trust = caller._trust
        with pytest.raises(httpx.ConnectError):
            other.get()
