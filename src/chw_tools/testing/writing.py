"""Write a simulated programme to a folder that ``chw ingest`` reads without a mapping.

::

    FOLDER/
    ├── chw-source.toml       that these people are simulated, and the name of the source
    ├── people.csv …          one file for each declared table (Parquet: a folder of parts)
    └── truth/                true risks, true health, injected faults; never ingested
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from chw_tools.errors import InputError
from chw_tools.records import TABLES
from chw_tools.testing.assumptions import load_assumptions
from chw_tools.testing.mess import spoil
from chw_tools.testing.simulation import DEFAULT_LAST_DAY, SOURCE, simulate_parts

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date
    from pathlib import Path

    import pandas as pd

MARKER = "chw-source.toml"
TRUTH = "truth"


def write_programme(
    folder: Path,
    *,
    people: int,
    seed: int,
    format: str = "csv",
    ends_on: date = DEFAULT_LAST_DAY,
    mess: bool = True,
    progress: Callable[[str, int, int], None] | None = None,
) -> dict[str, int]:
    """Write the simulated programme, part by part.

    Parameters
    ----------
    folder : Path
        Made where it does not exist; must be empty.
    people, seed, ends_on
        As for :func:`chw_tools.testing.simulate_programme`.
    format : str
        ``csv`` or ``parquet``; the second for many people.
    mess : bool
        Whether faults are put in, as real registers have them; each is listed in
        ``truth/mess``.
    progress : callable, optional
        Told after each part what is done ("people"), how many, and of how many.

    Returns
    -------
    dict of str to int
        Rows written of each declared table.

    Raises
    ------
    InputError
        If the folder holds anything already, or the format is another.
    """
    write = _writer(format)
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise InputError("the folder is not empty", where=folder.name, cure="Name a new folder.")
    _write_marker(folder, seed)
    counts = dict.fromkeys(TABLES, 0)
    for part, simulated in enumerate(simulate_parts(people=people, seed=seed, ends_on=ends_on)):
        tables, truth = dict(simulated.tables), dict(simulated.truth)
        if mess:
            tables, truth["mess"] = spoil(tables, part=part, seed=seed)
        for name, frame in tables.items():
            write(folder, name, frame, part)
            counts[name] += len(frame)
        for name, frame in truth.items():
            write(folder / TRUTH, name, frame, part)
        if progress:
            progress("people", min(people, (part + 1) * _part_size()), people)
    return counts


def _writer(format: str) -> Callable[[Path, str, pd.DataFrame, int], None]:
    writers = {"csv": _append_csv, "parquet": _write_part}
    if format not in writers:
        raise InputError("unknown format", where="format", cure="Name csv or parquet.")
    return writers[format]


def _part_size() -> int:
    return int(load_assumptions().number("programme.part_people"))


def _write_marker(folder: Path, seed: int) -> None:
    (folder / TRUTH).mkdir()
    (folder / MARKER).write_text(
        "# These people do not exist. Simulated data prove plumbing, not medicine.\n"
        f'source = "{SOURCE.name}"\npopulation = "simulated"\nseed = {seed}\n',
        encoding="utf-8",
        newline="\n",
    )


def _append_csv(folder: Path, name: str, frame: pd.DataFrame, part: int) -> None:
    header = part == 0
    options = pyarrow.csv.WriteOptions(include_header=header, quoting_style="needed")
    with (folder / f"{name}.csv").open("wb" if header else "ab") as file:
        pyarrow.csv.write_csv(_arrow(frame, days_as=pa.date32()), file, options)


def _write_part(folder: Path, name: str, frame: pd.DataFrame, part: int) -> None:
    (folder / name).mkdir(exist_ok=True)
    table = _arrow(frame, days_as=pa.timestamp("ms"))
    pyarrow.parquet.write_table(table, folder / name / f"part-{part:04d}.parquet")


def _arrow(frame: pd.DataFrame, *, days_as: Any) -> Any:
    table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
    fields = [
        field.with_type(days_as if pa.types.is_timestamp(field.type) else _plain(field.type))
        for field in table.schema
    ]
    return table.cast(pa.schema(fields))


def _plain(kind: Any) -> Any:
    # An all-missing column of objects has no type; large strings are for 2 GB columns only.
    return pa.string() if pa.types.is_null(kind) or pa.types.is_large_string(kind) else kind
