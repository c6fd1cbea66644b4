"""Visits: entering one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Body, Response

from chw_tools.api import examples
from chw_tools.api.examples import answers
from chw_tools.api.schemas import VisitKept, VisitSent

if TYPE_CHECKING:
    from chw_tools.web.acts import Acts

_KEPT = {"visit_id": examples.VISIT}


def make_routes(acts: Acts) -> APIRouter:
    """The routes of visits."""
    router = APIRouter(tags=["visits"])

    @router.post(
        "/visits",
        operation_id="record_visit",
        status_code=201,
        responses=answers(_KEPT, status=201, errors=(404, 409)) | answers(_KEPT),
    )
    def record_visit(sent: Annotated[VisitSent, Body()], response: Response) -> VisitKept:
        """Keep a visit; sent again with the same key it answers 200 and changes nothing."""
        known_already = sent.visit_id is not None and acts.is_recorded(sent.visit_id)
        visit_id = acts.record_visit(entry=sent.entry(), known_on=sent.known_on)
        response.status_code = 200 if known_already else 201
        return VisitKept(visit_id=visit_id)

    return router
