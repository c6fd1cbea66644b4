"""What a plan rests on: advice, risks, who lives where and who works there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from chw_tools.resource_allocation.assignment import (
    assign_households,
    assumed_workers,
    places_of,
)
from chw_tools.resource_allocation.needs import expected_benefit, needs
from chw_tools.resource_allocation.required import living_follow_ups

if TYPE_CHECKING:
    from chw_tools.feature_engineering import Features
    from chw_tools.programme import Programme


@dataclass(frozen=True)
class Situation:
    """What is known when visits are planned.

    Parameters
    ----------
    recommendations, risks : DataFrame
        As declared; advice decides who needs a visit, and by when.
    features : Features
        Of the living people of the programme; advice for anybody else is refused.
    people, households, areas, workers : DataFrame
        As known on the day whose knowledge is used. Without workers, some are assumed.
    outcome : str, optional
        The outcome whose risk weighs in the order, if the programme declares what a visit
        does to it.
    follow_ups : DataFrame, optional
        Visits that must be made within a window, as declared in ``REQUIRED_VISITS``
        (``person_id``, ``due_from``, ``due_by``, ``urgency``, ``reason_key``, and ``reason``
        where there is a sentence). They raise their people to must-visits.
    caseloads : Series, optional
        Worker planned for each home, by household (or person without one).
    gains : Series, optional
        What a visit to each person is worth (probability of harm averted), in place of risk
        times effect: an index, or a forecast.
    """

    recommendations: pd.DataFrame
    risks: pd.DataFrame
    features: Features
    people: pd.DataFrame
    households: pd.DataFrame
    areas: pd.DataFrame
    workers: pd.DataFrame
    outcome: str | None = None
    follow_ups: pd.DataFrame | None = None
    caseloads: pd.Series | None = None
    gains: pd.Series | None = None


@dataclass(frozen=True)
class WhoNeeds:
    """Everybody with advice or a follow-up, and who is at work.

    Parameters
    ----------
    table : DataFrame
        By ``person_id``: what :func:`~.needs.needs` gives, ``home``, ``household_id``,
        ``area_id``, ``latitude``, ``longitude``, ``worker_id``.
    staff : DataFrame
        Workers at work that day.
    follow_ups : DataFrame
        Those of people who can be visited.
    notes : tuple of str
    """

    table: pd.DataFrame
    staff: pd.DataFrame
    follow_ups: pd.DataFrame
    notes: tuple[str, ...]


def who_needs(situation: Situation, *, programme: Programme, visit_on: pd.Timestamp) -> WhoNeeds:
    """Everybody with advice or a follow-up, with need, home, position and worker.

    Raises
    ------
    ValueError
        If there is advice for somebody without features: dead, moved away or unknown.
    """
    living = situation.features.frame.index
    advised = pd.Index(situation.recommendations["person_id"])
    if (living.get_indexer(advised) < 0).any():
        raise ValueError("advice for people who are not in the features")
    people = situation.people
    here = people[living.get_indexer(pd.Index(people["id"])) >= 0]
    staff, notes = _staff(situation.workers, here, programme, visit_on)
    follow_ups, said = living_follow_ups(situation.follow_ups, living)
    benefit = expected_benefit(
        situation.risks, living, outcome=situation.outcome, programme=programme
    )
    if situation.gains is not None:
        benefit = benefit._replace(by_person=situation.gains.reindex(living), note="")
    table = needs(
        situation.recommendations,
        benefit,
        programme=programme,
        visit_on=visit_on,
        follow_ups=follow_ups,
    )
    households, areas = situation.households, situation.areas
    places = places_of(here, households, areas).set_index("person_id")
    table = table.join(places[["home", "area_id", "latitude", "longitude"]])
    table["household_id"] = here.set_index("id")["household_id"].reindex(table.index)
    worker = assign_households(here, households, areas, staff, caseloads=situation.caseloads)
    table["worker_id"] = worker.reindex(table.index)
    return WhoNeeds(table, staff, follow_ups, (*notes, *said, *filter(None, [benefit.note])))


def _staff(
    workers: pd.DataFrame, people: pd.DataFrame, programme: Programme, visit_on: pd.Timestamp
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The workers at work that day; some are assumed where the data name none."""
    if not len(workers):
        staff = assumed_workers(people, programme=programme, as_of=visit_on)
        said = f"The data name no worker; {len(staff)} assumed, one per "
        return staff, (f"{said}{programme.planning.people_per_worker:g} people.",)
    staff = at_work(workers, visit_on).drop_duplicates("id")  # one listed twice is one
    note = "No worker is at work that day; nobody is visited."
    return staff, () if len(staff) else (note,)


def at_work(workers: pd.DataFrame, on: pd.Timestamp) -> pd.DataFrame:
    """The workers who have begun and not ended their work on that day."""
    begun = workers["started_on"].isna() | (workers["started_on"] <= on)
    return workers[begun & ~(workers["ended_on"] < on)]
