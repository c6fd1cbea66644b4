"""What providers tell: an entrance of its own, beside the pages, with its own rules.

A provider is nobody who signed in, and sends no browser's headers: it proves itself by the
signature of each callback. A small app answers it, which has no other route, takes small bodies,
keeps what is new and answers at once; what was written is read after the answer. It exists only
where the operator's file names a provider that calls back.
"""

from __future__ import annotations

from secrets import compare_digest
from time import time
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from chw_tools.api.behind_proxy import SECRET_HEADER
from chw_tools.api.security import BodyLimit, is_loopback
from chw_tools.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

    from chw_tools.api.behind_proxy import Proxy
    from chw_tools.outreach.wire import Callbacks

#: Where callbacks are answered.
PLACE = "/callbacks"
#: Largest callback that is read: WhatsApp's, of many news, are the largest.
LIMIT_BYTES = 256 * 1024


class CallbacksApart:
    """Hands callbacks to their own app, past whoever asks for people's signing in."""

    def __init__(self, app: ASGIApp, *, callbacks: ASGIApp, proxy: Proxy | None) -> None:
        self._app, self._callbacks, self._proxy = app, callbacks, proxy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(f"{PLACE}/"):
            await self._app(scope, receive, send)
        elif self._may_pass(scope):
            await self._callbacks(scope, receive, send)
        else:
            await _nothing(403)(scope, receive, send)

    def _may_pass(self, scope: Scope) -> bool:
        """Through the proxy and encrypted; where there is none, from this machine (a tunnel)."""
        headers, client = Headers(scope=scope), scope.get("client")
        if self._proxy is None:
            return client is not None and is_loopback(client[0])
        given = headers.get(SECRET_HEADER, "").encode()
        is_proxy = compare_digest(given, self._proxy.secret.encode())
        return is_proxy and headers.get("x-forwarded-proto") == "https"


def make_callbacks(
    providers: Mapping[str, Callbacks],
    *,
    take: Callable[[Callbacks, Mapping[str, str], bytes], object],
    read: Callable[[], object],
    is_behind_proxy: bool,
) -> ASGIApp:
    """The app that answers providers.

    Parameters
    ----------
    providers : mapping of str to Callbacks
        Those that call back, by name.
    take : callable
        Keeps the news of a callback whose signature is good.
    read : callable
        Reads what waits; called after the answer.
    is_behind_proxy : bool
        Whether the proxy tells the sender's address.
    """

    async def tell(request: Request) -> Response:
        provider = providers.get(request.path_params["provider"])
        body = await request.body()
        told = _told(request, is_behind_proxy=is_behind_proxy)
        if provider is None or not provider.is_signed(
            url=str(request.url), headers=told, body=body
        ):
            # Not even whether there is such a provider.
            return _nothing(403)
        try:
            await run_in_threadpool(take, provider, told, body)
        except StoreUnavailable:
            # The provider comes again.
            return _nothing(503)
        return Response(status_code=200, background=BackgroundTask(_quietly, read))

    async def ask(request: Request) -> Response:
        challenge = getattr(providers.get(request.path_params["provider"]), "challenge", None)
        answer = challenge(dict(request.query_params)) if challenge is not None else None
        return _nothing(403) if answer is None else PlainTextResponse(answer)

    routes = [
        Route(f"{PLACE}/{{provider}}", tell, methods=["POST"]),
        Route(f"{PLACE}/{{provider}}/{{secret}}", tell, methods=["POST"]),
        Route(f"{PLACE}/{{provider}}", ask, methods=["GET"]),
    ]
    return BodyLimit(Starlette(routes=routes), limit_bytes=LIMIT_BYTES)


def _told(request: Request, *, is_behind_proxy: bool) -> dict[str, str]:
    """The headers, with what only we can tell under names that nobody can send."""
    address = request.client.host if request.client else ""
    if is_behind_proxy:
        # The last one is the proxy's own word; those before it are the sender's.
        address = request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
    own = {":remote": address, ":query": request.url.query, ":now": str(time())}
    return {**dict(request.headers), **own}


def _nothing(status: int) -> Response:
    return Response(status_code=status)


def _quietly(read: Callable[[], Any]) -> None:
    try:
        read()
    except StoreUnavailable:
        # It waits in the inbox; the worker reads it.
        return
