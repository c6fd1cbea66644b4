"""From a model and features to risks with their reasons.

A model is anything of the shape of :class:`ScoringModel`; what comes out is the declared
RISKS table. An estimate is given only for those whom the model was declared for, and only
from inputs that are known as far as the model needs them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
import pandas as pd

from chw_tools.errors import ModelRefused
from chw_tools.records.derived import RISKS
from chw_tools.records.register import conform
from chw_tools.risk_prediction.inputs import digest_rows
from chw_tools.risk_prediction.reasons import reasons_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from chw_tools.feature_engineering import Features


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

    def predict(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        """Calibrated probability of each row; missing where there is none."""

    def contributions(self, frame: pd.DataFrame) -> pd.DataFrame | None:
        """Effect of each feature on the log-odds, relative to the model's reference person.

        Rows by features; together with the log-odds of the reference they are the log-odds
        of the risk, exactly. ``None`` where the model cannot be taken apart.
        """

    def judge(self, frame: pd.DataFrame) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
        """State of each row (``estimated``, ``not_valid``, ``not_known``), and a note."""


def estimate_risk(
    model: ScoringModel, features: Features, *, bands: Bands, population: str | None = None
) -> pd.DataFrame:
    """The calibrated risk of each person, with exact reasons.

    Parameters
    ----------
    model : ScoringModel
        A trained model or a published score.
    features : Features
        One row per person; must hold the model's inputs.
    bands : Bands
        Names the band of a risk, as the programme decided.
    population : {"simulated", "real"}, optional
        Whom the features are about; a model trained on simulated people scores no others.

    Returns
    -------
    DataFrame
        As declared in ``records.derived.RISKS``, in the order of the features.

    Raises
    ------
    ModelRefused
        If an input is not among the features, or the model is of simulated people and these
        are not.
    """
    _check(model, features, population)
    frame = features.frame
    state, note = model.judge(frame)
    estimated = state == "estimated"
    risk = np.where(estimated, model.predict(frame), np.nan)
    risks = pd.DataFrame(
        {
            "person_id": frame.index,
            "outcome": model.outcome,
            "as_of": pd.Timestamp(features.as_of),
            "state": state,
            "risk": risk,
            "band": bands.of(risk),
            "reasons": reasons_of(model.contributions(frame), features, estimated),
            "note": note,
            "model": f"{model.name} {model.version}",
            "model_digest": model.digest,
            "inputs_digest": digest_rows(frame, model.feature_names),
        }
    )
    return conform(RISKS, risks)


def _check(model: ScoringModel, features: Features, population: str | None) -> None:
    if population is not None and model.population == "simulated" != population:
        raise ModelRefused(
            "a model trained on simulated people does not score others",
            where=f"{model.name} {model.version}",
            cure="Use a published score, or train on this programme's own people.",
        )
    absent = [name for name in model.feature_names if name not in features.frame]
    if absent:
        raise ModelRefused(
            f"the feature table lacks {', '.join(absent)}",
            where=f"{model.name} {model.version}",
            cure="Build features with the version that the model was trained with.",
        )
