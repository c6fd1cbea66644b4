"""Trusted tables and a day in, one row per person out."""

from chw_tools.feature_engineering.declaration import Feature, Features
from chw_tools.feature_engineering.features import (
    build_features,
    features_as_known,
    people_needed,
)
from chw_tools.feature_engineering.growth import GrowthZ, compute_growth_z
from chw_tools.feature_engineering.outcomes import label_outcome, select_for_model

__all__ = [
    "Feature",
    "Features",
    "GrowthZ",
    "build_features",
    "compute_growth_z",
    "features_as_known",
    "label_outcome",
    "people_needed",
    "select_for_model",
]
