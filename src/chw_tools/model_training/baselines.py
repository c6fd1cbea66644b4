"""What a model must beat: the prevalence, and age alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from chw_tools.model_training.inputs import find_learnable
from chw_tools.model_training.train import check_enough, train

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from chw_tools.feature_engineering import Features

#: The plainest ranking a programme could use without any model.
PLAIN_FEATURE = "age_years"


class Predicting(Protocol):
    """Anything that gives a risk for each row."""

    def predict(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        """Probabilities, one a row."""


@dataclass(frozen=True)
class Prevalence:
    """Everyone has the same risk: the share of events among the training rows."""

    share: float

    def predict(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        """The share, once for each row."""
        return np.full(len(frame), self.share)


def fit_baselines(
    features: Features, labels: pd.Series, *, seed: int, groups: NDArray[Any] | None = None
) -> dict[str, Predicting]:
    """Baselines fitted on the training rows, each with ``predict(frame)``.

    ``prevalence`` gives everyone the same risk; ``age_only``, where age is an input, is the
    additive model of age and nothing else.

    Raises
    ------
    NotEnoughData
        As :func:`chw_tools.model_training.train.train` does.
    """
    known = labels.dropna().astype(float).to_numpy()
    check_enough(known, outcome="baselines")
    found: dict[str, Predicting] = {"prevalence": Prevalence(float(known.mean()))}
    if find_learnable(features.frame[features.frame.columns.intersection([PLAIN_FEATURE])]):
        found["age_only"] = train(
            features.only([PLAIN_FEATURE]), labels, recipe="additive", seed=seed, groups=groups
        )
    return found
