"""A fitted estimator as terms of one feature each, found by asking it.

An additive model brings its bins. A pipeline that ends in a linear model is asked: its
preparation is run on values of one feature with all others missing, and the prepared columns
that answer are that feature's. So the terms hold whatever stands in between (imputation,
indicators, splines, scaling), and a preparation that mixes features is found out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from chw_tools.feature_engineering import Feature

#: Scores are rounded here, to a part in ten thousand million of a log-odds: a hundred terms
#: move a probability by less than 1e-9.
DECIMALS = 10
#: Slopes and coefficients multiply values, so they keep this many digits instead.
DIGITS = 14
#: An answer that no list of levels holds.
_UNHEARD_OF = "\x00never heard of"


@dataclass(frozen=True)
class Terms:
    """What a model file holds of an estimator: intercept and terms."""

    intercept: float
    terms: list[dict[str, Any]]


def find_terms(estimator: Any, features: Sequence[Feature]) -> Terms | None:
    """The estimator's terms, or ``None`` if it is not a sum of one term a feature."""
    if hasattr(estimator, "term_scores_"):
        return _of_additive(estimator, features)
    steps = getattr(estimator, "steps", None)
    if not steps or len(steps) < 2 or not _is_linear(steps[-1][1]):
        return None
    return _of_pipeline(estimator, features)


def _is_linear(model: Any) -> bool:
    return hasattr(model, "coef_") and np.shape(model.coef_)[0] == 1 and hasattr(model, "classes_")


def _of_additive(fitted: Any, features: Sequence[Feature]) -> Terms | None:
    if not all(len(one) == 1 for one in fitted.term_features_):
        return None
    terms = [
        _bins(features[one[0]], fitted.bins_[one[0]][0], scores)
        for one, scores in zip(fitted.term_features_, fitted.term_scores_, strict=True)
    ]
    return Terms(rounded(float(np.ravel(fitted.intercept_)[0])), terms)


def _bins(feature: Feature, bins: Any, scores: Any) -> dict[str, Any]:
    about = {"feature": feature.name, "missing": rounded(scores[0])}
    if feature.kind == "choice":
        # The library numbers levels from 1; several may share a number, and so a score.
        levels = list(bins)
        found = [rounded(scores[bins[level]]) for level in levels]
        unknown = rounded(scores[-1])
        return {**about, "kind": "levels", "levels": levels, "scores": found, "unknown": unknown}
    # Borders stay to the last bit: they decide which score a value gets.
    cuts = [float(cut) for cut in bins]
    return {**about, "kind": "steps", "cuts": cuts, "scores": [*map(rounded, scores[1:-1])]}


def _of_pipeline(pipeline: Any, features: Sequence[Feature]) -> Terms | None:
    asked = _Asked(pipeline, features)
    owners = asked.owners()
    if owners is None:
        return None
    knots = dict(_knots(pipeline[:-1], [f.name for f in features]))
    terms = [_term(asked, feature, owners[feature.name], knots) for feature in features]
    owned = {at for columns in owners.values() for at in columns}
    # Prepared columns that nothing changes belong to nobody: they are part of the intercept.
    fixed = [at for at in range(len(asked.coefficients)) if at not in owned]
    constant = asked.intercept + float(asked.nothing[fixed] @ asked.coefficients[fixed])
    return Terms(rounded(constant), terms)


class _Asked:
    """A fitted pipeline, asked for the part of its log-odds that one feature makes."""

    def __init__(self, pipeline: Any, features: Sequence[Feature]) -> None:
        linear = pipeline.steps[-1][1]
        self.features = list(features)
        self.prepare = pipeline[:-1]
        self.coefficients = np.ravel(np.asarray(linear.coef_, dtype="float64"))
        self.intercept = float(np.ravel(linear.intercept_)[0])
        self.nothing = self.prepared(self.features[0], [None])[0]

    def prepared(self, feature: Feature, values: Sequence[Any]) -> NDArray[np.float64]:
        """The prepared columns of values of one feature, all others missing."""
        columns: dict[str, Any] = {
            one.name: np.full(len(values), np.nan, dtype=object if one.kind == "choice" else float)
            for one in self.features
        }
        given = [np.nan if value is None else value for value in values]
        columns[feature.name] = np.array(given, dtype=columns[feature.name].dtype)
        frame = pd.DataFrame(columns)
        return np.asarray(self.prepare.transform(frame), dtype="float64")

    def owners(self) -> dict[str, list[int]] | None:
        """Which prepared columns each feature moves; ``None`` if one is moved by two."""
        found: dict[str, list[int]] = {}
        taken: set[int] = set()
        for feature in self.features:
            moved = (self.prepared(feature, _probes(feature)) != self.nothing).any(axis=0)
            found[feature.name] = np.flatnonzero(moved).tolist()
            if taken & set(found[feature.name]):
                return None
            taken |= set(found[feature.name])
        return found

    def score(self, feature: Feature, columns: list[int], values: Sequence[Any]) -> Any:
        """What values of a feature add to the log-odds."""
        return self.prepared(feature, values)[:, columns] @ self.coefficients[columns]


