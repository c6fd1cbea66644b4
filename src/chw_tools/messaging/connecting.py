"""Calling out: only to hosts that the operator named, only where they truly are, never for ever.

A provider's address comes from the operator's file and from nowhere else. It must be https,
must not resolve to a private address, is resolved once and then connected to as resolved (so a
name that changes its mind between check and call gains nothing), and is never redirected from.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpcore
import httpx

from chw_tools.errors import SettingsFault

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Seconds for reaching the provider, for each step of the answer, and for all of it together.
CONNECT_SECONDS, STEP_SECONDS, WHOLE_SECONDS = 5.0, 15.0, 30.0
#: No answer of a provider to one message is longer.
MOST_BYTES = 64 * 1024


class AddressRefused(httpcore.ConnectError):
    """The host lies where nothing may be sent: a private, local or reserved address."""


class TooLong(Exception):
    """The answer is longer, or takes longer, than any honest one."""


@dataclass(frozen=True)
class Reply:
    """A provider's answer: status and what it said."""

    status: int
    body: bytes


class Caller:
    """The way out to one host.

    Parameters
    ----------
    url : str
        The provider's address, as the operator gave it; every call goes to its host and port.
    allow_private : bool
        Whether it may be plain http and lie in a private network: for a gateway in the same
        building, and for tests.

    Raises
    ------
    SettingsFault
        If the address is no https address, or holds a password.
    """

    def __init__(self, url: str, *, allow_private: bool = False) -> None:
        schemes = ("https", "http") if allow_private else ("https",)
        base = _parsed(url)
        if base is None or base.scheme not in schemes or not base.host or base.userinfo:
            raise SettingsFault(
                "is not an https address without a password.",
                where="gateways: url",
                cure="Give https://host/path; allow_private = true for a gateway in your network.",
            )
        self._base = base
        self._allow_private = allow_private
        # Reading the authorities takes longer than a call: once for all of them.
        self._trust = ssl.create_default_context()

    def post(
        self,
        path: str = "",
        *,
        form: dict[str, str] | None = None,
        json: Any = None,
        content: bytes | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
    ) -> Reply:
        """POST once; the answer, whatever its status. A redirect is an answer like any other.

        Raises
        ------
        httpx.ConnectError, httpx.ConnectTimeout, AddressRefused
            Before anything was handed over.
        httpx.TransportError, TooLong
            After that.
        """
        return self._ask(
            "POST", path, data=form, json=json, content=content, headers=headers, auth=auth
        )

    def get(
        self,
        path: str = "",
        *,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
    ) -> Reply:
        """GET once, as :meth:`post`."""
        return self._ask("GET", path, headers=headers, auth=auth)

    def _ask(self, method: str, path: str, **given: Any) -> Reply:
        deadline = time.monotonic() + WHOLE_SECONDS
        limits = httpx.Timeout(STEP_SECONDS, connect=CONNECT_SECONDS)
        url = self._base.copy_with(raw_path=(self._base.path.rstrip("/") + path).encode())
        network = _Network(deadline, allow_private=self._allow_private)
        transport = _Transport(network, self._trust)
        with (
            httpx.Client(transport=transport, timeout=limits, trust_env=False) as client,
            client.stream(method, url, **given) as response,
        ):
            return Reply(response.status_code, _read(response.iter_raw(), deadline))


def _parsed(url: str) -> httpx.URL | None:
    try:
        return httpx.URL(url)
    except httpx.InvalidURL:
        return None


def _read(parts: Iterable[bytes], deadline: float) -> bytes:
    body = bytearray()
    for part in parts:
        body += part
        if len(body) > MOST_BYTES or time.monotonic() > deadline:
            raise TooLong
    return bytes(body)


class _Transport(httpx.HTTPTransport):
    """httpx's own, over a network that checks addresses and keeps the deadline."""

    def __init__(self, network: httpcore.NetworkBackend, trust: ssl.SSLContext) -> None:
        super().__init__(verify=trust, trust_env=False)
        # httpx has no public way to hand over a network; the tests hold this line.
        self._pool.close()
        self._pool = httpcore.ConnectionPool(ssl_context=trust, network_backend=network)


class _Network(httpcore.NetworkBackend):
    """Connects to the address that was checked, not to a name that may change meanwhile."""

    def __init__(self, deadline: float, *, allow_private: bool) -> None:
        self._deadline = deadline
        self._allow_private = allow_private
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        address = checked_address(host, port, allow_private=self._allow_private)
        stream = self._sockets.connect_tcp(address, port, timeout, local_address, socket_options)
        return _Stream(stream, self._deadline)


class _Stream(httpcore.NetworkStream):
    """A stream that no drip of bytes keeps open beyond the deadline."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        left = self._left(timeout, httpcore.ConnectTimeout)
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, left), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)

    def _left(self, timeout: float | None, error: type[Exception]) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise error
        return left if timeout is None else min(timeout, left)


def checked_address(host: str, port: int, *, allow_private: bool) -> str:
    """The address of a host, resolved once; every address that it has must be public.

    Raises
    ------
    httpcore.ConnectError
        If the name is not known, or (:class:`AddressRefused`) where one address is not public.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise httpcore.ConnectError("name not known") from error
    addresses = [str(entry[4][0]) for entry in found]
    if not allow_private and not all(map(_is_public, addresses)):
        raise AddressRefused("not a public address")
    return addresses[0]


def _is_public(address: str) -> bool:
    found = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(found, "ipv4_mapped", None) or getattr(found, "sixtofour", None)
    return found.is_global and not found.is_multicast and (mapped is None or mapped.is_global)
