"""What stands around every request, as small ASGI layers.

There are no accounts yet, so only this machine is served: a request must come from a
loopback address, name a loopback host (or a page elsewhere could reach us by rebinding its
name), and not be sent by another site. The other way, behind a proxy that signs people in,
is :mod:`chw_tools.api.behind_proxy`.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders

from chw_tools.api.error_responses import refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: Largest body that is read: 10,000 keys of people fit twice.
BODY_LIMIT_BYTES = 1_000_000
#: Deepest nesting of a JSON body; a visit needs three levels.
JSON_DEPTH_LIMIT = 32

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

_FORM_TYPES = frozenset({"application/x-www-form-urlencoded", "multipart/form-data", "text/plain"})

_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; form-action 'self'; object-src 'none'; base-uri 'none'; "
        "frame-ancestors 'none'; require-trusted-types-for 'script'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


def is_loopback(host: str) -> bool:
    """Whether a host name or address can only mean this machine.

    >>> is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("192.168.1.5")
    (True, True, False)
    """
    name = host.strip().lower().removeprefix("[").removesuffix("]")
    if name == "localhost":
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


class SecureHeaders:
    """Every answer carries the security headers, errors too; only static files may be kept."""

    def __init__(self, app: ASGIApp, *, more: Mapping[str, str] | None = None) -> None:
        self._app = app
        self._all = {**_HEADERS, **(more or {})}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_static = scope["path"].startswith("/static/")

        async def send_secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(self._all)
                headers["cache-control"] = "no-cache" if is_static else "no-store"
                if "server" in headers:
                    del headers["server"]
            await send(message)

        await self._app(scope, receive, send_secured)


class OnlyThisMachine:
    """Refuses other machines, other host names and other sites."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] == "http":
            status, what, cure = self._objection(scope)
            if status:
                await refusal(scope["path"], status, what, cure)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    @staticmethod
    def _objection(scope: Scope) -> tuple[int, str, str]:
        headers = Headers(scope=scope)
        client = scope.get("client")
        if client is None or not is_loopback(client[0]):
            return 403, "Only this machine is served.", "Open it on the machine it runs on."
        if not is_loopback(host_name(headers.get("host", ""))):
            return 421, "This host name is not served.", "Use 127.0.0.1 or localhost."
        if scope["method"] not in SAFE_METHODS and is_from_elsewhere(headers):
            return 403, "Another site may not send forms here.", "Send it from the page itself."
        return 0, "", ""


class BodyLimit:
    """Reads a body whole, up to a limit; refuses one that is too large or too deep."""

    def __init__(self, app: ASGIApp, *, limit_bytes: int = BODY_LIMIT_BYTES) -> None:
        self._app = app
        self._limit = limit_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in SAFE_METHODS:
            await self._app(scope, receive, send)
            return
        body = await self._read(Headers(scope=scope), receive)
        if body is None:
            answer = refusal(scope["path"], 413, "Too much was sent at once.", "Send less.")
            await answer(scope, receive, send)
            return
        if json_depth(body) > JSON_DEPTH_LIMIT:
            answer = refusal(scope["path"], 400, "What was sent is nested too deep.", "")
            await answer(scope, receive, send)
            return
        await self._app(scope, _replay(body, receive), send)

    async def _read(self, headers: Headers, receive: Receive) -> bytes | None:
        declared = headers.get("content-length", "0")
        if not declared.isdigit() or int(declared) > self._limit:
            return None
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return bytes(body)
            body += message.get("body", b"")
            if len(body) > self._limit:
                return None
            if not message.get("more_body"):
                return bytes(body)


def json_depth(body: bytes) -> int:
    """How deep brackets are nested in a text, strings left out; 0 for anything but JSON.

    >>> json_depth(b'{"a": [1, "[[["]}')
    2
    """
    if body.lstrip()[:1] not in (b"{", b"["):
        return 0
    depth = deepest = 0
    in_string = escaped = False
    for byte in body:
        if in_string:
            in_string = escaped or byte != 0x22
            escaped = byte == 0x5C and not escaped
        elif byte == 0x22:
            in_string = True
        elif byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"]}":
            depth -= 1
    return deepest


def is_from_elsewhere(headers: Headers) -> bool:
    """Whether another site's page may have sent this."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in {"same-origin", "none"}
    origin = headers.get("origin")
    if origin is not None:
        return origin.partition("://")[2] != headers.get("host")
    # Neither header: no browser of today. Such a client may do anything but send a form.
    return headers.get("content-type", "").partition(";")[0].strip().lower() in _FORM_TYPES


def host_name(host: str) -> str:
    """A ``host`` header without its port."""
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]


def _replay(body: bytes, receive: Receive) -> Receive:
    sent = False

    async def receive_again() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_again
