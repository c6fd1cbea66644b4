"""From a model and features to risks with their reasons.

A model is anything of the shape of :class:`ScoringModel`; what comes out is the declared
RISKS table. An estimate is given only for those whom the model was declared for, and only
from inputs that are known as far as the model needs them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd

from chw_tools.records.derived import RISKS
from chw_tools.risk_prediction.feature_check import check_features
from chw_tools.risk_prediction.inputs import Columns, digest_rows
from chw_tools.risk_prediction.reasons import reasons_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from chw_tools.feature_engineering import Feature, Features
    from chw_tools.risk_prediction.explained import Explained
    from chw_tools.risk_prediction.plausibility import Range

_WORDS = pd.StringDtype(na_value=np.nan)  # what "str" stands for
#: People who are scored at a time: what a million of them cost in memory stays small.
ROWS_AT_A_TIME = 65_536


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
        If an input is not among the features, or is declared in another unit; if a whole
        column only makes sense in another unit; or if the model is of simulated people and
        these are not.
    """
    check_features(model, features, population=population)
    parts = [_estimate(model, part, bands) for part in _in_parts(features)]
    return parts[0] if len(parts) == 1 else pd.concat(parts, ignore_index=True)


def _in_parts(features: Features) -> Iterator[Features]:
    n_people = len(features.frame)
    if n_people <= ROWS_AT_A_TIME:
        yield features
        return
    for first in range(0, n_people, ROWS_AT_A_TIME):
        part = features.frame.iloc[first : first + ROWS_AT_A_TIME]
        yield replace(features, frame=part)


def _estimate(model: ScoringModel, features: Features, bands: Bands) -> pd.DataFrame:
    columns = Columns(features.frame)
    found = model.explain(columns)
    estimated = found.state == "estimated"
    risk = np.where(estimated, found.risk, np.nan)
    declared = features.declared()
    reasons = reasons_of(found.effects, found.names, columns, declared, wanted=estimated)
    return _table(
        person_id=features.frame.index,
        outcome=model.outcome,
        as_of=features.as_of,
        state=found.state,
        risk=risk,
        band=bands.of(risk),
        reasons=reasons,
        note=found.note,
        model=f"{model.name} {model.version}",
        model_digest=model.digest,
        inputs_digest=digest_rows(columns, model.feature_names),
    )


def _table(*, person_id: pd.Index, **values: Any) -> pd.DataFrame:
    """The columns of RISKS in their declared dtypes, a single value for everybody.

    Built column by column: a general conversion of a finished table costs more than scoring
    one person.
    """
    n_people = len(person_id)
    columns = {}
    for column in RISKS.columns:
        value = values.get(column.name, person_id)
        if column.kind == "day":
            columns[column.name] = np.full(n_people, value, dtype="datetime64[s]")
        elif column.kind == "number":
            columns[column.name] = value
        elif column.kind == "json":
            columns[column.name] = _objects(value)
        else:
            columns[column.name] = _words(value, n_people)
    return pd.DataFrame(columns, copy=False)


def _objects(values: list[Any]) -> NDArray[np.object_]:
    held = np.empty(len(values), dtype=object)
    held[:] = values
    return held


def _words(value: Any, n_people: int) -> Any:
    if isinstance(value, pd.Index):
        return value.astype("str").array
    return pd.array([value] * n_people if isinstance(value, str) else value, dtype=_WORDS)
