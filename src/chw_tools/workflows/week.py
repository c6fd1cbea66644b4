"""Plan a week of visits for every worker, and keep it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pandas as pd

from chw_tools.resource_allocation.week import WeekOptions, WeekPlan
from chw_tools.resource_allocation.week import plan_week as plan_week_of
from chw_tools.workflows.assess import PRIORITY_OUTCOME, assess, day_of, load_part, usable_model
from chw_tools.workflows.gains import gains_from_forecast, gains_from_states
from chw_tools.workflows.pace import measure_pace
from chw_tools.workflows.plan import situation_of

if TYPE_CHECKING:
    from datetime import date

    from chw_tools.programme import Programme
    from chw_tools.resource_allocation.routing import Work
    from chw_tools.workflows.assess import Assessment
    from chw_tools.workflows.gains import Gains, Step
    from chw_tools.workflows.ports import LongerPlans, ModelStore, RegisterStore

#: Most seconds for one worker's routes where a limit for all leaves so many: beyond, the
#: plan hardly betters (benchmarks/planning_routes.py).
_MOST = 20.0


@dataclass(frozen=True)
class WeekAsked:
    """What a week is to be.

    Parameters
    ----------
    week_from : date, optional
        First day of the week; by default the next Monday after the day known.
    options : WeekOptions
        Days, floors, duties, teams, travel times.
    follow_ups : DataFrame, optional
        Visits that must be made within a window, as declared in ``REQUIRED_VISITS``.
    caseloads : Series, optional
        Worker planned for each home.
    states : DataFrame, optional
        States by person and week, see :func:`~.gains.gains_from_states`.
    step : {"index", "belief"}
        The step of the ladder that the states are for.
    forecast : Series, optional
        What a forecaster of one's own says; see :func:`~.gains.gains_from_forecast`.
    positions : DataFrame, optional
        Recorded stops, from which the pace of walking is measured.
    """

    week_from: date | None = None
    options: WeekOptions = field(default_factory=WeekOptions)
    follow_ups: pd.DataFrame | None = None
    caseloads: pd.Series | None = None
    states: pd.DataFrame | None = None
    step: Step = "belief"
    forecast: pd.Series | None = None
    positions: pd.DataFrame | None = None


@dataclass(frozen=True)
class WeekResult:
    """A week's plan with what it rests on."""

    plan: WeekPlan
    assessment: Assessment
    as_of: date
    week_from: date
    notes: tuple[str, ...]


def plan_week(
    *,
    store: RegisterStore,
    models: ModelStore,
    programme: Programme,
    as_of: date | None = None,
    asked: WeekAsked | None = None,
    work: Work | None = None,
) -> WeekResult:
    """Plan a week from what was known the evening before.

    Parameters
    ----------
    store, models, programme
        The parts. Caseloads that are kept say whose home it is, unless others are asked for.
    as_of : date, optional
        Day whose knowledge is used; by default the last recorded day.
    asked : WeekAsked, optional
    work : Work, optional
        Chance, time for all routes together, processes or a scheduler, and who is told how
        far it is.

    Raises
    ------
    NothingToRead
        If nothing was ever recorded and no day is given.
    """
    known_on = day_of(store, as_of)
    using = usable_model(models, store, PRIORITY_OUTCOME)
    assessment = assess(load_part(store, None), programme=programme, as_of=known_on, using=using)
    week = asked or WeekAsked()
    if week.caseloads is None:
        week = replace(week, caseloads=store.load_caseloads())
    if work is not None and work.limit_seconds is not None:
        most = replace(week.options.stop, seconds=_MOST)
        week = replace(week, options=replace(week.options, stop=most))
    result = week_of(assessment, programme=programme, asked=week, work=work)
    return replace(result, notes=(*using.notes, *result.notes))


def week_of(
    assessment: Assessment, *, programme: Programme, asked: WeekAsked, work: Work | None = None
) -> WeekResult:
    """The week of an assessment; see :func:`plan_week`."""
    known_on = assessment.as_of
    first = pd.Timestamp(asked.week_from).as_unit("s") if asked.week_from else None
    week_from = _next_monday(known_on) if first is None else first
    gains = _gains(assessment, asked)
    pace = None if asked.positions is None else measure_pace(asked.positions, programme)
    plan = plan_week_of(
        replace(
            situation_of(assessment, follow_ups=asked.follow_ups),
            caseloads=asked.caseloads,
            gains=None if gains is None else gains.by_person,
        ),
        programme=programme if pace is None else pace.programme,
        week_from=week_from,
        options=asked.options,
        work=work,
    )
    said = (*(() if gains is None else gains.notes), *(() if pace is None else (pace.said,)))
    return WeekResult(plan, assessment, known_on.date(), week_from.date(), (*said, *plan.notes))


def _gains(assessment: Assessment, asked: WeekAsked) -> Gains | None:
    if asked.forecast is not None:
        return gains_from_forecast(assessment, asked.forecast)
    if asked.states is not None:
        return gains_from_states(assessment, asked.states, step=asked.step)
    return None


def keep_week(store: LongerPlans, result: WeekResult) -> str:
    """Keep a week as a new run; gives its key."""
    with store.transaction():
        return store.save_run(
            "week",
            tables={"week_visits": result.plan.visits, "week_waiting": result.plan.unvisited},
            as_of=result.as_of,
            from_on=result.week_from,
            summary={**result.plan.summary, "notes": list(result.notes)},
        )


def _next_monday(day: pd.Timestamp) -> pd.Timestamp:
    return day + pd.Timedelta(days=7 - day.day_of_week)
