"""What is kept: one store for SQLite and PostgreSQL, records in and declared tables out."""

from chw_tools.store.census import Census
from chw_tools.store.database import open_store
from chw_tools.store.plans import StoredPlan
from chw_tools.store.saving import SaveCounts
from chw_tools.store.scope import WHOLE, Scope
from chw_tools.store.store import Store

__all__ = ["WHOLE", "Census", "SaveCounts", "Scope", "Store", "StoredPlan", "open_store"]
