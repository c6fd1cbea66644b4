"""Commands about messages: what may be sent, whose number works, what people wrote."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from chw_tools.cli.main import main
from chw_tools.outreach.wire import InboundNews
from chw_tools.settings import read_settings
from chw_tools.wiring import build_inbox, build_parts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

WROTE = ["STOP", "natokwa damu", "can you come?"]


@pytest.fixture
def environ(tmp_path: Path, rows: Any) -> dict[str, str]:
    programme = tmp_path / "programme"
    programme.mkdir()
    (programme / "programme.toml").write_text('country = "KE"\n', encoding="utf-8")
    environ = {
        "CHW_HOME": str(tmp_path / "home"),
        "CHW_MODELS": str(tmp_path / "models"),
        "CHW_PROGRAMME": str(programme),
    }
    parts = build_parts(read_settings(environ))
    parts.store.save(
        "people",
        rows(
            "people",
            ada={"phone": "0712 000 001"},
            ben={"phone": "0712000001"},
            cat={"phone": "020 222 2181"},
            dan={"phone": "ask the neighbour"},
            eve={},
        ),
    )
    news = [
        InboundNews("x", str(at), "sms", "+254712000001", text) for at, text in enumerate(WROTE)
    ]
    build_inbox(parts, by="test").receive(news, now=datetime(2026, 3, 4, 9, tzinfo=UTC))
    parts.close()
    return environ


@pytest.fixture
def told(environ: dict[str, str], capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    def run(*words: str) -> str:
        assert main(["outreach", *words], environ) == 0
        return capsys.readouterr().out

    return run


def test_whose_number_can_be_written_to(told: Callable[..., str]) -> None:
    found = json.loads(told("numbers", "--people", "--json"))
    faults = {(row["kind"], row["fault"]): row["n"] for row in found["counts"]}
    assert faults == {
        ("mobile", ""): 2,
        ("landline", ""): 1,
        ("unknown", "letters"): 1,
        ("unknown", "no_number"): 1,
    }
    assert len(found["people"]) == 3
    said = told("numbers")
    assert "2 of 5 can be written to; 2 share a number with somebody." in said
    # Numbers themselves are shown nowhere.
    assert "712" not in said + json.dumps(found["counts"])


def test_what_people_wrote_is_read_and_listed(told: Callable[..., str]) -> None:
    assert json.loads(told("inbox", "--json"))["counts"] == {
        "opted_out": 1,
        "flagged": 1,
        "to_a_human": 1,
    }
    listed = told("inbox", "--state", "to_a_human")
    assert "can you come?" in listed
    assert "natokwa" not in listed
    assert "712" not in listed


def test_there_is_no_such_state(environ: dict[str, str], capsys: Any) -> None:
    assert main(["outreach", "inbox", "--state", "lost"], environ) == 1
    assert "to_a_human" in capsys.readouterr().err


def test_templates_by_language(told: Callable[..., str], environ: dict[str, str]) -> None:
    found = json.loads(told("templates", "--json"))
    assert {row["language"] for row in found} == {"en", "fr", "sw", "es"}
    assert all(row["n_segments"] <= 2 for row in found)
    assert "Reply 1 if you are well" in told("templates", "--language", "en", "--preview")
    assert "Drafts go to simulated people only" in told("templates", "--language", "sw")
    assert main(["outreach", "templates", "--language", "xx"], environ) == 1


def test_a_text_that_cannot_be_sent_is_code_one(environ: dict[str, str], tmp_path: Path) -> None:
    own = tmp_path / "programme" / "templates_en.toml"
    own.write_text('[check_in]\ntext = "How is your diabetes?"\n', encoding="utf-8")
    assert main(["outreach", "templates", "--preview"], environ) == 1
