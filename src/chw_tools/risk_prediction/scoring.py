"""From a model and features to risks with their reasons.

A model is anything of the shape of :class:`ScoringModel`; what comes out is the declared
RISKS table. An estimate is given only to whom the model was declared for, and only from
inputs that are known as far as the model needs them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray


#: At most so many reasons are shown with a risk.
MAX_REASONS = 5


class ScoringModel(Protocol):
    """What every model must offer, trained here or published elsewhere.

    ``predict`` gives calibrated probabilities, one a row. ``contributions`` gives the
    effect of each feature on the log-odds scale, relative to ``reference`` (the average
    person of the training data, or a stated one); together with the model's constant they
    make up the linear predictor exactly. ``None`` where a model cannot be taken apart.
    ``refusals`` gives, one a row, the state (``estimated``, ``not_valid``, ``not_known``)
    and the reason where there is no estimate.
    """

    @property
    def name(self) -> str:
        """Name, for people."""

    @property
    def version(self) -> str:
        """Version of the model."""

    @property
    def digest(self) -> str:
        """SHA-256 of the model."""

    @property
    def outcome(self) -> str:
        """Name of the outcome foreseen."""

    @property
    def population(self) -> str:
        """``simulated`` or ``real``: whom it was trained on."""

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The inputs, in the model's order."""

    def predict(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        """Calibrated probability of each row."""

    def contributions(self, frame: pd.DataFrame) -> pd.DataFrame | None:
        """Effect of each feature on the log-odds, rows by features."""

    def refusals(self, frame: pd.DataFrame) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
        """State and note of each row."""
