"""The same people looked at on several days: features as known then, labels from after.

Which days, and one row of what, is the outcome's index-date rule: each person on each index
day, each planned visit, or each pregnancy. Visits and pregnancies have thousands of days; they
are taken together by decision days, each with one feature table of the people in question.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from chw_tools.errors import NotEnoughData
from chw_tools.feature_engineering import (
    Features,
    add_state,
    build_features,
    count_states,
    describe_counts,
    label_rows,
    last_known_day,
    people_in_question,
    people_needed,
    select_for_model,
    sum_counts,
)
from chw_tools.feature_engineering.lookup import positions_among
from chw_tools.model_training.guards import check_known_at

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from chw_tools.programme.outcomes import OutcomeDefinition
    from chw_tools.records import Register

#: Columns by which the report judges subgroups, where the features have them.
JUDGED_BY = ("sex", "age_years", "wealth_fifth", "facility_km", "is_rural")
#: Visits and pregnancies are judged over half a year: single days hold too few. A decision of
#: this project, so long as the horizon of its first outcome.
PERIOD_DAYS = 180


@dataclass(frozen=True)
class Cohorts:
    """Features and labels of one or more index days, one below the other.

    Parameters
    ----------
    outcome : str
        Name of the outcome.
    features : Features
        Chosen for the outcome; a person has one row for each index day on which the outcome
        can be observed. ``as_of`` is the last index day.
    labels : Series of boolean
        Row by row beside the features; missing where not observable.
    as_of : Series of day
        Index day of each row.
    households : Series
        Household of each row; the person where none is known.
    judged_by : DataFrame
        What subgroups are made of; not always an input.
    horizon_days : int
        Days from the index day until a label is settled; 0 where nothing after it counts.
    areas : Series, optional
        Area of each row, for a split by area; missing where none is known.
    settled_on : Series of day, optional
        Day on which each row's label is settled.
    periods : Series of day, optional
        First index day of the period that each row belongs to: the last period judges, the
        ones before are learnt from. The index day itself where absent.
    subjects : Series, optional
        The visit or pregnancy of each row; missing where the row is about the person.
    counts : DataFrame
        What became of every row asked about: ``state``, ``why``, ``competing``, ``n``.
    """

    outcome: str
    features: Features
    labels: pd.Series
    as_of: pd.Series
    households: pd.Series
    judged_by: pd.DataFrame
    horizon_days: int
    areas: pd.Series | None = None
    settled_on: pd.Series | None = None
    periods: pd.Series | None = None
    subjects: pd.Series | None = None
    counts: pd.DataFrame = field(default_factory=pd.DataFrame)

    def describe_counts(self) -> str:
        """In a sentence: who was asked about, left out and why, and had the outcome."""
        return describe_counts(self.counts)

    def take(self, kept: NDArray[np.bool_]) -> Cohorts:
        """Some of the rows; the counts stay those of all."""
        held = self.features
        rows = {name: getattr(self, name) for name in _BY_ROW}
        return replace(
            self,
            features=Features(held.frame[kept], held.declaration, held.as_of),
            **{name: values[kept] for name, values in rows.items() if values is not None},
        )


#: The fields that have one value a row, but the features.
_BY_ROW = (
    "labels",
    "as_of",
    "households",
    "judged_by",
    "areas",
    "settled_on",
    "periods",
    "subjects",
)


def choose_index_days(
    last_known_on: pd.Timestamp, definition: OutcomeDefinition, *, n_days: int = 5
) -> list[pd.Timestamp]:
    """Index days back from the end of the data, earliest first.

    The last one's outcomes are settled by the end of the data. Index days stand so far apart
    that each one's outcomes are settled before the next begins; decision days of visits and
    pregnancies stand ``index_every_days`` apart, over as many half-years. A status has one
    index day: the last known.
    """
    if not definition.looks_ahead:
        return [last_known_on]
    last = last_known_on - pd.Timedelta(days=definition.settle_days)
    step = pd.Timedelta(days=definition.settle_days)
    if definition.index_rule != "index_days":
        step = pd.Timedelta(days=definition.index_every_days)
        n_days = -(-n_days * PERIOD_DAYS // definition.index_every_days)
    return [last - step * (n_days - 1 - i) for i in range(n_days)]


def make_cohorts(
    register: Register,
    definition: OutcomeDefinition,
    *,
    index_days: Sequence[pd.Timestamp],
) -> Cohorts:
    """Features as known on each index day, with what happened afterwards.

    Parameters
    ----------
    register : Register
        All that was recorded.
    definition : OutcomeDefinition
        What counts, and what may not be an input.
    index_days : sequence of Timestamp
        At least one; see :func:`choose_index_days`. A row whose label is settled only after
        judging begins is left out.

    Raises
    ------
    NotEnoughData
        If the outcome can be observed of nobody on any of the days.
    LeakFound
        If a feature of the last index day changes with what became known after it.
    """
    days = sorted(set(index_days))
    until = last_known_day(register)
    some = People(register)
    parts = [_one_day(some, definition, day, until) for day in days]
    counts = sum_counts([part.counts for part in parts])
    kept = [part for part in parts if len(part.labels)]
    if not kept:
        raise NotEnoughData(
            f"the outcome can be observed of nobody on any index day ({describe_counts(counts)})",
            where=definition.name,
            cure="Choose earlier index days, or import the outcomes.",
        )
    check_known_at(register, kept[-1].features, definition=definition)
    return _in_periods(_stacked(kept, counts), definition)


class People:
    """A register of which parts about some people are wanted again and again.

    Whom each row is about is looked up once: text compared for every decision day would take
    longer than everything else.
    """

    def __init__(self, register: Register) -> None:
        self.register = register
        self.ids = register.people["id"]
        self.of_row = {
            name: positions_among(frame["person_id"], self.ids)
            for name, frame in register.tables()
            if "person_id" in frame
        }

    def needed(self, person_ids: pd.Index) -> Register:
        """The part of the register that the features of some people need."""
        needed = people_needed(self.register, person_ids)
        wanted = np.zeros(len(self.ids) + 1, dtype=bool)  # the last: of nobody in the register
        wanted[positions_among(pd.Series(needed, dtype="str"), self.ids)] = True
        wanted[-1] = False
        parts = {name: getattr(self.register, name)[wanted[at]] for name, at in self.of_row.items()}
        return replace(self.register, people=self.register.people[wanted[:-1]], **parts)


def _one_day(
    some: People,
    definition: OutcomeDefinition,
    day: pd.Timestamp,
    until: pd.Timestamp | None,
) -> Cohorts:
    asked = people_in_question(some.register, definition, as_of=day)
    part = some.register if asked is None else some.needed(asked)
    everything = build_features(part, as_of=day)
    rows = label_rows(part, definition, as_of=day, known_until=until, features=everything)
    counts = count_states(rows)
    rows = rows[rows["label"].notna()]
    frame = everything.frame.loc[rows.index]
    people = pd.Series(frame.index, frame.index, dtype="str")
    homes = frame["household_id"].astype("str")
    return Cohorts(
        outcome=definition.name,
        features=select_for_model(Features(frame, everything.declaration, day), definition),
        labels=rows["label"].rename(definition.name),
        as_of=pd.Series(day, frame.index, dtype="datetime64[s]"),
        households=homes.where(homes.notna(), people),
        judged_by=_judged_by(part, frame),
        horizon_days=definition.settle_days,
        areas=frame["area_id"].astype("str"),
        settled_on=rows["settled_on"],
        subjects=rows["subject_id"].astype("str"),
        counts=counts,
    )


def _judged_by(register: Register, frame: pd.DataFrame) -> pd.DataFrame:
    """What subgroups are made of; areas by the name that people know them by."""
    found = frame[[name for name in JUDGED_BY if name in frame]]
    areas = register.areas.drop_duplicates("id").set_index("id")
    names = frame["area_id"].map(areas["name"]).astype("str")
    return found.assign(area=names.where(names.notna(), frame["area_id"]))


def _stacked(parts: list[Cohorts], counts: pd.DataFrame) -> Cohorts:
    last = parts[-1].features
    joined = {
        name: pd.concat([getattr(part, name) for part in parts])
        for name in _BY_ROW
        if getattr(parts[0], name) is not None
    }
    frame = pd.concat([part.features.frame for part in parts])
    features = Features(frame, last.declaration, last.as_of)
    return replace(parts[-1], features=features, counts=counts, **joined)


def _in_periods(cohorts: Cohorts, definition: OutcomeDefinition) -> Cohorts:
    """Each row in its period, without those that are settled only after judging begins."""
    days = cohorts.as_of
    if definition.index_rule == "index_days" or cohorts.settled_on is None:
        return replace(cohorts, periods=days)
    back = ((days.max() - days).dt.days // PERIOD_DAYS).to_numpy()
    starts = pd.Series(days.to_numpy()).groupby(back).transform("min").to_numpy()
    judged_from = starts[back == 0].min()
    in_time = (back == 0) | (cohorts.settled_on.to_numpy() <= judged_from)
    counts = add_state(cohorts.counts, "not_settled", int((~in_time).sum()))
    found = replace(cohorts, periods=pd.Series(starts, days.index), counts=counts)
    return found.take(in_time)
