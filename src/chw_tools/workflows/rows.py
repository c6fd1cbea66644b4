"""A table as rows that JSON can hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def frame_rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """A table as JSON rows: days as ISO text, missing as null."""
    import pandas as pd

    plain = frame.copy()
    for name in plain.columns:
        if pd.api.types.is_datetime64_any_dtype(plain[name]):
            plain[name] = plain[name].dt.strftime("%Y-%m-%d")
    rows = plain.astype(object).where(plain.notna(), None)
    return [dict(zip(rows.columns, row, strict=True)) for row in rows.to_numpy().tolist()]
