"""Plan a workforce: hours needed, where to post workers, whose homes are whose, what to order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from chw_tools.records import conform
from chw_tools.records.planning import CASELOADS, COMMUNITY_NEEDS
from chw_tools.resource_allocation import assign_households, assumed_workers, at_work
from chw_tools.resource_allocation import caseloads as case
from chw_tools.resource_allocation import posts as post
from chw_tools.resource_allocation.assignment import places_of
from chw_tools.resource_allocation.supplies import SuppliesProblem
from chw_tools.resource_allocation.supplies import plan_supplies as supplies_of
from chw_tools.resource_allocation.workload import check_reality, workload
from chw_tools.workflows.assess import PRIORITY_OUTCOME, assess, day_of, usable_model

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from chw_tools.programme import Programme
    from chw_tools.resource_allocation.caseloads import CaseloadPlan
    from chw_tools.resource_allocation.posts import PostsPlan
    from chw_tools.resource_allocation.solving import Stop
    from chw_tools.resource_allocation.supplies import SuppliesPlan
    from chw_tools.resource_allocation.workload import RealityCheck, Workload
    from chw_tools.workflows.assess import Assessment
    from chw_tools.workflows.ports import ModelStore, RegisterStore

_WEEKS = 52.0
_DAYS = 365.0


@dataclass(frozen=True)
class Needs:
    """What a year's work takes, and whether it fits.

    Parameters
    ----------
    as_of : Timestamp
        Day whose knowledge it rests on.
    work : Workload
        By service, community and person.
    check : RealityCheck
        Against the workers at work.
    communities : DataFrame
        As declared in ``COMMUNITY_NEEDS``.
    names : Series
        Name of each area, by key.
    workers : DataFrame
        Those at work.
    assessment : Assessment
        What it rests on.
    basis : tuple of str
        What a reader must know of the model and the workers.
    """

    as_of: pd.Timestamp
    work: Workload
    check: RealityCheck
    communities: pd.DataFrame
    names: pd.Series
    workers: pd.DataFrame
    assessment: Assessment
    basis: tuple[str, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the hours must know."""
        return (*self.basis, *self.check.notes)


def plan_needs(
    *,
    store: RegisterStore,
    models: ModelStore,
    programme: Programme,
    as_of: date | None = None,
) -> Needs:
    """Hours that the scope asks for, by service and community, against the hours there are.

    Raises
    ------
    NothingToRead
        If nothing was ever recorded and no day is given.
    """
    on = day_of(store, as_of)
    using = usable_model(models, store, PRIORITY_OUTCOME)
    found = assess(store.load_register(), programme=programme, as_of=on, using=using)
    register = found.register
    people = _living(found)
    workers, notes = _workers(register.workers, people, programme, on)
    work = workload(
        found.features.frame,
        _bands(found),
        places_of(people, register.households, register.areas),
        register.areas,
        programme=programme,
        workers=workers,
    )
    check = check_reality(work, workers, programme=programme)
    return Needs(
        as_of=on,
        work=work,
        check=check,
        communities=conform(COMMUNITY_NEEDS, work.communities),
        names=register.areas.set_index("id")["name"],
        workers=workers,
        assessment=found,
        basis=(*found.notes, *notes),
    )


def _living(found: Assessment) -> pd.DataFrame:
    people = found.register.people
    return people[people["id"].isin(found.features.frame.index)]


def _bands(found: Assessment) -> pd.Series:
    risks = found.risks
    rows = risks[(risks["outcome"] == found.priority_outcome) & (risks["state"] == "estimated")]
    return rows.drop_duplicates("person_id").set_index("person_id")["band"]


