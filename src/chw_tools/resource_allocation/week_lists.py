"""Who is seen in a planned week, and who waits, each with the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from chw_tools.records import conform
from chw_tools.records.planning import WEEK_VISITS, WEEK_WAITING
from chw_tools.resource_allocation.needs import why
from chw_tools.resource_allocation.routing.schedule import NO_ROOM

if TYPE_CHECKING:
    from chw_tools.resource_allocation.choice import Choice
    from chw_tools.resource_allocation.routing import RoutePlan
    from chw_tools.resource_allocation.week_problem import Job, Week

#: What the reason says of a visit after the last day of its window.
LATE = " LATE: after the last day for it, there was no room before."


def week_visits(
    week: Week,
    homes: pd.DataFrame,
    jobs: list[Job],
    plans: list[RoutePlan],
    choice: Choice,
) -> pd.DataFrame:
    """One row per person seen."""
    rows = []
    for (problem, at_home, who), plan in zip(jobs, plans, strict=True):
        for walk in plan.routes:
            worker, day = who[walk.shift]
            at = problem.shifts[walk.shift].start
            for place, (stop, begins) in enumerate(
                zip(walk.stops, walk.begins, strict=True), start=1
            ):
                to = int(problem.stop_at[stop])
                minutes = float(problem.travel[at, to])
                rows.append((at_home[stop], worker, day, place, begins, minutes))
                at = to
    columns = ["home", "worker", "day", "position", "begins_minute", "travel_minutes"]
    stops = pd.DataFrame(rows, columns=columns).astype({"home": "object", "worker": "object"})
    return _people_of(week, homes, stops, choice)


def _people_of(
    week: Week, homes: pd.DataFrame, stops: pd.DataFrame, choice: Choice
) -> pd.DataFrame:
    seen_at = homes[["people", "service"]]
    stops = stops.join(seen_at, on="home").rename(columns={"people": "person_id"})
    people = stops.explode("person_id").reset_index(drop=True)
    number = people.groupby("home").cumcount()
    about = week.table.reindex(people["person_id"]).reset_index(drop=True)
    about["is_further"] = number.to_numpy() > 0
    further = week.planning.further_person_minutes
    base = week.planning.visit_minutes
    because = choice.chosen["because"].reindex(people["home"]).fillna("benefit").to_numpy()
    is_required = (about["is_must"] | about["required_from"].notna()).to_numpy(dtype=bool)
    visit_on = week.week_from + pd.to_timedelta(people["day"], unit="D")
    is_late = is_required & (about["required_by"] < visit_on).to_numpy(dtype=bool)
    reason = why(about, with_score=False)
    frame = pd.DataFrame(
        {
            "person_id": people["person_id"],
            "household_id": about["household_id"],
            "worker_id": people["worker"],
            "visit_on": visit_on,
            "begins_minute": people["begins_minute"]
            + np.where(number > 0, base, 0.0)
            + further * np.maximum(number - 1, 0),
            "urgency": about["urgency"],
            "is_must": about["is_must"],
            "because": np.where(is_required, "required", np.where(number > 0, "together", because)),
            "reason": np.where(is_late, reason + LATE, reason),
            "due_on": about["reason_due_on"],
            "benefit": about["value"],
            "minutes": np.where(number > 0, further, base),
            "travel_minutes": np.where(number > 0, 0.0, people["travel_minutes"]),
            "latitude": about["latitude"],
            "longitude": about["longitude"],
        }
    )
    frame = frame.sort_values(["worker_id", "visit_on", "begins_minute"], ignore_index=True)
    frame["position"] = frame.groupby(["worker_id", "visit_on"]).cumcount() + 1
    where = frame[["latitude", "longitude"]]
    return pd.concat([conform(WEEK_VISITS, frame), where], axis=1)


def week_waiting(
    week: Week,
    homes: pd.DataFrame,
    visits: pd.DataFrame,
    jobs: list[Job],
    plans: list[RoutePlan],
    choice: Choice,
) -> pd.DataFrame:
    """Everybody else, with the reason; first who needs a decision."""
    waiting = week.table.drop(index=visits["person_id"])
    reason = pd.Series(
        "Due later, on " + waiting["due_on"].dt.strftime("%Y-%m-%d").astype("object") + ".",
        index=waiting.index,
        dtype="object",
    )
    home = waiting["home"].astype("object")
    is_open = home.isin(homes.index)
    reason = reason.mask(is_open, "Less pressing than others at the same home.")
    routed = {
        stops[at]: why_left
        for (_, stops, _), plan in zip(jobs, plans, strict=True)
        for at, why_left in plan.left_out.items()
    }
    of_home = pd.Series({**routed, **choice.left_out["reason"].to_dict()}, dtype="object")
    listed = set(homes["people"].explode())
    in_unit = waiting.index.isin(list(listed))
    is_required = home.map(homes["is_required"]).eq(True)
    known = home.map(of_home).astype("object")
    no_room = np.where(is_required, NO_ROOM, "No minutes left.")
    reason = reason.where(~in_unit, known.where(known.notna(), no_room))
    reason = reason.mask(waiting["worker_id"].isna(), "No worker is at work.")
    flags = choice.left_out.reindex(home)
    is_above = flags["is_above_risk_floor"].eq(True).to_numpy() & in_unit
    must_first = waiting["is_must"] | waiting["required_from"].notna() | is_above
    frame = pd.DataFrame(
        {
            "person_id": waiting.index,
            "worker_id": waiting["worker_id"].to_numpy(),
            "urgency": waiting["urgency"].to_numpy(),
            "reason": reason.to_numpy(),
            "due_on": waiting["due_on"].to_numpy(),
            "benefit": waiting["value"].to_numpy(),
            "is_due": (waiting["due_on"] <= week.last_day).to_numpy(),
            "is_displaced": flags["is_displaced"].eq(True).to_numpy() & in_unit,
            "is_above_risk_floor": is_above,
        }
    )
    order = np.lexsort((-frame["benefit"].to_numpy(), ~must_first.to_numpy()))
    return conform(WEEK_WAITING, frame.iloc[order].reset_index(drop=True))
