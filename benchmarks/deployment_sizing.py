"""What one installation needs: memory and CPU of each act, size of the store and of a backup.

``python benchmarks/deployment_sizing.py [PEOPLE]`` simulates a district (6,500 people by default)
and runs each command in a process of its own. Figures in deployment/deployment_instructions.md.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

CHW = [sys.executable, "-c", "from chw_tools.cli.main import run; run()"]


def main() -> None:
    """Measure and print a table."""
    people = sys.argv[1] if len(sys.argv) > 1 else "6500"
    with tempfile.TemporaryDirectory(prefix="chw-sizing-") as made:
        home = Path(made)
        environ = os.environ | {
            "CHW_HOME": str(home / "home"),
            "CHW_MODELS": str(home / "models"),
            "CHW_TRACKING_URI": "off",
        }
        acts = (
            ("simulate", ["simulate", str(home / "district"), "--people", people]),
            ("ingest", ["ingest", str(home / "district")]),
            ("train", ["train"]),
            ("plan", ["plan"]),
            ("backup", ["backup", str(home / "b.tar")]),
        )
        for name, words in acts:
            seconds, megabytes = measure([*CHW, *words], environ)
            print(f"{name:10} {seconds:7.1f} CPU s {megabytes:8.0f} MB resident")
        for name, path in (("store", home / "home/chw.db"), ("backup", home / "b.tar")):
            print(f"{name:10} {path.stat().st_size / 1e6:7.1f} MB on disk")
        serve(environ)


def measure(command: list[str], environ: dict[str, str]) -> tuple[float, float]:
    """CPU seconds and the most memory of a command."""
    process = subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL)  # noqa: S603 (our own words)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = status
    if status:
        raise SystemExit(f"{command} failed")
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def serve(environ: dict[str, str]) -> None:
    """Memory and CPU of a server that answers two hundred requests."""
    command = [*CHW, "serve", "--port", "0"]
    began = time.perf_counter()
    process = subprocess.Popen(  # noqa: S603 (our own words)
        command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None  # noqa: S101 (a pipe was asked for)
    address = next(line.split()[1] for line in process.stdout if line.startswith("Open "))
    urllib.request.urlopen(f"{address}readyz", timeout=30).read()  # noqa: S310 (our own server)
    print(f"{'start':10} {time.perf_counter() - began:7.1f} s until ready")
    for path in ("api/v1/day", ""):
        before, tried = _cpu(process.pid), 100
        for _ in range(tried):
            urllib.request.urlopen(address + path, timeout=30).read()  # noqa: S310 (our own server)
        each = 1000 * (_cpu(process.pid) - before) / tried
        print(f"{'GET /' + path:20} {each:7.1f} CPU ms a request")
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
    resident = int(re.search(r"VmHWM:\s+(\d+)", status).group(1))  # type: ignore[union-attr] # Linux always says it
    print(f"{'serve':10} {resident / 1024:7.0f} MB resident")
    process.send_signal(signal.SIGINT)
    process.wait(timeout=30)


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
