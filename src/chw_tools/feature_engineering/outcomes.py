"""What a model is to foresee, as labels; and the inputs it may see."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from chw_tools.data_processing import as_known_on
from chw_tools.data_processing.known import DEATHS
from chw_tools.feature_engineering.people import age_years, likely_births
from chw_tools.records.condition_groups import load_code_groups

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from chw_tools.feature_engineering.declaration import Feature, Features
    from chw_tools.programme.outcomes import OutcomeDefinition
    from chw_tools.records.register import Register


def label_outcome(
    register: Register, definition: OutcomeDefinition, *, as_of: pd.Timestamp
) -> pd.Series:
    """Whether the outcome befell each person, where that can be known.

    Parameters
    ----------
    register : Register
        All that was recorded, with what became known after ``as_of``.
    definition : OutcomeDefinition
        What counts, for whom and over how long.
    as_of : Timestamp
        The day of the features; events after it count (``within_days``), or the status
        recorded by it (``status``). An admission counts as recorded in the outcomes or as an
        inpatient visit; a death, there or in the person's entry.

    Returns
    -------
    Series of boolean
        Indexed by ``person_id``: everyone living here as known on ``as_of``. Missing where
        the person is outside the ages of the definition, where the register ends before the
        horizon does, where the person left before it or turned out to have died before
        ``as_of``, or where no status is recorded.
    """
    people = _living(as_known_on(register, as_of))
    index = pd.Index(people["id"], name="person_id")
    if definition.kind == "status":
        labels = _status(as_known_on(register, as_of), definition, index)
    else:
        labels = _within_days(register, definition, as_of, index)
    labels[~is_of_age(definition, age_years(likely_births(people, as_of), as_of))] = pd.NA
    return pd.Series(labels, index=index, name=definition.name)


def is_of_age(definition: OutcomeDefinition, age: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether the definition is about people of that age; unknown only if it names no limit."""
    low, high = definition.min_age_years, definition.max_age_years
    fits = np.ones(len(age), dtype=bool)
    if low is not None:
        fits &= age >= low
    if high is not None:
        fits &= np.floor(age) <= high
    return fits


def _living(known: Register) -> pd.DataFrame:
    people = known.people
    here = people["died_on"].isna() & people["moved_on"].isna()
    return people[here].sort_values("id").reset_index(drop=True)


def _within_days(
    register: Register, definition: OutcomeDefinition, as_of: pd.Timestamp, index: pd.Index
) -> pd.arrays.BooleanArray:
    end = as_of + pd.Timedelta(days=definition.horizon_days or 0)
    last_day = last_known_day(register)
    happened = np.zeros(len(index), dtype=bool)
    followed = np.zeros(len(index), dtype=bool)
    if last_day is not None and last_day >= end:
        final = as_known_on(register, last_day)
        happened = index.isin(_befallen(final, definition, as_of, end))
        followed = _followed(final, index, as_of, end)
    # What happened is known even of someone who left afterwards; that nothing happened is
    # known only of someone who stayed in view.
    labels = pd.array(happened, dtype="boolean")
    labels[~followed & ~happened] = pd.NA
    return labels


def _befallen(
    final: Register, definition: OutcomeDefinition, as_of: pd.Timestamp, end: pd.Timestamp
) -> set[str]:
    rows = final.outcomes
    counts = rows["outcome"].isin(definition.recorded) & rows["is_positive"].fillna(False)
    within = (rows["happened_on"] > as_of) & (rows["happened_on"] <= end)
    found = set(rows.loc[counts.to_numpy(dtype=bool) & within, "person_id"])
    if set(definition.recorded) & set(DEATHS):
        people = final.people
        died = (people["died_on"] > as_of) & (people["died_on"] <= end)
        found |= set(people.loc[died, "id"])
    if "hospital_admission" in definition.recorded:
        stays = final.visits[(final.visits["kind"] == "inpatient")]
        stays = stays[(stays["visited_on"] > as_of) & (stays["visited_on"] <= end)]
        found |= set(stays.loc[stays["outcome"] == "seen", "person_id"])
    return found


def _followed(
    final: Register, index: pd.Index, as_of: pd.Timestamp, end: pd.Timestamp
) -> NDArray[np.bool_]:
    people = final.people.set_index("id")
    at = people.index.get_indexer(index)
    moved = people["moved_on"].reset_index(drop=True).reindex(at)
    died = people["died_on"].reset_index(drop=True).reindex(at)
    gone = (moved <= end) | (died <= as_of)  # a death before the day, though known only later
    # An entry merged into another since then is no person of its own: not observable.
    return np.asarray((at >= 0) & ~gone.to_numpy(dtype=bool))


def last_known_day(register: Register) -> pd.Timestamp | None:
    """The last day on which the register learned anything; ``None`` of an empty one."""
    days = [frame["known_on"].max() for _, frame in register.tables() if len(frame)]
    days = [day for day in days if not pd.isna(day)]
    return max(days) if days else None


def _status(
    known: Register, definition: OutcomeDefinition, index: pd.Index
) -> pd.arrays.BooleanArray:
    rows = known.outcomes
    rows = rows[rows["outcome"].isin(definition.recorded)]
    latest = rows.sort_values(["person_id", "happened_on", "known_on", "id"])
    latest = latest.drop_duplicates("person_id", keep="last").set_index("person_id")
    return pd.array(latest["is_positive"].reindex(index), dtype="boolean")


def select_for_model(features: Features, definition: OutcomeDefinition) -> Features:
    """The inputs a model of the outcome may see.

    Left out are what is not for models, what the definition excludes by name or group, and
    what gives the answer away: the excluded conditions and the medicines against them.
    """
    return features.only(
        [f.name for f in features.declaration if f.for_models and not _is_excluded(f, definition)]
    )


def _is_excluded(feature: Feature, definition: OutcomeDefinition) -> bool:
    excluded = set(definition.exclude_features)
    of = {feature.name.removesuffix("_days_since"), feature.name.removesuffix("_per_year")}
    if ({feature.name, feature.group} | of) & excluded:
        return True
    conditions = set(definition.exclude_condition_groups)
    telling = {f"has_{name}" for name in conditions}
    medicines = {
        f"takes_{name}"
        for name, group in load_code_groups().medicines.items()
        if conditions & set(group.treats)
    }
    if medicines:
        telling |= medicines | {"n_active_medicines"}  # counts those medicines too
    return feature.name in telling
