"""A day in progress planned anew: what is done stays, the rest starts from here and now.

Who cannot wait comes first, by urgency and then the nearest next, beyond the minutes if need
be; the rest of the list is fitted into what is left, and who does not fit waits, with the
reason. The stops of somebody who falls ill go to others at work, or wait. Others keep their whole
list, beyond the minutes if need be, and nobody is added who waited in the morning.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from chw_tools.records import conform
from chw_tools.records.derived import PLANNED_VISITS, UNVISITED, URGENCY_LEVEL
from chw_tools.resource_allocation.routing.job import solve_by_insertion
from chw_tools.resource_allocation.routing.problem import RouteProblem, Shift
from chw_tools.resource_allocation.routing.replan import Progress, joined, remaining
from chw_tools.resource_allocation.solving import Stop
from chw_tools.resource_allocation.travel import travel_matrix

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from numpy.typing import NDArray

    from chw_tools.programme import Planning

#: Eight in the morning, as for weeks: minutes there are count from here.
OPENS = 480.0
#: What being on the morning's list weighs beside the benefit of an average visit: whoever was
#: told of a visit is left out last, also where no benefit is known. A decision of this project.
_ON_THE_LIST = 1.0
#: A minute's walk in shares of an average stop's value: decides between equals.
_WALK = 1e-3
_STOP = Stop(seconds=2.0)


@dataclass(frozen=True)
class DayInProgress:
    """A day's lists, and how far they have come.

    Parameters
    ----------
    visits : DataFrame
        As declared in ``PLANNED_VISITS``: the lists of the workers concerned.
    places : DataFrame
        By person: ``home``, ``latitude``, ``longitude``.
    workers : DataFrame
        Those at work, with capacity and the place they started from.
    minute : float
        Minute of the day.
    done : collection of str
        People who were visited, or were not at home: their stops are not gone to again.
    at : mapping of str to str
        By worker the person at whose home the worker is; else the place of the start.
    absent : collection of str
        Workers who cannot go on.
    gone : collection of str
        People who died or moved away since the morning: off the list.
    """

    visits: pd.DataFrame
    places: pd.DataFrame
    workers: pd.DataFrame
    minute: float
    done: Collection[str] = ()
    at: Mapping[str, str] = field(default_factory=dict)
    absent: Collection[str] = ()
    gone: Collection[str] = ()


@dataclass(frozen=True)
class RestOfDay:
    """The day as it goes on.

    Parameters
    ----------
    visits : DataFrame
        As declared in ``PLANNED_VISITS``: what is done as it was, then the rest in its order.
    waiting : DataFrame
        As declared in ``UNVISITED``: who was on a list and now waits, with the reason.
    n_handed_over : int
        People whose worker is another one now.
    ends : mapping of str to float
        By worker the minute of the day at which the list ends.
    notes : tuple of str
    """

    visits: pd.DataFrame
    waiting: pd.DataFrame
    n_handed_over: int
    ends: Mapping[str, float]
    notes: tuple[str, ...]


def plan_rest(day: DayInProgress, *, planning: Planning) -> RestOfDay:
    """Order anew what is left of a day.

    Returns
    -------
    RestOfDay
        Everybody who was on a list is in ``visits`` or in ``waiting``, unless gone; who cannot
        wait is in ``waiting`` only where nobody is left at work.
    """
    is_done = day.visits["person_id"].isin(list(day.done))
    rest = day.visits[~is_done & ~day.visits["person_id"].isin(list(day.gone))]
    rest = rest.assign(home=day.places["home"].reindex(rest["person_id"]).to_numpy())
    walks = _Walks(day, rest, planning)
    walks.go_to_musts()
    left = walks.fit_in_others()
    return _told(day, day.visits[is_done], rest, walks, left)


class _Walks:
    """The stops left, and each worker's way through them as it grows."""

    def __init__(self, day: DayInProgress, rest: pd.DataFrame, planning: Planning) -> None:
        self.staff = day.workers[~day.workers["id"].isin(list(day.absent))].sort_values("id")
        self.rest = rest.assign(
            level=rest["urgency"].map(URGENCY_LEVEL).astype("float64").where(rest["is_must"], 9.0)
        )
        if len(day.absent):
            # Whoever works on keeps the whole list: what is handed over takes nobody off it.
            is_own = self.rest["worker_id"].isin(self.staff["id"])
            self.rest["level"] = self.rest["level"].mask(is_own & (self.rest["level"] == 9.0), 8.0)
        self.stops = _stops(self.rest)
        self.capacity = (
            self.staff["capacity_minutes"].astype("float64").fillna(planning.capacity_minutes)
        ).to_numpy()
        latitude, longitude = self._positions(day)
        self.travel = travel_matrix(latitude, longitude, planning=planning)
        n = len(self.staff)
        self.at = list(range(n))
        self.clock = [max(day.minute, OPENS)] * n
        self.route: list[list[int]] = [[] for _ in range(n)]

    def _positions(self, day: DayInProgress) -> list[NDArray[np.float64]]:
        """Where each worker is, then where each stop is."""
        known = day.places[["latitude", "longitude"]].astype("float64")
        here = self.staff.set_index("id")[["latitude", "longitude"]].astype("float64")
        for worker, person in day.at.items():
            if worker in here.index and person in known.index:
                here.loc[worker] = known.loc[person].to_numpy()
        there = known.reindex(self.stops["person_id"])
        return [
            np.concatenate([here[name].to_numpy(), there[name].to_numpy()])
            for name in ("latitude", "longitude")
        ]

    def may(self, stop: int) -> list[int]:
        """Who may make a stop: its own worker, or anybody where that one is absent."""
        own = np.flatnonzero((self.staff["id"] == self.stops["worker_id"].iloc[stop]).to_numpy())
        return own.tolist() or list(range(len(self.staff)))

    def go_to_musts(self) -> None:
        """Emergencies, then the same day's: each time who can be there first, and goes."""
        n, level = len(self.staff), self.stops["level"]
        for urgent in sorted(set(level[level < 9])):
            left = np.flatnonzero((level == urgent).to_numpy()).tolist()
            while left and n:
                arrives = {
                    (worker, stop): self.clock[worker] + self.travel[self.at[worker], n + stop]
                    for stop in left
                    for worker in self.may(stop)
                }
                worker, stop = min(arrives, key=lambda pair: (arrives[pair], pair))
                self._go(worker, stop)
                left.remove(stop)

    def _go(self, worker: int, stop: int) -> None:
        to = len(self.staff) + stop
        self.clock[worker] += self.travel[self.at[worker], to] + self.stops["minutes"].iloc[stop]
        self.at[worker] = to
        self.route[worker].append(stop)

    def fit_in_others(self) -> dict[int, str]:
        """The other stops, as far as the minutes go; those left out with the reason."""
        everything = set(range(len(self.stops)))
        done = {stop for route in self.route for stop in route}
        if not len(self.staff):
            return dict.fromkeys(everything - done, "Nobody else is at work today.")
        progress = {
            worker: Progress(self.at[worker], clock) for worker, clock in enumerate(self.clock)
        }
        problem, stops = remaining(self._morning(), done=done, progress=progress)
        plan = solve_by_insertion(problem, _STOP)
        for worker, route in joined(plan, stops):
            for stop in route:
                self._go(worker, stop)
        return {stops[stop]: "" for stop in plan.left_out}

    def _morning(self) -> RouteProblem:
        n, m = len(self.staff), len(self.stops)
        benefit = self.stops["benefit"].to_numpy(dtype=float)
        mean = float(benefit.mean()) if m else 0.0
        value = benefit / mean + _ON_THE_LIST if mean > 0 else np.full(m, _ON_THE_LIST)
        allowed = np.zeros((m, n), dtype=bool)
        for stop in range(m):
            allowed[stop, self.may(stop)] = True
        return RouteProblem(
            travel=self.travel,
            stop_at=np.arange(n, n + m),
            service=self.stops["minutes"].to_numpy(dtype=float),
            value=value,
            shifts=tuple(
                Shift(str(at), at, opens=OPENS, closes=OPENS + minutes)
                for at, minutes in enumerate(self.capacity)
            ),
            allowed=allowed,
            travel_cost=_WALK,
        )


