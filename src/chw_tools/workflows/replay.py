"""Replays and what would be if: nothing is kept."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from chw_tools.data_processing import as_known_on
from chw_tools.errors import InputError, NothingToRead
from chw_tools.resource_allocation import assign_households, at_work, plan_day
from chw_tools.resource_allocation.replay import POLICIES, Moment, Replay, replay
from chw_tools.resource_allocation.what_if import (
    changed_planning,
    changed_workers,
    compare_plans,
)
from chw_tools.workflows.assess import PRIORITY_OUTCOME, assess, day_of, load_part, usable_model
from chw_tools.workflows.plan import situation_of

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import date

    from chw_tools.programme import Programme
    from chw_tools.records import Register
    from chw_tools.resource_allocation import Plan
    from chw_tools.resource_allocation.what_if import Change
    from chw_tools.workflows.assess import Assessment, UsableModel
    from chw_tools.workflows.ports import ModelStore, Progress, RegisterStore

#: A period of the replay, and working days within it.
PERIOD_DAYS = 28
_WORKING_DAYS = 20
#: Days for which a visit counts, as in the simulated programme.
PROTECTS_DAYS = 90.0
_EVENTS = ("hospital_admission", "death")
GROUPS = ("wealth_fifth", "sex")


@dataclass(frozen=True)
class WhatIf:
    """A day's plan as it is and as it would be."""

    table: pd.DataFrame
    before: Plan
    after: Plan
    as_of: date
    visit_on: date
    notes: tuple[str, ...]


def what_if(
    changes: Sequence[Change],
    *,
    store: RegisterStore,
    models: ModelStore,
    programme: Programme,
    as_of: date | None = None,
    visit_on: date | None = None,
) -> WhatIf:
    """Plan a day twice, as things are and with changes, and set the figures side by side.

    Raises
    ------
    NothingToRead
        If nothing was ever recorded and no day is given.
    """
    known_on = day_of(store, as_of)
    on = pd.Timestamp(visit_on).as_unit("s") if visit_on else known_on + pd.Timedelta(days=1)
    using = usable_model(models, store, PRIORITY_OUTCOME)
    assessment = assess(load_part(store, None), programme=programme, as_of=known_on, using=using)
    register = assessment.register
    before = _day(assessment, register.workers, register.households, programme, on)
    workers, households = changed_workers(
        register.workers, register.households, changes, plan=before
    )
    other = replace(programme, planning=changed_planning(programme.planning, changes))
    after = _day(assessment, workers, households, other, on)
    table = compare_plans(before, after)
    return WhatIf(table, before, after, known_on.date(), on.date(), (*using.notes, *before.notes))


def _day(
    assessment: Assessment,
    workers: pd.DataFrame,
    households: pd.DataFrame,
    programme: Programme,
    on: pd.Timestamp,
) -> Plan:
    situation = replace(situation_of(assessment), workers=workers, households=households)
    return plan_day(situation, programme=programme, visit_on=on)


