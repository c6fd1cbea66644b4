"""Rows as received become trusted tables; trusted tables become what was known on a day."""

from chw_tools.data_processing.clean import Cleaned, clean_table
from chw_tools.data_processing.import_report import ImportReport, ReportBuilder
from chw_tools.data_processing.known import as_known_on
from chw_tools.data_processing.parsing import earliest_births

__all__ = [
    "Cleaned",
    "ImportReport",
    "ReportBuilder",
    "as_known_on",
    "clean_table",
    "earliest_births",
]
