"""Declaring experiments on how people are reached, and reading them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chw_tools.data_processing import as_known_on
from chw_tools.errors import Conflict, NotFound
from chw_tools.monitoring.evidence import IN_PERSON
from chw_tools.outreach.experiment_results import read_results
from chw_tools.outreach.experiments import SEEN, read_experiment
from chw_tools.workflows.assess import day_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    import pandas as pd

    from chw_tools.outreach.experiment_results import Reading
    from chw_tools.outreach.experiments import Experiment
    from chw_tools.programme import Programme
    from chw_tools.records import Register
    from chw_tools.workflows.ports import Cases, RegisterStore

_SENT = ("accepted", "sent", "delivered", "read")


@dataclass(frozen=True)
class ExperimentView:
    """One experiment and what it says."""

    experiment: Experiment
    state: str
    declared_at: datetime
    reading: Reading
    as_of: date
    population: str | None


def declare_experiment(
    raw: Mapping[str, Any], *, cases: Cases, programme: Programme, salt: str, now: datetime
) -> Experiment:
    """Keep an experiment before anybody is exposed.

    Parameters
    ----------
    raw : mapping
        The declaration; ``starts_on`` is today where it is not said.
    cases, programme
        The parts.
    salt : str
        Random; the key of the arms.
    now : datetime
        The instant.

    Raises
    ------
    InputError
        With every fault of the declaration, an arm that withholds due care among them.
    Conflict
        If one of that name exists, or it would have begun before it was declared.
    """
    given = {"starts_on": now.date().isoformat(), **raw}
    experiment = read_experiment(given, protocols=programme.protocols)
    if experiment.starts_on < now.date():
        raise Conflict(
            "An experiment cannot begin before it was declared.",
            cure="Leave `starts_on` out, or name a day from today on.",
        )
    cases.declare(experiment.declared(), salt=salt, now=now)
    return experiment


def show_experiments(
    *,
    store: RegisterStore,
    cases: Cases,
    programme: Programme,
    name: str | None = None,
    as_of: date | None = None,
) -> tuple[ExperimentView, ...]:
    """Experiments and what may be read of them; the newest first.

    Raises
    ------
    NotFound
        If there is none of the name asked for.
    """
    rows = cases.load("experiments")
    if name is not None:
        rows = rows[rows["name"] == name]
        if rows.empty:
            raise NotFound("No such experiment.", cure="See them all: chw experiments show")
    if rows.empty:
        return ()
    day = day_of(store, as_of)
    tables = ("people", "person_changes", "visits", "outcomes")
    known = as_known_on(store.load_register(tables=tables), day)
    views = []
    for row in rows.sort_values("made_at", ascending=False).itertuples(index=False):
        experiment = read_experiment(row.declared, protocols=programme.protocols)
        exposures = cases.load("exposures", column="experiment", keys=[experiment.name])
        reading = read_results(
            experiment,
            exposures,
            _events(known, experiment.outcome),
            as_of=day,
            treated=_treated(cases, exposures, experiment.name),
        )
        views.append(
            ExperimentView(
                experiment, row.state, row.made_at, reading, day.date(), store.population
            )
        )
    return tuple(views)


def read_experiment_once(
    name: str,
    *,
    store: RegisterStore,
    cases: Cases,
    programme: Programme,
    now: datetime,
    as_of: date | None = None,
) -> ExperimentView:
    """Read an experiment and say so: from then on it exposes nobody.

    Raises
    ------
    NotFound
        If there is none of that name.
    Conflict
        If its design does not allow a conclusion yet.
    """
    (view,) = show_experiments(
        store=store, cases=cases, programme=programme, name=name, as_of=as_of
    )
    if not view.reading.is_final:
        raise Conflict(view.reading.note, where=name, cure="Wait; the counts are shown meanwhile.")
    cases.close_experiment(name, "read", now=now)
    return view


def _events(known: Register, outcome: str) -> pd.DataFrame:
    """Days on which each person had the outcome."""
    if outcome == SEEN:
        visits = known.visits
        met = visits[(visits["outcome"] == "seen") & visits["kind"].isin(IN_PERSON)]
        return met[["person_id", "visited_on"]].set_axis(["person_id", "on"], axis=1)
    rows = known.outcomes
    had = rows[(rows["outcome"] == outcome) & rows["is_positive"].fillna(False)]
    return had[["person_id", "happened_on"]].set_axis(["person_id", "on"], axis=1)


def _treated(cases: Cases, exposures: pd.DataFrame, name: str) -> set[str]:
    """Who was sent a message of the experiment."""
    rows = cases.load("messages", column="person_id", keys=exposures["person_id"])
    sent = rows[(rows["experiment"] == name) & rows["state"].isin(_SENT)]
    return set(sent["person_id"])
