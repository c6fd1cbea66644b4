"""The shape of every model that can score, trained here or published elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from chw_tools.feature_engineering import Feature
    from chw_tools.risk_prediction.explained import Explained
    from chw_tools.risk_prediction.inputs import Columns
    from chw_tools.risk_prediction.plausibility import Range


class Bands(Protocol):
    """What names the band of a risk; the programme's ``RiskBands`` does."""

    def of(self, risk: NDArray[np.float64]) -> NDArray[np.object_]:
        """The band of each risk; missing where the risk is."""


class ScoringModel(Protocol):
    """What every model offers, whether trained here or published elsewhere."""

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
        """``simulated`` or ``real``: whom it was made from."""

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The inputs, in the model's order."""

    @property
    def features(self) -> tuple[Feature, ...]:
        """The declaration of the inputs; empty where a formula reads them by itself."""

    @property
    def ranges(self) -> Mapping[str, Range]:
        """Plausible ranges of declared inputs."""

    def predict(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        """Calibrated probability of each row; missing where there is none."""

    def explain(self, columns: Columns) -> Explained:
        """State, note, risk and effects of each person.

        Effects are on the log-odds, relative to the model's reference person; together with
        the log-odds of the reference they are the log-odds of the risk, exactly.
        """
