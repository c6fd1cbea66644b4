"""A fitted model as a portable file, in the form ``chw-model/2``.

What is written is rounded, and is what everybody scores with from then on; that it scores
as the fitted model does is asserted here, on values at and beside every border.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from chw_tools.model_training.portable_terms import Terms, find_terms
from chw_tools.records.catalogue import load_catalogue
from chw_tools.risk_prediction.plausibility import declare_range
from chw_tools.risk_prediction.portable import AVERAGE, read_portable
from chw_tools.risk_prediction.portable_format import FORMAT, MOST_SURE
from chw_tools.risk_prediction.sentences import SENTENCES, UNIT_WORDS, unit_word
from chw_tools.risk_prediction.signing import feature_digest, sealed, write_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chw_tools.feature_engineering import Feature
    from chw_tools.model_training.train import FittedModel
    from chw_tools.records.catalogue import Catalogue
    from chw_tools.risk_prediction import PortableModel

#: A risk by the file and by the fitted model differ by no more.
PARITY = 1e-9
_PROBES = 2000


def is_portable(model: FittedModel) -> bool:
    """Whether the model is a sum of one term a feature, and so can be written as a file."""
    return find_terms(model.estimator, model.features) is not None


def export_model(
    model: FittedModel,
    *,
    version: str,
    thresholds: Mapping[str, Any] | None = None,
    texts: Mapping[str, Mapping[str, Any]] | None = None,
    parent: str | None = None,
    catalogue: Catalogue | None = None,
) -> str:
    """The fitted model as the text of a ``chw-model/2`` file, with its digest, not signed.

    Parameters
    ----------
    model : FittedModel
        Additive, logistic, or logistic with splines; see :func:`is_portable`.
    version : str
        Its version.
    thresholds : mapping, optional
        ``bands`` ({band: lowest risk}), ``capacity`` and ``sensitivity`` (risks): what a
        phone needs to name a band and to say who is on the list.
    texts : mapping, optional
        Translations: sentences by language and key, with ``labels`` and ``features`` of
        single inputs; the English ones are always written.
    parent : str, optional
        Digest of the model that this one was edited from.
    catalogue : Catalogue, optional
        Where plausible ranges come from; the shipped one by default.

    Raises
    ------
    ValueError
        If the model is not a sum of one term a feature, or what was written does not score
        as it does.
    """
    found = find_terms(model.estimator, model.features)
    if found is None:
        raise ValueError("only a model that is a sum of one term a feature can be exported")
    held = catalogue or load_catalogue()
    content = sealed(
        {
            "format": FORMAT,
            "outcome": model.outcome,
            "name": model.name,
            "version": version,
            "population": model.population,
            "recipe": model.recipe,
            "reference": AVERAGE,
            "features": [_declared(one, model, held) for one in model.features],
            "intercept": found.intercept,
            "terms": found.terms,
            "calibration": {
                "slope": float(model.calibration.slope),
                "intercept": float(model.calibration.intercept),
                "log_odds_within": MOST_SURE,
            },
            "limits": {name: list(pair) for name, pair in model.limits.items()},
            "needs": list(model.needs),
            "thresholds": dict(thresholds or {}),
            "texts": {**(texts or {}), "en": _english(model.features, (texts or {}).get("en", {}))},
            "trained_on": dict(model.trained_on),
            "digests": _digests(model, parent),
        }
    )
    text = write_text(content)
    check_same(model, read_portable(text), make_probes(found, model.features))
    return text


def _declared(feature: Feature, model: FittedModel, catalogue: Catalogue) -> dict[str, Any]:
    learnt = model.trained_on.get("ranges", {}).get(feature.name)
    return feature.as_dict() | declare_range(feature, learnt=learnt, catalogue=catalogue)


def _english(features: tuple[Feature, ...], given: Mapping[str, Any]) -> dict[str, Any]:
    units = {feature.unit: unit_word(feature.unit) for feature in features if feature.unit}
    return {**SENTENCES, "units": {**UNIT_WORDS, **units}, **given}


def _digests(model: FittedModel, parent: str | None) -> dict[str, str]:
    found = {"features": feature_digest(model.features)}
    data = model.trained_on.get("data_digest")
    if data:
        found["data"] = data
    return found | ({"parent": parent} if parent else {})


def make_probes(found: Terms, features: tuple[Feature, ...]) -> pd.DataFrame:
    """People who do not exist, with values at and beside every border, unknown and missing.

    Values of each feature come round in an order of its own, so that they meet in many ways.
    """
    columns: dict[str, Any] = {}
    kinds = {feature.name: feature.kind for feature in features}
    for at, term in enumerate(found.terms):
        values = _values_to_try(term)
        order = np.random.default_rng(at).permuted(np.resize(np.arange(len(values)), _PROBES))
        kind = object if kinds[term["feature"]] == "choice" else "float64"
        columns[term["feature"]] = np.array(values, dtype=kind)[order]
    return pd.DataFrame(columns)


def _values_to_try(term: Mapping[str, Any]) -> list[Any]:
    if term["kind"] == "levels":
        return [*term["levels"], "never heard of", None]
    borders = np.array(term.get("cuts") or term.get("knots") or [term.get("at", 0.0), 0.0, 1.0])
    beside = [np.nextafter(borders, -np.inf), borders, np.nextafter(borders, np.inf)]
    between = (borders[1:] + borders[:-1]) / 2
    ends = borders[[0, -1]] + np.ptp(borders) * np.array([-0.5, 0.5])
    return [*np.concatenate([*beside, between, ends]).tolist(), np.nan]


def check_same(model: FittedModel, written: PortableModel, frame: pd.DataFrame) -> float:
    """The largest difference of a risk between what was fitted and what was written.

    Raises
    ------
    ValueError
        If it is above :data:`PARITY`.
    """
    if not written.terms:
        frame = pd.DataFrame(index=range(1))
    apart = np.abs(model.predict(frame) - written.predict(frame))
    worst = float(np.nan_to_num(apart, nan=np.inf).max(initial=0.0))
    if worst > PARITY:
        raise ValueError("what was written does not score as what was fitted")
    return worst
