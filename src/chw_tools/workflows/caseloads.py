"""Whose homes are whose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from chw_tools.records import conform
from chw_tools.records.planning import CASELOADS
from chw_tools.resource_allocation import caseloads as case
from chw_tools.resource_allocation.assignment import places_of
from chw_tools.workflows.needs import living_people

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chw_tools.programme import Programme
    from chw_tools.resource_allocation.caseloads import CaseloadPlan
    from chw_tools.resource_allocation.solving import Stop
    from chw_tools.workflows.needs import Needs
    from chw_tools.workflows.ports import LongerPlans

_WEEKS = 52.0


@dataclass(frozen=True)
class PlannedCaseloads:
    """Whose homes are whose.

    Parameters
    ----------
    needs : Needs
        What it rests on.
    table : DataFrame
        As declared in ``CASELOADS``.
    plan : CaseloadPlan
        Cost, bound, gap and faults.
    n_kept : int
        Homes that stay with their worker of before.
    notes : tuple of str
        What a reader must know.
    """

    needs: Needs
    table: pd.DataFrame
    plan: CaseloadPlan
    n_kept: int
    notes: tuple[str, ...]


def plan_caseloads(
    needs: Needs, *, programme: Programme, stop: Stop, absent: Sequence[str] = ()
) -> PlannedCaseloads:
    """A worker for every home; with ``absent`` who stands in for whom, all else unchanged.

    Parameters
    ----------
    needs : Needs
        What :func:`plan_needs` gives.
    stop : Stop
        For the flow, and for single moves.
    absent : sequence of str
        Keys of workers who are away.
    """
    figures = programme.scope.workload
    skills, said = _skills(needs)
    homes = _homes(needs, skills)
    workers = needs.workers.assign(
        capacity_minutes=needs.workers["capacity_minutes"].fillna(
            programme.planning.capacity_minutes
        )
        * figures.working_days
        / _WEEKS
    )
    rules = case.CaseloadRules(
        walk_limit_minutes=figures.walk_limit_minutes,
        continuity_minutes=figures.continuity_minutes,
        language_minutes=figures.language_minutes,
        band=figures.load_band,
    )
    found = case.caseload_problem(homes, workers, planning=programme.planning, rules=rules)
    plan = case.solve_caseloads(found.problem, stop)
    if absent:
        plan = case.reassign(found.problem, plan, case.absent_numbers(found, absent), stop)
    table = _caseload_table(found, plan, homes)
    notes = [*needs.basis, *plan.notes, *plan.faults, *said]
    n_kept = case.n_kept(found.problem, plan.worker)
    return PlannedCaseloads(needs, table, plan, n_kept, tuple(notes))


def worker_of_homes(planned: PlannedCaseloads) -> pd.Series:
    """The worker of each home that has one, as plans of days and weeks take it."""
    rows = planned.table.dropna(subset=["worker_id"])
    return rows.set_index("home")["worker_id"]


def keep_caseloads(store: LongerPlans, planned: PlannedCaseloads) -> str:
    """Keep caseloads in force: from now on they say whose home it is; gives the run's key."""
    return _keep(store, planned, "caseloads")


def keep_draft(store: LongerPlans, planned: PlannedCaseloads) -> str:
    """Keep caseloads to be looked at; nothing goes by them. Gives the run's key."""
    return _keep(store, planned, "caseloads_draft")


def _keep(store: LongerPlans, planned: PlannedCaseloads, kind: str) -> str:
    plan = planned.plan
    with store.transaction():
        return store.save_run(
            kind,
            tables={"caseloads": planned.table},
            as_of=planned.needs.as_of.date(),
            summary={
                "gap": plan.gap,
                "is_feasible": plan.is_feasible,
                "n_kept": planned.n_kept,
                "notes": list(planned.notes),
            },
        )


def _skills(needs: Needs) -> tuple[pd.Series, tuple[str, ...]]:
    """The skills that visits to each person ask for, as far as workers' are recorded.

    Not recorded is not learnt: once any worker's are, a worker without an entry has none.
    """
    asked = needs.work.people["skills"]
    names = ", ".join(sorted(frozenset().union(*asked)))
    recorded = needs.workers["skills"].notna()
    nothing = asked.map(lambda _: frozenset())
    if not names:
        return nothing, ()
    if not recorded.any():
        return nothing, (f"Skills of workers are not recorded; {names}: not regarded.",)
    n = int((~recorded).sum())
    said = f"Regarded: {names}. Of {n} of {len(recorded)} workers no skills are recorded; "
    return asked, (f"{said}they count as having none.",) if n else ()


def _homes(needs: Needs, skills: pd.Series) -> pd.DataFrame:
    register = needs.assessment.register
    people = living_people(needs.assessment)
    places = places_of(people, register.households, register.areas).set_index("person_id")
    speaks = people.set_index("id")["language"].reindex(places.index)
    table = places.assign(
        minutes=needs.work.people["minutes"].reindex(places.index).fillna(0.0), language=speaks
    )
    needed = skills[skills.astype(bool)].reindex(places.index).dropna()
    travel = needs.work.communities.set_index("area_id")["travel_minutes"]
    stops = needs.work.people["visits"].reindex(places.index).fillna(0.0)
    homes = (
        table.assign(stops=stops)
        .groupby("home", sort=True)
        .agg(
            minutes=("minutes", "sum"),
            stops=("stops", "max"),
            area_id=("area_id", "first"),
            worker_id=("worker_id", "first"),
            latitude=("latitude", "first"),
            longitude=("longitude", "first"),
            language=("language", "first"),
        )
    )
    walk = travel.reindex(homes["area_id"].astype("object").fillna("")).fillna(0.0).to_numpy()
    learnt = needed.groupby(places.loc[needed.index, "home"]).agg(_together)
    homes["skills"] = learnt.reindex(homes.index)
    homes["load_minutes"] = (homes["minutes"] + homes["stops"] * walk) / _WEEKS
    return homes.reset_index()


def _together(skills: pd.Series) -> frozenset[str]:
    return frozenset().union(*skills)


def _caseload_table(found: case.Caseloads, plan: CaseloadPlan, homes: pd.DataFrame) -> pd.DataFrame:
    rows = homes.set_index("home")
    worker = case.as_assignment(found, plan.worker)
    frame = pd.DataFrame(
        {
            "home": worker.index,
            "worker_id": worker.to_numpy(),
            "worker_before": rows["worker_id"].reindex(worker.index).to_numpy(),
            "load_minutes": rows["load_minutes"].reindex(worker.index).to_numpy(),
            "reason": [why or None for why in plan.why_none],
        }
    )
    aside = found.set_aside.reindex(columns=["home", "reason"])
    both = pd.concat([frame, aside], ignore_index=True) if len(aside) else frame
    return conform(CASELOADS, both)
