"""Plans of more than a day: started, followed while they are made, and read when kept."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Body, Path, Query

from chw_tools.api import examples
from chw_tools.api.examples import answers
from chw_tools.api.jobs import Job
from chw_tools.api.schemas import UUID, KeptKind, PlanningSent, RunShown, run_shown

if TYPE_CHECKING:
    from chw_tools.api.jobs import Jobs
    from chw_tools.web.acts import Acts


def make_routes(acts: Acts, jobs: Jobs) -> APIRouter:
    """The routes of longer plans, whose jobs the pages share."""
    router = APIRouter(tags=["planning"])

    @router.post(
        "/planning",
        operation_id="run_planning",
        status_code=202,
        responses=answers(examples.JOB, status=202, errors=(409,)),
    )
    def run_planning(asked: Annotated[PlanningSent, Body()]) -> Job:
        """Start a plan: hours, posts, caseloads, supplies, a week, a district, what-if, replay.

        The answer comes at once; ask for the job until it is done, then for the run that it
        kept. One plan is made at a time.
        """
        wanted = asked.asked()
        acts.check_planning(wanted)
        return jobs.start(wanted.kind, partial(acts.run_planning, wanted))

    @router.get(
        "/planning/jobs/{job_id}",
        operation_id="show_job",
        responses=answers(examples.JOB, errors=(404,)),
    )
    def show_job(job_id: Annotated[str, Path(pattern=UUID)]) -> Job:
        """How far a plan is that was started; its run once it is done, or what was wrong."""
        return jobs.find(job_id)

    @router.get(
        "/planning",
        operation_id="find_runs",
        responses=answers([examples.KEPT_RUN | {"tables": {}}]),
    )
    def find_runs(
        kind: Annotated[KeptKind | None, Query()] = None,
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
    ) -> list[RunShown]:
        """The newest kept plans, without their tables."""
        return [run_shown(run) for run in acts.find_runs(kind=kind, limit=limit)]

    @router.get(
        "/planning/{run_id}",
        operation_id="show_run",
        responses=answers(examples.KEPT_RUN, errors=(404,)),
    )
    def show_run(run_id: Annotated[str, Path(pattern=UUID)]) -> RunShown:
        """A kept plan with its figures and tables."""
        return run_shown(acts.show_run(run_id=run_id))

    return router
