"""The same people looked at on several days: features as known then, labels from after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from chw_tools.errors import NotEnoughData
from chw_tools.feature_engineering import (
    Features,
    build_features,
    label_outcome,
    select_for_model,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chw_tools.programme.outcomes import OutcomeDefinition
    from chw_tools.records import Register

#: Columns by which the report judges subgroups, where the features have them.
JUDGED_BY = ("sex", "age_years", "wealth_fifth", "facility_km", "is_rural", "area_id")


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
        0 for a status.
    areas : Series, optional
        Area of each row, for a split by area; missing where none is known.
    """

    outcome: str
    features: Features
    labels: pd.Series
    as_of: pd.Series
    households: pd.Series
    judged_by: pd.DataFrame
    horizon_days: int
    areas: pd.Series | None = None


def choose_index_days(
    last_known_on: pd.Timestamp, definition: OutcomeDefinition, *, n_days: int = 5
) -> list[pd.Timestamp]:
    """Index days back from the end of the data, a horizon apart, earliest first.

    The last one's outcomes are settled by the end of the data, and each earlier one's
    before the next begins. A status has one index day: the last known.
    """
    if definition.kind == "status" or not definition.horizon_days:
        return [last_known_on]
    step = pd.Timedelta(days=definition.horizon_days)
    return [last_known_on - step * (n_days - i) for i in range(n_days)]


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
        At least one; see :func:`choose_index_days`. Days a horizon apart keep training
        outcomes settled before judging begins.

    Raises
    ------
    NotEnoughData
        If the outcome can be observed of nobody on any of the days.
    """
    parts = [_one_day(register, definition, day) for day in sorted(set(index_days))]
    kept = [part for part in parts if len(part.labels)]
    if not kept:
        raise NotEnoughData(
            "the outcome can be observed of nobody on any index day",
            where=definition.name,
            cure="Choose earlier index days, or import the outcomes.",
        )
    return Cohorts(
        outcome=definition.name,
        features=Features(
            _stack([part.features.frame for part in kept]),
            kept[-1].features.declaration,
            kept[-1].features.as_of,
        ),
        labels=_stack([part.labels for part in kept]),
        as_of=_stack([part.as_of for part in kept]),
        households=_stack([part.households for part in kept]),
        judged_by=_stack([part.judged_by for part in kept]),
        horizon_days=kept[-1].horizon_days,
        areas=_stack([part.areas for part in kept if part.areas is not None]),
    )


def _one_day(register: Register, definition: OutcomeDefinition, day: pd.Timestamp) -> Cohorts:
    everything = build_features(register, as_of=day)
    labels = label_outcome(register, definition, as_of=day).dropna()
    frame = everything.frame.loc[everything.frame.index.intersection(labels.index)]
    labels = labels.loc[frame.index]
    homes = frame["household_id"] if "household_id" in frame else pd.Series(pd.NA, frame.index)
    people = pd.Series(frame.index, frame.index, dtype="str")
    return Cohorts(
        outcome=definition.name,
        features=select_for_model(
            Features(frame, everything.declaration, everything.as_of), definition
        ),
        labels=labels,
        as_of=pd.Series(np.repeat(day, len(frame)), frame.index, dtype="datetime64[s]"),
        households=homes.astype("str").where(homes.notna(), people),
        judged_by=frame[[name for name in JUDGED_BY if name in frame]],
        horizon_days=(definition.horizon_days or 0) if definition.kind == "within_days" else 0,
        areas=frame["area_id"].astype("str")
        if "area_id" in frame
        else pd.Series(pd.NA, frame.index),
    )


def _stack(parts: list[pd.DataFrame] | list[pd.Series]) -> pd.DataFrame | pd.Series:
    return pd.concat(parts)
