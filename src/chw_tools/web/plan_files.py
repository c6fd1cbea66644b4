"""A kept week as a file, as API and pages give it out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from chw_tools.exchange.plan_files import calendar, routes_geojson, supervisor_csv, waiting_csv
from chw_tools.exchange.plan_map import draw_map

if TYPE_CHECKING:
    from chw_tools.workflows.kept_plans import KeptWeek

MEDIA_TYPES = {
    "map.svg": "image/svg+xml",
    "routes.geojson": "application/geo+json",
    "visits.csv": "text/csv",
    "waiting.csv": "text/csv",
    "calendar.ics": "text/calendar",
}


@dataclass(frozen=True)
class PlanFile:
    """A file's name, kind and text."""

    name: str
    media_type: str
    text: str


def plan_file(
    week: KeptWeek, what: str, *, worker_id: str | None = None, with_people: bool = False
) -> PlanFile:
    """A kept week as one of :data:`MEDIA_TYPES`.

    Raises
    ------
    NotFound
        If the worker named has no visits in it.
    """
    names = week.names(with_people=with_people)
    visits = week.visits if worker_id is None else week.of_worker(worker_id)
    called = names.get(worker_id or "", worker_id or "")
    if what == "map.svg":
        title = f"Routes of {called}" if worker_id else f"Week from {week.week_from:%d %B %Y}"
        text = draw_map(
            visits, week.workers, title=title, names=names, is_simulated=week.is_simulated
        )
    elif what == "routes.geojson":
        text = routes_geojson(visits, week.workers)
    elif what == "visits.csv":
        text = supervisor_csv(visits, names=names)
    elif what == "waiting.csv":
        text = waiting_csv(week.waiting, names=names)
    else:
        text = calendar(
            visits,
            name=called,
            as_of=pd.Timestamp(week.as_of),
            names=names,
            is_simulated=week.is_simulated,
        )
    return PlanFile(f"week-{week.week_from:%Y-%m-%d}-{what}", MEDIA_TYPES[what], text)
