"""About the service itself: the data dictionary, and whether it answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse, Response

from chw_tools.api import examples
from chw_tools.api.examples import answers
from chw_tools.api.schemas import Alive, Health
from chw_tools.records import DERIVED_TABLES, TABLES, Table

if TYPE_CHECKING:
    from chw_tools.api.metrics import Metrics
    from chw_tools.web.acts import Acts


def make_routes() -> APIRouter:
    """The route of the data dictionary."""
    router = APIRouter(tags=["service"])

    @router.get(
        "/dictionary", operation_id="data_dictionary", responses=answers(examples.DICTIONARY)
    )
    def data_dictionary() -> list[Table]:
        """Every declared table with its columns, units, limits and sources."""
        return [*TABLES.values(), *DERIVED_TABLES.values()]

    return router


def make_health(acts: Acts) -> APIRouter:
    """The routes that say whether the process answers, and whether its store does."""
    router = APIRouter(tags=["service"])

    @router.get(
        "/readyz",
        operation_id="check_readiness",
        responses=answers({"status": "ok", "population": "simulated"}, errors=(503,)),
    )
    def check_readiness() -> Health:
        """Whether the store answers, so that requests may be sent here."""
        return Health(status="ok", population=acts.population)

    @router.get(
        "/healthz",
        operation_id="check_health",
        responses=answers({"status": "ok"}),
    )
    def check_health() -> Alive:
        """Whether the process answers; the store is not asked, since a restart mends no store."""
        return Alive(status="ok")

    return router


def make_metrics(metrics: Metrics) -> APIRouter:
    """The route that Prometheus reads."""
    router = APIRouter(tags=["service"])

    shown = {"text/plain": {"example": 'chw_records{table="people"} 331.0\n'}}

    @router.get(
        "/metrics",
        operation_id="read_metrics",
        response_class=PlainTextResponse,
        responses={200: {"content": shown}},
    )
    def read_metrics() -> Response:
        """Counts of requests and of what the store holds; nobody's values."""
        return Response(metrics.write(), media_type="text/plain; version=0.0.4; charset=utf-8")

    return router
