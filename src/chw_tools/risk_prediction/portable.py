"""A portable model: plain JSON, scored with numpy alone, the same numbers everywhere.

The risk is ``sigmoid(calibration.intercept + calibration.slope * held)``, where ``held`` is
the sum of the intercept and of one score a feature, added in the order of the file and held
within ``calibration.log_odds_within``. The form is described in ``docs/model_format.md``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from chw_tools.errors import ModelRefused
from chw_tools.model_evaluation.calibration import compute_probability
from chw_tools.risk_prediction.compiled import Compiled, compile_terms
from chw_tools.risk_prediction.explained import Explained
from chw_tools.risk_prediction.inputs import Columns
from chw_tools.risk_prediction.plausibility import Range
from chw_tools.risk_prediction.portable_format import (
    FIRST_FORMAT,
    MOST_SURE,
    check_structure,
    feature_of,
    migrate,
    parse_json,
)
from chw_tools.risk_prediction.signing import check_digest, check_signed
from chw_tools.risk_prediction.terms import Levels, read_term
from chw_tools.risk_prediction.validity import (
    Limits,
    add_wishes,
    is_of_another,
    judge_rows,
    question_values,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from chw_tools.feature_engineering import Feature
    from chw_tools.risk_prediction.terms import Term

#: What can be measured or asked on a visit, and so be wished for.
_ASKABLE = ("vitals", "laboratory", "lifestyle")
#: People who are encoded at a time: what a million of them cost in memory stays small.
_ROWS_AT_A_TIME = 65_536
AVERAGE = "the average of the people the model was trained on"


@dataclass(frozen=True, eq=False)
class PortableModel:
    """A calibrated model of one term a feature; see :func:`read_portable`.

    Its scores are centred, so that a contribution says how much an input raises or lowers
    the log-odds against :attr:`reference`.
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
    log_odds_within: float = MOST_SURE
    limits: Mapping[str, Limits] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    ranges: Mapping[str, Range] = field(default_factory=dict)
    thresholds: Mapping[str, Any] = field(default_factory=dict)
    texts: Mapping[str, Any] = field(default_factory=dict)
    trained_on: Mapping[str, Any] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)
    signed_by: str | None = None
    reference: str = AVERAGE

    @cached_property
    def feature_names(self) -> tuple[str, ...]:
        """The inputs, in the order of the terms."""
        return tuple(term.feature for term in self.terms)

    @property
    def constant(self) -> float:
        """Log-odds of the reference: what the contributions add to."""
        return self.calibration_intercept + self.slope * self.intercept

    @cached_property
    def _compiled(self) -> Compiled:
        return compile_terms(self.terms)

    @cached_property
    def _of_terms(self) -> tuple[Feature, ...]:
        declared = {feature.name: feature for feature in self.features}
        return tuple(declared[name] for name in self.feature_names)

    @cached_property
    def _labels(self) -> dict[str, str]:
        return {feature.name: feature.label for feature in self.features}

    @cached_property
    def _askable(self) -> tuple[str, ...]:
        """What can be wished for, weightiest first."""
        names = {f.name for f in self.features if f.group in _ASKABLE}
        weighty = sorted(self.terms, key=lambda term: -term.weight)
        asked = [term.feature for term in weighty if term.feature in names]
        return tuple(name for name in asked if not is_of_another(name))

    @cached_property
    def _plausible(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Lowest and highest plausible value of each term, as columns."""
        choices = {feature.name for feature in self.features if feature.kind != "number"}
        held = [Range() if t.feature in choices else self.ranges[t.feature] for t in self.terms]
        ends = [one.ends for one in held]
        low, high = np.array(ends, dtype="float64").reshape(-1, 2).T
        return low[:, None], high[:, None]

    def encode(self, columns: Columns) -> NDArray[np.float64]:
        """The inputs as a matrix, terms by people: a choice as the position of its level."""
        encoded = np.empty((len(self.terms), len(columns)))
        for row, term in zip(encoded, self.terms, strict=True):
            if isinstance(term, Levels):
                row[:] = columns.positions(term.feature, term.levels)
            else:
                row[:] = columns.numbers(term.feature)
        return encoded

    def predict_encoded(self, encoded: NDArray[np.float64]) -> NDArray[np.float64]:
        """The risk from an encoded matrix, terms by people."""
        return self._risk(self._compiled.add_up(encoded, self.intercept))

    def _risk(self, total: NDArray[np.float64]) -> NDArray[np.float64]:
        held = np.clip(total, -self.log_odds_within, self.log_odds_within)
        return compute_probability(self.calibration_intercept + self.slope * held)

    def predict(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        """The calibrated probability of each row."""
        risks = np.empty(len(frame))
        for first in range(0, len(frame), _ROWS_AT_A_TIME):
            part = slice(first, first + _ROWS_AT_A_TIME)
            risks[part] = self.predict_encoded(self.encode(Columns(frame.iloc[part])))
        return risks

    def contributions(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Effect of each input on the log-odds; with :attr:`constant` they make up the risk."""
        effects = self.slope * self._compiled.score(self.encode(Columns(frame)))
        return pd.DataFrame(effects.T, index=frame.index, columns=list(self.feature_names))

    def judge(self, frame: pd.DataFrame) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
        """State and note: outside its limits not valid, a needed input missing not known.

        A value that is not plausible makes a person not valid too, with a question.
        """
        columns = Columns(frame)
        return self._judge(columns, self.encode(columns))

    def _judge(
        self, columns: Columns, encoded: NDArray[np.float64]
    ) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
        state, note = judge_rows(columns, limits=self.limits, needs=self.needs, labels=self._labels)
        low, high = self._plausible
        outside = (encoded < low) | (encoded > high)
        if outside.any():
            question_values(
                encoded, outside, note, state, features=self._of_terms, ranges=self.ranges
            )
        add_wishes(columns, note, state, by_weight=self._askable, labels=self._labels)
        return state, note

    def explain(self, columns: Columns) -> Explained:
        """State, note, risk and effects of each person, from one reading of the columns."""
        encoded = self.encode(columns)
        state, note = self._judge(columns, encoded)
        scores = self._compiled.score(encoded)
        total = np.full(len(columns), self.intercept)
        for of_term in scores:
            total += of_term
        return Explained(
            state=state,
            note=note,
            risk=self._risk(total),
            effects=(self.slope * scores).T,
            names=self.feature_names,
        )


def read_portable(text: str, *, trusted_keys: Iterable[bytes | str] | None = None) -> PortableModel:
    """The model in a JSON file of the form ``chw-model/2``, or ``chw-additive/1``.

    Parameters
    ----------
    text : str
        The file's content.
    trusted_keys : iterable of bytes or str, optional
        Public keys; where given, the file must be signed by one of them.

    Raises
    ------
    ModelRefused
        If it is not JSON, too large or too deep, of another form, contradicts itself, was
        changed after it was written, or is not signed by a trusted key.
    """
    read = parse_json(text)
    found = read.get("format") if isinstance(read, dict) else None
    content = migrate(read) if found == FIRST_FORMAT else read
    if found not in (FIRST_FORMAT, "chw-model/2"):
        raise _of_another_form(found)
    problems = check_structure(content)
    if problems:
        raise ModelRefused(
            "; ".join(problems[:5]), where="model file", cure="Restore it, or train again."
        )
    signed_by = None if trusted_keys is None else check_signed(content, trusted_keys)
    if found == FIRST_FORMAT:
        return _model(content, sha256(text.encode()).hexdigest(), signed_by)
    check_digest(content)
    return _model(content, content["digests"]["content"], signed_by)


def _of_another_form(found: Any) -> ModelRefused:
    if isinstance(found, str) and found.startswith("chw-model/"):
        return ModelRefused(
            "its form is newer than this software",
            where="model file",
            cure="Update CHW Tools, or export the model in the form chw-model/2.",
        )
    return ModelRefused(
        f"its format is not chw-model/2 (nor {FIRST_FORMAT})",
        where="model file",
        cure="Export the model again with `chw models export --format json`.",
    )


def _model(content: Mapping[str, Any], digest: str, signed_by: str | None) -> PortableModel:
    declared = {found["name"]: found for found in content["features"]}
    ranges = {name: Range.of(found) for name, found in declared.items()}
    calibration = content["calibration"]
    return PortableModel(
        name=content["name"],
        version=content["version"],
        outcome=content["outcome"],
        population=content["population"],
        digest=digest,
        intercept=float(content["intercept"]),
        slope=float(calibration["slope"]),
        calibration_intercept=float(calibration["intercept"]),
        log_odds_within=float(calibration.get("log_odds_within", MOST_SURE)),
        terms=tuple(read_term(term, ranges[term["feature"]].width) for term in content["terms"]),
        features=tuple(map(feature_of, content["features"])),
        limits={name: (low, high) for name, (low, high) in content.get("limits", {}).items()},
        needs=tuple(content.get("needs", ())),
        ranges=ranges,
        thresholds=content.get("thresholds", {}),
        texts=content.get("texts", {}),
        trained_on=content.get("trained_on", {}),
        digests=content.get("digests", {}),
        signed_by=signed_by,
        reference=content.get("reference", AVERAGE),
    )
