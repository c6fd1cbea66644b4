"""Files that ingest reads without a mapping, the same bytes for the same seed."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pandas as pd
import pytest

from chw_tools.errors import InputError
from chw_tools.records import TABLES
from chw_tools.testing import simulate_programme, write_programme, write_sample

RAW = Path(__file__).resolve().parents[3] / "data" / "raw"
PROVENANCE = {"source", "source_id"}


def _bytes(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_committed_sample_is_what_the_simulator_writes(tmp_path: Path) -> None:
    write_programme(tmp_path / "programme", people=300, seed=7)
    write_sample(tmp_path / "mock_data.csv", rows=2000, seed=7)
    fresh, kept = _bytes(tmp_path), _bytes(RAW)
    for other in ("README.md", ".gitattributes"):
        kept.pop(other)
    assert fresh.keys() == kept.keys()
    assert [name for name in fresh if fresh[name] != kept[name]] == []


def test_the_committed_sample_is_small() -> None:
    assert sum(map(len, _bytes(RAW).values())) < 1_500_000


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_files_are_named_and_headed_as_declared(tmp_path: Path, form: str) -> None:
    counts = write_programme(tmp_path / "out", people=60, seed=2, format=form, mess=False)
    simulated = simulate_programme(people=60, seed=2)
    for name, table in TABLES.items():
        if form == "csv":
            frame = pd.read_csv(tmp_path / "out" / f"{name}.csv", dtype="str")
        else:
            frame = pd.read_parquet(tmp_path / "out" / name / "part-0000.parquet")
        assert list(frame.columns) == [c for c in table.column_names if c not in PROVENANCE]
        assert len(frame) == counts[name] == len(simulated.tables[name])
        assert list(frame["id"]) == list(simulated.tables[name]["id"])


def test_what_was_written_reads_back_the_same(tmp_path: Path) -> None:
    write_programme(tmp_path / "out", people=60, seed=2, format="parquet", mess=False)
    written = pd.read_parquet(tmp_path / "out" / "observations" / "part-0000.parquet")
    drawn = simulate_programme(people=60, seed=2).tables["observations"]
    pd.testing.assert_series_equal(written["value_number"], drawn["value_number"])
    assert (written["observed_on"] == drawn["observed_on"]).all()


def test_the_marker_says_simulated(tmp_path: Path) -> None:
    write_programme(tmp_path / "out", people=60, seed=2)
    marker = tomllib.loads((tmp_path / "out" / "chw-source.toml").read_text(encoding="utf-8"))
    assert marker["population"] == "simulated"
    assert marker["source"] == "simulated-programme"


def test_truth_lies_apart_and_mess_is_listed_only_where_there_is_some(tmp_path: Path) -> None:
    write_programme(tmp_path / "messy", people=60, seed=2)
    write_programme(tmp_path / "clean", people=60, seed=2, mess=False)
    names = {path.stem for path in (tmp_path / "messy" / "truth").iterdir()}
    assert names == {"risks", "people", "visits", "pregnancies", "mess"}
    assert not (tmp_path / "clean" / "truth" / "mess.csv").exists()


def test_progress_is_told(tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    write_programme(tmp_path / "out", people=60, seed=2, progress=lambda *at: told.append(at))
    assert told == [("people", 60, 60)]


def test_a_folder_in_use_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("x")
    with pytest.raises(InputError, match="not empty"):
        write_programme(tmp_path, people=60, seed=2)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.csv"]


def test_an_unknown_format_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="format"):
        write_programme(tmp_path / "out", people=60, seed=2, format="xlsx")
    assert not (tmp_path / "out").exists()


def test_the_flat_sample_is_numeric_complete_and_anonymous() -> None:
    sample = pd.read_csv(RAW / "mock_data.csv")
    assert len(sample) == 2000
    assert sample.notna().all().all()
    assert all(pd.api.types.is_numeric_dtype(kind) for kind in sample.dtypes)
    assert set(sample["target_column"]) == {0, 1}
    assert not [name for name in sample if "id" in name.split("_") or "name" in name]
    old = sample["age_years"] > 60
    assert sample["target_column"][old].mean() > 2 * sample["target_column"][~old].mean()