def _probes(feature: Feature) -> list[Any]:
    if feature.kind == "choice":
        return [*feature.allowed, _UNHEARD_OF]
    grown = np.array([0.0, *np.geomspace(1e-3, 1e5, 41)])
    return [*grown.tolist(), *(-grown[1:]).tolist()]


def _term(
    asked: _Asked, feature: Feature, columns: list[int], knots: dict[str, list[float]]
) -> dict[str, Any]:
    name = feature.name
    missing = rounded(asked.score(feature, columns, [None])[0])
    about: dict[str, Any] = {"feature": name, "missing": missing}
    if feature.kind == "choice":
        levels = list(feature.allowed)
        *found, unknown = asked.score(feature, columns, [*levels, _UNHEARD_OF])
        scores = [*map(rounded, found)]
        return {
            **about,
            "kind": "levels",
            "levels": levels,
            "scores": scores,
            "unknown": rounded(unknown),
        }
    if name in knots:
        return {**about, "kind": "pieces", **_pieces(asked, feature, columns, knots[name])}
    return about | _line(asked, feature, columns)


#: Far enough out that a slope found between the two is exact to the last digits.
_FAR = 4096.0


def _line(asked: _Asked, feature: Feature, columns: list[int]) -> dict[str, Any]:
    low, middle, high = asked.score(feature, columns, [-_FAR, 0.0, _FAR]).tolist()
    slope = (high - low) / (2 * _FAR)
    if not slope:
        # Every known value was the same when it was learnt: what counts is that it is known.
        return {"kind": "steps", "cuts": [], "scores": [rounded(middle)]}
    return {"kind": "linear", "slope": significant(slope), "at": significant(-middle / slope)}


def _pieces(
    asked: _Asked, feature: Feature, columns: list[int], knots: list[float]
) -> dict[str, Any]:
    width = (knots[-1] - knots[0]) or 1.0
    ends = [knots[0] - width, *knots, knots[-1] + width]
    origins = [knots[0], *knots]
    pieces = [
        _polynomial(asked, feature, columns, low=low, high=high, origin=origin)
        for low, high, origin in zip(ends[:-1], ends[1:], origins, strict=True)
    ]
    return {"knots": [float(knot) for knot in knots], "pieces": pieces}


#: Four points make the cubic of a cubic spline.
_NODES = (np.cos(np.pi * (np.arange(4) + 0.5) / 4) + 1) / 2


def _polynomial(
    asked: _Asked, feature: Feature, columns: list[int], *, low: float, high: float, origin: float
) -> list[float]:
    values = low + (high - low) * _NODES
    scores = asked.score(feature, columns, values.tolist())
    t = (values - origin) / (high - low)
    found = np.linalg.solve(np.vander(t, increasing=True), scores)
    scaled = found / (high - low) ** np.arange(len(found))
    kept = [significant(one) for one in scaled.tolist()]
    # What is nought but for the last digits is nought: a flat end stays flat for ever.
    small = 1e-12 * max(1.0, float(np.abs(scores).max()))
    shown = [0.0 if abs(one) < small else value for one, value in zip(found, kept, strict=True)]
    while len(shown) > 1 and shown[-1] == 0.0:
        shown.pop()
    return shown


def _knots(part: Any, names: Sequence[str]) -> Iterator[tuple[str, list[float]]]:
    """The knots of each input of every spline, by the place of the input in its branch."""
    for transformer, columns in _branches(part, list(names)):
        if hasattr(transformer, "bsplines_"):
            for name, spline in zip(columns, transformer.bsplines_, strict=False):
                degree = spline.k
                yield name, np.unique(spline.t[degree : len(spline.t) - degree]).tolist()


def _branches(part: Any, names: list[str]) -> Iterator[tuple[Any, list[str]]]:
    if hasattr(part, "transformers_"):
        for _, inner, columns in part.transformers_:
            yield from _branches(inner, _named(columns, names))
    elif hasattr(part, "steps"):
        for _, inner in part.steps:
            yield from _branches(inner, names)
    elif hasattr(part, "transformer_list"):
        for _, inner in part.transformer_list:
            yield from _branches(inner, names)
    else:
        yield part, names


def _named(columns: Any, names: list[str]) -> list[str]:
    if isinstance(columns, slice):
        return names[columns]
    # Past the inputs stand the indicators of their gaps, which no spline bends.
    return [
        one if isinstance(one, str) else names[one] if one < len(names) else "" for one in columns
    ]


def rounded(score: float) -> float:
    """A score as it is written."""
    return round(float(score), DECIMALS) + 0.0


def significant(number: float) -> float:
    """A slope, coefficient or origin as it is written."""
    return float(f"{float(number):.{DIGITS}g}")
