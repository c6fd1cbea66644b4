"""Who visits whom today, in which order, and who waits and why."""

from chw_tools.resource_allocation.assignment import assign_households, assumed_workers
from chw_tools.resource_allocation.plan import Plan, plan_day, visit_list
from chw_tools.resource_allocation.situation import Situation, at_work

__all__ = [
    "Plan",
    "Situation",
    "assign_households",
    "assumed_workers",
    "at_work",
    "plan_day",
    "visit_list",
]
