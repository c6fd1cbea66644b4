"""Training rows made ready once, and a fit of a recipe on some of them.

What stands here is the whole cost of ours above a bare fit of the same learner: reading the
declared inputs, leaving out what cannot be learnt from, and the digest of what was learnt.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from chw_tools.errors import NotEnoughData
from chw_tools.model_evaluation.calibration import compute_logit
from chw_tools.model_training.inputs import find_learnable, read_inputs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager

    import pandas as pd
    from numpy.typing import NDArray

    from chw_tools.feature_engineering import Feature
    from chw_tools.model_training.recipes import Recipe

#: Whether each class weighs by its people, or both classes weigh the same.
ClassWeights = Literal["none", "balanced"]
#: Which way an input's effect is held.
Direction = Literal["rises", "falls"]
_SIGNS = {"rises": 1, "falls": -1}


@dataclass(frozen=True)
class TrainingRows:
    """Everything that a fit needs, row by row.

    Parameters
    ----------
    recipe : Recipe
        How the estimator is made.
    declaration : tuple of Feature
        The inputs, in the order of the columns.
    inputs : DataFrame of shape (n, p)
        Numbers as float64, choices as words, gaps as gaps.
    labels : array of shape (n,)
        1 where the event happened, else 0.
    groups : array of shape (n,)
        Whom to keep on one side of every fold.
    seed : int
        All chance comes from it.
    class_weights : {"none", "balanced"}
        Weights in the fit, never resampling: calibration puts the size of risks right again.
    monotone : mapping of str to {"rises", "falls"}
        Inputs whose effect is held to one direction.
    """

    recipe: Recipe
    declaration: tuple[Feature, ...]
    inputs: pd.DataFrame
    labels: NDArray[np.float64]
    groups: NDArray[Any]
    seed: int
    class_weights: ClassWeights = "none"
    monotone: Mapping[str, Direction] = field(default_factory=dict)

    def take(self, rows: NDArray[np.int64]) -> TrainingRows:
        """Some of the rows, in the order given."""
        return replace(
            self,
            inputs=self.inputs.iloc[rows],
            labels=self.labels[rows],
            groups=self.groups[rows],
        )

    @property
    def event_weight(self) -> float:
        """The weight of somebody with the event, where others weigh 1."""
        if self.class_weights == "none":
            return 1.0
        events = self.labels.sum()
        return float((len(self.labels) - events) / events)


def read_learnable(
    frame: pd.DataFrame, declaration: Sequence[Feature]
) -> tuple[tuple[Feature, ...], pd.DataFrame]:
    """The inputs that can be learnt from, with their declaration.

    Raises
    ------
    NotEnoughData
        If there is none.
    """
    inputs = read_inputs(frame, declaration)
    learnable = set(find_learnable(inputs))
    kept = tuple(f for f in declaration if f.name in learnable)
    if not kept:
        raise NotEnoughData("no feature is known and varies among the training rows")
    if len(kept) == inputs.shape[1]:  # as a rule; the rows need no second copy
        return kept, inputs
    return kept, inputs[[f.name for f in kept]]


def fit_recipe(rows: TrainingRows, parameters: Mapping[str, Any]) -> Any:
    """The recipe's estimator, fitted on all the rows; not calibrated, so no probability yet."""
    estimator = rows.recipe.make(rows.declaration, rows.inputs, rows.seed)
    estimator.set_params(**parameters, **_held(rows))
    weights = None
    if rows.class_weights != "none":
        weights = np.where(rows.labels == 1, rows.event_weight, 1.0)
    return fit_quietly(estimator, rows.inputs, rows.labels, weights=weights)


def check_monotone(
    recipe: Recipe, monotone: Mapping[str, Direction], declaration: Sequence[Feature]
) -> None:
    """Refuse a direction that the recipe cannot hold, or of an input that has none.

    Raises
    ------
    ValueError
        Then.
    """
    if monotone and not recipe.can_be_monotone:
        raise ValueError(f"the recipe {recipe.name} cannot hold an effect to one direction")
    ordered = {f.name for f in declaration if f.kind != "choice"}
    unknown = sorted(set(monotone) - ordered)
    if unknown:
        raise ValueError(f"no number or flag among the inputs: {', '.join(unknown)}")


def compute_estimator_logits(estimator: Any, inputs: pd.DataFrame) -> NDArray[np.float64]:
    """The estimator's own log-odds, before calibration."""
    with one_thread():
        return compute_logit(estimator.predict_proba(inputs)[:, 1])


def fit_quietly(
    estimator: Any,
    inputs: pd.DataFrame,
    labels: NDArray[np.float64],
    *,
    weights: NDArray[np.float64] | None = None,
) -> Any:
    """The estimator, fitted; the additive model's remark on drawing gaps is not passed on."""
    import warnings

    from sklearn.pipeline import Pipeline

    passed = {}
    if weights is not None:
        is_pipeline = isinstance(estimator, Pipeline)
        passed["model__sample_weight" if is_pipeline else "sample_weight"] = weights
    with warnings.catch_warnings(), one_thread():
        # Gaps are a level of their own here, on purpose, and are drawn by us.
        warnings.filterwarnings("ignore", message="Missing values detected", category=UserWarning)
        return estimator.fit(inputs, labels, **passed)


def one_thread() -> AbstractContextManager[Any]:
    """Numerical libraries held to one thread.

    On cores that others use too, several threads wait for one another by spinning: boosting
    was measured at ten times its time. The numbers are also the same on every machine.
    """
    import sys

    limited: AbstractContextManager[Any] = _find_libraries(len(sys.modules)).limit(limits=1)
    return limited


@lru_cache(maxsize=1)
def _find_libraries(_n_modules: int) -> Any:
    """The numerical libraries in this process: looked for anew after anything is imported."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def _held(rows: TrainingRows) -> dict[str, Any]:
    if not rows.monotone:
        return {}
    signs = [
        _SIGNS[rows.monotone[f.name]] if f.name in rows.monotone else 0 for f in rows.declaration
    ]
    return {"monotone_constraints": signs}
