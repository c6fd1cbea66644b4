"""Monitoring, calls and experiments by commands, on a simulated district."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING

import pytest

from chw_tools.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path

TRIAL = """
name = "words"
question = "Do reminders help?"
protocol = "visit_reminder"
outcome = "visit_seen"
window_days = 14
n_planned = 400

[[arms]]
name = "reminded"
share = 0.9

[[arms]]
name = "holdout"
share = SHARE
withholds = ["WHAT"]
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of 500 simulated people, looked after for a day."""
    folder = tmp_path_factory.mktemp("monitoring")
    environ = {"CHW_HOME": str(folder / "home")}
    district = str(folder / "district")
    assert main(["simulate", district, "--people", "500"], environ) == 0
    assert main(["ingest", district], environ) == 0
    assert main(["monitor"], environ) == 0
    return folder


def said(home: Path, capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    capsys.readouterr()
    assert main(list(words), {"CHW_HOME": str(home / "home")}) == code
    told = capsys.readouterr()
    return told.out or told.err


def test_a_second_run_finds_nothing_new_and_visits_asked_for_are_planned(home, capsys) -> None:
    again = json.loads(said(home, capsys, "monitor", "--json"))
    assert again["n_open"] > 0
    assert again["raised"] == {}
    assert again["n_planned"] == 0
    plan = json.loads(said(home, capsys, "plan", "--json"))
    assert plan["visit_on"] > plan["as_of"]


def test_calls_are_listed_written_and_recorded(home, capsys) -> None:
    file = home / "calls.csv"
    said(home, capsys, "calls", "--csv", str(file))
    assert file.stat().st_mode & 0o077 == 0
    listed = json.loads(said(home, capsys, "calls", "--json"))
    with file.open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    assert [row["task_id"] for row in rows] == [row["task_id"] for row in listed["rows"]]
    if rows:
        key = rows[0]["task_id"]
        assert "Kept" in said(home, capsys, "calls", "record", key, "call_later")
        after = json.loads(said(home, capsys, "calls", "--json"))
        assert key not in {row["task_id"] for row in after["rows"]}
    assert "No such task" in said(home, capsys, "calls", "record", "x" * 36, "agreed", code=1)


def test_experiments_are_declared_and_shown_but_none_that_withholds_care(home, capsys) -> None:
    file = home / "trial.toml"
    file.write_text(TRIAL.replace("SHARE", "0.1").replace("WHAT", "visit"), encoding="utf-8")
    assert "due care" in said(home, capsys, "experiments", "declare", str(file), code=1)
    file.write_text(TRIAL.replace("SHARE", "0.1").replace("WHAT", "reminders"), encoding="utf-8")
    assert "holdout 10%" in said(home, capsys, "experiments", "declare", str(file))
    shown = said(home, capsys, "experiments", "show")
    assert "0 of 400" in shown
    assert "not yet" in shown
    assert "read once" in said(home, capsys, "experiments", "read", "words", code=1)
    file.write_text("name = ", encoding="utf-8")
    assert "TOML" in said(home, capsys, "experiments", "declare", str(file), code=1)
