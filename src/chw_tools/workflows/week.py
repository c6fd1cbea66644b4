"""Plan a week of visits for every worker; nothing is kept, files are the reader's."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import pandas as pd

from chw_tools.resource_allocation.routing import Work
from chw_tools.resource_allocation.week import WeekOptions, WeekPlan
from chw_tools.resource_allocation.week import plan_week as plan_week_of
from chw_tools.workflows.assess import PRIORITY_OUTCOME, assess, day_of, load_part, usable_model
from chw_tools.workflows.plan import situation_of

if TYPE_CHECKING:
    from datetime import date

    from chw_tools.programme import Programme
    from chw_tools.workflows.assess import Assessment
    from chw_tools.workflows.ports import ModelStore, Progress, RegisterStore

#: Most seconds for one worker's routes where a limit for all leaves so many: beyond, the
#: plan hardly betters (benchmarks/planning_routes.py).
_MOST = 20.0


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
    week_from: date | None = None,
    options: WeekOptions | None = None,
    follow_ups: pd.DataFrame | None = None,
    limit_seconds: float | None = None,
    seed: int = 0,
    n_processes: int | None = None,
    scheduler: str | None = None,
    progress: Progress | None = None,
) -> WeekResult:
    """Plan a week from what was known the evening before.

    Parameters
    ----------
    store, models, programme
        The parts.
    as_of : date, optional
        Day whose knowledge is used; by default the last recorded day.
    week_from : date, optional
        First day of the week; by default the next Monday after ``as_of``.
    options : WeekOptions, optional
        Days, floors, duties, teams, travel times.
    follow_ups : DataFrame, optional
        Visits that must be made within a window, as declared in ``REQUIRED_VISITS``.
    limit_seconds : float, optional
        Time for all routes together, shared out among the workers.
    seed, n_processes, scheduler, progress
        As the solver takes them.

    Raises
    ------
    NothingToRead
        If nothing was ever recorded and no day is given.
    """
    known_on = day_of(store, as_of)
    monday = pd.Timestamp(week_from).as_unit("s") if week_from else _next_monday(known_on)
    using = usable_model(models, store, PRIORITY_OUTCOME)
    assessment = assess(load_part(store, None), programme=programme, as_of=known_on, using=using)
    chosen = options or WeekOptions()
    if limit_seconds is not None:
        chosen = replace(chosen, stop=replace(chosen.stop, seconds=_MOST))
    work = Work(
        seed=seed,
        limit_seconds=limit_seconds,
        n_processes=n_processes,
        scheduler=scheduler,
        progress=None if progress is None else partial(progress, "weeks planned"),
    )
    plan = plan_week_of(
        situation_of(assessment, follow_ups=follow_ups),
        programme=programme,
        week_from=monday,
        options=chosen,
        work=work,
    )
    notes = (*using.notes, *plan.notes)
    return WeekResult(plan, assessment, known_on.date(), monday.date(), notes)


def _next_monday(day: pd.Timestamp) -> pd.Timestamp:
    return day + pd.Timedelta(days=7 - day.day_of_week)
