"""Trusted tables and a day in, one row per person out."""

from chw_tools.feature_engineering.declaration import Feature, Features
from chw_tools.feature_engineering.features import (
    build_features,
    features_as_known,
    people_needed,
)

__all__ = [
    "Feature",
    "Features",
    "build_features",
    "features_as_known",
    "people_needed",
]
