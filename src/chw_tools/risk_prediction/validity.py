"""For whom a model may speak: its declared population, the inputs it needs, plausible values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from chw_tools.risk_prediction.sentences import SENTENCES, unit_word

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from chw_tools.feature_engineering import Feature
    from chw_tools.risk_prediction.inputs import Columns
    from chw_tools.risk_prediction.plausibility import Range

#: So many inputs are named as worth measuring.
_MOST_NAMED = 3
#: So many of the weightiest inputs are looked at; beyond, a gap moves the risk little.
_WEIGHTIEST = 12

Limits = tuple[float | None, float | None]


def judge_rows(
    columns: Columns,
    *,
    limits: Mapping[str, Limits],
    needs: Sequence[str],
    labels: Mapping[str, str],
) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    """State and note of each row.

    Parameters
    ----------
    columns : Columns
        Features.
    limits : mapping of str to (lowest, highest)
        The declared population, inclusive; ages count in completed years.
    needs : sequence of str
        Inputs without which there is no estimate.
    labels : mapping of str to str
        Names of the features for the note.
    """
    state = np.full(len(columns), "estimated", dtype=object)
    note = np.full(len(columns), None, dtype=object)
    missing = {
        name: columns.missing(name) for name in dict.fromkeys([*needs, *limits]) if name in columns
    }
    for rows, text in worded_gaps(missing, labels, SENTENCES["not_known"]):
        state[rows], note[rows] = "not_known", text
    for name, (low, high) in limits.items():
        values = columns.numbers(name)
        values = np.floor(values) if name == "age_years" else values
        outside = (values < (-np.inf if low is None else low)) | (
            values > (np.inf if high is None else high)
        )
        if outside.any():
            state[outside], note[outside] = "not_valid", _outside(labels.get(name, name), low, high)
    return state, note


def _outside(label: str, low: float | None, high: float | None) -> str:
    lowest, highest = (None if end is None else f"{end:g}" for end in (low, high))
    if low is None:
        return SENTENCES["holds_to"].format(label=label, high=highest)
    if high is None:
        return SENTENCES["holds_from"].format(label=label, low=lowest)
    return SENTENCES["holds_between"].format(label=label, low=lowest, high=highest)


def question_values(
    encoded: NDArray[np.float64],
    outside: NDArray[np.bool_],
    note: NDArray[np.object_],
    state: NDArray[np.object_],
    *,
    features: Sequence[Feature],
    ranges: Mapping[str, Range],
) -> None:
    """No estimate from a value that is not plausible, and a question about it.

    Parameters
    ----------
    encoded, outside : ndarray of shape (features, people)
        The inputs as numbers, and which of them lie outside their plausible range.
    note, state : ndarray of shape (people,)
        Changed in place. Of several such values the first in order is asked about.
    """
    for at in reversed(np.flatnonzero(outside.any(axis=1)).tolist()):
        feature = features[at]
        for row in np.flatnonzero(outside[at]).tolist():
            other = ranges[feature.name].suspect(encoded[at, row : row + 1], share=1.0)
            state[row], note[row] = "not_valid", _question(feature, other)


def _question(feature: Feature, other: str | None) -> str:
    unit = unit_word(feature.unit)
    if other is not None and unit:
        key = "other_unit"
    else:
        key = "not_plausible" if unit else "not_plausible_number"
    return SENTENCES[key].format(label=feature.label, unit=unit, other=unit_word(other or ""))


def add_wishes(
    columns: Columns,
    note: NDArray[np.object_],
    state: NDArray[np.object_],
    *,
    by_weight: Sequence[str],
    labels: Mapping[str, str],
) -> None:
    """Note for the estimated rows which missing inputs would tell most, weightiest first."""
    asked = by_weight[:_WEIGHTIEST]
    missing = {name: columns.missing(name) for name in asked}
    for rows, text in worded_gaps(missing, labels, SENTENCES["better_with"], most=_MOST_NAMED):
        kept = rows[state[rows] == "estimated"]
        note[kept] = text


def is_of_another(name: str) -> bool:
    """Whether it is the age or the trend of another input: measuring that brings it."""
    return name.endswith(("_days_since", "_per_year"))


def worded_gaps(
    missing: Mapping[str, NDArray[np.bool_]],
    labels: Mapping[str, str],
    sentence: str,
    *,
    most: int | None = None,
) -> list[tuple[NDArray[np.intp], str]]:
    """Rows with the same gaps, and the sentence that names them; each pattern once."""
    if not missing:
        return []
    names = list(missing)
    pattern = np.zeros(len(next(iter(missing.values()))), dtype="int64")
    for at, name in enumerate(names):
        pattern |= missing[name].astype("int64") << at
    found = []
    for one in np.unique(pattern[pattern > 0]).tolist():
        gaps = [labels.get(n, n) for at, n in enumerate(names) if one >> at & 1]
        said = sentence.format(labels="; ".join(gaps[:most]))
        found.append((np.flatnonzero(pattern == one), said))
    return found
