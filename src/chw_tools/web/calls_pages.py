"""The page of calls, on which each outcome is one tap, and the page of experiments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse, RedirectResponse

from chw_tools.errors import Conflict
from chw_tools.records import new_id
from chw_tools.records.contacting import CALL_OUTCOMES
from chw_tools.web.pages import UUID, Key, Sent

if TYPE_CHECKING:
    from chw_tools.web.acts import Acts
    from chw_tools.web.rendering import Pages

Worker = Annotated[str | None, Query(pattern=UUID)]
#: So many calls stand on a page, which must open fast on a phone: more than a day's work.
MOST_ROWS = 40


def make_calls_pages(acts: Acts, pages: Pages) -> APIRouter:
    """The pages on their addresses."""
    router = APIRouter(default_response_class=HTMLResponse, include_in_schema=False)

    @router.get("/calls")
    def calls(worker: Worker = None, did: str = "") -> Any:
        view = acts.show_calls(worker_id=worker)
        return pages.show(
            "calls.html",
            view=view,
            rows=view.rows[:MOST_ROWS],
            outcomes=CALL_OUTCOMES,
            new_key=new_id,
            query=_query(worker),
            notice=pages.words("calls.kept") if did == "kept" else "",
            lost=pages.words("calls.too_late") if did == "late" else "",
            population=view.population,
        )

    @router.post("/calls/{task_id}")
    def outcome(task_id: Key, fields: Sent, worker: Worker = None) -> Any:
        chosen = fields.get("outcome", [""])[-1]
        key = fields.get("key", [""])[-1] or None
        try:
            acts.record_outcome(task_id=task_id, outcome=chosen, event_id=key)
        except Conflict:
            return RedirectResponse(f"/calls{_query(worker, did='late')}", status_code=303)
        return RedirectResponse(f"/calls{_query(worker, did='kept')}", status_code=303)

    @router.get("/outreach/experiments")
    def experiments() -> Any:
        return pages.show(
            "experiments.html", views=acts.show_experiments(), population=acts.population
        )

    return router


def _query(worker: str | None, **more: str) -> str:
    pairs = {"worker": worker, **more}
    text = urlencode({name: value for name, value in pairs.items() if value})
    return f"?{text}" if text else ""
