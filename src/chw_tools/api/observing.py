"""The layer that watches every request: a request id, one log line, and the counters."""

from __future__ import annotations

import logging
import re
import secrets
import time
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders

from chw_tools.api.error_responses import refusal
from chw_tools.api.logs import trace_end

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from chw_tools.api.metrics import Metrics

_log = logging.getLogger("chw_tools.access")
_REQUEST_ID = re.compile(r"[0-9a-f]{8,32}")
#: What is told of an address that no route serves; the address itself may hold anything.
NO_ROUTE = "-"
#: Where the API stands.
API = "/api/v1"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Observed:
    """One line and one count a request: method, route, status, time. No keys, no values.

    What breaks further in is answered here with a plain 500, and logged by kind and place
    only, because the text of an error may hold a person's values. A request id of
    hexadecimal digits is taken from ``x-request-id``, else drawn; the answer carries it.
    """

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 0
        request_id = choose_request_id(Headers(scope=scope).get("x-request-id"))

        async def send_noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["x-request-id"] = request_id
            await send(message)

        self._metrics.open.inc()
        try:
            await self._app(scope, receive, send_noted)
        except Exception as broken:
            self._note_failure(broken, scope, request_id)
            if not status:
                answer = refusal(scope["path"], 500, "Something went wrong here.", "Try again.")
                await answer(scope, receive, send_noted)
        finally:
            self._metrics.open.dec()
            self._note(scope, request_id, status, time.perf_counter() - began)

    def _note(self, scope: Scope, request_id: str, status: int, seconds: float) -> None:
        method, route = method_of(scope), route_of(scope)
        self._metrics.count(method=method, route=route, status=status, seconds=seconds)
        told = {
            "request_id": request_id,
            "method": method,
            "route": route,
            "status": status,
            "milliseconds": round(seconds * 1000, 1),
        }
        _log.info("request", extra=told)

    def _note_failure(self, broken: Exception, scope: Scope, request_id: str) -> None:
        kind = type(broken).__name__
        self._metrics.count_failure(route=route_of(scope), kind=kind)
        told = {"request_id": request_id, "kind": kind, "place": trace_end(broken)}
        _log.error("failure", extra=told)


def choose_request_id(given: str | None) -> str:
    """The id that the caller gave, if it can hold nobody's values; else a drawn one.

    >>> choose_request_id("00c0ffee")
    '00c0ffee'
    >>> len(choose_request_id("Amina"))
    16
    """
    return given if given and _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)


def route_of(scope: Scope) -> str:
    """The template of the route that served a request, such as ``/people/{person_id}``."""
    template = getattr(scope.get("route"), "path", None)
    if template is None:
        return NO_ROUTE
    # A page and a route of the API may have the same template below the API's own address.
    is_api = scope["path"].startswith(API) and not template.startswith(API)
    return f"{API if is_api else ''}{template}"


def method_of(scope: Scope) -> str:
    """The request's method; ``OTHER`` for one that is no method of HTTP."""
    return scope["method"] if scope["method"] in _METHODS else "OTHER"
