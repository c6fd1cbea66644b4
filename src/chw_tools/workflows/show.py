"""What a page shows: a day, a person, hits of a search."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from chw_tools.data_processing import as_known_on
from chw_tools.errors import NotFound
from chw_tools.recommendations import follow_up_on
from chw_tools.records.derived import URGENCY_LEVEL
from chw_tools.workflows import wording
from chw_tools.workflows.assess import PRIORITY_OUTCOME, assess, day_of, load_part, usable_model
from chw_tools.workflows.people import check_people
from chw_tools.workflows.views import (
    Advice,
    Change,
    DayView,
    HouseholdMember,
    HouseholdView,
    PastVisit,
    PersonFound,
    PersonView,
    Stop,
    Waiting,
    WorkerDay,
)

if TYPE_CHECKING:
    from datetime import date

    from chw_tools.programme import Programme
    from chw_tools.records import Register
    from chw_tools.workflows.assess import Assessment
    from chw_tools.workflows.ports import ModelStore, RegisterStore

#: So many things at most are asked of a worker for one person; the rest stays under "more".
_FEW = 4


def show_day(
    *,
    store: RegisterStore,
    programme: Programme,
    worker_id: str | None = None,
    visit_on: date | None = None,
) -> DayView:
    """A worker's list of a day, or every worker's day in figures.

    Raises
    ------
    NotFound
        If that day was never planned, or no such worker is in the plan.
    """
    # The figures of all workers tell nobody's advice, which is most of a plan.
    plan = store.load_plan(visit_on=visit_on, advised=() if worker_id is None else None)
    if plan is None:
        raise NotFound("That day was not planned.", cure="Plan it with: chw plan")
    register = store.load_register(tables=("areas", "workers"))
    names = wording.Places(register.areas)
    days = _worker_days(plan, register.workers, names, programme)
    chosen = next((day for day in days if day.worker_id == worker_id), None)
    if worker_id is not None and chosen is None:
        raise NotFound("No such worker.", cure="Choose one from the list of workers.")
    stops, waiting = ((), ()) if chosen is None else _list_of(store, plan, chosen, names)
    return DayView(
        visit_on=plan.visit_on,
        as_of=plan.as_of,
        population=store.population or "real",
        ordered_by=wording.ordered_by(plan.summary),
        workers=days,
        worker=chosen,
        stops=stops,
        waiting=waiting,
        notes=tuple(plan.summary.get("notes", ())),
    )


def _worker_days(
    plan: Any, workers: pd.DataFrame, names: wording.Places, programme: Programme
) -> tuple[WorkerDay, ...]:
    urgent = plan.visits["urgency"].isin(("emergency", "same_day"))
    is_due = plan.unvisited["due_on"] <= pd.Timestamp(plan.visit_on)
    spent = plan.visits["minutes"] + plan.visits["travel_minutes"].fillna(0)
    figures = pd.DataFrame(
        {
            "n_visits": plan.visits.groupby("worker_id").size(),
            "n_urgent": urgent.groupby(plan.visits["worker_id"]).sum(),
            "minutes": spent.groupby(plan.visits["worker_id"]).sum(),
            "n_waiting": is_due.groupby(plan.unvisited["worker_id"]).sum(),
            "n_later": (~is_due).groupby(plan.unvisited["worker_id"]).sum(),
        }
    ).fillna(0)
    figures = figures.reindex(workers["id"], fill_value=0)
    capacity = workers["capacity_minutes"].fillna(programme.planning.capacity_minutes)
    return tuple(
        WorkerDay(
            worker_id=row.id,
            name=wording.text(row.name, "Worker"),
            place=names.of(row.area_id),
            n_visits=int(figures.loc[row.id, "n_visits"]),
            n_urgent=int(figures.loc[row.id, "n_urgent"]),
            n_waiting=int(figures.loc[row.id, "n_waiting"]),
            n_later=int(figures.loc[row.id, "n_later"]),
            minutes=float(figures.loc[row.id, "minutes"]),
            capacity_minutes=float(minutes),
        )
        for row, minutes in zip(workers.itertuples(index=False), capacity, strict=True)
    )


def _list_of(
    store: RegisterStore, plan: Any, worker: WorkerDay, names: wording.Places
) -> tuple[tuple[Stop, ...], tuple[Waiting, ...]]:
    visits = plan.visits[plan.visits["worker_id"] == worker.worker_id].sort_values("position")
    mine = plan.unvisited["worker_id"] == worker.worker_id
    unvisited = plan.unvisited[mine & (plan.unvisited["due_on"] <= pd.Timestamp(plan.visit_on))]
    wanted = sorted({*visits["person_id"], *unvisited["person_id"]})
    known = store.load_register(
        person_ids=wanted, tables=("people", "households", "visits", "person_changes", "outcomes")
    )
    now = as_known_on(known, pd.Timestamp(plan.visit_on))
    people = wording.People(known, names, pd.Timestamp(plan.visit_on))
    done = done_on(now, plan.visit_on)
    gone = wording.gone(now)
    actions = plan.recommendations.sort_values("rank").groupby("person_id")["action"].agg(tuple)
    stops = tuple(
        Stop(
            position=int(row.position),
            person_id=row.person_id,
            household_id=wording.maybe(row.household_id),
            **people.facts(row.person_id),
            urgency=row.urgency,
            reason=row.reason,
            actions=tuple(actions.get(row.person_id, ()))[:_FEW],
            due_on=wording.day(row.due_on),
            overdue_days=int(row.overdue_days or 0),
            minutes=float(row.minutes),
            travel_minutes=wording.number(row.travel_minutes),
            is_must=bool(row.is_must),
            done=done.get(row.person_id),
        )
        for row in visits.itertuples(index=False)
        # Who died or left since the plan was made is off the list at once, unless it was
        # this very visit that told.
        if row.person_id not in gone or row.person_id in done
    )
    waiting = tuple(
        Waiting(
            person_id=row.person_id,
            name=people.facts(row.person_id)["name"],
            age=people.facts(row.person_id)["age"],
            urgency=row.urgency,
            reason=row.reason,
            due_on=wording.day(row.due_on),
        )
        for row in unvisited.itertuples(index=False)
        if row.person_id not in gone
    )
    return stops, waiting


def done_on(known: Register, on: date) -> dict[str, str]:
    """What came of each person's visit at home that day, in the order of the records."""
    today = known.visits[known.visits["visited_on"] == pd.Timestamp(on)]
    home = today[today["kind"] == "home"].sort_values("id")
    return dict(zip(home["person_id"], home["outcome"], strict=True))


