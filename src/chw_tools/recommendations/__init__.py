"""What to do for whom: danger signs first, then guideline, then risk, each with its reason."""

from chw_tools.recommendations.recommend import (
    all_recommendations,
    follow_up_on,
    recommend,
)
from chw_tools.recommendations.vaccines import vaccines_due

__all__ = ["all_recommendations", "follow_up_on", "recommend", "vaccines_due"]
