"""Serving others than this machine: only through a proxy that signs people in.

There are no accounts yet. A programme that needs its pages on more than one machine puts a
proxy in front that asks for a name and a password (or hands people to a sign-in service),
speaks HTTPS, and proves itself to us with a secret on every request. Whoever gets past the
proxy sees everybody in the store: it keeps strangers out, it does not tell workers apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from secrets import compare_digest
from typing import TYPE_CHECKING

from starlette.datastructures import Headers

from chw_tools.api.error_responses import refusal
from chw_tools.api.security import SAFE_METHODS, host_name, is_from_elsewhere
from chw_tools.errors import SettingsFault

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.types import ASGIApp, Receive, Scope, Send

    from chw_tools.settings import Settings

#: The header in which the proxy sends its secret, having dropped whatever a client sent there.
SECRET_HEADER = "x-chw-proxy-secret"  # noqa: S105 - the header's name
#: Shorter ones could be guessed (a decision of this project: 128 bits as hexadecimal digits).
LEAST_SECRET = 32
#: A year, as browsers ask for (OWASP ASVS 5.0, 3.4.1).
HTTPS_ONLY = {"strict-transport-security": "max-age=31536000; includeSubDomains"}

#: Asked by what keeps the service running, from wherever that stands; nobody's values in them.
_HEALTH = frozenset({"/healthz", "/readyz"})


@dataclass(frozen=True)
class Proxy:
    """The proxy in front.

    Parameters
    ----------
    secret : str
        What it sends in :data:`SECRET_HEADER`.
    hosts : frozenset of str
        Names under which people reach it.
    metrics_secret : str
        What Prometheus sends as a bearer token to ``/metrics``; empty where only the proxy may.
    """

    secret: str
    hosts: frozenset[str]
    metrics_secret: str = ""


def read_proxy(settings: Settings) -> Proxy | None:
    """The proxy that the settings tell of, or None where this machine alone is served.

    Raises
    ------
    SettingsFault
        If one of secret and host names is missing, or a secret cannot be read or is short.
    """
    if settings.proxy_secret is None:
        _check_none_meant(settings)
        return None
    if not settings.public_hosts:
        raise SettingsFault(
            "is missing: a proxy's secret is given, and no name under which people reach it.",
            where="CHW_PUBLIC_HOSTS",
            cure="Give the host name of the proxy, such as chw.example.org.",
        )
    return Proxy(
        secret=_read_secret(settings.proxy_secret, "CHW_PROXY_SECRET_FILE"),
        hosts=frozenset(settings.public_hosts),
        metrics_secret=_read_secret(settings.metrics_secret, "CHW_METRICS_SECRET_FILE")
        if settings.metrics_secret
        else "",
    )


def _check_none_meant(settings: Settings) -> None:
    if settings.public_hosts or settings.metrics_secret:
        raise SettingsFault(
            "is missing: other machines are to be served, and accounts do not exist yet.",
            where="CHW_PROXY_SECRET_FILE",
            cure="Put a proxy that signs people in in front, and name the file of its secret.",
        )


def _read_secret(path: Path, setting: str) -> str:
    try:
        secret = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no plain text"
        raise SettingsFault(
            f"the file cannot be read ({why}).",
            where=f"{setting}={path}",
            cure="Write one with: openssl rand -hex 32",
        ) from None
    if len(secret) < LEAST_SECRET:
        raise SettingsFault(
            f"the secret is shorter than {LEAST_SECRET} characters.",
            where=f"{setting}={path}",
            cure="Write one with: openssl rand -hex 32",
        )
    return secret


class OnlyThroughProxy:
    """Refuses what the proxy did not hand on, other host names, plain HTTP and other sites."""

    def __init__(self, app: ASGIApp, *, proxy: Proxy) -> None:
        self._app, self._proxy = app, proxy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] == "http":
            status, what, cure = self._objection(scope, Headers(scope=scope))
            if status:
                await refusal(scope["path"], status, what, cure)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _objection(self, scope: Scope, headers: Headers) -> tuple[int, str, str]:
        path = scope["path"]
        if path in _HEALTH or (path == "/metrics" and self._is_prometheus(headers)):
            return 0, "", ""
        if not _same(headers.get(SECRET_HEADER, ""), self._proxy.secret):
            return 403, "Only the proxy that signs people in is answered.", "Go through it."
        if host_name(headers.get("host", "")).lower() not in self._proxy.hosts:
            return 421, "This host name is not served.", "See CHW_PUBLIC_HOSTS."
        if headers.get("x-forwarded-proto") != "https":
            return 403, "This came over a connection that others can read.", "Use https."
        if scope["method"] not in SAFE_METHODS and is_from_elsewhere(headers):
            return 403, "Another site may not send forms here.", "Send it from the page itself."
        return 0, "", ""

    def _is_prometheus(self, headers: Headers) -> bool:
        kind, _, token = headers.get("authorization", "").partition(" ")
        known = self._proxy.metrics_secret
        return bool(known) and kind.lower() == "bearer" and _same(token.strip(), known)


def _same(given: str, known: str) -> bool:
    # As bytes: a header may hold what is no ASCII, on which texts cannot be compared.
    return compare_digest(given.encode(), known.encode())
