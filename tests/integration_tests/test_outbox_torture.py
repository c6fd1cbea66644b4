"""Four workers, killed at drawn points of their work: nothing twice, nothing lost.

A small part of `make torture`, which kills a thousand.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "torture_outbox.py"


def test_killed_workers_send_nothing_twice_and_lose_nothing(any_url: str) -> None:
    words = [sys.executable, SCRIPT, "--database", any_url, "--kills", "8", "--seed", "7"]
    came = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    assert came.returncode == 0, came.stdout + came.stderr
    assert "no duplicate call, none lost, none begun after STOP" in came.stdout
