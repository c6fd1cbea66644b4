"""Reasons of a risk: the largest effects, worded with label, value and unit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from chw_tools.risk_prediction.inputs import Answers
from chw_tools.risk_prediction.sentences import SENTENCES, unit_word

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from chw_tools.feature_engineering import Feature
    from chw_tools.risk_prediction.inputs import Columns, Read

#: So many reasons are shown at most: more is not read at a doorstep.
MAX_REASONS = 5
#: Smaller effects on the log-odds change no percentage anyone reads.
_NOTHING = 1e-9


def reasons_of(
    effects: NDArray[np.float64] | None,
    names: Sequence[str],
    columns: Columns,
    declared: Mapping[str, Feature],
    *,
    wanted: NDArray[np.bool_],
) -> list[list[dict[str, Any]]]:
    """For each row up to five {feature, label, value, effect}, largest effect first.

    Parameters
    ----------
    effects : ndarray of shape (people, features) or None
        Effects on the log-odds; ``None`` gives no reasons.
    names : sequence of str
        The features of the effects.
    columns : Columns
        The inputs.
    declared : mapping of str to Feature
        Their labels and units.
    wanted : ndarray of bool
        Rows that have an estimate; the others get no reasons.
    """
    if effects is None or effects.shape[1] == 0:
        return [[] for _ in wanted]
    size = np.where(np.isnan(effects), -1.0, np.abs(effects))
    # A stable sort: of two equal effects the earlier feature comes first, on every machine.
    top = np.argsort(-size, axis=1, kind="stable")[:, :MAX_REASONS]
    chosen = np.take_along_axis(effects, top, axis=1)
    told = (np.take_along_axis(size, top, axis=1) > _NOTHING) & wanted[:, None]
    labels = [declared[name].label for name in names]
    texts = np.empty(top.shape, dtype=object)
    for k in np.unique(top[told]).tolist():
        rows, places = np.nonzero(told & (top == k))
        texts[rows, places] = values_as_text(declared[names[k]], columns[names[k]], rows)
    return [
        [
            {"feature": names[k], "label": labels[k], "value": text, "effect": effect}
            for k, text, effect, tell in zip(*row, strict=True)
            if tell
        ]
        for row in zip(top.tolist(), texts.tolist(), chosen.tolist(), told.tolist(), strict=True)
    ]


def values_as_text(feature: Feature, read: Read, rows: NDArray[np.intp]) -> list[str]:
    """The values of some rows as a worker reads them; each distinct one is worded once."""
    missing = SENTENCES["missing"]
    if isinstance(read, Answers):
        words = [*(_worded(feature, level) for level in read.levels), missing]
        return [words[code] for code in read.codes[rows].tolist()]
    worded: dict[float, str] = {}
    texts = []
    for value in read[rows].tolist():
        if value != value:  # not known: the one number that differs from itself
            texts.append(missing)
            continue
        if value not in worded:
            worded[value] = _worded(feature, value)
        texts.append(worded[value])
    return texts


def _worded(feature: Feature, value: Any) -> str:
    if feature.kind == "flag":
        return SENTENCES["yes" if value else "no"]
    if feature.kind == "choice":
        return str(value)
    number = float(value) + 0.0  # no minus before nought
    if feature.name == "age_years":
        number = float(np.floor(number))  # ages are told in completed years
    text = f"{number:.4g}" if abs(number) < 1000 else f"{number:.0f}"
    return f"{text} {unit_word(feature.unit)}".strip()


def reason_text(
    reason: Mapping[str, Any], texts: Mapping[str, Any] | None = None, *, language: str = "en"
) -> str:
    """A reason as a sentence, from the templates that a model file carries.

    Parameters
    ----------
    reason : mapping
        ``feature``, ``label``, ``value``, as in RISKS.
    texts : mapping, optional
        ``texts`` of a model: sentences by language; labels and templates of single features
        under ``labels`` and ``features``. The shipped English where absent.
    language : str
        One of its languages.

    Examples
    --------
    >>> reason_text({"feature": "bmi", "label": "Body mass index", "value": "31 kg/m2"})
    'Body mass index is 31 kg/m2'
    """
    held = (texts or {}).get(language, {})
    name, value = reason["feature"], reason["value"]
    label = held.get("labels", {}).get(name, reason["label"])
    if value == SENTENCES["missing"]:
        key = "reason_missing"
    else:
        key = "reason_number" if value[:1].isdigit() or value[:1] == "-" else "reason_choice"
    template = held.get("features", {}).get(name) or held.get(key) or SENTENCES[key]
    text: str = template.format(label=label, value=value)
    return text
