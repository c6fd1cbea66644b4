"""Call lists, and what calls came to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Body, Path, Query

from chw_tools.api import examples
from chw_tools.api.examples import answers
from chw_tools.api.schemas import UUID, OutcomeKept, OutcomeSent
from chw_tools.workflows.calls import CallsView

if TYPE_CHECKING:
    from chw_tools.web.acts import Acts


def make_routes(acts: Acts) -> APIRouter:
    """The routes of calls."""
    router = APIRouter(tags=["calls"])

    @router.get(
        "/calls", operation_id="show_calls", responses=answers(examples.CALLS, errors=(404,))
    )
    def show_calls(
        worker_id: Annotated[str | None, Query(pattern=UUID, examples=[examples.WORKER])] = None,
    ) -> CallsView:
        """Whom to call, in order of need: urgency, risk, days waiting."""
        return acts.show_calls(worker_id=worker_id)

    @router.post(
        "/calls/{task_id}/outcome",
        operation_id="record_outcome",
        responses=answers({"event_id": examples.VISIT}, errors=(404, 409)),
    )
    def record_outcome(
        task_id: Annotated[str, Path(pattern=UUID)], sent: Annotated[OutcomeSent, Body()]
    ) -> OutcomeKept:
        """Keep what a call came to; sent again with the same key it changes nothing."""
        return OutcomeKept(event_id=acts.record_outcome(task_id=task_id, **sent.model_dump()))

    return router