def _workers(
    workers: pd.DataFrame, people: pd.DataFrame, programme: Programme, on: pd.Timestamp
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    if len(workers):
        return at_work(workers, on), ()
    assumed = assumed_workers(people, programme=programme, as_of=on)
    return assumed, (f"The data name no worker; {len(assumed)} are assumed.",)


@dataclass(frozen=True)
class PlannedPosts:
    """Where workers are to be posted.

    Parameters
    ----------
    needs : Needs
        What it rests on.
    table : DataFrame
        As declared in ``POSTED``.
    plan : PostsPlan
        Cost, bound, gap and faults.
    curve : DataFrame
        What each further post buys; empty where it was not asked for.
    sites : DataFrame
        One more site of any kind, best first: see ``compare_sites``; with ``area_id``.
    set_aside : DataFrame
        Communities that cannot be planned, with the reason.
    notes : tuple of str
        What a reader must know.
    worst, worst_bound : float or None
        Share of its hours of the worst served group, where that came first.
    """

    needs: Needs
    table: pd.DataFrame
    plan: PostsPlan
    curve: pd.DataFrame
    sites: pd.DataFrame
    set_aside: pd.DataFrame
    notes: tuple[str, ...]
    worst: float | None = None
    worst_bound: float | None = None


def plan_posts(
    needs: Needs,
    *,
    programme: Programme,
    stop: Stop,
    seed: int = 0,
    posts: int | None = None,
    curve: Sequence[int] = (),
) -> PlannedPosts:
    """Where to post how many workers, those that stand staying where they are.

    Parameters
    ----------
    needs : Needs
        What :func:`plan_needs` gives.
    stop, seed
        For each plan that is solved.
    posts : int, optional
        Posts in all; by default as many as the hours ask for.
    curve : sequence of int
        Budgets for the curve of what each further post buys.
    """
    found = _communities(needs, programme, posts)
    plan = post.solve_posts(found.problem, stop, seed)
    curves = _curve(found, curve, stop, seed)
    return _planned(needs, found, plan, curves, programme)


def plan_posts_fairly(
    needs: Needs,
    *,
    programme: Programme,
    stop: Stop,
    seed: int = 0,
    posts: int | None = None,
    curve: Sequence[int] = (),
) -> PlannedPosts:
    """The same, raising the worst served area first and lowering the mean walk after that."""
    found = _communities(needs, programme, posts)
    fair = post.solve_fairly(found.problem, stop, seed)
    planned = _planned(needs, found, fair.plan, _curve(found, curve, stop, seed), programme)
    return replace(planned, worst=fair.worst, worst_bound=fair.worst_bound)


def _communities(needs: Needs, programme: Programme, posts: int | None) -> post.Communities:
    budget = posts or max(ceil(needs.check.hours_needed / max(_hours(programme), 1e-9)), 1)
    areas = needs.assessment.register.areas
    return post.posts_problem(
        needs.communities, needs.workers, areas, programme=programme, budget=budget
    )


def _hours(programme: Programme) -> float:
    days = programme.scope.workload.working_days
    return programme.planning.capacity_minutes * days / 60.0


def _curve(found: post.Communities, curve: Sequence[int], stop: Stop, seed: int) -> pd.DataFrame:
    budgets = sorted(budget for budget in set(curve) if budget >= found.problem.least.sum())
    if not budgets:
        return pd.DataFrame()
    plans = post.budget_plans(found.problem, budgets, stop, seed)
    return post.budget_curve(found.problem, plans)


def _planned(
    needs: Needs,
    found: post.Communities,
    plan: PostsPlan,
    curve: pd.DataFrame,
    programme: Programme,
) -> PlannedPosts:
    there, each = needs.check.hours_there / max(needs.check.n_workers, 1), _hours(programme)
    notes = [*needs.basis, *plan.notes, *plan.faults]
    if there and abs(there - each) > 1:
        notes.append(f"A new post is taken to give {each:,.0f} hours a year.")
    if needs.check.n_workers >= found.problem.budget:
        notes.append("There are as many workers as posts asked for, or more; all of them stay.")
    return PlannedPosts(
        needs,
        post.posted_table(found, plan),
        plan,
        curve,
        _sites(found, plan, programme),
        found.set_aside,
        tuple(notes),
    )


def _sites(found: post.Communities, plan: PostsPlan, programme: Programme) -> pd.DataFrame:
    km = post.path_km(found, programme=programme)
    people = found.problem.people
    fall = programme.scope.workload.use_fall_per_km
    table = post.compare_sites(km, people, np.flatnonzero(plan.posts > 0), fall_per_km=fall)
    keys = found.table["area_id"].to_numpy(dtype=object)
    return table.assign(
        area_id=keys[table["site"]],
        moves_from=[keys[site] if site >= 0 else None for site in table["moves_from"]],
    )


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
    homes = _homes(needs)
    figures = programme.scope.workload
    # Nobody knows yet what each worker has learnt; the register does not hold it.
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
    skills = sorted(set().union(*needs.work.people["skills"])) if len(homes) else []
    notes = [*needs.basis, *plan.notes, *plan.faults]
    if skills:
        notes.append(f"Skills of workers are not recorded; {', '.join(skills)}: not regarded.")
    n_kept = case.n_kept(found.problem, plan.worker)
    return PlannedCaseloads(needs, table, plan, n_kept, tuple(notes))


def _homes(needs: Needs) -> pd.DataFrame:
    register = needs.assessment.register
    people = _living(needs.assessment)
    places = places_of(people, register.households, register.areas).set_index("person_id")
    speaks = people.set_index("id")["language"].reindex(places.index)
    table = places.assign(
        minutes=needs.work.people["minutes"].reindex(places.index).fillna(0.0), language=speaks
    )
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
    homes["load_minutes"] = (homes["minutes"] + homes["stops"] * walk) / _WEEKS
    return homes.reset_index()


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


@dataclass(frozen=True)
class PlannedSupplies:
    """What to order.

    Parameters
    ----------
    needs : Needs
        What it rests on.
    plan : SuppliesPlan
        Orders, batches, and what is short.
    notes : tuple of str
        What a reader must know.
    """

    needs: Needs
    plan: SuppliesPlan
    notes: tuple[str, ...]


def plan_supplies(
    needs: Needs, *, stock: pd.DataFrame, programme: Programme, depots: Sequence[str] = ()
) -> PlannedSupplies:
    """Orders of every worker, from the visits that the hours allow and the stock counted.

    Parameters
    ----------
    needs : Needs
        What :func:`plan_needs` gives.
    stock : DataFrame
        As declared in ``STOCK``; ``place_id`` is a worker's key or a depot's.
    depots : sequence of str
        Places that send.
    """
    register = needs.assessment.register
    worker = assign_households(
        _living(needs.assessment), register.households, register.areas, needs.workers
    )
    share = min(1.0, 1.0 / needs.check.ratio) if needs.check.ratio > 0 else 1.0
    rows = []
    for name, service in programme.scope.services.items():
        is_for = needs.work.is_for[name]
        n = worker.reindex(is_for.index[is_for]).value_counts().sort_index()
        rows.append(
            pd.DataFrame(
                {
                    "place_id": n.index.astype("str"),
                    "service": name,
                    "visits_per_day": n.to_numpy() * service.visits_per_year / _DAYS * share,
                }
            )
        )
    visits = pd.concat(rows, ignore_index=True)
    problem = SuppliesProblem(visits, stock, tuple(depots), needs.as_of)
    plan = supplies_of(problem, scope=programme.scope)
    notes = [*needs.basis, *plan.notes]
    if share < 1:
        notes.append(f"The scope does not fit: {share:.0%} of its visits are planned for.")
    return PlannedSupplies(needs, plan, tuple(notes))
