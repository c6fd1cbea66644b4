"""Between the world's files and the register: CSV, Parquet, FHIR, and mappings for the rest."""

from chw_tools.exchange.mapping import Mapping, load_mapping, parse_mapping
from chw_tools.exchange.parts import Part, Piece
from chw_tools.exchange.reading import Intake, open_intake
from chw_tools.exchange.rows import RawBatch

__all__ = [
    "Intake",
    "Mapping",
    "Part",
    "Piece",
    "RawBatch",
    "load_mapping",
    "open_intake",
    "parse_mapping",
]
