"""Between the world's files and the register: CSV, Parquet, FHIR, and mappings for the rest."""

from chw_tools.exchange.reading import Intake, Part, Piece, open_intake
from chw_tools.exchange.rows import RawBatch

__all__ = ["Intake", "Part", "Piece", "RawBatch", "open_intake"]
