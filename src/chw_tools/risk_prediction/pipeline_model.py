"""A fitted scikit-learn pipeline, with its calibration, as a scoring model."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from chw_tools.errors import ModelRefused
from chw_tools.model_evaluation.calibration import compute_logit, compute_probability
from chw_tools.risk_prediction.explained import Explained, explain_in_parts
from chw_tools.risk_prediction.inputs import Columns, numbers_of
from chw_tools.risk_prediction.plausibility import Range
from chw_tools.risk_prediction.portable_format import check_declaration, feature_of
from chw_tools.risk_prediction.tree_reasons import (
    TREE_SHAP,
    check_can_explain,
    compute_tree_shares,
    is_of_trees,
)
from chw_tools.risk_prediction.validity import Limits, judge_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from chw_tools.feature_engineering import Feature

#: Said with every estimate of a model that cannot be taken apart.
NO_REASONS = "This kind of model gives no reasons."


@dataclass(frozen=True, eq=False)
class PipelineModel:
    """A pipeline that ends in a classifier, with the calibration of its log-odds.

    For a logistic regression contributions are exact; for trees they are where the model was
    kept with the extra ``explain`` (see :mod:`chw_tools.risk_prediction.tree_reasons`). Else
    there are none: a reason that is only roughly right is not shown, and the note says so.
    """

    name: str
    version: str
    outcome: str
    population: str
    digest: str
    estimator: Any
    features: tuple[Feature, ...]
    slope: float = 1.0
    calibration_intercept: float = 0.0
    limits: Mapping[str, Limits] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    ranges: Mapping[str, Range] = field(default_factory=dict)
    trained_on: Mapping[str, Any] = field(default_factory=dict)
    reasons: str = ""

    @property
    def reference(self) -> str:
        """Whom effects are measured against."""
        if self.reasons == TREE_SHAP:
            return "the average of the people the model was trained on"
        return "a person with the average of every number, and no answer in particular to a choice"

    @classmethod
    def of(cls, estimator: Any, about: Any, *, digest: str) -> PipelineModel:
        """The model of a fitted pipeline and its description.

        Parameters
        ----------
        estimator : object
            With ``predict_proba``; it takes the declared inputs, numbers as float64 and
            choices as words.
        about : mapping
            ``name``, ``version``, ``outcome``, ``population``, ``calibration`` and
            ``features`` as in a ``chw-model/2`` file; ``limits``, ``needs``,
            ``trained_on`` and ``reasons`` where given.
        digest : str
            SHA-256 of what was saved.

        Raises
        ------
        ModelRefused
            If the description is incomplete, or its reasons cannot be computed here.
        """
        problems = check_declaration(about)
        if problems:
            raise ModelRefused(
                "; ".join(problems[:5]), where="model description", cure="Train again."
            )
        if about.get("reasons") == TREE_SHAP:
            check_can_explain(about["name"])
        return cls(
            name=about["name"],
            version=about["version"],
            outcome=about["outcome"],
            population=about["population"],
            digest=digest,
            estimator=estimator,
            features=tuple(feature_of(declared) for declared in about["features"]),
            slope=float(about["calibration"]["slope"]),
            calibration_intercept=float(about["calibration"]["intercept"]),
            limits={name: (low, high) for name, (low, high) in about.get("limits", {}).items()},
            needs=tuple(about.get("needs", ())),
            ranges={found["name"]: Range.of(found) for found in about["features"]},
            trained_on=about.get("trained_on", {}),
            reasons=str(about.get("reasons", "")),
        )

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The inputs, in the pipeline's order."""
        return tuple(feature.name for feature in self.features)

    def predict(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        """The calibrated probability of each row."""
        if len(frame) == 0:
            return np.empty(0)
        raw = self.estimator.predict_proba(self._inputs(frame))[:, 1]
        return compute_probability(self.calibration_intercept + self.slope * compute_logit(raw))

    def contributions(self, frame: pd.DataFrame) -> pd.DataFrame | None:
        """Effect of each input on the log-odds, where the model can be taken apart."""
        parts = self._parts(frame)
        if parts is None:
            return None
        prepare, effects = parts
        sources = source_of_columns(prepare.get_feature_names_out(), self.features)
        if sources is None:
            return None
        shares = {
            name: effects[:, [at for at, source in enumerate(sources) if source == name]].sum(1)
            for name in self.feature_names
        }
        return pd.DataFrame(shares, index=frame.index)

    @property
    def constant(self) -> float | None:
        """What the contributions add to; ``None`` where there are none."""
        linear, trees = self._linear_parts(), self._trees()
        if linear is not None:
            return self.calibration_intercept + self.slope * linear[2]
        if trees is None:
            return None
        prepare, classifier = trees
        nobody = np.zeros((1, len(prepare.get_feature_names_out())))
        base = compute_tree_shares(classifier, nobody).base
        return self.calibration_intercept + self.slope * base

    def judge(self, frame: pd.DataFrame) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
        """State and note: outside its limits not valid, a needed input missing not known."""
        labels = {feature.name: feature.label for feature in self.features}
        state, note = judge_rows(
            Columns(frame), limits=self.limits, needs=self.needs, labels=labels
        )
        if self._linear_parts() is None and self._trees() is None:
            note[state == "estimated"] = NO_REASONS
        return state, note

    def explain(self, columns: Columns) -> Explained:
        """State, note, risk and effects of each person."""
        return explain_in_parts(self, columns)

    def _parts(self, frame: pd.DataFrame) -> tuple[Any, NDArray[np.float64]] | None:
        """The preparation, and the calibrated effect of each prepared column (rows by columns)."""
        linear, trees = self._linear_parts(), self._trees()
        if linear is not None:
            prepare, coefficients, _ = linear
            return prepare, self.slope * coefficients * self._prepared(prepare, frame)
        if trees is not None:
            prepare, classifier = trees
            prepared = self._prepared(prepare, frame)
            shares = compute_tree_shares(classifier, prepared).shares if len(frame) else prepared
            return prepare, self.slope * shares
        return None

    def _prepared(self, prepare: Any, frame: pd.DataFrame) -> NDArray[np.float64]:
        if not len(frame):
            return np.empty((0, len(prepare.get_feature_names_out())))
        return np.asarray(prepare.transform(self._inputs(frame)), dtype="float64")

    def _trees(self) -> tuple[Any, Any] | None:
        steps = getattr(self.estimator, "steps", None)
        if self.reasons != TREE_SHAP or not steps or not is_of_trees(steps[-1][1]):
            return None
        return self.estimator[:-1], steps[-1][1]

    def _linear_parts(self) -> tuple[Any, NDArray[np.float64], float] | None:
        steps = getattr(self.estimator, "steps", None)
        if not steps or not hasattr(steps[-1][1], "coef_") or len(steps) < 2:
            return None
        linear = steps[-1][1]
        coefficients = np.ravel(np.asarray(linear.coef_, dtype="float64"))
        return self.estimator[:-1], coefficients, float(np.ravel(linear.intercept_)[0])

    def _inputs(self, frame: pd.DataFrame) -> pd.DataFrame:
        columns = {feature.name: _column(frame[feature.name], feature) for feature in self.features}
        return pd.DataFrame(columns, index=frame.index)


def _column(values: pd.Series, feature: Feature) -> Any:
    if feature.kind == "choice":
        return values.astype(object).where(values.notna(), np.nan)
    return numbers_of(values)


def source_of_columns(names: Sequence[str], features: Sequence[Feature]) -> list[str] | None:
    """From which input each prepared column comes; ``None`` if one cannot be told.

    >>> from chw_tools.feature_engineering import Feature
    >>> inputs = [Feature("bmi", "BMI", "number"), Feature("sex", "Sex", "choice")]
    >>> source_of_columns(["a__bmi", "a__missingindicator_bmi", "b__sex_female"], inputs)
    ['bmi', 'bmi', 'sex']
    """
    found = [_source(str(name), features) for name in names]
    return [name for name in found if name is not None] if None not in found else None


def _source(name: str, features: Sequence[Feature]) -> str | None:
    bare = name.partition("__")[2] or name
    bare = bare.removeprefix("missingindicator_")
    if any(feature.name == bare for feature in features):
        return bare
    choices = [f.name for f in features if f.kind == "choice" and bare.startswith(f"{f.name}_")]
    return max(choices, key=len, default=None)
