"""A count of stock from a CSV file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from chw_tools.errors import FileFault
from chw_tools.records import conform
from chw_tools.records.checks import check_table
from chw_tools.records.planning import STOCK

if TYPE_CHECKING:
    from pathlib import Path


def read_stock(path: Path) -> pd.DataFrame:
    """A count of stock, with the columns of ``STOCK``; those not needed may be absent.

    Raises
    ------
    FileFault
        If the file cannot be read, or has other columns, numbers or days.
    TableFault
        If a row breaks the declaration.
    """
    try:
        raw = pd.read_csv(path, dtype="str")
    except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise FileFault(
            "The count of stock cannot be read.", where=path.name, cure=_CURE
        ) from error
    unknown = sorted(set(raw.columns) - set(STOCK.column_names))
    needed = [c.name for c in STOCK.columns if c.required and c.name not in raw.columns]
    if unknown or needed:
        said = [f"no column {name}" for name in needed]
        said += [f"column {name} is not declared" for name in unknown]
        raise FileFault("; ".join(said) + ".", where=path.name, cure=_CURE)
    return check_table(STOCK, conform(STOCK, _typed(raw, path)))


_CURE = f"The columns are {', '.join(STOCK.column_names)}; the first line names them."


def _typed(raw: pd.DataFrame, path: Path) -> pd.DataFrame:
    frame = raw.copy()
    try:
        frame["quantity"] = pd.to_numeric(raw["quantity"])
        for name in STOCK.columns_of("day"):
            if name in raw:
                frame[name] = pd.to_datetime(raw[name], format="%Y-%m-%d")
    except ValueError as error:
        raise FileFault(
            "A quantity is no number, or a day is not written as 2026-01-31.", where=path.name
        ) from error
    return frame
