"""A week's plan: whom each worker visits on which day, in which order, and who waits and why.

Choice first (:mod:`.choice`), then routes (:mod:`.routing`): what is required or owed must be
on a route; of the rest more are offered to the routes than fit, so that what lies on the way
is taken.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from chw_tools.records import conform
from chw_tools.records.planning import WEEK_VISITS, WEEK_WAITING
from chw_tools.resource_allocation.choice import ChoiceProblem, Floor, choose, price_of_floors
from chw_tools.resource_allocation.choice.knapsack import most_value
from chw_tools.resource_allocation.needs import why
from chw_tools.resource_allocation.required import windows
from chw_tools.resource_allocation.routing import RouteProblem, Shift, Work, solve_all
from chw_tools.resource_allocation.routing.problem import NO_WAY
from chw_tools.resource_allocation.routing.schedule import shortest_walk
from chw_tools.resource_allocation.situation import who_needs
from chw_tools.resource_allocation.solving import Stop
from chw_tools.resource_allocation.travel import travel_matrix

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from chw_tools.programme import Planning, Programme
    from chw_tools.resource_allocation.choice import Choice
    from chw_tools.resource_allocation.routing import RoutePlan
    from chw_tools.resource_allocation.situation import Situation
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
_DAYS_PER_WEEK = 7.0


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


@dataclass(frozen=True)
class WeekPlan:
    """One week's visits for every worker.

    Parameters
    ----------
    visits, unvisited : DataFrame
        As declared in ``WEEK_VISITS`` (with the position of each home, for maps) and
        ``WEEK_WAITING`` (what needs a decision first); nobody is in both.
    summary : dict
        Counts, minutes, benefit, bound (without any duty), gap, whether feasible and why
        not, what each floor costs, seconds.
    notes : tuple of str
    """

    visits: pd.DataFrame
    unvisited: pd.DataFrame
    summary: dict[str, Any]
    notes: tuple[str, ...]


def plan_week(
    situation: Situation,
    *,
    programme: Programme,
    week_from: pd.Timestamp,
    options: WeekOptions | None = None,
    work: Work | None = None,
) -> WeekPlan:
    """Plan a week for every worker.

    Parameters
    ----------
    situation : Situation
        As :func:`plan_day` takes it.
    programme : Programme
    week_from : Timestamp
        First working day.
    options : WeekOptions, optional
    work : Work, optional
        Chance, processes or a scheduler, and who is told how far it is.

    Returns
    -------
    WeekPlan
        Everybody with advice or a follow-up is in ``visits`` or in ``unvisited``, with the
        reason.
    """
    began = time.perf_counter()
    chosen, how = options or WeekOptions(), work or Work()
    who = who_needs(situation, programme=programme, visit_on=week_from)
    table = _with_groups(who.table, situation)
    table = table.join(
        windows(
            who.follow_ups,
            situation.recommendations,
            programme=programme,
            first=week_from,
            last=week_from + pd.Timedelta(days=chosen.days - 1),
        )
    )
    week = _Week(table, who.staff, programme.planning, week_from, chosen)
    homes = week.homes()
    asked, enough = week.choice_problem(homes), Stop(max(chosen.stop.seconds, 10.0))
    choice = choose(asked, enough, seed=how.seed)
    offered = week.offered(homes, choice)
    problems = week.problems(offered)
    plans = solve_all([problem for problem, _, _ in problems], chosen.stop, how)
    visits = week.visits(problems, plans, choice)
    unvisited = week.unvisited(homes, visits, problems, plans, choice)
    summary = _summary(week, homes, visits, unvisited, problems, plans, choice)
    price = price_of_floors(asked, enough, seed=how.seed)
    summary["price_of_floors"] = price.to_dict("records")
    summary["seconds"] = time.perf_counter() - began
    return WeekPlan(visits, unvisited, summary, (*who.notes, *choice.notes, *_lost_notes(plans)))


def _with_groups(table: pd.DataFrame, situation: Situation) -> pd.DataFrame:
    """The columns that floors may name, and how long ago each was seen."""
    about = situation.people.set_index("id")
    at_home = situation.households.set_index("id")
    table = table.copy()
    table["sex"] = about["sex"].reindex(table.index)
    if "wealth_fifth" in at_home:
        table["wealth_fifth"] = (
            table["household_id"].map(at_home["wealth_fifth"]).astype("object").map(_whole)
        )
    frame = situation.features.frame
    days = frame["days_since_visit"].reindex(table.index).astype("float64")
    table["weeks_unseen"] = days / _DAYS_PER_WEEK
    return table


def _whole(value: object) -> object:
    return None if pd.isna(value) else str(value)


#: A route problem, the home of each of its stops, and the worker and day of each shift.
_Job = tuple[RouteProblem, list[str], list[tuple[str, int]]]


@dataclass(frozen=True)
class _Week:
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

    def homes(self) -> pd.DataFrame:
        """One row per home with somebody due: whom to see there together, and for how long."""
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
        together = (rank <= last) | rows["is_required"]
        return self._by_home(rows[together])

    def _by_home(self, rows: pd.DataFrame) -> pd.DataFrame:
        rows = rows.assign(person_id=rows.index)
        homes = rows.groupby("home", sort=True).agg(
            worker_id=("worker_id", "first"),
            value=("value", "sum"),
            n=("person_id", "size"),
            people=("person_id", list),
            is_required=("is_required", "any"),
            is_today=("is_must", "any"),
            required_from=("required_from", "max"),
            required_by=("required_by", "min"),
            weeks_unseen=("weeks_unseen", _longest),
            risk=("score", "max"),
            latitude=("latitude", "first"),
            longitude=("longitude", "first"),
            **{
                name: (name, "first") for name in ("area_id", "wealth_fifth", "sex") if name in rows
            },
        )
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

    def offered(self, homes: pd.DataFrame, choice: Choice) -> pd.DataFrame:
        """The chosen, and the next best up to twice the minutes there are."""
        rows = homes[homes["team"].notna()].copy()
        because = choice.chosen["because"].reindex(rows.index)
        rows["is_required"] = because.isin(["required", "owed", "floor"]) & self._fits(rows)
        rows["because"] = because.fillna("benefit")
        worth = rows["value"] / rows["minutes"]
        order = np.lexsort((-worth, because.isna(), ~rows["is_required"]))
        rows = rows.iloc[order]
        spent = rows.groupby("team")["minutes"].cumsum() - rows["minutes"]
        room = rows["team"].map(self._team_minutes()).astype("float64") * _OFFERED
        number = rows.groupby("team").cumcount()
        kept = rows["is_required"] | ((spent < room) & (number < MOST_STOPS))
        return rows[kept]

    def _fits(self, rows: pd.DataFrame) -> pd.Series:
        """Whether what is required fits beside what is more urgent; today's always counts.

        Where contacts due are more than a week holds, those that fit last must not push an
        emergency off the routes: they stay in as the best of what is offered.
        """
        order = rows.sort_values(["is_today", "is_required", "value"], ascending=False)
        room = order["team"].map(self._team_minutes()).astype("float64")
        spent = order.groupby("team")["minutes"].cumsum()
        return ((spent <= room) | order["is_today"] | ~order["is_required"]).reindex(rows.index)

    def _team_minutes(self) -> pd.Series:
        minutes = self.capacity() * self.options.days
        return minutes.groupby(self.team_of(pd.Series(minutes.index)).to_numpy()).sum()

    def most_value(self, homes: pd.DataFrame, jobs: list[_Job]) -> float:
        """What no plan can exceed: each team's minutes, every home at its shortest walk."""
        walk = pd.Series(0.0, index=homes.index)
        for problem, stops, _ in jobs:
            # What was not offered to the routes counts without any walk.
            walk[stops] = np.minimum(shortest_walk(problem), NO_WAY)
        minutes = self._team_minutes()
        total = 0.0
        for team, rows in homes.groupby("team"):
            cost = np.maximum(rows["service"] + walk[rows.index], 1e-9).to_numpy()
            total += most_value(rows["value"].to_numpy(), cost, float(minutes.get(team, 0.0)))
        return total

    def problems(self, offered: pd.DataFrame) -> list[_Job]:
        """One route problem per team."""
        members = self.staff.sort_values("id")
        members = members.assign(team=self.team_of(members["id"]).to_numpy())
        by_team = dict(iter(offered.groupby("team", sort=True)))
        teams = [team for team in sorted(set(members["team"])) if team in by_team]
        return [self._problem(by_team[team], members[members["team"] == team]) for team in teams]

    def _problem(self, homes: pd.DataFrame, members: pd.DataFrame) -> _Job:
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
        problem = RouteProblem(
            travel=travel_matrix(
                places[0],
                places[1],
                planning=self.planning,
                travel_times=self.options.travel_times,
            ),
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
        # Where two windows at one home do not meet, the later one is too late for the other.
        latest = np.maximum(latest, earliest)
        allowed = (days.to_numpy() >= earliest[:, None]) & (days.to_numpy() <= latest[:, None])
        allowed[homes["is_today"].to_numpy()] = np.arange(len(days)) == 0
        return np.asarray(allowed, dtype=bool)

    def visits(self, jobs: list[_Job], plans: list[RoutePlan], choice: Choice) -> pd.DataFrame:
        """One row per person seen."""
        rows = []
        for (problem, homes, who), plan in zip(jobs, plans, strict=True):
            for walk in plan.routes:
                worker, day = who[walk.shift]
                at = problem.shifts[walk.shift].start
                for place, (stop, begins) in enumerate(
                    zip(walk.stops, walk.begins, strict=True), start=1
                ):
                    to = int(problem.stop_at[stop])
                    minutes = float(problem.travel[at, to])
                    rows.append((homes[stop], worker, day, place, begins, minutes))
                    at = to
        columns = ["home", "worker", "day", "position", "begins_minute", "travel_minutes"]
        stops = pd.DataFrame(rows, columns=columns).astype({"home": "object", "worker": "object"})
        return self._people_of(stops, choice)

    def _people_of(self, stops: pd.DataFrame, choice: Choice) -> pd.DataFrame:
        seen_at = self.homes()[["people", "service"]]
        stops = stops.join(seen_at, on="home").rename(columns={"people": "person_id"})
        people = stops.explode("person_id").reset_index(drop=True)
        number = people.groupby("home").cumcount()
        about = self.table.reindex(people["person_id"]).reset_index(drop=True)
        about["is_further"] = number.to_numpy() > 0
        further = self.planning.further_person_minutes
        base = self.planning.visit_minutes
        because = choice.chosen["because"].reindex(people["home"]).fillna("benefit").to_numpy()
        frame = pd.DataFrame(
            {
                "person_id": people["person_id"],
                "household_id": about["household_id"],
                "worker_id": people["worker"],
                "visit_on": self.week_from + pd.to_timedelta(people["day"], unit="D"),
                "begins_minute": people["begins_minute"]
                + np.where(number > 0, base, 0.0)
                + further * np.maximum(number - 1, 0),
                "urgency": about["urgency"],
                "is_must": about["is_must"],
                "because": np.where(number > 0, "together", because),
                "reason": why(about, with_score=False),
                "due_on": about["due_on"],
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

    def unvisited(
        self,
        homes: pd.DataFrame,
        visits: pd.DataFrame,
        jobs: list[_Job],
        plans: list[RoutePlan],
        choice: Choice,
    ) -> pd.DataFrame:
        """Everybody else, with the reason; first who needs a decision."""
        waiting = self.table.drop(index=visits["person_id"])
        reason = pd.Series(
            "Due later, on " + waiting["due_on"].dt.strftime("%Y-%m-%d").astype("object") + ".",
            index=waiting.index,
            dtype="object",
        )
        home = waiting["home"].astype("object")
        is_open = home.isin(homes.index)
        reason = reason.mask(is_open, "Less pressing than others at the same home.")
        of_home = choice.left_out["reason"]
        for (_, stops, _), plan in zip(jobs, plans, strict=True):
            routed = pd.Series({stops[at]: why_left for at, why_left in plan.left_out.items()})
            of_home = pd.concat([of_home, routed[~routed.index.isin(of_home.index)]])
        listed = set(homes["people"].explode())
        in_unit = waiting.index.isin(list(listed))
        reason = reason.where(~in_unit, home.map(of_home).fillna("No minutes left."))
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
                "is_due": (waiting["due_on"] <= self.last_day).to_numpy(),
                "is_displaced": flags["is_displaced"].eq(True).to_numpy() & in_unit,
                "is_above_risk_floor": is_above,
            }
        )
        order = np.lexsort((-frame["benefit"].to_numpy(), ~must_first.to_numpy()))
        return conform(WEEK_WAITING, frame.iloc[order].reset_index(drop=True))


def _longest(weeks: pd.Series) -> float:
    """Whoever was never seen makes a home never seen."""
    return float("nan") if weeks.isna().any() else float(weeks.max())


def _summary(
    week: _Week,
    homes: pd.DataFrame,
    visits: pd.DataFrame,
    unvisited: pd.DataFrame,
    jobs: list[_Job],
    plans: list[RoutePlan],
    choice: Choice,
) -> dict[str, Any]:
    value = sum(plan.value for plan in plans)
    bound = max(week.most_value(homes, jobs), value)
    is_due = week.table["due_on"] <= week.last_day
    seen = week.table.index.isin(visits["person_id"])
    why_not = [*choice.why_not, *_faults(jobs, plans)]
    travel = float(visits["travel_minutes"].sum())
    return {
        "n_workers": len(week.staff),
        "n_people": len(week.table),
        "n_visits": len(visits),
        "n_homes": int(sum(len(walk.stops) for plan in plans for walk in plan.routes)),
        "n_must": int(visits["is_must"].sum()),
        "n_due": int(is_due.sum()),
        "n_due_waiting": int((is_due & ~seen).sum()),
        "n_displaced": int(unvisited["is_displaced"].sum()),
        "n_above_risk_floor_waiting": int(unvisited["is_above_risk_floor"].sum()),
        "minutes_used": float(visits["minutes"].sum()) + travel,
        "minutes_walked": travel,
        "minutes_capacity": float(week.capacity().sum() * week.options.days),
        "benefit": value,
        "benefit_bound": bound,
        "gap": 1.0 - value / bound if bound > 0 else 0.0,
        "is_feasible": not why_not,
        "why_not": why_not[:20],
        "n_by_insertion": sum(plan.method == "insertion" for plan in plans),
    }


def _faults(jobs: list[_Job], plans: list[RoutePlan]) -> list[str]:
    """What does not hold in the routes, counted over all teams."""
    missing = sum(
        int(problem.required[list(plan.left_out)].sum())
        for (problem, _, _), plan in zip(jobs, plans, strict=True)
    )
    said = [f"{missing} homes required or owed do not fit into the days"] if missing else []
    broken = [why for plan in plans for why in plan.why_not if "required" not in why]
    return [*said, *broken]


def _lost_notes(plans: list[RoutePlan]) -> tuple[str, ...]:
    said = {note for plan in plans for note in plan.notes}
    return tuple(sorted(said))
