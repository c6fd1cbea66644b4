"""Kept plans as files: a map, routes for other maps, tables, a calendar per worker.

Nobody of the programme is named unless ``names`` is asked for: files leave the machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Body, Path, Query
from starlette.responses import Response

from chw_tools.api import examples
from chw_tools.api.examples import answers
from chw_tools.api.schemas import UUID, InForce, InForceSent
from chw_tools.web.plan_files import plan_file

if TYPE_CHECKING:
    from chw_tools.web.acts import Acts
    from chw_tools.web.plan_files import PlanFile

RunKey = Annotated[str, Path(pattern=UUID)]
WorkerKey = Annotated[str, Path(pattern=UUID, examples=[examples.WORKER])]
Names = Annotated[bool, Query(description="Write people's names; else keys.")]


def make_routes(acts: Acts) -> APIRouter:
    """The routes of kept plans as files, and of putting caseloads in force."""
    router = APIRouter(tags=["planning"])
    _add_maps(router, acts)
    _add_tables(router, acts)

    @router.post(
        "/planning/{run_id}/in_force",
        operation_id="put_in_force",
        status_code=201,
        responses=answers({"run_id": examples.RUN}, status=201, errors=(404, 409)),
    )
    def put_in_force(run_id: RunKey, sent: Annotated[InForceSent, Body()]) -> InForce:
        """Let days and weeks go by the caseloads of a kept plan from now on."""
        return InForce(run_id=acts.put_in_force(run_id=run_id))

    return router


def _add_maps(router: APIRouter, acts: Acts) -> None:
    @router.get(
        "/planning/{run_id}/map.svg",
        operation_id="draw_plan",
        response_class=Response,
        responses=_file("image/svg+xml"),
    )
    def draw_plan(
        run_id: RunKey, worker_id: Annotated[str | None, Query(pattern=UUID)] = None
    ) -> Response:
        """The walks of a kept week on a map, of all workers or of one."""
        return _answer(plan_file(acts.load_week(run_id=run_id), "map.svg", worker_id=worker_id))

    @router.get(
        "/planning/{run_id}/routes.geojson",
        operation_id="show_plan_routes",
        response_class=Response,
        responses=_file("application/geo+json"),
    )
    def show_plan_routes(run_id: RunKey) -> Response:
        """The stops and walks of a kept week for other maps (RFC 7946)."""
        return _answer(plan_file(acts.load_week(run_id=run_id), "routes.geojson"))

    @router.get(
        "/planning/{run_id}/calendars/{worker_id}.ics",
        operation_id="show_plan_calendar",
        response_class=Response,
        responses=_file("text/calendar"),
    )
    def show_plan_calendar(run_id: RunKey, worker_id: WorkerKey, names: Names = False) -> Response:
        """One worker's kept week as a calendar (RFC 5545)."""
        week = acts.load_week(run_id=run_id)
        return _answer(plan_file(week, "calendar.ics", worker_id=worker_id, with_people=names))


def _add_tables(router: APIRouter, acts: Acts) -> None:
    @router.get(
        "/planning/{run_id}/visits.csv",
        operation_id="show_plan_visits",
        response_class=Response,
        responses=_file("text/csv"),
    )
    def show_plan_visits(run_id: RunKey, names: Names = False) -> Response:
        """Who is visited by whom in a kept week, when and why."""
        return _answer(plan_file(acts.load_week(run_id=run_id), "visits.csv", with_people=names))

    @router.get(
        "/planning/{run_id}/waiting.csv",
        operation_id="show_plan_waiting",
        response_class=Response,
        responses=_file("text/csv"),
    )
    def show_plan_waiting(run_id: RunKey, names: Names = False) -> Response:
        """Who waits in a kept week, and why."""
        return _answer(plan_file(acts.load_week(run_id=run_id), "waiting.csv", with_people=names))


def _answer(file: PlanFile) -> Response:
    how = "inline" if file.name.endswith(".svg") else "attachment"
    headers = {"content-disposition": f'{how}; filename="{file.name}"'}
    return Response(file.text, media_type=file.media_type, headers=headers)


def _file(media_type: str) -> dict[Any, Any]:
    """The ``responses`` of a route that answers with a file."""
    said = answers({}, errors=(404,))
    held = {"schema": {"type": "string"}, "example": _BEGINS[media_type]}
    said[200] = {"description": "The file.", "content": {media_type: held}}
    return said


#: How a file of each kind begins.
_BEGINS = {
    "image/svg+xml": '<svg xmlns="http://www.w3.org/2000/svg" ...',
    "application/geo+json": '{"type": "FeatureCollection", "features": []}',
    "text/calendar": "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n...",
    "text/csv": "worker,day,position,begins,minutes,walk_minutes,person,urgency,because,reason\n",
}
