"""Records of a notebook: a simulated programme, or a file of one's own, in a store of its own.

The store lives in memory and the models in a temporary folder, so that nothing of anybody is
left behind, and simulated people never meet real ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import TYPE_CHECKING
from weakref import finalize

from chw_tools.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from chw_tools.data_processing import ImportReport
    from chw_tools.records import Register
    from chw_tools.wiring import Parts


@dataclass(frozen=True)
class Opened:
    """Records that were read in.

    Parameters
    ----------
    parts : Parts
        Store, models, programme and catalogue, as every workflow takes them.
    report : ImportReport
        What came of reading.
    register : Register
        All trusted rows, superseded ones included.
    population : str
        ``simulated`` or ``real``.
    truth : DataFrame or None
        For simulated people: ``person_id``, ``as_of``, ``probability``, true by construction.
    """

    parts: Parts
    report: ImportReport
    register: Register
    population: str
    truth: pd.DataFrame | None


def open_records(
    data: str | Path | None = None,
    *,
    mapping: str | Path | None = None,
    people: int = 3_000,
    seed: int = 1,
) -> Opened:
    """Read records as ``chw ingest`` does; without any, simulate a programme first.

    Parameters
    ----------
    data : path, optional
        A folder, file or archive of records.
    mapping : path, optional
        A TOML file that says what the columns of another's CSV mean.
    people, seed : int
        Size and chance of the simulated programme.

    Raises
    ------
    InputError
        If there is nothing at ``data``.
    """
    from chw_tools.settings import read_settings
    from chw_tools.wiring import build_parts

    if data is not None and not Path(data).exists():
        raise InputError("There is nothing of that name.", where=str(data), cure="Check the path.")
    home = Path(mkdtemp(prefix="chw-notebook-"))
    source = _simulate(home, people, seed) if data is None else Path(data)
    places = {"CHW_HOME": str(home), "CHW_MODELS": str(home / "models")}
    off = {"CHW_DATABASE_URL": "sqlite://", "CHW_TRACKING_URI": "off"}
    parts = build_parts(read_settings(places | off))
    report = _ingest(parts, source, mapping)
    register = parts.store.load_register()
    truth = _truth(home, register) if data is None else None
    opened = Opened(
        parts=parts,
        report=report,
        register=register,
        population=parts.store.population or "real",
        truth=truth,
    )
    finalize(opened, _forget, parts, home)
    return opened


def _forget(parts: Parts, home: Path) -> None:
    parts.close()
    rmtree(home, ignore_errors=True)


def _simulate(home: Path, people: int, seed: int) -> Path:
    from chw_tools.testing import write_programme

    write_programme(home / "district", people=people, seed=seed)
    return home / "district"


def _ingest(parts: Parts, source: Path, mapping: str | Path | None) -> ImportReport:
    from chw_tools.exchange import load_mapping, open_intake
    from chw_tools.workflows.ingest import ingest_records

    return ingest_records(
        records=open_intake(source, mapping=load_mapping(Path(mapping)) if mapping else None),
        store=parts.store,
        catalogue=parts.catalogue,
        today=parts.today,
    )


def _truth(home: Path, register: Register) -> pd.DataFrame:
    """The true risks, under the keys that the register gave to the simulated people."""
    import pandas as pd

    files = sorted((home / "district").glob("truth/risks*.csv"))
    frame = pd.concat([pd.read_csv(file) for file in files], ignore_index=True)
    keys = dict(zip(register.people["source_id"], register.people["id"], strict=True))
    return frame.assign(
        person_id=frame["person_id"].map(keys), as_of=pd.to_datetime(frame["as_of"])
    ).dropna(subset=["person_id"])
