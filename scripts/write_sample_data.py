"""Write data/raw/ anew: a small simulated programme and a flat table for learning."""

from __future__ import annotations

import shutil
from pathlib import Path

from chw_tools.testing import write_programme, write_sample

RAW = Path(__file__).resolve().parents[1] / "data" / "raw"
PEOPLE, ROWS, SEED = 300, 2000, 7


def write_sample_data(folder: Path) -> None:
    """The two samples, into a folder that may hold older ones."""
    shutil.rmtree(folder / "programme", ignore_errors=True)
    write_programme(folder / "programme", people=PEOPLE, seed=SEED)
    write_sample(folder / "mock_data.csv", rows=ROWS, seed=SEED)


if __name__ == "__main__":
    write_sample_data(RAW)