def find_people(*, store: RegisterStore, text: str, limit: int = 30) -> tuple[PersonFound, ...]:
    """People whose name or key begins like the text."""
    found = store.people_search(text.strip(), limit=limit) if text.strip() else None
    if found is None or not len(found):
        return ()
    ids = list(found["id"])
    register = store.load_register(
        person_ids=ids,
        tables=("people", "person_changes", "visits", "households", "outcomes"),
    )
    places = wording.Places(store.load_register(tables=("areas",)).areas)
    last = store.last_recorded_day()
    as_of = pd.Timestamp(last) if last else pd.Timestamp.max
    people = wording.People(register, places, as_of)
    status = wording.statuses(register, as_of)
    return tuple(
        PersonFound(person_id=key, **people.facts(key), status=status.get(key, "in the register"))
        for key in ids
    )


def show_person(
    *,
    store: RegisterStore,
    models: ModelStore,
    programme: Programme,
    person_id: str,
    as_of: date | None = None,
) -> PersonView:
    """Everything a worker needs of one person: what to do, why, risk, history.

    Raises
    ------
    NotFound
        If no such person is in the register.
    """
    check_people(store, person_id)
    on = day_of(store, as_of)
    register = load_part(store, [person_id])
    assessed = assess(
        register,
        programme=programme,
        as_of=on,
        using=usable_model(models, store, PRIORITY_OUTCOME),
        person_ids=[person_id],
    )
    return _person_view(store, register, assessed, person_id)


