"""From a model and features to risks with their reasons.

A model is anything of the shape of :class:`ScoringModel`; what comes out is the declared RISKS
table. An estimate is given only for those whom the model was declared for, and only from inputs
that are known as far as the model needs them.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from chw_tools.records.derived import RISKS
from chw_tools.risk_prediction.feature_check import check_features
from chw_tools.risk_prediction.inputs import Columns, digest_rows
from chw_tools.risk_prediction.reasons import reasons_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from chw_tools.feature_engineering import Features
    from chw_tools.risk_prediction.model_shape import Bands, ScoringModel

_WORDS = pd.StringDtype(na_value=np.nan)  # what "str" stands for
_TEXTS = tuple(c.name for c in RISKS.columns if c.kind in ("text", "choice"))
#: People who are scored at a time: what a million of them cost in memory stays small.
ROWS_AT_A_TIME = 65_536


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

    Built as arrays, all texts at once: converting a finished table column by column costs
    more than scoring one person.
    """
    n_people = len(person_id)
    words = [_of_everybody(values[name], n_people) for name in _TEXTS]
    held = pd.array(list(chain.from_iterable(words)), dtype=_WORDS)
    arrays = {
        **values,
        **{name: held[at * n_people : (at + 1) * n_people] for at, name in enumerate(_TEXTS)},
        "person_id": (person_id if person_id.dtype == _WORDS else person_id.astype(_WORDS)).array,
        "as_of": np.full(n_people, values["as_of"], dtype="datetime64[s]"),
        "reasons": _objects(values["reasons"]),
    }
    return pd.DataFrame({name: arrays[name] for name in RISKS.column_names}, copy=False)


def _of_everybody(value: Any, n_people: int) -> Any:
    return repeat(value, n_people) if isinstance(value, str) else value


def _objects(values: list[Any]) -> NDArray[np.object_]:
    held = np.empty(len(values), dtype=object)
    held[:] = values
    return held
