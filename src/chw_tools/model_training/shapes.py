"""What an additive model says of one input, to be looked at and put right by a clinician.

A shape is a table: for each range or answer, what it adds to the log-odds. An edit gives a new
model and writes down what was changed, by whom, when and why; the old model stays as it was.
An edited model must be calibrated and judged anew: its numbers are not to be trusted before.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import pandas as pd

from chw_tools.model_evaluation.calibration import compute_probability
from chw_tools.model_training.calibration import fit_calibration
from chw_tools.model_training.fitting import compute_estimator_logits
from chw_tools.model_training.inputs import read_inputs

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from chw_tools.feature_engineering import Feature, Features
    from chw_tools.model_training.train import FittedModel

#: ``flatten`` one score over a range or some answers; ``cap`` none above, ``floor`` none
#: below a score; ``remove`` no effect at all; ``rise``, ``fall`` the nearest shape that does.
Action = Literal["flatten", "cap", "floor", "remove", "rise", "fall"]
ACTIONS: tuple[str, ...] = get_args(Action)


@dataclass(frozen=True)
class ShapeEdit:
    """One change of one shape.

    Parameters
    ----------
    feature : str
        Which input.
    action : str
        One of :data:`ACTIONS`.
    by, why : str
        Who decided it, and the reason.
    low, high : float, optional
        Range that is changed, the lower end included; unbounded where absent.
    levels : tuple of str
        Answers that are changed, of a choice.
    value : float, optional
        Score in log-odds: of ``flatten`` (by default the mean over the range), ``cap`` or
        ``floor``.
    """

    feature: str
    action: Action
    by: str
    why: str
    low: float | None = None
    high: float | None = None
    levels: tuple[str, ...] = ()
    value: float | None = None


@dataclass(frozen=True, eq=False)
class Shapes:
    """An additive model as its shapes alone; it predicts as the fitted one does.

    Attributes are named and laid out as InterpretML's are: scores begin with that of a value
    that is not known and end with that of an answer never seen.
    """

    term_features_: tuple[tuple[int], ...]
    bins_: tuple[tuple[Any], ...]
    term_scores_: tuple[NDArray[np.float64], ...]
    intercept_: NDArray[np.float64]
    kinds: tuple[str, ...]
    bin_weights_: tuple[NDArray[np.float64] | None, ...] = ()

    def predict_proba(self, inputs: pd.DataFrame) -> NDArray[np.float64]:
        """Two columns: without and with the event, before calibration."""
        total = np.full(len(inputs), float(self.intercept_[0]))
        for (at,), scores in zip(self.term_features_, self.term_scores_, strict=True):
            total += scores[_find_place(inputs.iloc[:, at], self.bins_[at][0], len(scores))]
        risk = compute_probability(total)
        return np.column_stack([1 - risk, risk])


def has_shapes(model: FittedModel) -> bool:
    """Whether the model is additive, with one input in each term."""
    terms = getattr(model.estimator, "term_features_", ())
    return bool(terms) and all(len(term) == 1 for term in terms)


def inspect_shape(model: FittedModel, feature: str | None = None) -> pd.DataFrame:
    """What an additive model adds to the log-odds, range by range and answer by answer.

    Parameters
    ----------
    model : FittedModel
        Additive; see :func:`has_shapes`.
    feature : str, optional
        One input; all of them by default, the weightiest first.

    Returns
    -------
    DataFrame
        ``feature``; ``part`` (``not known``, ``range``, an answer, or ``other answer``);
        ``low`` and ``high`` of a range, the lower end included; ``score`` in log-odds before
        calibration; ``n`` training rows where they are still known.

    Raises
    ------
    ValueError
        If the model has no shapes, or no such input.
    """
    shapes = _read_shapes(model)
    tables = {
        model.features[at].name: _tabulate(shapes, position, model.features[at])
        for position, (at,) in enumerate(shapes.term_features_)
    }
    if feature is not None:
        _check_feature(feature, tables)
        return tables[feature]
    ordered = sorted(tables.values(), key=lambda table: -np.ptp(table["score"].iloc[1:]))
    return pd.concat(ordered, ignore_index=True)


def edit_shape(
    model: FittedModel, edit: ShapeEdit, *, at: datetime, parent: str = ""
) -> FittedModel:
    """A new model with one shape changed, and the change written down.

    Parameters
    ----------
    model : FittedModel
        Additive; it stays as it is.
    edit : ShapeEdit
        What, by whom, why.
    at : datetime
        When, an aware instant.
    parent : str
        Digest of the model as it was kept.

    Returns
    -------
    FittedModel
        With ``trained_on["edits"]``, newest last: each with the shape before and after. Its
        calibration is the old one: see :func:`recalibrate`.

    Raises
    ------
    ValueError
        If the edit lacks what it needs, or names what is not there.
    """
    _check_edit(edit)
    before = inspect_shape(model, edit.feature)
    shapes = _read_shapes(model)
    names = [model.features[one].name for (one,) in shapes.term_features_]
    changed = _apply(shapes, names.index(edit.feature), edit)
    edited = replace(model, estimator=changed)
    record = {
        "feature": edit.feature,
        "action": edit.action,
        **{k: v for k in ("low", "high", "value") if (v := getattr(edit, k)) is not None},
        **({"levels": list(edit.levels)} if edit.levels else {}),
        "by": edit.by,
        "why": edit.why,
        "at": at.isoformat(),
        "parent": parent,
        "before": _as_records(before),
        "after": _as_records(inspect_shape(edited, edit.feature)),
    }
    facts = {
        **model.trained_on,
        "edits": [*model.trained_on.get("edits", ()), record],
        "calibrated_on": "not since the last edit",
    }
    return replace(edited, trained_on=facts)


def recalibrate(model: FittedModel, features: Features, labels: pd.Series) -> FittedModel:
    """The same shapes with a calibration learnt on these rows, of whom the fit saw none.

    Rows where the label is missing are left out.
    """
    known = labels.notna().to_numpy()
    inputs = read_inputs(features.frame[known], model.features)
    target = labels[known].astype(float).to_numpy()
    calibration = fit_calibration(compute_estimator_logits(model.estimator, inputs), target)
    said = f"{len(target):,} people held out, {int(target.sum()):,} with the event"
    return replace(
        model, calibration=calibration, trained_on={**model.trained_on, "calibrated_on": said}
    )


def _read_shapes(model: FittedModel) -> Shapes:
    if isinstance(model.estimator, Shapes):
        return model.estimator
    if not has_shapes(model):
        raise ValueError("only an additive model has shapes")
    fitted = model.estimator
    return Shapes(
        term_features_=tuple(fitted.term_features_),
        bins_=tuple(fitted.bins_),
        term_scores_=tuple(np.array(scores, dtype=float) for scores in fitted.term_scores_),
        intercept_=np.ravel(np.asarray(fitted.intercept_, dtype=float)),
        kinds=tuple(feature.kind for feature in model.features),
        bin_weights_=tuple(fitted.bin_weights_),
    )


def _find_place(values: pd.Series, bins: Any, n_scores: int) -> NDArray[np.int64]:
    if isinstance(bins, dict):
        known = values.map(bins).fillna(n_scores - 1).to_numpy(dtype=np.int64)
        return np.where(values.isna(), 0, known)
    numbers = values.to_numpy(dtype=float)
    place = np.searchsorted(np.asarray(bins, dtype=float), numbers, side="right") + 1
    return np.where(np.isnan(numbers), 0, place)


def _tabulate(shapes: Shapes, position: int, feature: Feature) -> pd.DataFrame:
    (at,) = shapes.term_features_[position]
    scores, bins = shapes.term_scores_[position], shapes.bins_[at][0]
    weights = shapes.bin_weights_[position] if shapes.bin_weights_ else None
    counts = np.full(len(scores), np.nan) if weights is None else np.asarray(weights, dtype=float)
    if isinstance(bins, dict):
        order = [0, *bins.values(), len(scores) - 1]
        parts = ["not known", *bins, "other answer"]
        low = high = np.full(len(order), np.nan)
    else:
        order = list(range(len(scores) - 1))
        parts = ["not known", *["range"] * (len(bins) + 1)]
        low, high = np.array([np.nan, -np.inf, *bins]), np.array([np.nan, *bins, np.inf])
    return pd.DataFrame(
        {
            "feature": feature.name,
            "part": parts,
            "low": low,
            "high": high,
            "score": scores[order],
            "n": counts[order],
        }
    )


def _apply(shapes: Shapes, position: int, edit: ShapeEdit) -> Shapes:
    (at,) = shapes.term_features_[position]
    bins, scores = shapes.bins_[at][0], shapes.term_scores_[position].copy()
    weights = list(shapes.bin_weights_) or [None] * len(shapes.term_scores_)
    if isinstance(bins, dict):
        _check_levels(edit, bins)
        rows = np.array([bins[level] for level in edit.levels or bins], dtype=np.int64)
        cut_bins: Any = bins
    else:
        cut_bins, scores, is_same = _cut_at(np.asarray(bins, dtype=float), scores, edit)
        rows = _rows_between(cut_bins, edit)
        if not is_same:  # people are not counted anew
            weights[position] = None
    scores[rows] = _change(scores[rows], edit)
    if edit.action == "remove":
        scores[:] = 0.0
    all_bins, all_scores = list(shapes.bins_), list(shapes.term_scores_)
    all_bins[at], all_scores[position] = (cut_bins,), scores
    return replace(
        shapes,
        bins_=tuple(all_bins),
        term_scores_=tuple(all_scores),
        bin_weights_=tuple(weights),
    )


def _change(scores: NDArray[np.float64], edit: ShapeEdit) -> NDArray[np.float64]:
    value = float(scores.mean()) if edit.value is None else edit.value
    if edit.action == "flatten":
        return np.full(len(scores), value)
    if edit.action == "cap":
        return np.minimum(scores, value)
    if edit.action == "floor":
        return np.maximum(scores, value)
    if edit.action == "remove":
        return np.zeros(len(scores))
    from sklearn.isotonic import isotonic_regression

    return np.asarray(isotonic_regression(scores, increasing=edit.action == "rise"), dtype=float)


def _cut_at(
    cuts: NDArray[np.float64], scores: NDArray[np.float64], edit: ShapeEdit
) -> tuple[NDArray[np.float64], NDArray[np.float64], bool]:
    """Borders at both ends of the range, so that nothing beside it is changed."""
    new = [end for end in (edit.low, edit.high) if end is not None and end not in cuts]
    grown = np.sort(np.append(cuts, new))
    inside = np.searchsorted(cuts, np.append(-np.inf, grown), side="right") + 1
    return grown, np.concatenate([scores[:1], scores[inside], scores[-1:]]), not new


def _rows_between(cuts: NDArray[np.float64], edit: ShapeEdit) -> NDArray[np.int64]:
    starts = np.append(-np.inf, cuts)
    low = -np.inf if edit.low is None else edit.low
    high = np.inf if edit.high is None else edit.high
    return np.flatnonzero((starts >= low) & (starts < high)) + 1


def _check_edit(edit: ShapeEdit) -> None:
    if edit.action not in ACTIONS:
        raise ValueError(f"no such action; there are {', '.join(ACTIONS)}")
    if not edit.by.strip() or not edit.why.strip():
        raise ValueError("an edit says who decided it and why")
    if edit.action in ("cap", "floor") and edit.value is None:
        raise ValueError(f"to {edit.action} takes a value, in log-odds")
    if edit.low is not None and edit.high is not None and edit.low >= edit.high:
        raise ValueError("the lower end of the range lies below the upper end")


def _check_levels(edit: ShapeEdit, bins: dict[str, int]) -> None:
    if edit.action in ("rise", "fall") or edit.low is not None or edit.high is not None:
        raise ValueError("answers to a choice have no order and no range")
    unknown = sorted(set(edit.levels) - set(bins))
    if unknown:
        raise ValueError(f"no such answer: {', '.join(unknown)}")


def _check_feature(feature: str, known: Sequence[str] | dict[str, Any]) -> None:
    if feature not in known:
        raise ValueError(f"no such input; there are {', '.join(known)}")


def _as_records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows for a JSON file: an open end or an unknown number is left out."""
    rows = table.drop(columns="feature").to_dict("records")
    return [{k: v for k, v in row.items() if isinstance(v, str) or np.isfinite(v)} for row in rows]
