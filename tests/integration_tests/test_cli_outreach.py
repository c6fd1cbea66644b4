"""`chw outreach` and `chw worker` over a small store: rehearse, send to a file, stop, start."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from chw_tools.cli.main import main
from chw_tools.cli.working import Daily
from chw_tools.cli.world import World
from chw_tools.programme.outreach import load_outreach
from chw_tools.records import TABLES, conform, new_id
from chw_tools.store import open_store
from chw_tools.testing.outbox import now_in_utc, plan_for_many

if TYPE_CHECKING:
    from pathlib import Path

    from chw_tools.outreach.messages import Message

#: Open at all hours of every day, wherever the test runs.
_ALL_HOURS = """
[quiet_hours]
opens = "00:00"
closes = "23:59:59.999999"
closed_weekdays = []
source = "a test"
verified = true
"""


@pytest.fixture
def world(tmp_path: Path) -> tuple[dict[str, str], list[Message]]:
    """A store of six simulated people, each with a message due."""
    home, programme = tmp_path / "home", tmp_path / "programme"
    home.mkdir()
    programme.mkdir()
    (programme / "outreach.toml").write_text(_ALL_HOURS, encoding="utf-8")
    environ = {
        "CHW_HOME": str(home),
        "CHW_MODELS": str(tmp_path / "models"),
        "CHW_PROGRAMME": str(programme),
    }
    with open_store(f"sqlite:///{home / 'chw.db'}") as store:
        store.set_population("simulated")
        planned = plan_for_many(
            store, load_outreach(), people=6, now=now_in_utc() - timedelta(minutes=1)
        )
        # Simulated people live on from their last recorded day: yesterday.
        yesterday = pd.Timestamp(now_in_utc().date()) - pd.Timedelta(days=1)
        asked = {"id": new_id(), "person_id": planned[0].person_id, "purpose": "research"}
        asked |= {"decision": "given", "source": "an import"}
        days = dict.fromkeys(("decided_on", "known_on"), yesterday)
        store.save("consents", conform(TABLES["consents"], pd.DataFrame([asked | days])))
    return environ, planned


def said(capsys: pytest.CaptureFixture[str], *words: str, environ: dict[str, str]) -> Any:
    assert main([*words, "--json"], environ) == 0
    return json.loads(capsys.readouterr().out)


def test_rehearse_stop_send_and_look_back(
    world: tuple[dict[str, str], list[Message]], capsys: pytest.CaptureFixture[str]
) -> None:
    environ, planned = world
    foreseen = said(capsys, "outreach", "rehearse", environ=environ)["messages"]
    assert {(one["act"], one["gate"]) for one in foreseen} == {("send", None)}
    shown = json.dumps(foreseen)
    assert not any(m.number in shown for m in planned)
    for words in (["outreach", "rehearse"], ["outreach", "status"], ["outreach", "stop"]):
        assert main(words, environ) == 0
    assert main(["worker", "--once"], environ) == 0
    assert "accepted" not in capsys.readouterr().out
    assert main(["outreach", "start"], environ) == 0
    assert main(["worker", "--once"], environ) == 0
    assert "6 accepted" in capsys.readouterr().out
    status = said(capsys, "outreach", "status", environ=environ)
    assert status["messages"] == [["sms", "accepted", 6]]
    told = said(capsys, "outreach", "timeline", planned[0].person_id, environ=environ)
    assert [one["after"] for one in told] == ["planned", "due", "sending", "accepted"]
    assert main(["outreach", "timeline", planned[0].person_id], environ) == 0
    assert main(["outreach", "timeline", "018bcfe5-6800-7cc0-8b4f-000000000001"], environ) == 0


def test_words_that_are_no_channel_or_no_key(
    world: tuple[dict[str, str], list[Message]], capsys: pytest.CaptureFixture[str]
) -> None:
    environ, _ = world
    assert main(["outreach", "stop", "pigeon"], environ) == 1
    assert main(["outreach", "stop", "sms", "--why", "Amina asked"], environ) == 1
    assert "pigeon" in capsys.readouterr().err


def test_simulated_people_reach_nobody(
    world: tuple[dict[str, str], list[Message]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    environ, _ = world
    ways = tmp_path / "gateways.toml"
    ways.write_text(
        '[sms]\nprovider = "webhook"\nurl = "https://gateway.example.org/"\n'
        'secret = "env:SECRET"\n',
        encoding="utf-8",
    )
    environ |= {"CHW_GATEWAYS": str(ways), "SECRET": "s" * 32}
    assert main(["worker", "--once"], environ) == 1
    assert "real numbers" in capsys.readouterr().err


def test_the_day_is_looked_after_once(
    world: tuple[dict[str, str], list[Message]], caplog: pytest.LogCaptureFixture
) -> None:
    environ, _ = world
    with World(environ).parts() as parts:
        daily, now = Daily(parts, hour=5), datetime(2026, 3, 4, 1, tzinfo=UTC)
        with caplog.at_level("INFO", logger="chw_tools.worker"):
            ran = [daily.run_if_due(now + timedelta(hours=hours)) for hours in (0, 3, 6, 26)]
    assert ran == [False, True, False, True]
    assert [record.message for record in caplog.records].count("monitored") == 2


@pytest.mark.parametrize("processes", ["2"])
def test_a_worker_ends_well_when_told_to(
    world: tuple[dict[str, str], list[Message]], processes: str
) -> None:
    environ, planned = world
    run = [sys.executable, "-c", "from chw_tools.cli.main import run; run()", "worker"]
    words = ["--interval", "0.2", "--port", "0", "--processes", processes]
    with subprocess.Popen(
        [*run, *words],
        env=os.environ | environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as working:
        calls, until = environ["CHW_HOME"] + "/messages/sms.jsonl", time.monotonic() + 60
        while _n_lines(calls) != len(planned) and time.monotonic() < until:
            time.sleep(0.1)
        working.send_signal(signal.SIGTERM)
        _, logged = working.communicate(timeout=30)
    assert working.returncode == 0
    assert _n_lines(calls) == len(planned)
    events = [json.loads(line) for line in logged.splitlines() if line.startswith("{")]
    assert sum(one.get("count", 0) for one in events if one.get("what") == "accepted") == 6
    assert {one["event"] for one in events} >= {"worker_started", "messages", "worker_stopped"}
    assert not any(m.number in logged or m.person_id in logged for m in planned)


def _n_lines(path: str) -> int:
    try:
        with open(path, encoding="utf-8") as lines:  # noqa: PTH123
            return len(lines.readlines())
    except OSError:
        return 0
