"""What a model is to foresee, as labels; and the inputs it may see.

Each row of an outcome ends in one state: ``positive`` or ``negative`` have a label;
``excluded`` (the definition is not about them), ``competing`` (something came first),
``not_matured`` (too early to know) and ``not_observed`` have none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from chw_tools.data_processing import as_known_on
from chw_tools.errors import ProgrammeFault
from chw_tools.feature_engineering.features import features_as_known
from chw_tools.feature_engineering.outcome_counts import LABELLED
from chw_tools.feature_engineering.outcome_events import (
    Asked,
    find_competing,
    find_events,
    find_gone,
)
from chw_tools.feature_engineering.outcome_rows import find_rows
from chw_tools.records.condition_groups import load_code_groups

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from chw_tools.feature_engineering.declaration import Feature, Features
    from chw_tools.programme.outcomes import OutcomeDefinition
    from chw_tools.records.register import Register

#: Columns of the labelled rows.
LABEL_COLUMNS = ("subject_id", "settled_on", "label", "state", "why", "competing")


def label_outcome(
    register: Register,
    definition: OutcomeDefinition,
    *,
    as_of: pd.Timestamp,
    known_until: pd.Timestamp | None = None,
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
    known_until : Timestamp, optional
        The day of judging, by default the last on which the register learned anything.

    Returns
    -------
    Series of boolean
        Indexed by ``person_id``: everyone living here as known on ``as_of`` of whom the
        definition asks that day. Missing where there is no label; see :func:`label_rows`.
    """
    rows = label_rows(register, definition, as_of=as_of, known_until=known_until)
    return rows["label"].rename(definition.name)


def label_rows(
    register: Register,
    definition: OutcomeDefinition,
    *,
    as_of: pd.Timestamp,
    known_until: pd.Timestamp | None = None,
    features: Features | None = None,
) -> pd.DataFrame:
    """The rows of an outcome on one index day, each with its state and why.

    A label is made of what was known when the row was settled (``ends_on`` and
    ``knowledge_delay_days``), and of nothing later: more records never change it.

    Parameters
    ----------
    register, definition, as_of, known_until
        As in :func:`label_outcome`.
    features : Features, optional
        As of the day, of at least the people asked; built here where absent.

    Returns
    -------
    DataFrame
        Indexed by ``person_id``, one row a person: :data:`LABEL_COLUMNS`. ``why`` names the
        rule that excluded; ``competing`` the event that came first, however it counts; both
        empty where there was none.
    """
    known = as_known_on(register, as_of)
    rows = find_rows(register, known, definition, as_of=as_of)
    if features is None:
        features = features_as_known(known, as_of=as_of)
    rows = rows[rows["person_id"].isin(features.frame.index)].reset_index(drop=True)
    frame = features.frame.loc[rows["person_id"]]
    until = last_known_day(register) if known_until is None else known_until
    state, why = _eligible(definition, frame, known, rows, as_of)
    competing = np.full(len(rows), "", dtype=object)
    mature = _matured(rows["settled_on"], until) if definition.looks_ahead else rows.index >= 0
    state[(state == "") & ~mature] = "not_matured"
    for settled, group in rows[state == ""].groupby("settled_on"):
        at = group.index.to_numpy()
        later = known if not definition.looks_ahead else as_known_on(register, settled)
        asked = Asked(group.reset_index(drop=True), as_of, known, later, frame.iloc[at])
        state[at], why[at], competing[at] = _settle(asked, definition)
    label = pd.array(state == "positive", dtype="boolean")
    label[~np.isin(state, LABELLED)] = pd.NA
    return pd.DataFrame(
        {
            "subject_id": rows["subject_id"].to_numpy(),
            "settled_on": rows["settled_on"].to_numpy(),
            "label": label,
            "state": state,
            "why": why,
            "competing": competing,
        },
        index=pd.Index(rows["person_id"], name="person_id"),
    )