def _stops(rest: pd.DataFrame) -> pd.DataFrame:
    """One row per home on a list: whoever is left to see there is seen together.

    Where somebody at a home cannot wait, the home is gone to early for all who are listed.
    """
    grouped = rest.groupby(["worker_id", "home"], sort=True)
    stops = grouped.agg(
        person_id=("person_id", "first"),
        level=("level", "min"),
        benefit=("benefit", lambda values: values.fillna(0.0).sum()),
        minutes=("minutes", "sum"),
    )
    return stops.reset_index()


def _told(
    day: DayInProgress,
    done: pd.DataFrame,
    rest: pd.DataFrame,
    walks: _Walks,
    left: Mapping[int, str],
) -> RestOfDay:
    keys = walks.staff["id"].tolist()
    rows = [_seen(rest, walks, keys[at], route) for at, route in enumerate(walks.route) if route]
    visits = pd.concat([done, *rows], ignore_index=True)
    visits = _numbered(visits, len(done))
    waits = [_waits(day, rest, walks, stop, why) for stop, why in sorted(left.items())]
    waiting = pd.concat(waits, ignore_index=True) if waits else rest.iloc[:0].assign(reason="")
    before = day.visits.set_index("person_id")["worker_id"]
    is_other = visits["worker_id"].to_numpy() != before.reindex(visits["person_id"]).to_numpy()
    return RestOfDay(
        conform(PLANNED_VISITS, visits),
        conform(UNVISITED, waiting),
        int(is_other.sum()),
        {
            key: clock
            for key, clock, route in zip(keys, walks.clock, walks.route, strict=True)
            if route
        },
        _late(walks),
    )


