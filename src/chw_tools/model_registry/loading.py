"""From the files of a kept model to one that scores, or a refusal with the cause and the cure.

Checked in this order: digests and signature (by the registry, before), the types in the file,
the libraries, what the model says of itself, its feature contract, the bounds of its trees, and
its golden rows. Nothing is ever unpickled.
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from chw_tools.errors import ModelRefused
from chw_tools.model_registry.formats import read_model
from chw_tools.model_registry.golden import GOLDEN_FILE, check_golden

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from chw_tools.feature_engineering import Feature
    from chw_tools.risk_prediction import ScoringModel

_CONTRACT = ("name", "kind", "unit", "allowed")


def load_verified(
    files: Mapping[str, bytes], manifest: Mapping[str, Any], *, digest: str
) -> ScoringModel:
    """The model in files whose digests were checked.

    Raises
    ------
    ModelRefused
        At the first check that fails.
    """
    model = read_model(files, libraries=manifest.get("libraries", {}), digest=digest)
    said = {"outcome": model.outcome, "population": model.population}
    if any(manifest.get(name) != value for name, value in said.items()):
        raise ModelRefused("its manifest tells of another outcome or population")
    check_contract(model.features, manifest)
    if GOLDEN_FILE not in files:
        raise ModelRefused(
            "it was kept without golden rows, by an earlier version of chw-tools",
            cure="Train again.",
        )
    check_golden(model, model.features, files[GOLDEN_FILE])
    return model


def feature_contract(features: Sequence[Feature]) -> str:
    """One digest of what the inputs are: names, kinds, units and answers, in order."""
    held = [{name: feature.as_dict()[name] for name in _CONTRACT} for feature in features]
    return sha256(json.dumps(held, sort_keys=True).encode()).hexdigest()


def check_contract(features: Sequence[Feature], manifest: Mapping[str, Any]) -> None:
    """Refuse a model whose inputs are not those that it was kept with.

    Raises
    ------
    ModelRefused
        If a name, kind, unit or answer is another, or the order is.
    """
    if manifest.get("feature_contract") != feature_contract(features):
        raise ModelRefused("its inputs are not those that it was kept with", cure="Train again.")
