"""What is kept: one store for SQLite and PostgreSQL, records in and declared tables out."""

from chw_tools.store.census import Census
from chw_tools.store.copies import CopyFacts, check_nothing_there, copy_store, put_back
from chw_tools.store.database import open_store, open_store_as_it_is
from chw_tools.store.plans import StoredPlan
from chw_tools.store.saving import SaveCounts
from chw_tools.store.scope import WHOLE, Scope
from chw_tools.store.store import Store

__all__ = [
    "WHOLE",
    "Census",
    "CopyFacts",
    "SaveCounts",
    "Scope",
    "Store",
    "StoredPlan",
    "check_nothing_there",
    "copy_store",
    "open_store",
    "open_store_as_it_is",
    "put_back",
]
