"""A made-up year of reminders: who was written to who must not be, by a witness of its own.

    python benchmarks/outreach_year.py [PEOPLE] [DAYS]

Everything is simulated; it proves plumbing, not medicine.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from chw_tools.programme.outreach import load_outreach
from chw_tools.store import open_store
from chw_tools.testing.outreach_year import Year


def main(people: int = 100_000, days: int = 365) -> None:
    """Run one year on SQLite and print what came of it."""
    with tempfile.TemporaryDirectory() as folder:
        with open_store(f"sqlite:///{Path(folder) / 'year.db'}") as store:
            began, wall = time.process_time(), time.monotonic()
            told = Year(store, load_outreach(), people=people, days=days).run()
        cpu, took = time.process_time() - began, time.monotonic() - wall
    print(f"{told.n_people:,} made-up people, {days} days: {cpu:.0f} CPU s, {took:.0f} s")
    print(f"{told.n_messages:,} messages planned, {told.n_calls:,} calls to the provider")
    for name, counts in (
        ("happened", told.events),
        ("ended", told.states),
        ("refused", told.reasons),
        ("FAULTS", told.faults),
    ):
        print(f"  {name}:", ", ".join(f"{k} {n:,}" for k, n in sorted(counts.items())) or "none")


if __name__ == "__main__":
    main(*(int(given) for given in sys.argv[1:]))
