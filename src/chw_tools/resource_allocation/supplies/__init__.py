"""What visits will use up, what to order, and who gets what when there is too little."""

from chw_tools.resource_allocation.supplies.forecast import forecast_use, lasting_stock
from chw_tools.resource_allocation.supplies.plan import (
    SuppliesPlan,
    SuppliesProblem,
    plan_supplies,
)
from chw_tools.resource_allocation.supplies.sharing import Shared, share_scarce
from chw_tools.resource_allocation.supplies.stock import give_out, usable_stock

__all__ = [
    "Shared",
    "SuppliesPlan",
    "SuppliesProblem",
    "forecast_use",
    "give_out",
    "lasting_stock",
    "plan_supplies",
    "share_scarce",
    "usable_stock",
]
