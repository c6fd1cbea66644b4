"""CHW Tools: from a patient register to today's visit list, and back.

The names a notebook needs are here and are loaded when first used::

    from chw_tools import build_features, read_register, train
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "Register": "chw_tools.records",
    "TABLES": "chw_tools.records",
    "load_catalogue": "chw_tools.records",
    "load_programme": "chw_tools.programme",
    "load_outcomes": "chw_tools.programme",
    "clean_table": "chw_tools.data_processing",
    "as_known_on": "chw_tools.data_processing",
    "build_features": "chw_tools.feature_engineering",
    "label_outcome": "chw_tools.feature_engineering",
    "estimate_risk": "chw_tools.risk_prediction",
    "recommend": "chw_tools.recommendations",
    "plan_day": "chw_tools.resource_allocation",
    "Situation": "chw_tools.resource_allocation",
    "train": "chw_tools.model_training",
    "train_table": "chw_tools.model_training",
    "make_cohorts": "chw_tools.model_training",
    "run_training": "chw_tools.model_training",
    "FULL_BOOSTING_GRID": "chw_tools.model_training",
    "Search": "chw_tools.model_training",
    "ModelRegistry": "chw_tools.model_registry",
}

__all__ = ["__version__", *sorted(_HOMES)]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'chw_tools' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
