"""Reasons of a risk: the largest effects, worded with label, value and unit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from chw_tools.feature_engineering import Feature, Features

#: So many reasons are shown at most: more is not read at a doorstep.
MAX_REASONS = 5
#: Smaller effects on the log-odds change no percentage anyone reads.
_NOTHING = 1e-9


def reasons_of(
    contributions: pd.DataFrame | None, features: Features, wanted: NDArray[np.bool_]
) -> list[list[dict[str, Any]]]:
    """For each row up to five {feature, label, value, effect}, largest effect first.

    Parameters
    ----------
    contributions : DataFrame or None
        Effects on the log-odds, rows by features; ``None`` gives no reasons.
    features : Features
        The inputs, with labels and units.
    wanted : ndarray of bool
        Rows that have an estimate; the others get no reasons.
    """
    if contributions is None or contributions.shape[1] == 0:
        return [[] for _ in wanted]
    effects = contributions.to_numpy()
    names = list(contributions.columns)
    size = np.where(np.isnan(effects), -1.0, np.abs(effects))
    # A stable sort: of two equal effects the earlier feature comes first, on every machine.
    top = np.argsort(-size, axis=1, kind="stable")[:, :MAX_REASONS]
    chosen = np.take_along_axis(effects, top, axis=1)
    told = (np.take_along_axis(size, top, axis=1) > _NOTHING) & wanted[:, None]
    texts = np.empty(top.shape, dtype=object)
    declared = features.declared()
    labels = [declared[name].label for name in names]
    for at, name in enumerate(names):
        rows, places = np.nonzero(told & (top == at))
        if len(rows):
            texts[rows, places] = values_as_text(declared[name], features.frame[name].iloc[rows])
    return [
        [
            {"feature": names[k], "label": labels[k], "value": text, "effect": effect}
            for k, text, effect, tell in zip(*row, strict=True)
            if tell
        ]
        for row in zip(top.tolist(), texts.tolist(), chosen.tolist(), told.tolist(), strict=True)
    ]


def values_as_text(feature: Feature, values: pd.Series) -> NDArray[np.object_]:
    """The values as a worker reads them; each distinct one is worded once."""
    number, distinct = pd.factorize(values, use_na_sentinel=True)
    worded = [*(_worded(feature, value) for value in distinct), "not known"]
    texts: NDArray[np.object_] = np.array(worded, dtype=object)[number]
    return texts


def _worded(feature: Feature, value: Any) -> str:
    if feature.kind == "flag":
        return "yes" if value else "no"
    if feature.kind == "choice":
        return str(value)
    number = f"{float(value):.4g}" if abs(value) < 1000 else f"{float(value):.0f}"
    if feature.name == "age_years":
        number = f"{np.floor(value):.0f}"  # ages are told in completed years
    unit = "mmHg" if feature.unit.startswith("mm[Hg]") else feature.unit
    return number if unit in ("", "1") else f"{number} {unit}"
