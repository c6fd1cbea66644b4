"""E-mail against a real server of this machine, told to misbehave."""

import socket
from contextlib import closing
from email import message_from_bytes
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from chw_tools.messaging.smtp import Smtp
from chw_tools.outreach.wire import Handed, Outgoing

MESSAGE = Outgoing("m1", "ref-1", "person@mail.example", "Health programme: hello é", "en")


class Handler:
    """Answers of the server by command; None is to go on."""

    def __init__(self, **answers: str) -> None:
        self.answers = answers
        self.mails: list[bytes] = []

    async def handle_MAIL(self, server, session, envelope, address, options) -> str:  # noqa: N802
        envelope.mail_from = address
        return self.answers.get("mail", "250 OK")

    async def handle_RCPT(self, server, session, envelope, address, options) -> str:  # noqa: N802
        if "rcpt" not in self.answers:
            envelope.rcpt_tos.append(address)
        return self.answers.get("rcpt", "250 OK")

    async def handle_DATA(self, server, session, envelope) -> str:  # noqa: N802
        self.mails.append(envelope.content)
        if self.answers.get("data") == "hang up":
            server.transport.abort()
        return self.answers.get("data", "250 OK")


def deliver(handler: Handler, message: Outgoing = MESSAGE, **changes: Any) -> Handed:
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        settings = {"security": "none", "allow_private": True} | changes
        return Smtp("127.0.0.1", port, "chw@programme.example", **settings).send(message)
    finally:
        controller.stop()


def test_accepted() -> None:
    handler = Handler()
    done = deliver(handler)
    assert (done.ending, done.provider_id) == ("accepted", "<ref-1@programme.example>")
    mail = message_from_bytes(handler.mails[0])
    assert mail["To"] == "person@mail.example"
    assert mail["Subject"] == "Health programme"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert "hello é" in mail.get_payload(decode=True).decode()  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("answers", "ending", "reason"),
    [
        ({"rcpt": "550 no such user"}, "permanent", "invalid_number"),
        ({"rcpt": "450 mailbox busy"}, "retry", "provider_error"),
        ({"mail": "553 not yours"}, "account", "sender_refused"),
        ({"data": "451 try later"}, "retry", "smtp_451"),
        ({"data": "554 refused"}, "account", "smtp_554"),
        ({"data": "hang up"}, "unknown", "connection_lost"),
    ],
)
def test_what_the_server_says(answers: dict[str, str], ending: str, reason: str) -> None:
    done = deliver(Handler(**answers))
    assert (done.ending, done.reason) == (ending, reason)


def test_nobody_there() -> None:
    gateway = Smtp("127.0.0.1", 1, "a@b.example", security="none", allow_private=True)
    assert gateway.send(MESSAGE).reason == "no_connection"
    assert gateway.look_up("ref-1", "") is None


def test_a_private_server_needs_the_operator_s_word() -> None:
    assert Smtp("127.0.0.1", 25, "a@b.example").send(MESSAGE).reason == "address_refused"
    assert Smtp("nowhere.invalid", 25, "a@b.example").send(MESSAGE).reason == "no_connection"


def test_no_encryption_where_it_is_asked_for() -> None:
    assert deliver(Handler(), security="starttls").ending in ("account", "retry")
    assert deliver(Handler(), security="tls").ending == "account"


def test_a_password_is_not_told_to_whoever_did_not_ask() -> None:
    done = deliver(Handler(), user="u", password="p")
    assert done.ending in ("account", "retry")
    assert "password" not in repr(Smtp("h", 1, "a@b", password="the-password"))


def test_an_address_is_no_header() -> None:
    evil = Outgoing("m1", "r", "a@b.example\r\nBcc: all@c.example", "x")
    assert deliver(Handler(), evil).reason == "invalid_number"
