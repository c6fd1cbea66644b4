"""What to do for whom: danger signs first, then guideline, then risk, each with its reason."""

from chw_tools.recommendations.recommend import (
    all_recommendations,
    follow_up_on,
    recommend,
)

__all__ = ["all_recommendations", "follow_up_on", "recommend"]
