"""Execute every notebook from its first cell to its last, each in a kernel of its own.

``make notebooks`` calls this. Executed copies, with their pictures, go to ``build/notebooks``;
those in git stay without outputs, so that nobody's values ever get there.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
#: The whole set is to be done within five minutes.
_PATIENCE_SECONDS = 300


def main() -> int:
    """Execute all; 0 where each cell ran."""
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError

    made = ROOT / "build" / "notebooks"
    made.mkdir(parents=True, exist_ok=True)
    failed = 0
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        book = nbformat.read(path, as_version=4)
        began = time.monotonic()
        try:
            NotebookClient(book, timeout=_PATIENCE_SECONDS).execute(cwd=str(made))
        except CellExecutionError as error:
            failed += 1
            print(f"{path.name}: {error.ename}: {error.evalue}")
        nbformat.write(book, made / path.name)
        print(f"{path.name}: {time.monotonic() - began:.0f} s")
    return failed


if __name__ == "__main__":
    sys.exit(main())
