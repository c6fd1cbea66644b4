"""A count of stock from a file: what can be read, and what is told where it cannot."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest

from chw_tools.errors import FileFault, TableFault
from chw_tools.exchange.stock_files import read_stock

if TYPE_CHECKING:
    from pathlib import Path


def test_a_count_is_read(tmp_path: Path) -> None:
    path = tmp_path / "stock.csv"
    path.write_text("place_id,item,quantity,expires_on\nw1,ors,12,2026-05-01\nw2,ors,3,\n")
    table = read_stock(path)

    assert table["quantity"].tolist() == [12.0, 3.0]
    assert table["expires_on"][0] == pd.Timestamp("2026-05-01")
    assert table["expires_on"].isna().tolist() == [False, True]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "cannot be read"),
        ("place_id,item\nw,ors\n", "no column quantity"),
        ("place_id,item,quantity,shelf\nw,ors,1,2\n", "shelf is not declared"),
        ("place_id,item,quantity\nw,ors,many\n", "is no number"),
        ("place_id,item,quantity,expires_on\nw,ors,1,01/02/2026\n", "is no number, or a day"),
    ],
)
def test_a_fault_of_the_file_is_told(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "stock.csv"
    path.write_text(text)

    with pytest.raises(FileFault, match=said):
        read_stock(path)


def test_less_than_nothing_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "stock.csv"
    path.write_text("place_id,item,quantity\nw,ors,-1\n")

    with pytest.raises(TableFault, match="at least 0"):
        read_stock(path)
