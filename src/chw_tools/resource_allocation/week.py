"""A week's plan: whom each worker visits on which day, in which order, and who waits and why.

Choice first (:mod:`.choice`), then routes (:mod:`.routing`): what is required or owed must be
on a route; of the rest more are offered to the routes than fit, so that what lies on the way
is taken.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from chw_tools.resource_allocation.choice import choose, price_of_floors
from chw_tools.resource_allocation.required import MUST, windows
from chw_tools.resource_allocation.routing import Work
from chw_tools.resource_allocation.situation import who_needs
from chw_tools.resource_allocation.solving import Stop
from chw_tools.resource_allocation.week_lists import LATE, week_visits, week_waiting
from chw_tools.resource_allocation.week_problem import MOST_STOPS, Week, WeekOptions
from chw_tools.resource_allocation.week_required import routes_of

if TYPE_CHECKING:
    from chw_tools.programme import Programme
    from chw_tools.resource_allocation.choice import Choice
    from chw_tools.resource_allocation.routing import RoutePlan
    from chw_tools.resource_allocation.situation import Situation
    from chw_tools.resource_allocation.week_problem import Job

__all__ = ["MOST_STOPS", "WeekOptions", "WeekPlan", "plan_week"]

_DAYS_PER_WEEK = 7.0


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
    week = Week(table, who.staff, programme.planning, week_from, chosen)
    homes = week.homes()
    asked, enough = week.choice_problem(homes), Stop(max(chosen.stop.seconds, 10.0))
    choice = choose(asked, enough, seed=how.seed)
    before = time.perf_counter()
    routed = routes_of(week, homes, choice, _left_of(how, began))
    on_routes = time.perf_counter() - before
    homes, problems, plans = routed.homes, routed.jobs, routed.plans
    visits = week_visits(week, homes, problems, plans, choice)
    unvisited = week_waiting(week, homes, visits, problems, plans, choice)
    summary = _summary(week, homes, visits, unvisited, problems, plans, choice)
    summary["why_not"] = [*routed.over, *summary["why_not"]]
    summary["is_feasible"] = not summary["why_not"]
    price = price_of_floors(asked, enough, seed=how.seed)
    summary["price_of_floors"] = price.to_dict("records")
    summary["seconds_routes"] = on_routes
    summary["seconds"] = time.perf_counter() - began
    notes = (*who.notes, *choice.notes, *_backlog_notes(summary, week), *_lost_notes(plans))
    return WeekPlan(visits, unvisited, summary, notes)


def _left_of(work: Work, began: float) -> Work:
    """The work with the seconds that are left, where they are limited."""
    if work.limit_seconds is None:
        return work
    return replace(work, limit_seconds=max(work.limit_seconds - (time.perf_counter() - began), 0.0))


def _with_groups(table: pd.DataFrame, situation: Situation) -> pd.DataFrame:
    """The columns that floors may name, and how long ago each was seen."""
    about = situation.people.set_index("id")
    at_home = situation.households.drop_duplicates("id").set_index("id")
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


def _summary(
    week: Week,
    homes: pd.DataFrame,
    visits: pd.DataFrame,
    unvisited: pd.DataFrame,
    jobs: list[Job],
    plans: list[RoutePlan],
    choice: Choice,
) -> dict[str, Any]:
    value = sum(plan.value for plan in plans)
    bound = max(week.most_value(homes, jobs), value)
    is_due, minutes_due = _due(week)
    seen = week.table.index.isin(visits["person_id"])
    why_not = [*choice.why_not, *_faults(jobs, plans), *_contradictions(homes)]
    travel = float(visits["travel_minutes"].sum())
    return {
        "n_workers": len(week.staff),
        "n_people": len(week.table),
        "n_visits": len(visits),
        "n_homes": int(sum(len(walk.stops) for plan in plans for walk in plan.routes)),
        "n_must": int(visits["is_must"].sum()),
        "n_must_waiting": int(unvisited["urgency"].isin(MUST).sum()),
        "n_late": int(visits["reason"].str.endswith(LATE).sum()),
        "n_due": int(is_due.sum()),
        "n_due_waiting": int((is_due & ~seen).sum()),
        "n_due_before": int((week.table["due_on"] < week.week_from).sum()),
        "minutes_due": minutes_due,
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


def _due(week: Week) -> tuple[pd.Series, float]:
    """Who is due by the end of the week, and the minutes of seeing them all."""
    planning = week.planning
    is_due = week.table["due_on"] <= week.last_day
    n_homes = week.table.loc[is_due, "home"].nunique()
    further = int(is_due.sum()) - n_homes
    each = planning.visit_minutes + planning.default_travel_minutes
    return is_due, float(n_homes * each + further * planning.further_person_minutes)


def _backlog_notes(told: dict[str, Any], week: Week) -> tuple[str, ...]:
    """Why people who are due wait, in figures, where a week does not hold them."""
    due, there = told["minutes_due"], told["minutes_capacity"]
    if not told["n_due_waiting"] or due <= there or there <= 0:
        return ()
    return (
        f"{told['n_due']:,} people are due by {week.last_day:%Y-%m-%d}, {told['n_due_before']:,} "
        f"of them since before the week began. To see them all takes about {due:,.0f} minutes "
        f"with the walks, {due / there:.1f} times the {there:,.0f} that the week has.",
    )


def _faults(jobs: list[Job], plans: list[RoutePlan]) -> list[str]:
    """What does not hold in the routes, counted over all teams."""
    missing = sum(
        int(problem.required[list(plan.left_out)].sum())
        for (problem, _, _), plan in zip(jobs, plans, strict=True)
    )
    said = [f"{missing} homes required or owed do not fit into the days"] if missing else []
    broken = [why for plan in plans for why in plan.why_not if "required" not in why]
    return [*said, *broken]


def _contradictions(homes: pd.DataFrame) -> list[str]:
    """Homes where no day is in time for everybody."""
    n = int(homes["is_contradicting"].sum())
    said = "1 home has" if n == 1 else f"{n} homes have"
    return [f"{said} windows that contradict; the earlier is kept"] if n else []


def _lost_notes(plans: list[RoutePlan]) -> tuple[str, ...]:
    said = {note for plan in plans for note in plan.notes}
    return tuple(sorted(said))
