"""The additive model as plain JSON (``chw-additive/1``): what is saved, scored and shown.

A number falls in bin ``searchsorted(cuts, value, side="right")``; the first score of each
term is for a missing value, the last one of a choice for a level never seen. Floats are
written in full, so that the file scores exactly as the fitted model does.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from chw_tools.feature_engineering import Feature
    from chw_tools.model_training.train import FittedModel

FORMAT = "chw-additive/1"


def is_additive(model: FittedModel) -> bool:
    """Whether the model can be written as terms of one feature each."""
    return hasattr(model.estimator, "term_scores_") and all(
        len(features) == 1 for features in model.estimator.term_features_
    )


def export_additive(model: FittedModel, *, version: str) -> str:
    """The fitted additive model as the text of a ``chw-additive/1`` file.

    Raises
    ------
    ValueError
        If the model is not additive (see :func:`is_additive`).
    """
    if not is_additive(model):
        raise ValueError("only a model with one feature in each term can be exported")
    fitted = model.estimator
    terms = [
        _term(model.features[features[0]], fitted.bins_[features[0]][0], scores)
        for features, scores in zip(fitted.term_features_, fitted.term_scores_, strict=True)
    ]
    content = {
        "format": FORMAT,
        "outcome": model.outcome,
        "name": model.name,
        "version": version,
        "population": model.population,
        "intercept": float(np.ravel(fitted.intercept_)[0]),
        "terms": terms,
        "calibration": {
            "slope": model.calibration.slope,
            "intercept": model.calibration.intercept,
        },
        "features": [feature.as_dict() for feature in model.features],
        "limits": {name: list(pair) for name, pair in model.limits.items()},
        "needs": list(model.needs),
        "trained_on": dict(model.trained_on),
    }
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _term(feature: Feature, bins: Any, scores: Any) -> dict[str, Any]:
    if feature.kind == "choice":
        # The library numbers levels from 1; several may share a number, and so a score.
        levels = list(bins)
        found = [float(scores[bins[level]]) for level in levels]
        ordered = [float(scores[0]), *found, float(scores[-1])]
        return {"feature": feature.name, "kind": "choice", "levels": levels, "scores": ordered}
    return {
        "feature": feature.name,
        "kind": "number",
        "cuts": [float(cut) for cut in bins],
        "scores": [float(score) for score in scores[:-1]],
    }
