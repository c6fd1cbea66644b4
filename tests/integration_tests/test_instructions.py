"""The deployment instructions: each block of commands is run here, or says why it cannot be."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "deployment/deployment_instructions.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"(?:<!-- (.*?) -->\n)?```sh\n(.*?)```", TEXT, re.S)
#: Folders of a server, which lie elsewhere in the test.
PLACES = ("/srv/chw", "/etc/chw", "/var/backups/chw")


def test_each_block_is_run_or_says_why_not():
    assert len(BLOCKS) >= 15
    for marked, block in BLOCKS:
        assert marked == "run" or marked.startswith(("run: ", "not run in a test: ")), block


def _moved(block: str, place: Path) -> str:
    for folder in PLACES:
        block = block.replace(folder, str(place / folder.strip("/")))
    return block


def test_the_commands_do_what_is_said(tmp_path):
    """All marked blocks in their order, in one shell, with the server's folders moved."""
    for folder in PLACES:
        (tmp_path / folder.strip("/")).mkdir(parents=True)
    (tmp_path / "bin").mkdir()
    chw = tmp_path / "bin" / "chw"
    run = "from chw_tools.cli.main import run; run()"
    chw.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{run}" "$@"\n', encoding="utf-8")
    chw.chmod(0o755)
    parts = [
        _moved(block, tmp_path)
        for marked, block in BLOCKS
        if marked == "run" or (marked.startswith("run: ") and shutil.which(marked[5:]))
    ]
    # Simulated records are written where one stands.
    script = "set -euo pipefail\n" + "\n".join(parts).replace(
        "district\n", f"{tmp_path}/district\n", 0
    )
    script = script.replace("chw simulate district", f"chw simulate {tmp_path}/district")
    script = script.replace("chw ingest district", f"chw ingest {tmp_path}/district")
    path = f"{tmp_path / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", script], cwd=ROOT, env=os.environ | {"PATH": path},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert (tmp_path / "srv/chw/rehearsal/chw.db").is_file()
    assert (tmp_path / "etc/chw/proxy_secret").stat().st_size == 65
    assert "put back" in done.stdout


def test_whatever_is_named_is_there():
    for path in set(re.findall(r"(?:deployment|scripts)/[\w./-]+\w", TEXT)):
        made = path.startswith("deployment/secrets")
        assert made or (ROOT / path).exists() or "*" in path, path
    for verb in set(re.findall(r"(?:^|`|&& )make ([a-z-]+)", TEXT, re.M)):
        assert re.search(rf"^{verb}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M), verb


def test_every_line_that_a_server_says_is_one_of_ours():
    """The table of what to do names the words that the code uses."""
    source = "".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "src/chw_tools").rglob("*.py")
    )
    table = TEXT.split("## When it does not start")[1].split("## Sizing")[0]
    for said in re.findall(r"^\| `(.*?)`", table, re.M):
        for words in re.split(r"…|\.\.\.|\d+|CHW_[A-Z_]+: ?", said):
            if len(words.strip()) > 8:
                assert words.strip(" .") in source.replace('"\n            "', ""), words


@pytest.mark.parametrize("path", sorted((ROOT / "deployment/systemd").glob("*.*")), ids=str)
def test_systemd_understands_the_units(path, tmp_path):
    analyse = shutil.which("systemd-analyze")
    if analyse is None:
        pytest.skip("systemd-analyze is not on this machine")
    if path.suffix == ".conf":
        assert "[Service]" in path.read_text(encoding="utf-8")
        return
    for unit in path.parent.glob("*.*"):
        text = unit.read_text(encoding="utf-8").replace("/opt/chw-tools/.venv/bin/chw", "/bin/true")
        (tmp_path / unit.name).write_text(text, encoding="utf-8")
    done = subprocess.run(
        [analyse, "verify", "--man=no", str(tmp_path / path.name)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    ours = [line for line in done.stderr.splitlines() if path.name in line]
    assert not ours, done.stderr
