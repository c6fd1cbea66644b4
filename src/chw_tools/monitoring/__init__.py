"""What happened and what did not: who is overdue, worsened or silent."""

from chw_tools.monitoring.closing import close_follow_ups
from chw_tools.monitoring.evidence import Evidence
from chw_tools.monitoring.finding import find_follow_ups
from chw_tools.monitoring.raising import raise_follow_ups
from chw_tools.monitoring.sentences import reason_of

__all__ = [
    "Evidence",
    "close_follow_ups",
    "find_follow_ups",
    "raise_follow_ups",
    "reason_of",
]
