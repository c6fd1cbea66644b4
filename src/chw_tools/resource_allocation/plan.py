"""A day's plan: who is visited by whom in which order, who waits, and how good the plan is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from chw_tools.records import conform, empty_table
from chw_tools.records.derived import PLANNED_VISITS, UNVISITED
from chw_tools.resource_allocation import routes
from chw_tools.resource_allocation.needs import why
from chw_tools.resource_allocation.situation import who_needs
from chw_tools.resource_allocation.travel import walking_minutes

if TYPE_CHECKING:
    from collections.abc import Collection

    from chw_tools.programme import Planning, Programme
    from chw_tools.resource_allocation.situation import Situation


@dataclass(frozen=True)
class Plan:
    """One day's visits for every worker.

    Parameters
    ----------
    visits, unvisited : DataFrame
        As declared in ``PLANNED_VISITS`` and ``UNVISITED``; nobody is in both.
    summary : dict
        Workers, people, minutes used and there, musts, displaced; the benefit reached,
        what no plan could exceed, and the gap between them.
    notes : tuple of str
        What a reader of the plan must know.
    """

    visits: pd.DataFrame
    unvisited: pd.DataFrame
    summary: dict[str, Any]
    notes: tuple[str, ...]


def plan_day(
    situation: Situation,
    *,
    programme: Programme,
    visit_on: pd.Timestamp,
    worker_ids: Collection[str] | None = None,
) -> Plan:
    """Plan one day for every worker, or for some.

    Parameters
    ----------
    situation : Situation
        Advice, risks, people, workers, follow-ups.
    programme : Programme
        Minutes, speeds, weights and effects.
    visit_on : Timestamp
        The day planned.
    worker_ids : collection of str, optional
        Plan these workers only; the assignment still regards all.

    Returns
    -------
    Plan
        Emergencies and what is due the same day are always on a list, even beyond the
        minutes there are, and the notes say so.

    Raises
    ------
    ValueError
        If there is advice for somebody without features: dead, moved away or unknown.
    """
    who = who_needs(situation, programme=programme, visit_on=visit_on)
    table, staff = who.table, who.staff
    if worker_ids is not None:
        table = table[table["worker_id"].isin(list(worker_ids))]
        staff = staff[staff["id"].isin(list(worker_ids))]
    due_by = visit_on + pd.Timedelta(days=programme.planning.look_ahead_days)
    table["is_candidate"] = table["worker_id"].notna() & (
        (table["due_on"] <= due_by) | table["is_must"]
    )
    days = _days(table, staff, programme.planning)
    has_score = situation.outcome is not None and bool((table["score"] > 0).any())
    visits = _visits(table, days, visit_on, with_score=has_score)
    unvisited = _unvisited(table, visits, visit_on)
    summary = _summary(table, visits, days, visit_on)
    notes = (*who.notes, *_no_position(table, programme), *_over_capacity(days))
    return Plan(visits, unvisited, summary, notes)


def visit_list(plan: Plan, *, worker_id: str, on: pd.Timestamp) -> pd.DataFrame:
    """One worker's list for the day, in walking order.

    Raises
    ------
    KeyError
        If the plan is for another day.
    """
    visits = plan.visits
    if len(visits) and not (visits["visit_on"] == on).any():
        raise KeyError("the plan is for another day")
    return visits[visits["worker_id"] == worker_id].sort_values("position", ignore_index=True)


@dataclass(frozen=True)
class _Day:
    """One worker's route with what it was made of."""

    worker_id: str
    capacity: float
    used: float
    value: float
    most: float
    seen: pd.DataFrame


def _days(table: pd.DataFrame, staff: pd.DataFrame, planning: Planning) -> list[_Day]:
    candidates = table[table["is_candidate"]].sort_values(
        ["level", "value", "overdue_days", "score"],
        ascending=[True, False, False, False],
        kind="stable",
    )
    by_worker = dict(iter(candidates.groupby("worker_id", sort=False)))
    return [
        _day(worker, by_worker.get(worker.id, candidates.iloc[:0]), planning)
        for worker in staff.sort_values("id").itertuples()
    ]


def _day(worker: Any, people: pd.DataFrame, planning: Planning) -> _Day:
    capacity = worker.capacity_minutes
    capacity = planning.capacity_minutes if pd.isna(capacity) else float(capacity)
    number, _ = pd.factorize(people["home"])
    stops, first, further = _stops(worker, people, number, planning)
    route = routes.best_route(stops, capacity)
    rows: list[int] = []
    minutes: list[float] = []
    travel: list[float] = []
    is_further: list[bool] = []
    for stop, walk in zip(route.order, routes.walked(stops, route.order), strict=True):
        seen = [*first[stop], *further[stop][: route.extras[stop]]]
        rows += seen
        minutes += [planning.visit_minutes, *[planning.further_person_minutes] * (len(seen) - 1)]
        travel += [float(walk), *[0.0] * (len(seen) - 1)]
        is_further += [False, *[True] * (len(seen) - 1)]
    return _Day(
        worker_id=worker.id,
        capacity=capacity,
        used=routes.minutes_used(stops, route),
        value=routes.optional_value(stops, route),
        most=routes.most_value(stops, capacity),
        seen=people.iloc[rows].assign(
            minutes=minutes, travel_minutes=travel, is_further=is_further
        ),
    )


