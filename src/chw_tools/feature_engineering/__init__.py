"""Trusted tables and a day in, one row per person out."""

from chw_tools.feature_engineering.declaration import Feature, Features
from chw_tools.feature_engineering.features import (
    build_features,
    features_as_known,
    people_needed,
)
from chw_tools.feature_engineering.growth import GrowthZ, compute_growth_z
from chw_tools.feature_engineering.outcome_counts import (
    add_state,
    count_states,
    describe_counts,
    sum_counts,
)
from chw_tools.feature_engineering.outcome_rows import people_in_question
from chw_tools.feature_engineering.outcomes import (
    label_outcome,
    label_rows,
    last_known_day,
    select_for_model,
)

__all__ = [
    "Feature",
    "Features",
    "GrowthZ",
    "add_state",
    "build_features",
    "compute_growth_z",
    "count_states",
    "describe_counts",
    "features_as_known",
    "label_outcome",
    "label_rows",
    "last_known_day",
    "people_in_question",
    "people_needed",
    "select_for_model",
    "sum_counts",
]
