"""The nouns: what a person, visit or observation is, and how each table is declared."""

from chw_tools.records.catalogue import Catalogue, Observable, load_catalogue
from chw_tools.records.codes import Code
from chw_tools.records.columns import Column, Table
from chw_tools.records.contacting import WORK_TABLES
from chw_tools.records.derived import DERIVED_TABLES
from chw_tools.records.ids import Source, derived_id, derived_ids, new_id
from chw_tools.records.register import Register, conform, empty_table
from chw_tools.records.tables import TABLES

__all__ = [
    "DERIVED_TABLES",
    "TABLES",
    "WORK_TABLES",
    "Catalogue",
    "Code",
    "Column",
    "Observable",
    "Register",
    "Source",
    "Table",
    "conform",
    "derived_id",
    "derived_ids",
    "empty_table",
    "load_catalogue",
    "new_id",
]
