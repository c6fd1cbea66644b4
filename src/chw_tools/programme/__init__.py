"""What people decided: thresholds, intervals, capacities, texts, outcomes."""

from chw_tools.programme.figures import Figure
from chw_tools.programme.numbers import Planning, RiskBands, VisitEffect
from chw_tools.programme.outcomes import OutcomeDefinition, load_outcomes
from chw_tools.programme.programme import Programme, load_programme
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
