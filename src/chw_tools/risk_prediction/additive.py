"""An additive model as plain JSON: read, checked, and scored with numpy alone.

The risk is ``sigmoid(calibration.intercept + calibration.slope * (intercept + sum of one
score a feature))``. Each score is looked up: a number by the bin it falls in, a choice by
its level. What a phone computes from the same file is the same number.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from chw_tools.errors import ModelRefused
from chw_tools.model_evaluation.calibration import (
    PROBABILITY_MARGIN,
    compute_logit,
    compute_probability,
)
from chw_tools.risk_prediction.additive_format import check_structure, feature_of
from chw_tools.risk_prediction.inputs import numbers_of, positions_of
from chw_tools.risk_prediction.validity import Limits, add_wishes, judge_rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from chw_tools.feature_engineering import Feature

#: What can be measured or asked on a visit, and so be wished for.
_ASKABLE = ("vitals", "laboratory", "lifestyle")
#: As in training, log-odds are held here before calibration; contributions are not held.
_MOST_SURE = float(compute_logit([1 - PROBABILITY_MARGIN])[0])


@dataclass(frozen=True, eq=False)
class Term:
    """One feature's scores on the log-odds scale.

    Parameters
    ----------
    feature : str
        Name of the input.
    cuts : ndarray or None
        For a number: borders of the bins, a value on a border falling in the upper bin.
    levels : tuple of str
        For a choice: its levels.
    scores : ndarray
        Not known first; then one a bin, or one a level and that of an unknown level.
    """

    feature: str
    cuts: NDArray[np.float64] | None
    levels: tuple[str, ...]
    scores: NDArray[np.float64]

    def encode(self, values: pd.Series) -> NDArray[np.float64]:
        """The column as numbers: a choice as the position of its level."""
        return numbers_of(values) if self.cuts is not None else positions_of(values, self.levels)

    def score(self, encoded: NDArray[np.float64]) -> NDArray[np.float64]:
        """The score of each encoded value."""
        if self.cuts is not None:
            place = np.searchsorted(self.cuts, encoded, side="right") + 1
        else:
            place = np.where(np.isnan(encoded), 0, encoded + 1).astype("int64")
        place[np.isnan(encoded)] = 0
        scores: NDArray[np.float64] = self.scores[place]
        return scores

    @property
    def weight(self) -> float:
        """How much the feature can move the log-odds."""
        known = self.scores[1:]
        return float(known.max() - known.min()) if len(known) else 0.0


@dataclass(frozen=True, eq=False)
class AdditiveModel:
    """A calibrated additive model; see :func:`read_additive`.

    Its scores are centred on the people it was trained on, so that a contribution says how
    much an input raises or lowers the log-odds against the average of them.
    """

    name: str
    version: str
    outcome: str
    population: str
    digest: str
    intercept: float
    slope: float
    calibration_intercept: float
    terms: tuple[Term, ...]
    features: tuple[Feature, ...]
    limits: Mapping[str, Limits] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    trained_on: Mapping[str, Any] = field(default_factory=dict)

    #: Whom effects are measured against.
    reference = "the average of the people the model was trained on"

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The inputs, in the order of the terms."""
        return tuple(term.feature for term in self.terms)

    @property
    def constant(self) -> float:
        """Log-odds of the reference: what the contributions add to."""
        return self.calibration_intercept + self.slope * self.intercept

    def encode(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        """The inputs as a matrix, terms by rows."""
        if not self.terms:
            return np.empty((0, len(frame)))
        return np.array([term.encode(frame[term.feature]) for term in self.terms])

    def predict_encoded(self, encoded: NDArray[np.float64]) -> NDArray[np.float64]:
        """The risk from an encoded matrix, terms by rows."""
        total = np.full(encoded.shape[1], self.intercept)
        for term, values in zip(self.terms, encoded, strict=True):
            total += term.score(values)
        held = np.clip(total, -_MOST_SURE, _MOST_SURE)
        return compute_probability(self.calibration_intercept + self.slope * held)

    def predict(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        """The calibrated probability of each row."""
        return self.predict_encoded(self.encode(frame))

    def contributions(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Effect of each input on the log-odds; with :attr:`constant` they make up the risk."""
        columns = {t.feature: self.slope * t.score(t.encode(frame[t.feature])) for t in self.terms}
        return pd.DataFrame(columns, index=frame.index)

    def judge(self, frame: pd.DataFrame) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
        """State and note: outside its limits not valid, a needed input missing not known."""
        labels = {feature.name: feature.label for feature in self.features}
        state, note = judge_rows(frame, limits=self.limits, needs=self.needs, labels=labels)
        askable = {f.name for f in self.features if f.group in _ASKABLE}
        weighty = sorted(self.terms, key=lambda term: -term.weight)
        by_weight = [term.feature for term in weighty if term.feature in askable]
        add_wishes(frame, note, state, by_weight=by_weight, labels=labels)
        return state, note


def read_additive(text: str) -> AdditiveModel:
    """The model in a JSON file of the form ``chw-additive/1``.

    Keys: ``format``, ``name``, ``version``, ``outcome``, ``population``, ``intercept``,
    ``terms``, ``calibration`` (``slope``, ``intercept``), ``features`` (declarations); and,
    where given, ``limits`` ({feature: [lowest or null, highest or null]}), ``needs``
    ([feature]) and ``trained_on``.

    Raises
    ------
    ModelRefused
        If it is not JSON, not of that form, or contradicts itself; the first problems are
        named.
    """
    try:
        read = json.loads(text, parse_constant=_refuse_constant)
    except (json.JSONDecodeError, RecursionError) as error:
        raise ModelRefused(
            "the model file is not JSON", cure="Restore the file, or train again."
        ) from error
    problems = check_structure(read)
    if problems:
        raise ModelRefused(
            "; ".join(problems[:5]), where="model file", cure="Restore it, or train again."
        )
    return AdditiveModel(
        name=read["name"],
        version=read["version"],
        outcome=read["outcome"],
        population=read["population"],
        digest=sha256(text.encode()).hexdigest(),
        intercept=float(read["intercept"]),
        slope=float(read["calibration"]["slope"]),
        calibration_intercept=float(read["calibration"]["intercept"]),
        terms=tuple(_term(term) for term in read["terms"]),
        features=tuple(feature_of(declared) for declared in read["features"]),
        limits={name: (low, high) for name, (low, high) in read.get("limits", {}).items()},
        needs=tuple(read.get("needs", ())),
        trained_on=read.get("trained_on", {}),
    )


def _refuse_constant(name: str) -> float:
    raise ModelRefused(f"the model file holds {name}, which is no number", where="model file")


def _term(term: Mapping[str, Any]) -> Term:
    is_number = term["kind"] == "number"
    return Term(
        feature=term["feature"],
        cuts=np.array(term["cuts"], dtype="float64") if is_number else None,
        levels=() if is_number else tuple(term["levels"]),
        scores=np.array(term["scores"], dtype="float64"),
    )
