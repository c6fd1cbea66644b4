"""The homes of a week, whom to choose among them, and the route problem of each team."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from chw_tools.resource_allocation.choice import ChoiceProblem, Floor
from chw_tools.resource_allocation.choice.knapsack import most_value
from chw_tools.resource_allocation.routing import RouteProblem, Shift
from chw_tools.resource_allocation.routing.problem import NO_WAY
from chw_tools.resource_allocation.routing.schedule import shortest_walk
from chw_tools.resource_allocation.solving import Stop
from chw_tools.resource_allocation.travel import travel_matrix

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from chw_tools.programme import Planning
    from chw_tools.resource_allocation.choice import Choice
    from chw_tools.resource_allocation.travel import TravelTimes

#: Minutes of the candidates offered to the routes beside the minutes there are.
_OFFERED = 2.0
#: Most stops in one route problem; beyond, the solver's second is too short.
MOST_STOPS = 300
#: Eight in the morning: when a day begins where nobody says otherwise.
_OPENS = 480.0
#: Cost of a minute's walk in shares of an average visit's value: decides between equals.
_WALK = 1e-3
_SCALE = 10_000.0
#: A walk of more than a day and a night is no way: its position is wrong, or nobody walks there.
_LONGEST_WALK = 1440.0


@dataclass(frozen=True)
class WeekOptions:
    """How a week is planned.

    Parameters
    ----------
    days : int
        Working days from the first.
    opens : float
        Minute of the day at which work begins.
    floors : tuple of Floor
        Fewest homes of a group; groups are ``area_id``, ``wealth_fifth`` and ``sex``.
    most_weeks_unseen : float, optional
        Whoever was not seen for so long must be seen.
    risk_floor : float, optional
        Risk from which nobody is left out without being named.
    teams : mapping of str to str, optional
        Team by worker: a team's workers share their people.
    travel_times : TravelTimes, optional
        In place of walking minutes from positions.
    stop : Stop
        For each worker's routes.
    """

    days: int = 5
    opens: float = _OPENS
    floors: tuple[Floor, ...] = ()
    most_weeks_unseen: float | None = None
    risk_floor: float | None = None
    teams: Mapping[str, str] | None = None
    travel_times: TravelTimes | None = None
    stop: Stop = field(default_factory=lambda: Stop(seconds=1.0))


#: A route problem, the home of each of its stops, and the worker and day of each shift.
Job = tuple[RouteProblem, list[str], list[tuple[str, int]]]


@dataclass(frozen=True)
class Week:
    """People, workers and options of one week."""

    table: pd.DataFrame
    staff: pd.DataFrame
    planning: Planning
    week_from: pd.Timestamp
    options: WeekOptions

    @property
    def last_day(self) -> pd.Timestamp:
        """The last day planned."""
        return self.week_from + pd.Timedelta(days=self.options.days - 1)

    def team_of(self, worker: pd.Series) -> pd.Series:
        """Each worker's team, or the worker alone."""
        teams = self.options.teams or {}
        named = worker.astype("object")
        return named.map(teams).astype("object").where(named.isin(list(teams)), named)

    def capacity(self) -> pd.Series:
        """Minutes a day by worker."""
        given = self.staff.set_index("id")["capacity_minutes"].astype("float64")
        return given.fillna(self.planning.capacity_minutes)

    def homes(self, *, lean: frozenset[str] = frozenset()) -> pd.DataFrame:
        """One row per home with somebody due: whom to see there together, and for how long.

        Where a ``lean`` team must see somebody at a home, nobody who can wait is seen there.
        """
        due_by = self.week_from + pd.Timedelta(
            days=self.options.days - 1 + self.planning.look_ahead_days
        )
        required = self.table["is_must"] | self.table["required_from"].notna()
        open_ = required | (self.table["due_on"] <= due_by)
        if self.options.most_weeks_unseen is not None:
            unseen = self.table["weeks_unseen"].fillna(np.inf)
            open_ |= unseen >= self.options.most_weeks_unseen
        rows = self.table.assign(is_required=required)[open_].sort_values(
            ["home", "is_required", "value"], ascending=[True, False, False], kind="stable"
        )
        rank = rows.groupby("home").cumcount()
        total = rows.groupby("home")["value"].cumsum()
        fixed = self.planning.visit_minutes + self.planning.default_travel_minutes
        rate = total / (fixed + self.planning.further_person_minutes * rank)
        best = rate.groupby(rows["home"]).transform("max")
        # As many of the home as give the most for the minutes, and all who must be seen.
        last = rank.where(rate >= best - 1e-15).groupby(rows["home"]).transform("min")
        is_lean = self.team_of(rows["worker_id"]).isin(lean)
        is_lean &= rows.groupby("home")["is_required"].transform("any")
        together = ((rank <= last) & ~is_lean) | rows["is_required"]
        return self._by_home(rows[together])

    def _by_home(self, rows: pd.DataFrame) -> pd.DataFrame:
        rows = rows.assign(person_id=rows.index, is_never_seen=rows["weeks_unseen"].isna())
        homes = rows.groupby("home", sort=True).agg(
            worker_id=("worker_id", "first"),
            value=("value", "sum"),
            n=("person_id", "size"),
            is_required=("is_required", "any"),
            is_today=("is_must", "any"),
            required_from=("required_from", "max"),
            required_by=("required_by", "min"),
            first_asked=("required_from", "min"),
            weeks_unseen=("weeks_unseen", "max"),
            is_never_seen=("is_never_seen", "any"),
            risk=("score", "max"),
            latitude=("latitude", "first"),
            longitude=("longitude", "first"),
            **{
                name: (name, "first") for name in ("area_id", "wealth_fifth", "sex") if name in rows
            },
        )
        # Where the windows of one home do not meet, the earlier is kept: late is worse.
        homes["is_contradicting"] = homes["required_from"] > homes["required_by"]
        homes["required_from"] = homes["required_from"].mask(
            homes["is_contradicting"], homes["first_asked"]
        )
        # Whoever was never seen makes a home never seen.
        homes["weeks_unseen"] = homes["weeks_unseen"].mask(homes["is_never_seen"])
        keys = rows.sort_values("home", kind="stable")["person_id"].to_numpy(dtype=object)
        ends = np.cumsum(homes["n"].to_numpy())
        homes["people"] = [list(part) for part in np.split(keys, ends[:-1])] if len(homes) else []
        further = self.planning.further_person_minutes * (homes["n"] - 1)
        homes["service"] = self.planning.visit_minutes + further
        homes["minutes"] = homes["service"] + self.planning.default_travel_minutes
        homes["worker_id"] = homes["worker_id"].astype("object")
        homes["team"] = self.team_of(homes["worker_id"])
        return homes

    def choice_problem(self, homes: pd.DataFrame) -> ChoiceProblem:
        """Whom to visit, with the team's minutes of the week."""
        minutes = self.capacity() * self.options.days
        by_team = minutes.groupby(self.team_of(pd.Series(minutes.index)).to_numpy()).sum()
        return ChoiceProblem(
            homes.assign(worker_id=homes["team"]),
            by_team,
            floors=self.options.floors,
            most_weeks_unseen=self.options.most_weeks_unseen,
            risk_floor=self.options.risk_floor,
        )

    def offered(
        self, homes: pd.DataFrame, choice: Choice, *, lean: frozenset[str] = frozenset()
    ) -> pd.DataFrame:
        """The chosen, and the next best up to twice the minutes there are.

        What is required is offered as such; what is owed, as far as it fits beside it, and in
        a ``lean`` team with the rest. Whatever does not wait is offered in any case.
        """
        rows = homes[homes["team"].notna()].copy()
        because = choice.chosen["because"].reindex(rows.index)
        is_owed = because.isin(["owed", "floor"]) & self._fits(rows) & ~rows["team"].isin(lean)
        rows["is_required"] = (because == "required") | is_owed
        rows["because"] = because.fillna("benefit")
        worth = rows["value"] / rows["minutes"]
        order = np.lexsort((-worth, because.isna(), ~rows["is_today"], ~rows["is_required"]))
        rows = rows.iloc[order]
        spent = rows.groupby("team")["minutes"].cumsum() - rows["minutes"]
        room = rows["team"].map(self.team_minutes()).astype("float64") * _OFFERED
        number = rows.groupby("team").cumcount()
        may_be_many = rows["is_required"] | (number < MOST_STOPS)
        return rows[rows["is_today"] | ((spent < room) & may_be_many)]

    def _fits(self, rows: pd.DataFrame) -> pd.Series:
        """Whether what is required fits beside what is more urgent; today's always counts.

        Where contacts due are more than a week holds, those that fit last must not push an
        emergency off the routes: they stay in as the best of what is offered.
        """
        order = rows.sort_values(["is_today", "is_required", "value"], ascending=False)
        room = order["team"].map(self.team_minutes()).astype("float64")
        spent = order.groupby("team")["minutes"].cumsum()
        return ((spent <= room) | order["is_today"] | ~order["is_required"]).reindex(rows.index)

    def team_minutes(self) -> pd.Series:
        """Minutes of the week by team."""
        minutes = self.capacity() * self.options.days
        return minutes.groupby(self.team_of(pd.Series(minutes.index)).to_numpy()).sum()

    def most_value(self, homes: pd.DataFrame, jobs: list[Job]) -> float:
        """What no plan can exceed: each team's minutes, every home at its shortest walk."""
        walk = pd.Series(0.0, index=homes.index)
        for problem, stops, _ in jobs:
            # What was not offered to the routes counts without any walk.
            walk[stops] = np.minimum(shortest_walk(problem), NO_WAY)
        minutes = self.team_minutes()
        total = 0.0
        for team, rows in homes.groupby("team"):
            cost = np.maximum(rows["service"] + walk[rows.index], 1e-9).to_numpy()
            total += most_value(rows["value"].to_numpy(), cost, float(minutes.get(team, 0.0)))
        return total

    def problems(self, offered: pd.DataFrame) -> list[Job]:
        """One route problem per team."""
        members = self.staff.sort_values("id")
        members = members.assign(team=self.team_of(members["id"]).to_numpy())
        by_team = dict(iter(offered.groupby("team", sort=True)))
        teams = [team for team in sorted(set(members["team"])) if team in by_team]
        return [self._problem(by_team[team], members[members["team"] == team]) for team in teams]

    def _problem(self, homes: pd.DataFrame, members: pd.DataFrame) -> Job:
        n = len(members)
        places = [
            np.concatenate([members[name].to_numpy(float), homes[name].to_numpy(float)])
            for name in ("latitude", "longitude")
        ]
        capacity = self.capacity()
        shifts, who = [], []
        for day in range(self.options.days):
            for at, worker in enumerate(members["id"]):
                closes = self.options.opens + float(capacity[worker])
                shifts.append(
                    Shift(f"{worker} day {day + 1}", at, None, self.options.opens, closes)
                )
                who.append((worker, day))
        allowed = self._days_of(homes)[:, [day for _, day in who]]
        mean = max(float(homes["value"].mean()), 1e-12)
        travel = travel_matrix(
            places[0],
            places[1],
            planning=self.planning,
            travel_times=self.options.travel_times,
        )
        problem = RouteProblem(
            travel=np.where(travel > _LONGEST_WALK, np.inf, travel),
            stop_at=np.arange(n, n + len(homes)),
            service=homes["service"].to_numpy(float),
            value=homes["value"].to_numpy(float),
            shifts=tuple(shifts),
            required=homes["is_required"].to_numpy(bool),
            allowed=allowed,
            travel_cost=mean * _WALK,
            cost_ticks=_SCALE / mean,
        )
        return problem, homes.index.tolist(), who

    def _days_of(self, homes: pd.DataFrame) -> NDArray[np.bool_]:
        """On which days each home may be visited; what cannot wait, on the first."""
        days = self.week_from + pd.to_timedelta(np.arange(self.options.days), unit="D")
        earliest = homes["required_from"].fillna(self.week_from).to_numpy()
        latest = homes["required_by"].fillna(days[-1]).to_numpy()
        allowed = (days.to_numpy() >= earliest[:, None]) & (days.to_numpy() <= latest[:, None])
        allowed[homes["is_today"].to_numpy()] = np.arange(len(days)) == 0
        return np.asarray(allowed, dtype=bool)
