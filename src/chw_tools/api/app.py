"""Put the app together: routes, pages, errors, and what stands around them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from chw_tools.api.behind_proxy import HTTPS_ONLY, OnlyThroughProxy
from chw_tools.api.callbacks import CallbacksApart, make_callbacks
from chw_tools.api.error_responses import add_error_responses
from chw_tools.api.jobs import Jobs
from chw_tools.api.metrics import Metrics
from chw_tools.api.observing import API, Observed
from chw_tools.api.routes import (
    advice,
    calls,
    lists,
    people,
    plan_files,
    planning,
    service,
    visits,
)
from chw_tools.api.security import BodyLimit, OnlyThisMachine, SecureHeaders
from chw_tools.web.acts import Acts
from chw_tools.web.calls_pages import make_calls_pages
from chw_tools.web.message_pages import make_message_pages
from chw_tools.web.outreach_pages import make_outreach_pages
from chw_tools.web.pages import make_pages
from chw_tools.web.planning_pages import make_planning_pages
from chw_tools.web.rendering import Pages

if TYPE_CHECKING:
    from chw_tools.api.behind_proxy import Proxy
    from chw_tools.wiring import Parts

_ABOUT = """From a patient register to today's visit list, and back.

There are no accounts yet: the service answers this machine only, or a proxy that signs people
in. Names are never part of an
address. Every error has the same shape: `error`, `what`, `where`, `cure`.
"""


def create_app(parts: Parts, *, proxy: Proxy | None = None) -> FastAPI:
    """The app over one installation's parts, for this machine or behind a proxy.

    Examples
    --------
    ::

        parts = build_parts(read_settings(os.environ))
        serve(parts, host="127.0.0.1", port=8000)
    """
    return build_app(Acts(parts), proxy=proxy)


def build_app(acts: Acts, *, proxy: Proxy | None = None) -> FastAPI:
    """The app over acts that are already bound; tests give their own."""
    app = FastAPI(
        title="CHW Tools",
        version="1",
        description=_ABOUT,
        openapi_url=f"{API}/openapi.json",
        # The usual documentation pages load scripts from elsewhere.
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    pages = Pages()
    metrics = Metrics(acts.take_census, acts.today)
    jobs = Jobs()
    for routes in (lists, plan_files, people, visits, advice, calls):
        app.include_router(routes.make_routes(acts), prefix=API)
    app.include_router(planning.make_routes(acts, jobs), prefix=API)
    app.include_router(service.make_routes(), prefix=API)
    app.include_router(service.make_health(acts))
    app.include_router(service.make_metrics(metrics))
    app.include_router(make_pages(acts, pages))
    app.include_router(make_outreach_pages(acts, pages))
    app.include_router(make_message_pages(acts, pages))
    app.include_router(make_calls_pages(acts, pages))
    app.include_router(make_planning_pages(acts, pages, jobs))
    app.mount("/static", StaticFiles(packages=[("chw_tools.web", "static")]), name="static")
    add_error_responses(app, pages)
    # The last added stands outermost.
    app.add_middleware(BodyLimit)
    if proxy is None:
        app.add_middleware(OnlyThisMachine)
    else:
        app.add_middleware(OnlyThroughProxy, proxy=proxy)
    if acts.callbacks:
        callbacks = make_callbacks(
            acts.callbacks,
            take=acts.take_news,
            read=acts.read_replies,
            is_behind_proxy=proxy is not None,
        )
        app.add_middleware(CallbacksApart, callbacks=callbacks, proxy=proxy)
    app.add_middleware(Observed, metrics=metrics)
    app.add_middleware(SecureHeaders, more=HTTPS_ONLY if proxy else None)
    return app
