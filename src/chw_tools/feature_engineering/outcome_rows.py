"""Whom an outcome is asked of on a day: one row a person, visit or pregnancy.

A visit or a pregnancy is asked about on a *decision day*, of which there is one every
``index_every_days``: as of the last one before a planned visit, and as of the first one on
which a pregnancy is known. So the features of a row are never from after its index day, and
thousands of different days need few feature tables.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from chw_tools.data_processing import as_known_on
from chw_tools.feature_engineering.care import PREGNANCY_DAYS

if TYPE_CHECKING:
    from chw_tools.programme.outcomes import OutcomeDefinition
    from chw_tools.records.register import Register

#: Columns of the rows: whom, about what, the last day that counts, the day it is settled.
ROW_COLUMNS = ("person_id", "subject_id", "ends_on", "settled_on")


def find_rows(
    register: Register, known: Register, definition: OutcomeDefinition, *, as_of: pd.Timestamp
) -> pd.DataFrame:
    """One row for each person, next planned visit or newly known pregnancy of the day.

    Parameters
    ----------
    register : Register
        All that was recorded: which visits were planned is told by what became of them.
    known : Register
        The same as known on ``as_of``; nobody who had died or left by then has a row.
    definition : OutcomeDefinition
        Its index-date rule.
    as_of : Timestamp
        The index day.

    Returns
    -------
    DataFrame
        :data:`ROW_COLUMNS`, one row a person, sorted by person. ``subject_id`` is the visit
        or pregnancy, else missing; ``ends_on`` is missing where a pregnancy has no dates.
    """
    living = find_living(known)
    if definition.index_rule == "each_visit":
        rows = _next_visits(register, definition, as_of)
    elif definition.index_rule == "each_pregnancy":
        rows = _new_pregnancies(known, definition, as_of)
    else:
        rows = pd.DataFrame({"person_id": living["id"], "subject_id": None})
        rows["ends_on"] = as_of + pd.Timedelta(days=_horizon(definition))
    rows = rows[rows["person_id"].isin(living["id"])].sort_values("person_id", ignore_index=True)
    rows["ends_on"] = rows["ends_on"].astype("datetime64[s]")
    rows["settled_on"] = _settled(rows["ends_on"], definition, as_of)
    return rows[list(ROW_COLUMNS)]


def find_living(known: Register) -> pd.DataFrame:
    """The people who live here as known, sorted by key."""
    people = known.people
    here = people["died_on"].isna() & people["moved_on"].isna()
    return people[here].sort_values("id").reset_index(drop=True)


def people_in_question(
    register: Register, definition: OutcomeDefinition, *, as_of: pd.Timestamp
) -> pd.Index | None:
    """Who can have a row on the day, a few too many perhaps; ``None`` for everybody."""
    first, last = _window(definition, as_of)
    if definition.index_rule == "each_visit":
        days, people = register.visits["planned_on"], register.visits["person_id"]
    elif definition.index_rule == "each_pregnancy":
        days, people = register.pregnancies["known_on"], register.pregnancies["person_id"]
    else:
        return None
    return pd.Index(people[(days > first) & (days <= last)].unique())


def _window(
    definition: OutcomeDefinition, as_of: pd.Timestamp
) -> tuple[pd.Timestamp, pd.Timestamp]:
    """After the first and up to the last of these days: planned, or become known."""
    every = pd.Timedelta(days=definition.index_every_days)
    if definition.index_rule == "each_visit":
        return as_of, as_of + every
    return as_of - every, as_of


def _horizon(definition: OutcomeDefinition) -> int:
    return (definition.horizon_days or 0) if definition.looks_ahead else 0


def _settled(days: pd.Series, definition: OutcomeDefinition, as_of: pd.Timestamp) -> pd.Series:
    """The day on which each row's label is settled: few different ones, none too early."""
    if not definition.looks_ahead:
        return pd.Series(as_of, index=days.index, dtype="datetime64[s]")
    ahead = (days - as_of).dt.days.to_numpy(dtype="float64")
    if definition.index_rule != "index_days":
        every = definition.index_every_days
        ahead = every * np.ceil(ahead / every)
    wait = pd.to_timedelta(ahead + definition.knowledge_delay_days, unit="D")
    return pd.Series(as_of + wait, index=days.index).astype("datetime64[s]")


def _next_visits(
    register: Register, definition: OutcomeDefinition, as_of: pd.Timestamp
) -> pd.DataFrame:
    """Each person's first visit planned after the day and before the next decision day."""
    first, last = _window(definition, as_of)
    settled = as_of + pd.Timedelta(days=definition.settle_days)
    visits = as_known_on(register, settled).visits
    planned = visits["planned_on"]
    asked = visits["kind"].isin(definition.visit_kinds) & (planned > first) & (planned <= last)
    visits = visits[asked].sort_values(["person_id", "planned_on", "id"])
    visits = visits.drop_duplicates("person_id")
    ends = visits["planned_on"] + pd.Timedelta(days=definition.horizon_days or 0)
    return pd.DataFrame(
        {"person_id": visits["person_id"], "subject_id": visits["id"], "ends_on": ends}
    )


def _new_pregnancies(
    known: Register, definition: OutcomeDefinition, as_of: pd.Timestamp
) -> pd.DataFrame:
    """Pregnancies that became known since the last decision day and are not over."""
    first, last = _window(definition, as_of)
    held = known.pregnancies
    new = (held["known_on"] > first) & (held["known_on"] <= last) & held["ended_on"].isna()
    held = held[new].sort_values(["person_id", "known_on", "id"])
    held = held.drop_duplicates("person_id", keep="last")
    weeks = 7 * (definition.birth_before_weeks or 0)
    return pd.DataFrame(
        {
            "person_id": held["person_id"],
            "subject_id": held["id"],
            "ends_on": began_on(held) + pd.Timedelta(days=weeks),
        }
    )


def began_on(pregnancies: pd.DataFrame) -> pd.Series:
    """First day of the last period; by the expected birth where that is given.

    The expected birth stands for the better estimate, as in the feature builder.
    """
    by_due = pregnancies["due_on"] - pd.Timedelta(days=PREGNANCY_DAYS)
    return by_due.fillna(pregnancies["last_period_on"])
