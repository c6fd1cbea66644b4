"""Say in one sentence what is missing, before anything is installed."""

import sys

if not (3, 11) <= sys.version_info[:2] <= (3, 13):
    sys.exit(
        f"CHW Tools needs Python 3.11, 3.12 or 3.13; this is {sys.version.split()[0]}. "
        "Try: make demo PYTHON=python3.12"
    )
try:
    import ensurepip  # noqa: F401  (Debian ships it apart)
    import venv  # noqa: F401
except ImportError:
    sys.exit("Python's venv is missing. On Debian or Ubuntu: apt install python3-venv")
