"""Who visits whom today, in which order, and who waits and why."""

from chw_tools.resource_allocation.assignment import assign_households, assumed_workers
from chw_tools.resource_allocation.plan import Plan, at_work, plan_day, visit_list

__all__ = ["Plan", "assign_households", "assumed_workers", "at_work", "plan_day", "visit_list"]
