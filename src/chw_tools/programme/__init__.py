"""What people decided: thresholds, intervals, capacities, texts, outcomes."""

from chw_tools.programme.outcomes import OutcomeDefinition, load_outcomes
from chw_tools.programme.programme import (
    Figure,
    Planning,
    Programme,
    RiskBands,
    VisitEffect,
    load_programme,
)
from chw_tools.programme.rules import Condition, Rule, Schedule

__all__ = [
    "Condition",
    "Figure",
    "OutcomeDefinition",
    "Planning",
    "Programme",
    "RiskBands",
    "Rule",
    "Schedule",
    "VisitEffect",
    "load_outcomes",
    "load_programme",
]