def _of_stop(rest: pd.DataFrame, walks: _Walks, stop: int) -> pd.DataFrame:
    which = walks.stops.iloc[stop]
    mine = (rest["worker_id"] == which["worker_id"]) & (rest["home"] == which["home"])
    return rest[mine]


def _seen(rest: pd.DataFrame, walks: _Walks, worker: str, route: list[int]) -> pd.DataFrame:
    n, rows = len(walks.staff), []
    at = walks.staff["id"].tolist().index(worker)
    for stop in route:
        people = _of_stop(rest, walks, stop)
        walk = [float(walks.travel[at, n + stop]), *[0.0] * (len(people) - 1)]
        rows.append(people.assign(worker_id=worker, travel_minutes=walk))
        at = n + stop
    return pd.concat(rows)


def _numbered(visits: pd.DataFrame, n_done: int) -> pd.DataFrame:
    """What is done keeps its place; the rest follows behind the last of it."""
    position = visits["position"].astype("int64").to_numpy().copy()
    worker = visits["worker_id"].to_numpy()
    for key in dict.fromkeys(worker[n_done:].tolist()):
        is_rest = (worker == key) & (np.arange(len(visits)) >= n_done)
        behind = position[:n_done][worker[:n_done] == key].max(initial=0)
        position[is_rest] = np.arange(1, int(is_rest.sum()) + 1) + behind
    return visits.assign(position=position)


def _waits(
    day: DayInProgress, rest: pd.DataFrame, walks: _Walks, stop: int, why: str
) -> pd.DataFrame:
    people = _of_stop(rest, walks, stop)
    if people["worker_id"].iloc[0] in set(day.absent):
        said = why or "Nobody else has minutes left for it."
        return people.assign(reason=f"The worker fell out. {said}")
    return people.assign(reason=why or "No minutes left in the rest of the day.")


def _late(walks: _Walks) -> tuple[str, ...]:
    ends = np.array(walks.clock) - OPENS
    n = sum(
        bool(route) and late > 1e-6
        for route, late in zip(walks.route, ends - walks.capacity, strict=True)
    )
    if not n:
        return ()
    who = "1 worker has" if n == 1 else f"{n} workers have"
    return (f"{who} more on the list than minutes are left; hand some over, or see who can wait.",)