def _person_view(
    store: RegisterStore, register: Register, assessed: Assessment, person_id: str
) -> PersonView:
    on = assessed.as_of
    areas = store.load_register(tables=("areas",)).areas
    people = wording.People(register, wording.Places(areas), on)
    population = store.population or "real"
    advice = tuple(_advice(row) for row in assessed.recommendations.itertuples(index=False))
    more = tuple(_advice(row) for row in assessed.more().itertuples(index=False))
    own = register.of_people([person_id])
    known = assessed.register.of_people([person_id])
    return PersonView(
        person_id=person_id,
        **people.facts(person_id),
        household_id=people.household(person_id),
        phone=people.phone(person_id),
        status=wording.statuses(register, on).get(person_id, "in the register"),
        as_of=on.date(),
        risks=tuple(
            wording.risk_shown(row, population)
            for row in assessed.shown_risks().itertuples(index=False)
        ),
        advice=advice,
        more_advice=more,
        measurements=wording.measurements(known.observations),
        conditions=wording.conditions(known.conditions),
        visits=_past_visits(own.visits, on),
        changes=_changes(own.person_changes),
        population=population,
        notes=assessed.notes,
        follow_up_on=_follow_up(assessed),
        what_if=wording.what_if_shown(assessed.what_if(), assessed.effects),
    )


def _follow_up(assessed: Assessment) -> date | None:
    """The one day by which to come again, which agrees with all advice."""
    days = follow_up_on(assessed.everything, as_of=assessed.as_of)
    return days.min().date() if len(days) else None


def show_household(
    *,
    store: RegisterStore,
    models: ModelStore,
    programme: Programme,
    household_id: str,
    as_of: date | None = None,
) -> HouseholdView:
    """One visit, several people: the few things to do for each, most urgent person first.

    Raises
    ------
    NotFound
        If nobody of the register lives in such a household.
    """
    on = day_of(store, as_of)
    homes = store.load_register(tables=("people",)).people
    ids = sorted(homes.loc[homes["household_id"] == household_id, "id"])
    if not ids:
        raise NotFound("Nobody lives in this household.", cure="Look the person up first.")
    register = load_part(store, ids)
    assessed = assess(
        register,
        programme=programme,
        as_of=on,
        using=usable_model(models, store, PRIORITY_OUTCOME),
        person_ids=ids,
    )
    people = wording.People(
        register, wording.Places(store.load_register(tables=("areas",)).areas), on
    )
    advice = assessed.recommendations
    first = advice.drop_duplicates("person_id")
    level = first["urgency"].map(URGENCY_LEVEL)
    order = first.assign(level=level).sort_values(["level", "due_on", "person_id"])["person_id"]
    members = tuple(_member(people, key, advice[advice["person_id"] == key]) for key in order)
    return HouseholdView(
        household_id=household_id,
        place=people.facts(ids[0])["place"],
        as_of=on.date(),
        members=members,
        follow_up_on=_follow_up(assessed),
        population=store.population or "real",
        notes=assessed.notes,
    )


def _member(people: wording.People, person_id: str, advice: pd.DataFrame) -> HouseholdMember:
    facts = people.facts(person_id)
    return HouseholdMember(
        person_id=person_id,
        name=facts["name"],
        sex=facts["sex"],
        age=facts["age"],
        advice=tuple(_advice(row) for row in advice.itertuples(index=False)),
    )


def _advice(row: Any) -> Advice:
    return Advice(
        rank=int(row.rank),
        urgency=row.urgency,
        action=row.action,
        reason=row.reason,
        source=row.source,
        is_verified=bool(row.is_verified),
        due_on=row.due_on.date(),
        rule_id=row.rule_id,
        kind=row.kind,
    )


def _past_visits(visits: pd.DataFrame, as_of: pd.Timestamp) -> tuple[PastVisit, ...]:
    corrected = set(visits["supersedes_id"].dropna())
    seen = visits[visits["visited_on"] <= as_of].sort_values(["visited_on", "id"], ascending=False)
    return tuple(
        PastVisit(
            visit_id=row.id,
            visited_on=row.visited_on.date(),
            kind=row.kind,
            outcome=row.outcome,
            minutes=wording.number(row.minutes),
            is_corrected=row.id in corrected,
        )
        for row in seen.itertuples(index=False)
    )


def _changes(changes: pd.DataFrame) -> tuple[Change, ...]:
    undone = set(changes["supersedes_id"].dropna())
    return tuple(
        Change(
            change_id=row.id,
            change=row.change,
            happened_on=row.happened_on.date(),
            into_person_id=wording.maybe(row.into_person_id),
        )
        for row in changes.itertuples(index=False)
        if row.change != "undone" and row.id not in undone
    )