def _stops(
    worker: Any, people: pd.DataFrame, number: np.ndarray[Any, Any], planning: Planning
) -> tuple[routes.Stops, list[list[int]], list[list[int]]]:
    """The homes as stops: who is always seen there, and who may be seen as well.

    At a home with a must, the musts are always seen. At another, those are who together
    give the most benefit per minute, a typical walk included. People come ordered.
    """
    n = int(number.max()) + 1 if len(number) else 0
    value = people["value"].to_numpy()
    level = people["level"].to_numpy()
    members: list[list[int]] = [[] for _ in range(n)]
    for row, home in enumerate(number.tolist()):
        members[home].append(row)
    first, further, urgent = [], [], []
    for home in members:
        urgent.append(min(int(level[home[0]]), 2))
        n_first = sum(level[row] < 2 for row in home) or _together(value, home, planning)
        first.append(home[:n_first])
        further.append(sorted(home[n_first:], key=lambda row: -value[row]))
    heads = [home[0] for home in first]
    latitude = people["latitude"].to_numpy()[heads]
    longitude = people["longitude"].to_numpy()[heads]
    start = (np.append(latitude, worker.latitude), np.append(longitude, worker.longitude))
    walk = walking_minutes(
        start[0][:, None],
        start[1][:, None],
        (latitude[None, :], longitude[None, :]),
        planning=planning,
    )
    stops = routes.Stops(
        walk=walk,
        value=np.array([value[home].sum() for home in first]),
        minutes=np.array(
            [planning.visit_minutes + planning.further_person_minutes * (len(h) - 1) for h in first]
        ),
        extra_value=[value[home] for home in further],
        extra_minutes=planning.further_person_minutes,
        urgent=np.array(urgent, dtype=np.int64),
    )
    return stops, first, further


def _together(value: np.ndarray[Any, Any], home: list[int], planning: Planning) -> int:
    """How many of a home, most valuable first, give the most benefit per minute."""
    total = np.cumsum(value[home])
    fixed = planning.visit_minutes + planning.default_travel_minutes
    cost = fixed + planning.further_person_minutes * np.arange(len(home))
    return int((total / cost).argmax()) + 1


def _visits(
    table: pd.DataFrame, days: list[_Day], visit_on: pd.Timestamp, *, with_score: bool
) -> pd.DataFrame:
    lists = [day.seen.assign(position=range(1, len(day.seen) + 1)) for day in days if len(day.seen)]
    if not lists:
        return empty_table(PLANNED_VISITS)
    seen = pd.concat(lists)
    seen = seen.assign(
        person_id=seen.index,
        visit_on=visit_on,
        reason=why(seen, with_score=with_score),
        benefit=seen["value"],
    )
    return conform(PLANNED_VISITS, seen)


def _unvisited(table: pd.DataFrame, visits: pd.DataFrame, visit_on: pd.Timestamp) -> pd.DataFrame:
    waiting = table.drop(index=visits["person_id"])
    waiting = waiting.sort_values(["worker_id", "level", "value"], ascending=[True, True, False])
    in_line = (waiting[waiting["is_candidate"]].groupby("worker_id").cumcount() + 1).reindex(
        waiting.index
    )
    line = (
        in_line.astype("Int64")
        .astype("object")
        .map(lambda n: f"number {n} in line.", na_action="ignore")
    )
    later = "Due later, on " + waiting["due_on"].dt.strftime("%Y-%m-%d").astype("object") + "."
    reason = np.select(
        [
            waiting["worker_id"].isna(),
            waiting["is_candidate"] & (waiting["due_on"] <= visit_on),
            waiting["is_candidate"],
        ],
        [
            "No worker is at work.",
            "No minutes left today; " + line.fillna(""),
            "Due within days; no minutes left today; " + line.fillna(""),
        ],
        default=later,
    )
    frame = waiting.assign(person_id=waiting.index, reason=reason, benefit=waiting["value"])
    return conform(UNVISITED, frame)


def _summary(
    table: pd.DataFrame, visits: pd.DataFrame, days: list[_Day], visit_on: pd.Timestamp
) -> dict[str, Any]:
    is_due = table["due_on"] <= visit_on
    seen = pd.Index(visits["person_id"]).get_indexer(table.index) >= 0
    reached, most = sum(day.value for day in days), sum(day.most for day in days)
    return {
        "n_workers": len(days),
        "n_people": len(table),
        "n_visits": len(visits),
        "n_homes": int(table.loc[seen, "home"].nunique()),
        "n_must": int(visits["is_must"].sum()),
        "n_due": int(is_due.sum()),
        "n_displaced": int((is_due & ~seen).sum()),
        "minutes_used": round(sum(day.used for day in days), 1),
        "minutes_capacity": round(sum(day.capacity for day in days), 1),
        "n_workers_over_capacity": len(_too_full(days)),
        "benefit": reached,
        "benefit_bound": most,
        "gap": 1.0 - reached / most if most > 0 else 0.0,
    }


def _no_position(table: pd.DataFrame, programme: Programme) -> tuple[str, ...]:
    homes = table.drop_duplicates("home")
    n = int((homes["latitude"].isna() | homes["longitude"].isna()).sum())
    if not n:
        return ()
    minutes = f"{programme.planning.default_travel_minutes:g} minutes"
    return (f"{n} of {len(homes)} homes have no position; {minutes} are assumed for each walk.",)


def _too_full(days: list[_Day]) -> list[_Day]:
    return [day for day in days if day.used > day.capacity + 1e-6]


def _over_capacity(days: list[_Day]) -> tuple[str, ...]:
    n = len(_too_full(days))
    if not n:
        return ()
    who = "1 worker has" if n == 1 else f"{n} workers have"
    return (f"{who} more that cannot wait than minutes; all of it is listed.",)
