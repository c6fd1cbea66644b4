"""For whom a model may speak: limits of the declared population, and inputs it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from chw_tools.risk_prediction.inputs import numbers_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

#: So many inputs are named as worth measuring.
_MOST_NAMED = 3
#: So many of the weightiest inputs are looked at; beyond, a gap moves the risk little.
_WEIGHTIEST = 12

Limits = tuple[float | None, float | None]


def judge_rows(
    frame: pd.DataFrame,
    *,
    limits: Mapping[str, Limits],
    needs: Sequence[str],
    labels: Mapping[str, str],
) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    """State and note of each row.

    Parameters
    ----------
    frame : DataFrame
        Features.
    limits : mapping of str to (lowest, highest)
        The declared population, inclusive; ages count in completed years.
    needs : sequence of str
        Inputs without which there is no estimate.
    labels : mapping of str to str
        Names of the features for the note.
    """
    state = np.full(len(frame), "estimated", dtype=object)
    note = np.full(len(frame), None, dtype=object)
    missing = {
        name: frame[name].isna().to_numpy()
        for name in dict.fromkeys([*needs, *limits])
        if name in frame
    }
    for rows, text in worded_gaps(missing, labels, "Not known: {}."):
        state[rows], note[rows] = "not_known", text
    for name, (low, high) in limits.items():
        values = numbers_of(frame[name])
        values = np.floor(values) if name == "age_years" else values
        outside = (values < (-np.inf if low is None else low)) | (
            values > (np.inf if high is None else high)
        )
        state[outside], note[outside] = "not_valid", _outside(labels.get(name, name), low, high)
    return state, note


def _outside(label: str, low: float | None, high: float | None) -> str:
    if low is None:
        return f"{label}: the estimate holds up to {high:g} only."
    if high is None:
        return f"{label}: the estimate holds from {low:g} only."
    return f"{label}: the estimate holds from {low:g} to {high:g} only."


def add_wishes(
    frame: pd.DataFrame,
    note: NDArray[np.object_],
    state: NDArray[np.object_],
    *,
    by_weight: Sequence[str],
    labels: Mapping[str, str],
) -> None:
    """Note for the estimated rows which missing inputs would tell most, weightiest first."""
    asked = [name for name in by_weight if not _is_of_another(name, frame)][:_WEIGHTIEST]
    missing = {name: frame[name].isna().to_numpy() for name in asked}
    for rows, text in worded_gaps(missing, labels, "Better with: {}.", most=_MOST_NAMED):
        kept = rows[state[rows] == "estimated"]
        note[kept] = text


def _is_of_another(name: str, frame: pd.DataFrame) -> bool:
    # The age or the trend of a value: measuring the value brings it.
    return any(
        name.endswith(suffix) and name.removesuffix(suffix) in frame
        for suffix in ("_days_since", "_per_year")
    )


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
    for one in np.unique(pattern[pattern > 0]):
        gaps = [labels.get(n, n) for at, n in enumerate(names) if one >> at & 1]
        found.append((np.flatnonzero(pattern == one), sentence.format("; ".join(gaps[:most]))))
    return found
