"""What is wrong with the rows of a batch, collected before anything is refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from chw_tools.records.derived import REJECTED
from chw_tools.records.register import conform, empty_table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from chw_tools.records.columns import Table


class Faults:
    """The faults of one batch, by position of the row.

    Parameters
    ----------
    n_rows : int
        Length of the batch.
    """

    def __init__(self, n_rows: int) -> None:
        self.bad: NDArray[np.bool_] = np.zeros(n_rows, dtype=bool)
        self._found: list[tuple[NDArray[np.intp], str, str, str]] = []
        self._by_column: dict[str, NDArray[np.bool_]] = {}

    def add(self, rows: NDArray[np.bool_], column: str, reason: str, cure: str = "") -> None:
        """Say of some rows that a column of theirs is at fault."""
        if not rows.any():
            return
        self.bad |= rows
        self._found.append((np.flatnonzero(rows), column, reason, cure))
        self._by_column[column] = rows | self._by_column.get(column, False)

    def of_column(self, column: str) -> NDArray[np.bool_]:
        """Rows at whose column a fault was found already."""
        return self._by_column.get(column, np.zeros(len(self.bad), dtype=bool))

    def rejected(self, table: Table, raw: pd.DataFrame) -> pd.DataFrame:
        """One row of ``REJECTED`` for each bad row, all its reasons in one sentence."""
        if not self._found:
            return empty_table(REJECTED)
        parts = [
            pd.DataFrame({"row": rows, "column": column, "reason": reason, "cure": cure})
            for rows, column, reason, cure in self._found
        ]
        found = pd.concat(parts, ignore_index=True).sort_values("row", kind="stable")
        is_first = ~found.duplicated("row").to_numpy()
        found["said"] = found["reason"].where(
            is_first, "also " + found["column"] + ": " + found["reason"]
        )
        first = found[is_first].set_index("row")
        first["reason"] = found.groupby("row")["said"].agg("; ".join)
        first["table"] = table.name
        refused = raw.iloc[first.index]
        first["at"] = refused["at"].to_numpy()
        first["body"] = _bodies(refused)
        return conform(REJECTED, first)


def _bodies(refused: pd.DataFrame) -> list[str]:
    rows = refused.drop(columns="at").to_dict("records")
    given = [{k: v for k, v in row.items() if not _is_missing(v)} for row in rows]
    return [json.dumps(row, default=str, ensure_ascii=False) for row in given]


def _is_missing(value: object) -> bool:
    return bool(pd.api.types.is_scalar(value) and pd.isna(value))
