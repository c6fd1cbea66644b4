"""How long a simulated programme takes to write: CPU seconds and memory of a fresh process.

python benchmarks/simulate.py [PEOPLE ...]        default: 20000 100000
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile

_RUN = """
import sys
from pathlib import Path
from chw_tools.testing import write_programme
counts = write_programme(Path(sys.argv[2]), people=int(sys.argv[1]), seed=7, format="parquet")
print(sum(counts.values()))
"""


def measure(people: int) -> str:
    """One line of results for so many people, process start included."""
    with tempfile.TemporaryDirectory() as folder:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [sys.executable, "-c", _RUN, str(people), folder]
        done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    rows = int(done.stdout)
    return (
        f"{people:>9,} people: {seconds:6.1f} CPU s, {after.ru_maxrss / 1024:6.0f} MB peak, "
        f"{rows:,} rows"
    )


if __name__ == "__main__":
    for argument in sys.argv[1:] or ["20000", "100000"]:
        sys.stdout.write(measure(int(argument)) + "\n")
