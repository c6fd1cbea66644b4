"""A provider on this machine that answers as it is told: well, badly, slowly or not at all."""

from __future__ import annotations

import json
import socket
import threading
import time
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import pytest


@dataclass
class Provider:
    """One listening socket; each connection is answered by the next of ``answers``."""

    answers: list[Any] = field(default_factory=list)
    requests: list[bytes] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def says(self, status: int, body: Any = b"", **headers: str) -> None:
        """Answer the next request with a status and a body (JSON where it is no bytes)."""
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(sent)}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.answers.append("\r\n".join(lines).encode() + b"\r\n\r\n" + sent)

    def does(self, act: Any) -> None:
        """Let a function of the connection answer the next request."""
        self.answers.append(act)

    def serve(self, server: socket.socket) -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with closing(connection):
                self.requests.append(_request(connection))
                answer = self.answers.pop(0) if self.answers else b""
                try:
                    if callable(answer):
                        answer(connection)
                    else:
                        connection.sendall(answer)
                except OSError:
                    pass  # the other side gave up, as it should

    @property
    def body(self) -> bytes:
        """The body of the last request."""
        return self.requests[-1].partition(b"\r\n\r\n")[2]

    @property
    def head(self) -> str:
        """The head of the last request."""
        return self.requests[-1].partition(b"\r\n\r\n")[0].decode()


def _request(connection: socket.socket) -> bytes:
    connection.settimeout(5)
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65536)
        if not part:
            return data
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


@pytest.fixture
def provider():
    found = Provider()
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        found.port = server.getsockname()[1]
        thread = threading.Thread(target=found.serve, args=(server,), daemon=True)
        thread.start()
        yield found
        server.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def impatient(monkeypatch):
    """Short patience, so that a slow provider is found slow within a test."""
    from chw_tools.messaging import connecting

    monkeypatch.setattr(connecting, "STEP_SECONDS", 0.15)
    monkeypatch.setattr(connecting, "WHOLE_SECONDS", 0.3)


def hang(connection: socket.socket) -> None:
    """Take the request and say nothing."""
    time.sleep(0.5)


def drip_body(connection: socket.socket) -> None:
    """Promise much, and send it byte by byte."""
    connection.sendall(b"HTTP/1.1 201 X\r\nContent-Length: 9000\r\n\r\n")
    for _ in range(20):
        connection.sendall(b" ")
        time.sleep(0.05)


def drip_head(connection: socket.socket) -> None:
    """Never come to the end of the headers."""
    connection.sendall(b"HTTP/1.1 201 X\r\n")
    for at in range(20):
        connection.sendall(f"X-{at}: y\r\n".encode())
        time.sleep(0.05)


def flood(connection: socket.socket) -> None:
    """Send far more than any answer has."""
    connection.sendall(b"HTTP/1.1 201 X\r\nContent-Length: 900000\r\n\r\n" + b"x" * 900_000)


def hang_up(connection: socket.socket) -> None:
    """Close without an answer."""


def half_a_body(connection: socket.socket) -> None:
    """Close in the middle of it."""
    connection.sendall(b'HTTP/1.1 201 X\r\nContent-Length: 900\r\n\r\n{"sid": "SM')


#: Each way of not answering after the hand-over, with what may be told of it (a machine that is
#: busy may meet its patience first): whoever meets one may not send again.
AMBIGUOUS = {
    "hangs": (hang, ("no_answer",)),
    "drips its head": (drip_head, ("no_answer",)),
    "drips its body": (drip_body, ("no_answer", "no_whole_answer")),
    "floods": (flood, ("no_answer", "no_whole_answer")),
    "hangs up": (hang_up, ("connection_lost", "no_answer")),
    "sends half a body": (half_a_body, ("connection_lost", "no_answer")),
    "speaks no HTTP": (b"220 mail.example ESMTP\r\n", ("connection_lost", "no_answer")),
}
