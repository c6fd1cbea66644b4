"""Is this the feature table that the model was made for? Names, units, whole columns."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from chw_tools.errors import ModelRefused
from chw_tools.risk_prediction.inputs import Columns
from chw_tools.risk_prediction.plausibility import LEAST_VALUES, check_units
from chw_tools.risk_prediction.sentences import unit_word

if TYPE_CHECKING:
    from collections.abc import Collection

    from chw_tools.feature_engineering import Feature, Features
    from chw_tools.risk_prediction.model_shape import ScoringModel

#: How alike two names must be for one to be offered for the other (0 to 1).
_ALIKE = 0.7


def check_features(model: ScoringModel, features: Features, *, population: str | None) -> None:
    """Refuse features that the model cannot rightly score.

    Raises
    ------
    ModelRefused
        If the model is of simulated people and these are not; if an input is absent, of
        another kind or unit; or if a whole column only makes sense in another unit.
    """
    where = f"{model.name} {model.version}"
    if population is not None and model.population == "simulated" != population:
        raise ModelRefused(
            "a model trained on simulated people does not score others",
            where=where,
            cure="Use a published score, or train on this programme's own people.",
        )
    _check_names(model, features, where)
    _check_declared(model, features, where)
    if len(features.frame) >= LEAST_VALUES and model.ranges:
        inputs = [f for f in model.features if f.name in set(model.feature_names)]
        check_units(Columns(features.frame), inputs, model.ranges, where=where)


def _check_names(model: ScoringModel, features: Features, where: str) -> None:
    there = features.frame.columns
    absent = [name for name in model.feature_names if name not in there]
    if absent:
        spare = [str(name) for name in there if name not in model.feature_names]
        raise ModelRefused(
            f"the feature table lacks {', '.join(_offered(name, spare) for name in absent)}",
            where=where,
            cure="Build features with the version that the model was trained with.",
        )


def _offered(name: str, spare: Collection[str]) -> str:
    alike = get_close_matches(name, spare, n=1, cutoff=_ALIKE)
    return f"{name} (is it {alike[0]}?)" if alike else name


def _check_declared(model: ScoringModel, features: Features, where: str) -> None:
    if not model.features:
        return
    declared = features.declared()
    faults = [
        fault
        for feature in model.features
        if feature.name in declared
        for fault in _differences(feature, declared[feature.name])
    ]
    if faults:
        raise ModelRefused(
            "; ".join(faults[:5]),
            where=where,
            cure="Convert them, and declare them as the model does.",
        )


def _differences(wanted: Feature, given: Feature) -> list[str]:
    if wanted is given:
        return []
    faults = []
    if wanted.kind != given.kind:
        faults.append(f"{wanted.name} is a {given.kind}, and the model takes a {wanted.kind}")
    if _is_another_unit(wanted.unit, given.unit):
        faults.append(f"{wanted.name} is in {given.unit}, and the model takes {wanted.unit}")
    return faults


def _is_another_unit(wanted: str, given: str) -> bool:
    # One unit has several spellings: years and a, mm[Hg] and mmHg.
    return bool(wanted and given and wanted != given and unit_word(wanted) != unit_word(given))
