"""Plan a day's visits for every worker, and keep the plan."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pandas as pd

from chw_tools.data_processing import as_known_on
from chw_tools.errors import NotFound
from chw_tools.resource_allocation import (
    Situation,
    assign_households,
    assumed_workers,
    at_work,
    plan_day,
)
from chw_tools.workflows.assess import (
    PRIORITY_OUTCOME,
    assess,
    day_of,
    keep_risks,
    load_part,
    usable_model,
)

if TYPE_CHECKING:
    from datetime import date

    from chw_tools.programme import Programme
    from chw_tools.resource_allocation import Plan
    from chw_tools.workflows.assess import Assessment
    from chw_tools.workflows.ports import ModelStore, RegisterStore


@dataclass(frozen=True)
class PlanResult:
    """A plan with what it rests on."""

    plan: Plan
    assessment: Assessment
    as_of: date
    visit_on: date
    notes: tuple[str, ...]
    run_id: str


def plan_visits(
    *,
    store: RegisterStore,
    models: ModelStore,
    programme: Programme,
    as_of: date | None = None,
    visit_on: date | None = None,
    worker_id: str | None = None,
    follow_ups: pd.DataFrame | None = None,
) -> PlanResult:
    """Plan one day from what was known the evening before, and keep plan, risks and advice.

    Parameters
    ----------
    store, models, programme
        The parts.
    as_of : date, optional
        Day whose knowledge is used; by default the last recorded day.
    visit_on : date, optional
        Day to plan; by default the day after ``as_of``.
    worker_id : str, optional
        Plan this worker's day only, for example after a visit was entered; the other
        workers' lists stay as they are.
    follow_ups : DataFrame, optional
        Visits that must be made within a window, as declared in ``REQUIRED_VISITS``.

    Raises
    ------
    NothingToRead
        If nothing was ever recorded and no day is given.
    NotFound
        If no such worker is in the register.
    """
    known_on = day_of(store, as_of)
    on = pd.Timestamp(visit_on).as_unit("s") if visit_on else known_on + pd.Timedelta(days=1)
    _ensure_workers(store, programme, known_on)
    caseload = None if worker_id is None else _caseload(store, worker_id, known_on, on)
    using = usable_model(models, store, PRIORITY_OUTCOME)
    assessment = assess(
        load_part(store, caseload),
        programme=programme,
        as_of=known_on,
        using=using,
        person_ids=caseload,
    )
    workers = assessment.register.workers
    situation = replace(
        situation_of(assessment, follow_ups=follow_ups), caseloads=store.load_caseloads()
    )
    if caseload is not None:
        situation = replace(situation, workers=workers[workers["id"] == worker_id])
        if follow_ups is not None:
            mine = follow_ups["person_id"].isin(caseload)
            situation = replace(situation, follow_ups=follow_ups[mine])
    plan = plan_day(situation, programme=programme, visit_on=on)
    all_notes = (*using.notes, *_assumed_note(workers), *plan.notes)
    with store.transaction():
        keep_risks(store, assessment)
        run_id = store.save_plan(
            visits=plan.visits,
            unvisited=plan.unvisited,
            recommendations=assessment.recommendations,
            as_of=known_on.date(),
            visit_on=on.date(),
            summary={
                **plan.summary,
                "notes": list(all_notes),
                "priority_outcome": assessment.priority_outcome,
                "has_model": using.model is not None,
            },
            worker_ids=None if worker_id is None else [worker_id],
        )
    return PlanResult(plan, assessment, known_on.date(), on.date(), all_notes, run_id)


def situation_of(assessment: Assessment, *, follow_ups: pd.DataFrame | None = None) -> Situation:
    """What a plan rests on, from an assessment and the visits that were asked for."""
    register = assessment.register
    return Situation(
        recommendations=assessment.recommendations,
        risks=assessment.risks,
        features=assessment.features,
        people=register.people,
        households=register.households,
        areas=register.areas,
        workers=register.workers,
        outcome=assessment.priority_outcome,
        follow_ups=follow_ups,
    )


def _caseload(
    store: RegisterStore, worker_id: str, as_of: pd.Timestamp, visit_on: pd.Timestamp
) -> list[str]:
    """The people whom the whole programme's assignment gives to one worker.

    Whom the last whole plan gave to somebody still at work stays there: planned anew by
    themselves, two workers must neither share a person nor leave one between them.
    """
    outline = store.load_register(
        tables=("areas", "workers", "people", "households", "person_changes")
    )
    known = as_known_on(outline, as_of)
    if worker_id not in set(known.workers["id"]):
        raise NotFound("No such worker.", cure="Choose one from the list of workers.")
    staff = at_work(known.workers, visit_on)
    living = known.people[known.people["died_on"].isna() & known.people["moved_on"].isna()]
    assigned = assign_households(
        living, known.households, known.areas, staff, caseloads=store.load_caseloads()
    )
    plan = store.load_plan()
    if plan is not None:
        pair = ["person_id", "worker_id"]
        planned = pd.concat([plan.visits[pair], plan.unvisited[pair]]).set_index("person_id")
        held = planned.loc[planned["worker_id"].isin(staff["id"]), "worker_id"]
        assigned = held.reindex(assigned.index).fillna(assigned)
    return list(assigned.index[assigned == worker_id])


def _ensure_workers(store: RegisterStore, programme: Programme, as_of: pd.Timestamp) -> None:
    # Assumed workers are kept like others, so that a list keeps its owner from day to day.
    if len(store.load_register(tables=("workers",)).workers):
        return
    people = store.load_register(tables=("people",)).people
    if not len(people):
        return
    assumed = assumed_workers(people, programme=programme, as_of=as_of)
    with store.transaction():
        store.save("workers", assumed)


def _assumed_note(workers: pd.DataFrame) -> tuple[str, ...]:
    n = int((workers["source"] == "assumed").sum())
    if not n:
        return ()
    word = "worker was" if n == 1 else "workers were"
    return (f"The data name no community health worker; {n} {word} assumed.",)
