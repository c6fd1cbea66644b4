"""Take out of an environment what a server never reads; told is how much that saves.

Used while an image is built: ``python3 prune_environment.py /opt/chw``.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

#: Folders that hold a library's own tests and what only compilers read.
_FOLDERS = (
    "**/tests",
    "pyarrow/include",
    "pyarrow/src",
    "numpy/_core/include",
    "sklearn/datasets/images",
    "mlflow/server/js",
    "matplotlib/mpl-data/sample_data",
    # Places, carriers and time zones of telephone numbers; their form alone is looked at here.
    *("phonenumbers/geodata", "phonenumbers/carrierdata", "phonenumbers/tzdata"),
)
#: Files that only compilers, debuggers, type checkers and other systems read.
_FILES = (
    *("**/*.pyx", "**/*.pxd", "**/*.pyi", "**/*.h", "**/*.a", "**/*.lib"),
    *("**/*.dll", "**/*.pdb", "**/*.dylib", "**/*_debug.so"),
)
#: Needed to install, not to run.
_PACKAGES = (
    *("pip", "pip-*", "setuptools", "setuptools-*", "pkg_resources"),
    *("hatchling*", "editables*"),
)
_KEPT = ("chw_tools",)


def prune(environment: Path) -> int:
    """Remove what is not needed at run time; the bytes that were freed."""
    (packages,) = environment.glob("lib/python3*/site-packages")
    before = _size(environment)
    for pattern in (*_FOLDERS, *_PACKAGES):
        for folder in list(packages.glob(pattern)):
            if folder.relative_to(packages).parts[0] not in _KEPT and folder.is_dir():
                shutil.rmtree(folder)
    for pattern in _FILES:
        for file in list(packages.glob(pattern)):
            if file.relative_to(packages).parts[0] not in _KEPT and file.is_file():
                file.unlink()
    return before - _size(environment)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if not path.is_symlink())


if __name__ == "__main__":
    freed = prune(Path(sys.argv[1]))
    print(f"pruned {freed / 1e6:,.0f} MB")
