"""How an error ends an HTTP request: the one mapping from our errors to statuses.

An answer names fields, never what was sent in them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from chw_tools.errors import (
    ChwError,
    Conflict,
    InputError,
    ModelNotFound,
    NotFound,
    PopulationMixed,
    StoreUnavailable,
)
from chw_tools.web.rendering import Pages

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastapi import FastAPI
    from starlette.requests import Request

#: The first that fits decides; whatever is left is the request's fault.
STATUSES: tuple[tuple[type[ChwError], int], ...] = (
    (NotFound, 404),
    (ModelNotFound, 404),
    (Conflict, 409),
    (PopulationMixed, 409),
    (InputError, 422),
    (StoreUnavailable, 503),
    (ChwError, 400),
)

_FOR_MACHINES = ("/healthz", "/readyz", "/metrics")
_SAID = {
    "missing": "is missing",
    "extra_forbidden": "is not a field of this request",
    "string_pattern_mismatch": "is not a key",
    "too_long": "holds too many",
    "string_too_long": "is too long",
    "string_too_short": "is too short",
    "literal_error": "is none of the allowed values",
    "finite_number": "must be a finite number",
    "json_invalid": "is not JSON",
}


def status_of(error: ChwError) -> int:
    """The HTTP status of one of our errors.

    >>> status_of(NotFound("no such person"))
    404
    """
    return next(status for kind, status in STATUSES if isinstance(error, kind))


def add_error_responses(app: FastAPI, pages: Pages) -> None:
    """Answer every error alike: JSON under ``/api``, a page elsewhere."""

    def answer(request: Request, status: int, said: dict[str, str]) -> Response:
        if _is_api(request.url.path):
            return JSONResponse(said, status_code=status)
        missing = status == 404
        return pages.show(
            "message.html",
            status=status,
            heading=pages.words("message.not_found" if missing else "message.refused"),
            text=pages.words("message.not_found_text") if missing else said["what"],
            cure="" if missing else said["cure"],
            can_plan=False,
        )

    def ours(request: Request, error: Exception) -> Response:
        assert isinstance(error, ChwError)  # noqa: S101 - registered for these only
        said = body_of(type(error).__name__, error.what, error.where, error.cure)
        return answer(request, status_of(error), said)

    def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101 - as above
        what, where = _said_of(error.errors())
        # A malformed key in a page's address is a page that is not there.
        is_page = not _is_api(request.url.path)
        return answer(request, 404 if is_page else 422, body_of("InputError", what, where))

    def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - as above
        what = {404: "There is nothing here.", 405: "That cannot be done here."}
        said = body_of(
            "NotFound" if error.status_code == 404 else "InputError",
            what.get(error.status_code, "The request cannot be read."),
        )
        response = answer(request, error.status_code, said)
        response.headers.update(error.headers or {})
        return response

    app.add_exception_handler(ChwError, ours)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)


def body_of(error: str, what: str, where: str = "", cure: str = "") -> dict[str, str]:
    """The body of every error."""
    return {"error": error, "what": what, "where": where, "cure": cure}


def refusal(path: str, status: int, what: str, cure: str) -> Response:
    """An answer given before any route is asked."""
    if _is_api(path):
        name = "InputError" if status < 500 else "ServerError"
        return JSONResponse(body_of(name, what, cure=cure), status_code=status)
    return Response(f"{what} {cure}".strip(), status_code=status, media_type="text/plain")


def _is_api(path: str) -> bool:
    return path.startswith("/api/") or path in _FOR_MACHINES


def _said_of(errors: Sequence[Any]) -> tuple[str, str]:
    # Pydantic repeats what was sent; neither that nor its messages go out.
    places = [_place(problem["loc"]) for problem in errors[:20]]
    said = [
        f"{place} {_SAID.get(problem['type'], 'is not of the expected form')}"
        for place, problem in zip(places, errors, strict=False)
    ]
    return "; ".join(said) + ".", ", ".join(dict.fromkeys(places))


def _place(location: Sequence[Any]) -> str:
    # A name that the sender chose (an unknown field, the key of a measurement) may be a
    # person's name; only names of this API are repeated.
    from chw_tools.api.schemas import FIELD_NAMES

    parts = [str(part) for part in location if isinstance(part, int) or part in FIELD_NAMES]
    return ".".join(parts) or "the request"