def is_of_age(definition: OutcomeDefinition, age: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether the definition is about people of that age; unknown only if it names no limit."""
    low, high = definition.min_age_years, definition.max_age_years
    fits = np.ones(len(age), dtype=bool)
    if low is not None:
        fits &= age >= low
    if high is not None:
        fits &= np.floor(age) <= high
    return fits


def last_known_day(register: Register) -> pd.Timestamp | None:
    """The last day on which the register learned anything; ``None`` of an empty one."""
    days = [frame["known_on"].max() for _, frame in register.tables() if len(frame)]
    days = [day for day in days if not pd.isna(day)]
    return max(days) if days else None


def _eligible(
    definition: OutcomeDefinition,
    frame: pd.DataFrame,
    known: Register,
    rows: pd.DataFrame,
    as_of: pd.Timestamp,
) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    """``excluded`` and the rule, for whom the definition is not about; else empty."""
    pregnant = frame["is_pregnant"].fillna(False).to_numpy(dtype=bool)
    sex = frame["sex"].astype(object).to_numpy()
    rules = [
        ("age", ~is_of_age(definition, frame["age_years"].to_numpy(dtype="float64"))),
        ("sex", (sex != definition.sex) & (definition.sex is not None)),
        ("not_pregnant", ~pregnant & (definition.pregnant == "only")),
        # Where it is not known whether she is, she may be.
        ("pregnant", ~_is_no(frame["is_pregnant"]) & (definition.pregnant == "none")),
        ("no_dates", rows["ends_on"].isna().to_numpy()),
    ]
    rules += [(f"no_{n}", ~_has(frame, n)) for n in definition.with_condition_groups]
    rules += [(f"has_{n}", _has(frame, n)) for n in definition.without_condition_groups]
    if definition.exclude_prevalent:
        rules.append(("had_it_before", _had_before(definition, known, rows)))
    state = np.full(len(frame), "", dtype=object)
    why = np.full(len(frame), "", dtype=object)
    for name, excluded in rules:
        first = excluded & (state == "")
        state[first], why[first] = "excluded", name
    return state, why


def _is_no(flags: pd.Series) -> NDArray[np.bool_]:
    no: NDArray[np.bool_] = ~flags.fillna(True).to_numpy(dtype=bool)
    return no


def _has(frame: pd.DataFrame, group: str) -> NDArray[np.bool_]:
    has: NDArray[np.bool_] = frame[f"has_{group}"].fillna(False).to_numpy(dtype=bool)
    return has


def _had_before(
    definition: OutcomeDefinition, known: Register, rows: pd.DataFrame
) -> NDArray[np.bool_]:
    told = known.outcomes
    had = told["outcome"].isin(definition.recorded) & told["is_positive"].fillna(False)
    people = told.loc[had.to_numpy(dtype=bool), "person_id"]
    return np.asarray(rows["person_id"].isin(people), dtype=bool)


def _matured(settled: pd.Series, until: pd.Timestamp | None) -> NDArray[np.bool_]:
    if until is None:
        return np.zeros(len(settled), dtype=bool)
    return np.asarray(settled <= until, dtype=bool)


def _settle(
    asked: Asked, definition: OutcomeDefinition
) -> tuple[NDArray[np.object_], NDArray[np.object_], NDArray[np.object_]]:
    """State, reason and competing event of rows that can be judged."""
    found = find_events(asked, definition)
    state = np.where(found.happened, "positive", np.where(found.observed, "negative", ""))
    state = np.where(state == "", "not_observed", state).astype(object)
    why = np.full(len(state), "", dtype=object)
    competing = np.full(len(state), "", dtype=object)
    if definition.looks_ahead:
        _compete(state, competing, asked, definition, found.on)
        for rule, gone in find_gone(asked).items():
            state[gone], why[gone], competing[gone] = "excluded", rule, ""
    return state, why, competing


def _compete(
    state: NDArray[np.object_],
    competing: NDArray[np.object_],
    asked: Asked,
    definition: OutcomeDefinition,
    on: NDArray[np.datetime64],
) -> None:
    """Write what came before the outcome, and count it as the definition says."""
    first = on.copy()
    # What was measured or seen stands, whatever else came.
    is_open = (definition.kind == "within_days") | (state == "not_observed")
    for name, day in find_competing(asked, definition).items():
        earlier = is_open & ~np.isnat(day) & (np.isnat(first) | (day < first))
        counts = definition.counts_as(name)
        state[earlier] = "competing" if counts == "excluded" else counts
        competing[earlier] = name
        first[earlier] = day[earlier]


def select_for_model(features: Features, definition: OutcomeDefinition) -> Features:
    """The inputs a model of the outcome may see.

    Left out are what is not for models unless the definition includes it by name, what the
    definition excludes by name or group, and what gives the answer away: the excluded
    conditions and the medicines against them.

    Raises
    ------
    ProgrammeFault
        If the definition names a feature or group that there is not: a misspelt exclusion
        would let the answer in.
    """
    names = {f.name for f in features.declaration} | {f.group for f in features.declaration}
    asked = {*definition.exclude_features, *definition.include_features}
    if asked - names:
        raise ProgrammeFault(
            f"{', '.join(sorted(asked - names))}: there is no such feature or group",
            where=f"outcomes.toml, {definition.name}",
            cure="Correct exclude_features or include_features; `chw features` writes all names.",
        )
    return features.only(
        [
            f.name
            for f in features.declaration
            if (f.for_models or f.name in definition.include_features)
            and not _is_excluded(f, definition)
        ]
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
