"""How soon something is to be done."""

from __future__ import annotations

URGENCIES = ("emergency", "same_day", "within_days", "routine")
#: Place of each urgency, the most urgent 0: what lists are ordered by.
URGENCY_LEVEL = {urgency: level for level, urgency in enumerate(URGENCIES)}