def replay_policies(
    *,
    store: RegisterStore,
    models: ModelStore,
    programme: Programme,
    from_day: date,
    to_day: date,
    policies: Collection[str] = POLICIES,
    truth: pd.DataFrame | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Replay:
    """Live through recorded months once for each rule of whom to visit.

    Parameters
    ----------
    store, models, programme
        The parts. A model scores each period with what was known on its first day.
    from_day, to_day : date
        First day, and the last by which a period must have ended.
    policies : collection of str
        Of :data:`chw_tools.resource_allocation.replay.POLICIES`.
    truth : DataFrame, optional
        True risks of a simulated programme (``truth/risks``), by the register's own keys.
    seed, progress
        Chance, and who is told how far it is.

    Raises
    ------
    InputError
        If no period lies between the days, or no policy is of that name.
    NothingToRead
        If the truth names nobody of this store.
    """
    unknown = sorted(set(policies) - set(POLICIES))
    if unknown:
        raise InputError(
            "no such policy.", where="--policy", cure=f"Name one of {', '.join(POLICIES)}."
        )
    starts = pd.date_range(
        from_day, pd.Timestamp(to_day) - pd.Timedelta(days=PERIOD_DAYS), freq=f"{PERIOD_DAYS}D"
    ).as_unit("s")
    if not len(starts):
        raise InputError(
            f"no period of {PERIOD_DAYS} days lies between.",
            where="--from, --to",
            cure="Choose days further apart.",
        )
    whole = load_part(store, None)
    using = usable_model(models, store, PRIORITY_OUTCOME)
    moments = []
    for done, on in enumerate(starts):
        moments.append(_moment(whole, on, using, programme, truth))
        if progress is not None:
            progress("periods", done + 1, len(starts))
    workers = at_work(whole.workers, starts[0])
    minutes = workers.set_index("id")["capacity_minutes"].astype("float64")
    planning = programme.planning
    each = planning.visit_minutes + planning.default_travel_minutes
    visits = np.floor(minutes.fillna(planning.capacity_minutes) * _WORKING_DAYS / each)
    found = replay(
        moments,
        policies=policies,
        visits_per_worker=visits.astype("int64"),
        minutes_per_visit=each,
        period_days=PERIOD_DAYS,
        protects_days=PROTECTS_DAYS,
        groups=GROUPS,
        seed=seed,
    )
    return replace(found, notes=(*found.notes, *using.notes))


def _moment(
    whole: Register,
    on: pd.Timestamp,
    using: UsableModel,
    programme: Programme,
    truth: pd.DataFrame | None,
) -> Moment:
    assessment = assess(whole, programme=programme, as_of=on, using=using)
    register, features = assessment.register, assessment.features.frame
    here = register.people[register.people["id"].isin(features.index)]
    staff = at_work(register.workers, on)
    worker = assign_households(here, register.households, register.areas, staff)
    risks = assessment.risks
    own = risks[(risks["outcome"] == assessment.priority_outcome) & (risks["state"] == "estimated")]
    effect = programme.effect_for(assessment.priority_outcome)
    home = register.households.set_index("id")
    people = pd.DataFrame(index=pd.Index(here["id"], name="person_id"))
    people["worker_id"] = worker.reindex(people.index)
    people["risk"] = own.drop_duplicates("person_id").set_index("person_id")["risk"]
    # Where no effect is declared, that of a visit is taken as the same for all.
    people["effect"] = 1.0 if effect is None else effect.reduction
    people["weeks_unseen"] = features["days_since_visit"].astype("float64") / 7.0
    people["sex"] = here["sex"].to_numpy()
    fifth = here["household_id"].map(home["wealth_fifth"])
    people["wealth_fifth"] = fifth.to_numpy(dtype=object)
    if truth is None:
        people["cases"] = _recorded(whole, on).reindex(people.index).fillna(0.0)
        people["true_effect"] = np.nan
        return Moment(on, people)
    return Moment(on, _with_truth(people, here, truth, on))


def _recorded(whole: Register, on: pd.Timestamp) -> pd.Series:
    """Whether an event was recorded within the period, by person; known whenever."""
    rows = as_known_on(whole, pd.Timestamp.max.floor("s").as_unit("s")).outcomes
    ends = on + pd.Timedelta(days=PERIOD_DAYS)
    hit = rows[
        rows["outcome"].isin(_EVENTS)
        & rows["is_positive"].fillna(False)
        & (rows["happened_on"] > on)
        & (rows["happened_on"] <= ends)
    ]
    return pd.Series(1.0, index=pd.Index(hit["person_id"].unique()))


def _with_truth(
    people: pd.DataFrame, here: pd.DataFrame, truth: pd.DataFrame, on: pd.Timestamp
) -> pd.DataFrame:
    """The true chance of an event within the period, and the true effect of a visit."""
    rows = (
        truth[truth["as_of"] <= on].sort_values("as_of").drop_duplicates("person_id", keep="last")
    )
    of = rows.set_index("person_id").reindex(here["source_id"].to_numpy())
    if of["probability_unvisited"].notna().sum() == 0:
        raise NothingToRead(
            "The truth names nobody of this store.", cure="Give the folder that was ingested."
        )
    share = PERIOD_DAYS / of["horizon_days"].to_numpy(float)
    chance = 1.0 - (1.0 - of["probability_unvisited"].to_numpy(float)) ** share
    people["cases"] = np.nan_to_num(chance)
    people["true_effect"] = of["visit_effect"].fillna(0.0).to_numpy(float)
    return people
