"""Risks and recommendations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Body

from chw_tools.api import examples
from chw_tools.api.examples import answers
from chw_tools.api.schemas import PeopleSent, RecommendationRow, RiskRow, rows_of
from chw_tools.records import DERIVED_TABLES

if TYPE_CHECKING:
    from chw_tools.web.acts import Acts


def make_routes(acts: Acts) -> APIRouter:
    """The routes of risk and advice."""
    router = APIRouter(tags=["advice"])
    # The row models are made from the declared tables at run time: values to a type checker.

    @router.post(
        "/score",
        operation_id="score_people",
        response_model=list[RiskRow],  # type: ignore[valid-type]
        responses=answers(examples.RISKS, errors=(404,)),
    )
    def score_people(asked: Annotated[PeopleSent, Body()]) -> Any:
        """Estimate risks as of a day, and keep them; a number only where it is calibrated."""
        assessed = acts.score_people(**asked.model_dump())
        return rows_of(DERIVED_TABLES["risks"], assessed.shown_risks())

    @router.post(
        "/recommend",
        operation_id="recommend_actions",
        response_model=list[RecommendationRow],  # type: ignore[valid-type]
        responses=answers(examples.RECOMMENDATIONS, errors=(404,)),
    )
    def recommend_actions(asked: Annotated[PeopleSent, Body()]) -> Any:
        """What to do for whom, in doing order; nothing is kept."""
        assessed = acts.recommend_actions(**asked.model_dump())
        return rows_of(DERIVED_TABLES["recommendations"], assessed.recommendations)

    return router
