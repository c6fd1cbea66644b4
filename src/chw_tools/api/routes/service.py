"""About the service itself: the data dictionary, and whether it answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter

from chw_tools.api import examples
from chw_tools.api.examples import answers
from chw_tools.api.schemas import Health
from chw_tools.records import DERIVED_TABLES, TABLES, Table

if TYPE_CHECKING:
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
    """The route that says whether the service answers."""
    router = APIRouter(tags=["service"])

    @router.get(
        "/healthz",
        operation_id="check_health",
        responses=answers({"status": "ok", "population": "simulated"}),
    )
    def check_health() -> Health:
        """Whether the service and its store answer."""
        return Health(status="ok", population=acts.population)

    return router
