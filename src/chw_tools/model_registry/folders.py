"""Writing a folder whole or not at all, and the folders of reports."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from chw_tools.errors import ModelRefused
from chw_tools.model_registry.entries import check_name, version_number

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def write_folder(folder: Path, files: Mapping[str, bytes]) -> bool:
    """Write the whole folder or none of it; False where somebody else's is there first.

    It is written beside and renamed: whoever looks sees all of it, and what a crash leaves has
    a name that nobody looks at.
    """
    partial = folder.parent / f".{folder.name}-{os.getpid()}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        for name, content in files.items():
            (partial / name).write_bytes(content)
        partial.rename(folder)
    except OSError:
        if folder.exists():
            return False
        raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return True


def save_report(root: Path, *, outcome: str, version: str, report: Mapping[str, bytes]) -> Path:
    """Keep a report's files in ``<root>/<outcome>/<version>/``; gives the folder.

    Raises
    ------
    ModelRefused
        If that folder exists.
    """
    version_number(version)
    folder = root / check_name(outcome) / version
    if not write_folder(folder, report):
        raise ModelRefused(
            "a report of that version is kept already",
            where=f"{outcome}/{version}",
            cure="Choose the next version.",
        )
    return folder
