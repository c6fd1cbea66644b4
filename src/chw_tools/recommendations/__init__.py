"""What to do for whom: danger signs first, then guideline, then risk, each with its reason."""

from chw_tools.recommendations.recommend import (
    all_recommendations,
    first_few,
    follow_up_on,
    recommend,
)
from chw_tools.recommendations.vaccines import vaccines_due
from chw_tools.recommendations.what_if import what_would_change

__all__ = [
    "all_recommendations",
    "first_few",
    "follow_up_on",
    "recommend",
    "vaccines_due",
    "what_would_change",
]
