"""The registry: models in folders, ``<root>/<outcome>/<version>/``.

>>> from pathlib import Path
>>> ModelRegistry(Path("no-such-folder")).list_models()
[]
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chw_tools.errors import ModelNotFound, ModelRefused
from chw_tools.model_registry.entries import (
    MANIFEST,
    STAGE,
    Entry,
    Stage,
    check_name,
    compute_digest,
    is_version,
    read_entry,
    read_files,
    read_verdict,
    version_number,
    write_json,
)
from chw_tools.model_registry.formats import (
    check_parity,
    library_versions,
    read_model,
    write_model,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    import pandas as pd

    from chw_tools.model_training import FittedModel
    from chw_tools.risk_prediction import ScoringModel

#: Files of the report that stay beside the model; without the second nobody may approve it.
_KEPT_OF_REPORT = ("card.md", "metrics.json")


@dataclass(frozen=True)
class ModelRegistry:
    """Models kept under a folder, usually ``models/trained_models``."""

    root: Path

    def next_version(self, outcome: str) -> str:
        """The version that the next model of an outcome gets."""
        return f"v{max((e.number for e in self.list_models(outcome)), default=0) + 1}"

    def save_model(
        self,
        model: FittedModel,
        *,
        version: str,
        created_at: datetime,
        report: Mapping[str, bytes] | None = None,
        code_version: str = "",
        probe: pd.DataFrame | None = None,
    ) -> Path:
        """Keep a fitted model as a candidate; nothing kept is ever overwritten.

        Parameters
        ----------
        model : FittedModel
            What was trained.
        version : str
            See :meth:`next_version`.
        created_at : datetime
            An aware instant.
        report : mapping of str to bytes, optional
            Files of :func:`chw_tools.model_evaluation.write_report`; the card and
            ``metrics.json`` are kept beside the model.
        code_version : str
            Version of the code, such as what ``git describe`` gives.
        probe : DataFrame, optional
            Rows on which the saved form must score as the fitted one does.

        Returns
        -------
        Path
            The folder.

        Raises
        ------
        ModelRefused
            If that version exists, or the saved form scores otherwise than the fitted one.
        """
        version_number(version)
        folder = self.root / check_name(model.outcome) / version
        if folder.exists():
            raise ModelRefused(
                "that version is kept already",
                where=f"{model.outcome}/{version}",
                cure="Choose the next version.",
            )
        files = self._files(model, version=version, report=report or {})
        manifest = {
            "outcome": model.outcome,
            "version": version,
            "population": model.population,
            "recipe": model.recipe,
            "seed": model.trained_on.get("seed"),
            "data_digest": model.trained_on.get("data_digest"),
            "people_from": list(model.trained_on.get("people_from", ())),
            "code_version": code_version,
            "created_at": created_at.isoformat(),
            "libraries": library_versions(),
            "probability": read_verdict(files),
            "files": {name: compute_digest(content) for name, content in files.items()},
        }
        if probe is not None:
            saved = read_model(files, libraries=library_versions(), digest="")
            check_parity(model, saved, probe)
        files[MANIFEST] = write_json(manifest)
        files[STAGE] = write_json(
            {"stage": "candidate", "by": "training", "at": created_at.isoformat()}
        )
        _write_folder(folder, files)
        return folder

    def load_model(self, outcome: str, version: str | None = None) -> ScoringModel:
        """The model of an outcome: that version; else the approved one; else the newest
        candidate by number.

        Raises
        ------
        ModelNotFound
            If there is none.
        ModelRefused
            If a file was changed, added or removed; if it holds unknown types; or if it needs
            another scikit-learn.
        """
        entry = self.find(outcome, version)
        folder = self.root / outcome / entry.version
        files = read_files(folder, entry)
        # What scores is told apart by the manifest's digest: it covers every file.
        digest = compute_digest((folder / MANIFEST).read_bytes())
        return read_model(files, libraries=entry.manifest.get("libraries", {}), digest=digest)

    def find(self, outcome: str, version: str | None = None) -> Entry:
        """The entry that :meth:`load_model` would load.

        Raises
        ------
        ModelNotFound
            If there is none.
        """
        entries = {entry.version: entry for entry in self.list_models(outcome)}
        if version is not None and version in entries:
            return entries[version]
        for stage in ("approved", "candidate"):
            staged = [entry for entry in entries.values() if entry.stage == stage]
            if staged and version is None:
                return max(staged, key=lambda entry: entry.number)
        raise ModelNotFound(
            "no such model is kept",
            where=f"{outcome}/{version}" if version else outcome,
            cure="Train one, or see which there are with `chw models`.",
        )

    def list_models(self, outcome: str | None = None) -> list[Entry]:
        """Every entry, by outcome and version number.

        Raises
        ------
        ModelRefused
            If a manifest or stage cannot be read.
        """
        if outcome is not None:
            folders = [self.root / check_name(outcome)]
        else:
            folders = sorted(self.root.iterdir()) if self.root.is_dir() else []
        found = [
            read_entry(folder)
            for parent in folders
            if parent.is_dir()
            for folder in parent.iterdir()
            if is_version(folder.name)
        ]
        return sorted(found, key=lambda entry: (entry.outcome, entry.number))

    def approve_model(self, outcome: str, version: str, *, by: str, at: datetime) -> Entry:
        """Approve a model for use; the one approved before is retired.

        Raises
        ------
        ModelNotFound
            If there is no such model.
        ModelRefused
            If a file was changed, or the model was never judged.
        """
        entry = self.find(outcome, version)
        folder = self.root / outcome / version
        if "metrics.json" not in read_files(folder, entry):
            raise ModelRefused(
                "a model that was never judged cannot be approved",
                where=f"{outcome}/{version}",
                cure="Train it again with its report.",
            )
        for other in self.list_models(outcome):
            if other.stage == "approved" and other.version != version:
                self._stage(other, "retired", by=by, at=at)
        return self._stage(entry, "approved", by=by, at=at)

    def retire_model(self, outcome: str, version: str, *, by: str, at: datetime) -> Entry:
        """Take a model out of use; it stays, so that old risks can be recomputed.

        Raises
        ------
        ModelNotFound
            If there is no such model.
        """
        return self._stage(self.find(outcome, version), "retired", by=by, at=at)

    def _stage(self, entry: Entry, stage: Stage, *, by: str, at: datetime) -> Entry:
        folder = self.root / entry.outcome / entry.version
        content: dict[str, Any] = {"stage": stage, "by": by, "at": at.isoformat()}
        content["manifest_sha256"] = compute_digest((folder / MANIFEST).read_bytes())
        content["before"] = {"stage": entry.stage, "by": entry.by, "at": entry.at}
        partial = folder.parent / f".{entry.version}-{STAGE}.partial"
        partial.write_bytes(write_json(content))
        partial.replace(folder / STAGE)
        return read_entry(folder)

    def _files(
        self, model: FittedModel, *, version: str, report: Mapping[str, bytes]
    ) -> dict[str, bytes]:
        declared = {"features": [feature.as_dict() for feature in model.features]}
        kept = {name: report[name] for name in _KEPT_OF_REPORT if name in report}
        return {
            **write_model(model, version=version),
            "features.json": write_json(declared),
            **kept,
        }


def save_report(root: Path, *, outcome: str, version: str, report: Mapping[str, bytes]) -> Path:
    """Keep a report's files in ``<root>/<outcome>/<version>/``; gives the folder.

    Raises
    ------
    ModelRefused
        If that folder exists.
    """
    version_number(version)
    folder = root / check_name(outcome) / version
    if folder.exists():
        raise ModelRefused(
            "a report of that version is kept already",
            where=f"{outcome}/{version}",
            cure="Choose the next version.",
        )
    _write_folder(folder, report)
    return folder


def _write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """The whole folder or none of it: written beside, then renamed."""
    partial = folder.parent / f".{folder.name}-{os.getpid()}.partial"
    partial.mkdir(parents=True)
    try:
        for name, content in files.items():
            (partial / name).write_bytes(content)
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
