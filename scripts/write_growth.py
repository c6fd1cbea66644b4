"""Write the WHO child growth standards (LMS tables) as package data.

Reads the nine tables that WHO publishes with its `anthro` package and keeps them as whole
numbers, exactly as printed (l and m in ten-thousandths, s in hundred-thousandths)::

    python scripts/write_growth.py ../shared/vectors/who_growth
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd

TABLES = {
    "weight_for_age": "weianthro",
    "height_for_age": "lenanthro",
    "weight_for_length": "wflanthro",
    "weight_for_height": "wfhanthro",
    "bmi_for_age": "bmianthro",
    "muac_for_age": "acanthro",
    "head_for_age": "hcanthro",
    "triceps_for_age": "tsanthro",
    "subscapular_for_age": "ssanthro",
}
#: What one step of the written whole numbers is worth, for l, m and s.
STEPS = (1e4, 1e4, 1e5)


def read_table(path: Path) -> tuple[int, np.ndarray]:
    """The first step of a table, and its l, m, s by sex (boys, girls) and step.

    A step is a day of age, or a tenth of a centimetre.
    """
    table = pd.read_csv(path, sep="\t")
    by = table.columns[1]
    per_unit = 1 if by == "age" else 10
    steps = (table[by] * per_unit).round().astype(int)
    first, last = int(steps.min()), int(steps.max())
    both = []
    for sex in (1, 2):
        rows = table[table["sex"] == sex].set_index(steps[table["sex"] == sex]).sort_index()
        if list(rows.index) != list(range(first, last + 1)):
            raise SystemExit(f"{path.name}: the steps of sex {sex} have gaps")
        both.append(np.stack([_whole(rows[c], s) for c, s in zip("lms", STEPS, strict=True)]))
    return first, np.stack(both)


def _whole(values: pd.Series, per_unit: float) -> np.ndarray:
    whole = (values * per_unit).round()
    if not np.allclose(whole / per_unit, values, atol=1e-9, rtol=0):
        raise SystemExit(f"{values.name} has more digits than are kept")
    return whole.astype("int32").to_numpy()


def main(folder: Path, target: Path) -> None:
    """Write the file."""
    arrays: dict[str, np.ndarray] = {}
    for name, file in TABLES.items():
        first, lms = read_table(folder / f"{file}.txt")
        arrays[name] = lms
        arrays[f"{name}_first"] = np.array(first)
    target.parent.mkdir(exist_ok=True)
    np.savez_compressed(target, **arrays)


if __name__ == "__main__":
    main(
        Path(sys.argv[1]),
        Path(__file__).parents[1] / "src/chw_tools/feature_engineering/data/who_growth.npz",
    )
