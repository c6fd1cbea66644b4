"""The service as it is started: a process, a port, and its refusals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

SCRIPT = Path(__file__).resolve().parents[2] / "deployment" / "api" / "app.py"


def start(home: Path, **settings: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(SCRIPT)],
        env={**os.environ, "CHW_HOME": str(home), "CHW_MODELS": str(home / "models"), **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    with start(tmp_path, CHW_PORT="0") as process:
        # What a deployer should know of the store may be said first.
        said = next(line for line in process.stdout if line.startswith("Open"))
        assert said.startswith("Open http://127.0.0.1:")
        yield said.split()[1]
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)


def test_the_service_answers_as_soon_as_it_says_so(address):
    with urllib.request.urlopen(address + "readyz", timeout=20) as answer:  # noqa: S310
        assert json.load(answer) == {"status": "ok", "population": None}
        assert answer.headers["server"] is None
        assert answer.headers["cache-control"] == "no-store"


def test_an_empty_store_offers_to_plan_and_says_what_is_missing(address):
    with urllib.request.urlopen(address, timeout=20) as answer:  # noqa: S310
        assert "No list has been made yet" in answer.read().decode()


def test_it_will_not_listen_where_others_can_reach_it(tmp_path):
    with start(tmp_path, CHW_HOST="0.0.0.0", CHW_PORT="0") as process:  # noqa: S104
        _, said = process.communicate(timeout=30)
    assert process.returncode != 0
    assert "Accounts do not exist yet" in said


def test_a_port_that_is_none_is_refused_in_words():
    from chw_tools.api.serving import listen
    from chw_tools.errors import SettingsFault

    with pytest.raises(SettingsFault, match="0 to 65535"):
        listen("127.0.0.1", 65536)
