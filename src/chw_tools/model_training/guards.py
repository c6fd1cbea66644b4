"""Guards against fooling oneself about an input: known too late, or the answer itself.

:func:`check_known_at` looks at where a feature comes from; :func:`check_no_answer` at what it
says. Guards over the split (people and equal rows on both sides) lie in
:mod:`chw_tools.model_training.split`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from chw_tools.errors import LeakFound, NotTrainable
from chw_tools.feature_engineering import build_features, people_needed
from chw_tools.records import TABLES, Register

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

    from chw_tools.feature_engineering import Features
    from chw_tools.programme.outcomes import OutcomeDefinition

#: An input that by itself orders those with and without the outcome this well is taken for the
#: answer. A decision of this project: the best single inputs of the public data we measured
#: reached 0.84 (age, five-year death, NHANES) and 0.73 (general health, diabetes, BRFSS).
TELLING_AUC = 0.99
#: With fewer of either a perfect order may be chance.
FEWEST_TO_TELL = 20
#: A feature's values are taken together in at most so many steps of equal size.
_MOST_STEPS = 64
#: People for whom the features are built again without what became known later.
_N_REBUILT = 200


def check_trainable(definition: OutcomeDefinition) -> None:
    """Refuse to train what a published formula foresees.

    Raises
    ------
    NotTrainable
        Then, naming the score.
    """
    if definition.method == "formula":
        raise NotTrainable(
            f"is foreseen by the published score {definition.score}; no model is trained for it",
            where=definition.name,
            cure=f"Use it with: chw score --with {definition.score}. To train one all the same, "
            'define an outcome of another name with method = "trained".',
        )


def check_no_answer(
    features: Features, labels: pd.Series, *, trusted: Collection[str] = (), outcome: str = ""
) -> None:
    """Refuse inputs that by themselves give the outcome away.

    Parameters
    ----------
    features : Features
        Inputs of the training rows.
    labels : Series of boolean
        Row by row beside them.
    trusted : collection of str
        Inputs known beforehand that are passed however well they tell.
    outcome : str
        For the message.

    Raises
    ------
    LeakFound
        Naming every such input.
    """
    known = labels.notna().to_numpy()
    target = labels[known].to_numpy(dtype=bool)
    telling = [
        name
        for name in features.frame
        if name not in trusted
        and compute_telling(features.frame.loc[known, name], target) >= TELLING_AUC
    ]
    if telling:
        raise LeakFound(
            f"{', '.join(telling)} alone tells who had the outcome (AUC of {TELLING_AUC} or more): "
            "it was probably known only afterwards",
            where=outcome,
            cure="Leave it out (exclude_features in outcomes.toml), or, if it truly is known "
            "beforehand, name it in trusted_features.",
        )


def compute_telling(values: pd.Series, happened: NDArray[np.bool_]) -> float:
    """How well one input alone orders the rows: an AUC of 0.5 to 1.

    The share of events is learnt in steps of the values, a gap being a step of its own, from
    each half of the rows and applied to the other half. So an input that tells by its middle,
    or by being there at all, is found out, and one of many rare values is not.

    >>> compute_telling(pd.Series([1.0, 2.0] * 50), np.array([True, False] * 50))
    1.0
    """
    if min(happened.sum(), (~happened).sum()) < FEWEST_TO_TELL:
        return 0.5
    steps = _steps(values)
    half = np.zeros(len(happened), dtype=bool)
    for which in (happened, ~happened):  # both halves hold as many of either
        half[np.flatnonzero(which)[::2]] = True
    share = np.empty(len(happened))
    for learnt in (half, ~half):
        n = np.bincount(steps[learnt], minlength=steps.max() + 1)
        events = np.bincount(steps[learnt], happened[learnt], minlength=steps.max() + 1)
        mean = happened[learnt].mean()
        # Two rows' weight of the mean: a value met once says little.
        share[~learnt] = ((events + 2 * mean) / (n + 2))[steps[~learnt]]
    return max(_auc(share[half], happened[half]), _auc(share[~half], happened[~half]))


def _steps(values: pd.Series) -> NDArray[np.int64]:
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        numbers = values.to_numpy(dtype="float64", na_value=np.nan)
        there = ~np.isnan(numbers)
        if len(np.unique(numbers[there])) > _MOST_STEPS:
            edges = np.unique(np.quantile(numbers[there], np.linspace(0, 1, _MOST_STEPS + 1)))
            numbers = np.where(there, np.searchsorted(edges, numbers), np.nan)
        return np.asarray(pd.factorize(numbers, use_na_sentinel=False)[0])
    return np.asarray(pd.factorize(values.astype(object), use_na_sentinel=False)[0])


def _auc(score: NDArray[np.float64], happened: NDArray[np.bool_]) -> float:
    ranks = pd.Series(score).rank().to_numpy()
    events, others = happened.sum(), (~happened).sum()
    return float((ranks[happened].sum() - events * (events + 1) / 2) / (events * others))


def check_known_at(
    register: Register,
    features: Features,
    *,
    definition: OutcomeDefinition | None = None,
) -> None:
    """Refuse features that change with what became known after their day.

    The features of some of the people are built again from a register in which nothing known
    later is left, and once more from one in which it is told twice and otherwise.

    Parameters
    ----------
    register : Register
        All that was recorded.
    features : Features
        Built from it.
    definition : OutcomeDefinition, optional
        For the message.

    Raises
    ------
    LeakFound
        Naming every feature that differs.
    """
    people = features.frame.index[:_N_REBUILT]
    part = register.of_people(people_needed(register, people))
    given = features.frame.loc[people]
    late: set[str] = set()
    for changed in (without_later(part, features.as_of), with_later(part, features.as_of)):
        built = build_features(changed, as_of=features.as_of, person_ids=list(people)).frame
        late |= set(find_differing(given, built))
    if late:
        raise LeakFound(
            f"{', '.join(sorted(late))} changes with what became known only after the index day",
            where=definition.name if definition else "features",
            cure="Build the feature from the register as known on the day (as_known_on).",
        )


def without_later(register: Register, day: pd.Timestamp) -> Register:
    """The register without the rows that became known after a day."""
    return replace(
        register,
        **{name: frame[frame["known_on"] <= day] for name, frame in register.tables()},
    )


def with_later(register: Register, day: pd.Timestamp) -> Register:
    """The register with every event told again as of later: other values, earlier days.

    Each row that tells of an event is copied under a new key as if it had become known the day
    after; numbers are doubled, words replaced by those of the row before, and the copies of
    people's own entries are left out, since an entry is known once.
    """
    later = day + pd.Timedelta(days=1)
    changed = {}
    for name, frame in register.tables():
        if name in ("people", "areas", "households", "workers", "facilities") or frame.empty:
            continue
        copy = frame.assign(known_on=later)
        copy["known_on"] = copy["known_on"].astype(frame["known_on"].dtype)
        copy["id"] = ("later-" + frame["id"].astype("str")).astype(frame["id"].dtype)
        for column in TABLES[name].columns:
            if column.kind in ("number", "integer"):
                copy[column.name] = (frame[column.name] * 2).astype(frame[column.name].dtype)
            elif column.kind in ("choice", "text", "flag") and column.name != "source":
                copy[column.name] = np.roll(frame[column.name].to_numpy(), 1)
                copy[column.name] = copy[column.name].astype(frame[column.name].dtype)
            elif column.name == "supersedes_id":
                copy[column.name] = frame["id"]
        changed[name] = pd.concat([frame, copy], ignore_index=True)
    return replace(register, **changed)


def find_differing(one: pd.DataFrame, other: pd.DataFrame) -> list[str]:
    """Names of the first table's columns that are not, value by value, those of the second."""
    return [
        str(name)
        for name in one
        if not (name in other and _same(one[name], other[name].reindex(one.index)))
    ]


def _same(one: pd.Series, other: pd.Series) -> bool:
    if one.equals(other):
        return True
    left: Any = one.astype(object).where(one.notna(), None)
    right: Any = other.astype(object).where(other.notna(), None)
    return bool((left.to_numpy() == right.to_numpy()).all())
