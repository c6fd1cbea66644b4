"""The files of the simulated programme, read as any others, give its register."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from chw_tools.exchange import open_intake
from chw_tools.records import load_catalogue
from chw_tools.testing import simulate_programme, write_programme
from chw_tools.workflows.ingest import ingest_records
from chw_tools.workflows.register_memory import RegisterMemory

if TYPE_CHECKING:
    from pathlib import Path

TODAY = date(2026, 1, 5)


def _ingested(folder: Path) -> RegisterMemory:
    store = RegisterMemory()
    ingest_records(
        records=open_intake(folder), store=store, catalogue=load_catalogue(), today=TODAY
    )
    return store


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_clean_files_give_the_simulated_register(tmp_path: Path, form: str) -> None:
    write_programme(tmp_path / "out", people=200, seed=4, format=form, mess=False)
    store = _ingested(tmp_path / "out")
    assert store.population == "simulated"
    assert sum(map(len, store.rejected)) == 0
    register = simulate_programme(people=200, seed=4).register
    for name, read in store.load_register().tables():
        drawn = getattr(register, name)
        pd.testing.assert_frame_equal(
            read.sort_values("id", ignore_index=True), drawn.sort_values("id", ignore_index=True)
        )


def test_impossible_days_and_broken_references_go_to_quarantine(tmp_path: Path) -> None:
    write_programme(tmp_path / "out", people=2_000, seed=4)
    mess = pd.read_csv(tmp_path / "out" / "truth" / "mess.csv", dtype="str")
    store = _ingested(tmp_path / "out")
    register = store.load_register()
    for kind, table in (("impossible_day", "visits"), ("broken_reference", "observations")):
        faulty = mess[(mess["kind"] == kind) & (mess["table"] == table)]["id"]
        assert len(faulty), kind
        assert not set(faulty) & set(getattr(register, table)["source_id"]), kind
    assert not register.people["source_id"].isna().any()


def test_other_units_come_in_as_ours(tmp_path: Path) -> None:
    write_programme(tmp_path / "out", people=2_000, seed=4)
    mess = pd.read_csv(tmp_path / "out" / "truth" / "mess.csv", dtype="str")
    restated = mess[(mess["kind"] == "other_unit") & (mess["column"] == "value_number")]
    # A code that nobody knows has no unit of ours.
    restated = restated[~restated["id"].isin(mess.loc[mess["kind"] == "unknown_code", "id"])]
    read = _ingested(tmp_path / "out").load_register().observations.set_index("source_id")
    both = restated[restated["id"].isin(read.index)]
    assert len(both) > 0.9 * len(restated)
    now = read.loc[both["id"], "value_number"].to_numpy()
    assert abs(now - both["was"].astype(float).to_numpy()).max() < 0.06
