"""The registry: models in folders, ``<root>/<outcome>/<version>/``, and what was decided.

>>> from pathlib import Path
>>> ModelRegistry(Path("no-such-folder")).list_models()
[]
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chw_tools.errors import ModelNotFound, ModelRefused, RulesAlone
from chw_tools.model_registry.entries import (
    MANIFEST,
    Entry,
    check_name,
    compute_digest,
    is_version,
    read_entry,
    read_files,
    read_verdict,
    version_number,
    write_json,
)
from chw_tools.model_registry.folders import write_folder
from chw_tools.model_registry.formats import (
    ADDITIVE_FILE,
    SCORING_FILE,
    check_parity,
    library_versions,
    read_model,
    write_model,
)
from chw_tools.model_registry.gates import Examined, Gate, check_gates
from chw_tools.model_registry.golden import GOLDEN_FILE, check_golden, make_golden
from chw_tools.model_registry.history import Decision, read_history, stand
from chw_tools.model_registry.loading import (
    check_contract,
    feature_contract,
    load_verified,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    import pandas as pd

    from chw_tools.model_registry.history import Standing
    from chw_tools.model_training import FittedModel
    from chw_tools.risk_prediction import ScoringModel

#: Files of the report that stay beside the model; without the second nobody may approve it.
_KEPT_OF_REPORT = ("card.md", "metrics.json")


@dataclass(frozen=True)
class ModelRegistry:
    """Models kept under a folder, usually ``models/trained_models``.

    Parameters
    ----------
    root : Path
        The folder.
    trusted_keys : sequence of str
        Public keys. Where there are any, a model that was approved is loaded only if one of
        their owners signed its approval.
    """

    root: Path
    trusted_keys: Sequence[str] = ()

    def next_version(self, outcome: str) -> str:
        """The version that the next model of an outcome gets."""
        folder = self.root / check_name(outcome)
        found = [p.name for p in folder.iterdir()] if folder.is_dir() else []
        return f"v{max((version_number(n) for n in found if is_version(n)), default=0) + 1}"

    def save_model(
        self,
        model: FittedModel,
        *,
        version: str,
        created_at: datetime,
        report: Mapping[str, bytes] | None = None,
        code_version: str = "",
        probe: pd.DataFrame | None = None,
        parent: str | None = None,
        run_id: str = "",
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
            Rows on which the saved form must score as the fitted one does. The ranges of the
            golden rows are theirs too; no row is kept.
        parent : str, optional
            The version that this one was made from, by editing or recalibrating.
        run_id : str
            Key of the training run.

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
            raise _kept_already(model.outcome, version)
        saved, files = self._files(model, version=version, report=report or {}, probe=probe)
        manifest = {
            "outcome": model.outcome,
            "version": version,
            "population": model.population,
            "recipe": model.recipe,
            "seed": model.trained_on.get("seed"),
            "data_digest": model.trained_on.get("data_digest"),
            "people_from": list(model.trained_on.get("people_from", ())),
            "parent": parent or model.trained_on.get("parent"),
            "run_id": run_id,
            "code_version": code_version,
            "created_at": created_at.isoformat(),
            "libraries": library_versions(),
            "feature_contract": feature_contract(saved.features),
            "model_digest": saved.digest,
            "probability": read_verdict(files),
            "files": {name: compute_digest(content) for name, content in files.items()},
        }
        if not write_folder(folder, {**files, MANIFEST: write_json(manifest)}):
            raise _kept_already(model.outcome, version)
        return folder

    def load_model(self, outcome: str, version: str | None = None) -> ScoringModel:
        """The model of an outcome: that version; else the approved one; else the newest
        candidate by number.

        Raises
        ------
        ModelNotFound
            If there is none.
        ModelRefused
            If a file was changed, added or removed; if it holds unknown types; if it needs
            another scikit-learn; if its inputs, trees or golden rows are not as kept; or if
            its approval is not signed and must be.
        """
        entry = self.find(outcome, version)
        if (entry.manifest.get("outcome"), entry.manifest.get("version")) != (
            outcome,
            entry.version,
        ):
            raise ModelRefused(
                "its manifest is that of another model",
                where=f"{outcome}/{entry.version}",
                cure="Put the folder back where it was.",
            )
        files = self.read_files(entry)
        self._check_signed(entry)
        try:
            # What scores is told apart by the manifest's digest: it covers every file.
            return load_verified(files, entry.manifest, digest=entry.manifest_sha256)
        except ModelRefused as error:
            place = f"{outcome}/{entry.version}" + (f", {error.where}" if error.where else "")
            raise ModelRefused(error.what, where=place, cure=error.cure) from error

    def load_scorer(self, digest: str) -> ScoringModel:
        """The model, retired ones too, whose risks carry a digest.

        Raises
        ------
        ModelNotFound
            If none has.
        """
        for entry in self.list_models():
            if digest in (entry.manifest_sha256, entry.manifest.get("model_digest")):
                model = self.load_model(entry.outcome, entry.version)
                if model.digest == digest:
                    return model
        raise ModelNotFound(
            "no model with that digest is kept",
            where=digest[:12],
            cure="Restore the folder of the model from a backup.",
        )

    def find(self, outcome: str, version: str | None = None) -> Entry:
        """The entry that :meth:`load_model` would load.

        Raises
        ------
        ModelNotFound
            If there is none, or it was decided to go by the rules alone.
        """
        standing = self.standing(outcome)
        if version is None and standing.rules is not None:
            by, day, why = (
                standing.rules.by,
                standing.rules.at.partition("T")[0],
                standing.rules.why,
            )
            raise RulesAlone(
                f"it was decided to go without a model ({by}, {day}: {why})",
                where=outcome,
                cure="Name a version, or approve one.",
            )
        chosen = version or standing.champion
        if chosen is not None:
            # Only its own folder is read: a broken one beside it takes no model away.
            folder = self.root / check_name(outcome) / chosen
            if is_version(chosen) and folder.is_dir():
                return read_entry(folder, standing)
        candidates = [e for e in self._entries(outcome, standing) if e.stage == "candidate"]
        if chosen is None and candidates:
            return max(candidates, key=lambda entry: entry.number)
        raise ModelNotFound(
            "no such model is kept",
            where=f"{outcome}/{version}" if version else outcome,
            cure="Train one, or see which there are with `chw models list`.",
        )

    def find_shadow(self, outcome: str) -> Entry | None:
        """The model on trial beside the one in use, or None."""
        shadow = self.standing(outcome).shadow
        return None if shadow is None else self.find(outcome, shadow)

    def list_models(self, outcome: str | None = None) -> list[Entry]:
        """Every entry, by outcome and version number.

        Raises
        ------
        ModelRefused
            If a manifest or the history of decisions cannot be read.
        """
        if outcome is not None:
            names = [check_name(outcome)]
        else:
            names = sorted(p.name for p in self.root.iterdir()) if self.root.is_dir() else []
        found = [
            entry
            for name in names
            if (self.root / name).is_dir()
            for entry in self._entries(name, self.standing(name))
        ]
        return sorted(found, key=lambda entry: (entry.outcome, entry.number))

    def history(self, outcome: str) -> list[Decision]:
        """Every decision on the models of an outcome, the oldest first."""
        return read_history(self.root / check_name(outcome))

    def standing(self, outcome: str) -> Standing:
        """Where the decisions lead: the champion, the shadow, or the rules alone."""
        return stand(self.history(outcome))

    def read_files(self, entry: Entry) -> dict[str, bytes]:
        """The files of a model, each as its digest says.

        Raises
        ------
        ModelRefused
            If one is missing, was changed or added.
        """
        return read_files(self.root / entry.outcome / entry.version, entry)

    def read_metrics(self, entry: Entry) -> dict[str, Any]:
        """How the model was judged; empty where it never was.

        Raises
        ------
        ModelRefused
            If a file was changed.
        """
        return _metrics_among(self.read_files(entry))

    def check_gates(
        self, outcome: str, version: str, *, population: str | None = None
    ) -> list[Gate]:
        """What stands between a model and its approval; see :mod:`.gates`.

        Raises
        ------
        ModelNotFound
            If there is no such model.
        """
        return check_gates(self._examine(self.find(outcome, version)), population=population)

    def _examine(self, entry: Entry) -> Examined:
        files: Mapping[str, bytes] = {}
        files_fault = parity_fault = ""
        parity = None
        try:
            files = self.read_files(entry)
        except ModelRefused as error:
            files_fault = error.what
        try:
            parity = self._parity(entry, files) if files else None
        except ModelRefused as error:
            parity_fault = error.what
        return Examined(
            outcome=entry.outcome,
            version=entry.version,
            population=str(entry.manifest.get("population", "")),
            files_fault=files_fault,
            parity_fault=parity_fault,
            parity=parity,
            names=tuple(files),
            metrics=_metrics_among(files),
            sample_size=str(_trained_on(files).get("sample_size") or ""),
        )

    def _parity(self, entry: Entry, files: Mapping[str, bytes]) -> float | None:
        libraries = entry.manifest.get("libraries", {})
        model = read_model(files, libraries=libraries, digest=entry.manifest_sha256)
        check_contract(model.features, entry.manifest)
        golden = files.get(GOLDEN_FILE)
        return None if golden is None else check_golden(model, model.features, golden)

    def _check_signed(self, entry: Entry) -> None:
        if self.trusted_keys and entry.stage != "candidate":
            from chw_tools.model_registry.signatures import check_approval_signed

            check_approval_signed(entry, self.history(entry.outcome), self.trusted_keys)

    def _entries(self, outcome: str, standing: Standing) -> list[Entry]:
        parent = self.root / outcome
        folders = parent.iterdir() if parent.is_dir() else ()
        return [read_entry(f, standing) for f in folders if is_version(f.name)]

    def _files(
        self,
        model: FittedModel,
        *,
        version: str,
        report: Mapping[str, bytes],
        probe: pd.DataFrame | None,
    ) -> tuple[ScoringModel, dict[str, bytes]]:
        declared = {"features": [feature.as_dict() for feature in model.features]}
        kept = {name: report[name] for name in _KEPT_OF_REPORT if name in report}
        written = write_model(model, version=version)
        saved = read_model(written, libraries=library_versions(), digest="")
        if probe is not None:
            check_parity(model, saved, probe)
        seed = int(model.trained_on.get("seed") or 0)
        return saved, {
            **written,
            "features.json": write_json(declared),
            GOLDEN_FILE: make_golden(saved, saved.features, probe, seed=seed),
            **kept,
        }


def _metrics_among(files: Mapping[str, bytes]) -> dict[str, Any]:
    read = json.loads(files["metrics.json"]) if "metrics.json" in files else {}
    return read if isinstance(read, dict) else {}


def _trained_on(files: Mapping[str, bytes]) -> dict[str, Any]:
    for name in (ADDITIVE_FILE, SCORING_FILE):
        if name in files:
            return dict(json.loads(files[name]).get("trained_on") or {})
    return {}


def _kept_already(outcome: str, version: str) -> ModelRefused:
    return ModelRefused(
        "that version is kept already",
        where=f"{outcome}/{version}",
        cure="Choose the next version.",
    )
