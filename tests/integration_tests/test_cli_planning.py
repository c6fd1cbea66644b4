"""Planning a workforce by commands, on a simulated district."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from chw_tools.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of 600 simulated people."""
    folder = tmp_path_factory.mktemp("planning")
    environ = {"CHW_HOME": str(folder / "home")}
    district = str(folder / "district")
    assert main(["simulate", district, "--people", "600"], environ) == 0
    assert main(["ingest", district], environ) == 0
    return folder


def said(home: Path, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    capsys.readouterr()
    assert main(["plan", *words], {"CHW_HOME": str(home / "home")}) == 0
    return capsys.readouterr().out


def test_hours_are_said_before_any_plan(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "times the hours that" in said(home, capsys, "needs")
    answer = json.loads(said(home, capsys, "needs", "--json"))

    by_place = sum(row["hours"] for row in answer["communities"])
    assert answer["hours_needed"] == pytest.approx(by_place)
    assert sum(row["n_people"] for row in answer["communities"]) > 500


def test_posts_are_planned_with_their_gap(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("posts", "--seconds", "5", "--posts", "3", "--curve", "2", "--curve", "3")
    answer = json.loads(said(home, capsys, *words, "--worst-first", "--json"))

    assert answer["is_feasible"]
    assert answer["posts"] <= 3
    assert 0 <= answer["worst"] <= answer["worst_bound"] <= 1
    assert "posts, mean walk" in said(home, capsys, *words)


def test_every_home_has_a_worker_or_a_reason(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = json.loads(said(home, capsys, "caseloads", "--seconds", "5", "--json"))
    rows = pd.DataFrame(before["caseloads"])
    away = rows["worker_id"].dropna().iloc[0]
    after = json.loads(said(home, capsys, "caseloads", "--absent", away, "--json"))
    moved = pd.DataFrame(after["caseloads"])

    assert before["is_feasible"]
    assert after["is_feasible"]
    assert (rows["worker_id"].notna() != rows["reason"].notna()).all()
    assert away not in set(moved["worker_id"])
    stayed = rows["worker_id"] != away
    assert (rows["worker_id"][stayed] == moved["worker_id"][stayed]).all()
    assert "homes have a worker" in said(home, capsys, "caseloads")


def test_supplies_are_ordered_and_shared(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = home / "stock.csv"
    path.write_text("place_id,item,quantity,expires_on\ndepot,ors_sachets,30,2040-01-01\n")
    words = ("supplies", "--stock", str(path), "--depot", "depot")
    answer = json.loads(said(home, capsys, *words, "--json"))
    orders = pd.DataFrame(answer["orders"])

    sent = orders[orders["item"] == "ors_sachets"]
    assert sent["packs_sent"].sum() == min(3, sent["packs"].sum())
    assert "By item, all places" in said(home, capsys, *words, "--output", str(home / "o.csv"))
    assert len(pd.read_csv(home / "o.csv")) == len(orders)
