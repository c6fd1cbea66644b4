"""The pages of outreach: how it stands, the switch of all, and one person's messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse, RedirectResponse

from chw_tools.web.pages import From, Key  # noqa: TC001 - FastAPI reads annotations as it runs

if TYPE_CHECKING:
    from chw_tools.web.acts import Acts
    from chw_tools.web.rendering import Pages

#: Pages that the overview leads to, with the keys of their names.
_LINKS = (
    ("/outreach/rehearsal", "outreach.rehearsal"),
    ("/outreach/templates", "outreach.templates"),
    ("/outreach/experiments", "outreach.experiments"),
)


def make_outreach_pages(acts: Acts, pages: Pages) -> APIRouter:
    """Every page of outreach on its address."""
    router = APIRouter(default_response_class=HTMLResponse, include_in_schema=False)

    @router.get("/outreach")
    def overview() -> Any:
        view = acts.show_outreach()
        return pages.show("outreach.html", view=view, links=_LINKS, population=view.population)

    @router.get("/outreach/rehearsal")
    def rehearsal(days: Annotated[int, Query(ge=1, le=31)] = 7) -> Any:
        view = acts.show_rehearsal(days=days)
        return pages.show("rehearsal.html", view=view, population=view.population)

    @router.post("/outreach/stop")
    def stop() -> Any:
        acts.stop_messages(reason="by_hand")
        return RedirectResponse("/outreach", status_code=303)

    @router.post("/outreach/start")
    def start() -> Any:
        acts.start_messages()
        return RedirectResponse("/outreach", status_code=303)

    @router.get("/people/{person_id}/messages")
    def timeline(person_id: Key, context: From) -> Any:
        return pages.show(
            "timeline.html",
            person=acts.show_person(person_id=person_id),
            happenings=acts.show_timeline(person_id=person_id),
            population=acts.population,
            context=context,
        )

    return router
