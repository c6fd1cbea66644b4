"""The day's list, and planning it."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Body, Query

from chw_tools.api import examples
from chw_tools.api.examples import answers
from chw_tools.api.schemas import UUID, PlanMade, PlanSent, RestMade, RestSent
from chw_tools.workflows.rest_of_day import RestAsked
from chw_tools.workflows.views import DayView

if TYPE_CHECKING:
    from chw_tools.web.acts import Acts


def make_routes(acts: Acts) -> APIRouter:
    """The routes of lists and plans."""
    router = APIRouter(tags=["lists"])

    @router.get("/day", operation_id="show_day", responses=answers(examples.DAY, errors=(404,)))
    def show_day(
        worker_id: Annotated[str | None, Query(pattern=UUID, examples=[examples.WORKER])] = None,
        visit_on: Annotated[date | None, Query(examples=["2026-01-05"])] = None,
    ) -> DayView:
        """One worker's list for a day, or all workers' days; by default the latest plan's."""
        return acts.show_day(worker_id=worker_id, visit_on=visit_on)

    @router.post("/plan", operation_id="plan_visits", responses=answers(examples.PLAN_MADE))
    def plan_visits(asked: Annotated[PlanSent, Body()]) -> PlanMade:
        """Plan a day from what was known, and keep the plan."""
        made = acts.plan_visits(**asked.model_dump())
        return PlanMade(
            run_id=made.run_id,
            as_of=made.as_of,
            visit_on=made.visit_on,
            n_visits=len(made.plan.visits),
            n_unvisited=len(made.plan.unvisited),
            notes=list(made.notes),
        )

    @router.post(
        "/day/rest",
        operation_id="replan_day",
        responses=answers(examples.REST_MADE, errors=(404, 409)),
    )
    def replan_day(asked: Annotated[RestSent, Body()]) -> RestMade:
        """Order anew what is left of a day; what is done keeps its place."""
        wanted = asked.model_dump()
        made = acts.replan_day(RestAsked(**{**wanted, "done": tuple(wanted["done"])}))
        return RestMade(
            run_id=made.run_id,
            visit_on=made.visit_on,
            n_done=made.n_done,
            n_left=made.n_left,
            n_waiting=made.n_waiting,
            n_handed_over=made.n_handed_over,
            ends_at=made.ends_at,
            notes=list(made.notes),
        )

    return router
