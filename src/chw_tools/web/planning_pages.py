"""The pages of longer plans: those kept, one being made, one as it was kept."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Protocol

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse, RedirectResponse

from chw_tools.errors import ChwError, Conflict, InputError
from chw_tools.web.pages import (  # noqa: TC001 - FastAPI reads annotations as it runs
    Fields,
    From,
    Key,
    Sent,
)
from chw_tools.web.planning_form import FORMS, read_asked
from chw_tools.web.visit_form import Problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from chw_tools.web.acts import Acts
    from chw_tools.web.rendering import Pages
    from chw_tools.workflows.planning import PlanningAsked

    class Jobs(Protocol):
        """Long acts, one after the other."""

        def start(self, kind: str, act: Callable[..., str]) -> Any: ...
        def find(self, job_id: str) -> Any: ...


_LISTED = 30
#: Workers that a form offers by name; beyond, a name is written.
MOST_OFFERED = 40


def make_planning_pages(acts: Acts, pages: Pages, jobs: Jobs) -> APIRouter:
    """The pages on their addresses; ``jobs`` are those of the API."""
    router = APIRouter(default_response_class=HTMLResponse, include_in_schema=False)
    _add_list(router, acts, pages)
    _add_start(router, acts, pages, jobs)
    _add_plan(router, acts, pages)
    _add_rest(router, acts, pages)
    return router


def _add_list(router: APIRouter, acts: Acts, pages: Pages) -> None:
    @router.get("/planning")
    def planning(kind: str = "") -> Any:
        runs = acts.find_runs(kind=kind or None, limit=_LISTED)
        newest = acts.find_runs(kind="caseloads", limit=1)
        return pages.show(
            "planning.html",
            runs=runs,
            in_force=newest[0].id if newest else None,
            kinds=tuple(FORMS),
            more=len(runs) == _LISTED,
            population=acts.population,
        )


def _add_start(router: APIRouter, acts: Acts, pages: Pages, jobs: Jobs) -> None:
    def show_form(
        kind: str, fields: Fields, problems: tuple[Problem, ...] = (), status: int = 200
    ) -> HTMLResponse:
        return pages.show(
            "planning_form.html",
            status=status,
            kind=kind,
            rows=FORMS[kind],
            kinds=tuple(FORMS),
            fields=fields,
            problems=problems,
            workers=dict(list(acts.workers().items())[:MOST_OFFERED])
            if kind == "caseloads"
            else {},
            population=acts.population,
        )

    @router.get("/planning/new")
    def new(kind: Annotated[str, Query()] = "week") -> Any:
        return show_form(kind if kind in FORMS else "week", {})

    @router.post("/planning/new")
    def start(fields: Sent) -> Any:
        kind = fields.get("kind", ["week"])[-1]
        kind = kind if kind in FORMS else "week"
        try:
            asked: PlanningAsked = read_asked(kind, fields)
            acts.check_planning(asked)
            job = jobs.start(kind, partial(acts.run_planning, asked))
        except (InputError, Conflict) as refused:
            field = refused.where.removeprefix("--").replace("what-if", "changes")
            problem = Problem(field or "kind", f"{refused.what} {refused.cure}".strip())
            return show_form(kind, fields, (problem,), status=422)
        return RedirectResponse(f"/planning/jobs/{job.job_id}", status_code=303)

    @router.get("/planning/jobs/{job_id}")
    def job(job_id: Key) -> Any:
        found = jobs.find(job_id)
        if found.state == "done":
            return RedirectResponse(f"/planning/{found.run_id}", status_code=303)
        return pages.show("planning_job.html", job=found, population=acts.population)


def _add_plan(router: APIRouter, acts: Acts, pages: Pages) -> None:
    @router.get("/planning/{run_id}")
    def plan(run_id: Key, did: str = "") -> Any:
        view = acts.show_planning(run_id=run_id)
        return pages.show(
            "plan.html",
            view=view,
            notice=pages.words("planning.put_in_force_done") if did == "in_force" else "",
            population=view.population,
        )

    @router.get("/planning/{run_id}/workers/{worker_id}")
    def worker(run_id: Key, worker_id: Key) -> Any:
        week = acts.load_week(run_id=run_id)
        return pages.show(
            "plan_worker.html",
            week=week,
            worker_id=worker_id,
            worker=week.worker_names.get(worker_id, worker_id),
            days=_days(week.of_worker(worker_id)),
            called=week.person_names,
            population=week.population,
        )

    @router.get("/planning/{run_id}/in-force")
    def ask(run_id: Key) -> Any:
        view = acts.show_planning(run_id=run_id)
        return pages.show("plan_in_force.html", view=view, population=view.population)

    @router.post("/planning/{run_id}/in-force")
    def put_in_force(run_id: Key) -> Any:
        key = acts.put_in_force(run_id=run_id)
        return RedirectResponse(f"/planning/{key}?did=in_force", status_code=303)


def _days(visits: Any) -> list[tuple[Any, list[Any]]]:
    """A worker's visits day by day."""
    return [
        (on, list(day.sort_values("position").itertuples()))
        for on, day in visits.groupby("visit_on", sort=True)
    ]


def _add_rest(router: APIRouter, acts: Acts, pages: Pages) -> None:
    @router.get("/today/{worker_id}/rest")
    def rest(worker_id: Key, context: From) -> Any:
        return _show_rest(acts, pages, worker_id, context)

    @router.post("/today/{worker_id}/rest")
    def replan(worker_id: Key, context: From, fields: Sent) -> Any:
        from chw_tools.workflows.rest_of_day import RestAsked

        said = {name: values[-1] for name, values in fields.items()}
        asked = RestAsked(
            worker_id,
            said.get("at", ""),
            is_ill=said.get("why") == "ill",
            done=tuple(fields.get("done", ())),
            visit_on=context.on,
        )
        try:
            made = acts.replan_day(asked)
        except InputError as refused:
            problem = Problem("at", f"{refused.what} {refused.cure}".strip())
            return _show_rest(acts, pages, worker_id, context, (problem,), status=422)
        except ChwError as refused:
            problem = Problem("why", f"{refused.what} {refused.cure}".strip())
            return _show_rest(acts, pages, worker_id, context, (problem,), status=409)
        return pages.show(
            "rest_made.html", made=made, worker_id=worker_id, population=acts.population
        )


def _show_rest(
    acts: Acts,
    pages: Pages,
    worker_id: str,
    context: Any,
    problems: tuple[Problem, ...] = (),
    status: int = 200,
) -> HTMLResponse:
    day = acts.show_day(worker_id=worker_id, visit_on=context.on)
    return pages.show(
        "rest.html",
        status=status,
        day=day,
        at=f"{acts.now():%H:%M}",
        left=[stop for stop in day.stops if stop.done is None],
        problems=problems,
        population=day.population,
    )
