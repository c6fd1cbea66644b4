"""Whom to visit this week, by what a visit does."""

from chw_tools.resource_allocation.choice.belief import belief_after, belief_index
from chw_tools.resource_allocation.choice.benefit import (
    WEEKLY_DISCOUNT,
    Forecaster,
    belief_benefit,
    forecast_benefit,
    index_benefit,
    risk_times_effect,
)
from chw_tools.resource_allocation.choice.choose import choose, price_of_floors
from chw_tools.resource_allocation.choice.index import (
    finite_index,
    myopic_gain,
    two_state_index,
)
from chw_tools.resource_allocation.choice.problem import Choice, ChoiceProblem, Floor, read_floor
from chw_tools.resource_allocation.choice.transitions import (
    ENOUGH_VISITED,
    HALF_TRUSTED,
    Transitions,
    estimate_transitions,
    steps_from_weeks,
)

__all__ = [
    "ENOUGH_VISITED",
    "HALF_TRUSTED",
    "WEEKLY_DISCOUNT",
    "Choice",
    "ChoiceProblem",
    "Floor",
    "Forecaster",
    "Transitions",
    "belief_after",
    "belief_benefit",
    "belief_index",
    "choose",
    "estimate_transitions",
    "finite_index",
    "forecast_benefit",
    "index_benefit",
    "myopic_gain",
    "price_of_floors",
    "read_floor",
    "risk_times_effect",
    "steps_from_weeks",
    "two_state_index",
]
