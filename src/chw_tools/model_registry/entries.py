"""One kept model: its folder, manifest and stage, and the checks on reading them."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from chw_tools.errors import ModelRefused

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from chw_tools.model_registry.history import Standing

Stage = Literal["candidate", "approved", "retired"]

MANIFEST = "manifest.json"
#: Written beside a model by versions before the history of decisions; says nothing any more.
_EARLIER = "stage.json"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,79}")
_VERSION = re.compile(r"v([1-9][0-9]{0,8})")


@dataclass(frozen=True)
class Entry:
    """What the registry says of one model.

    Parameters
    ----------
    outcome, version : str
        Which; versions are ``v1``, ``v2``, ….
    stage : {"candidate", "approved", "retired"}
        How far it got.
    by, at, why : str
        Who put it there, when (an instant in ISO 8601), and why.
    manifest : mapping
        ``files`` with their SHA-256, ``population``, ``people_from`` (sources), ``recipe``,
        ``seed``, ``data_digest``, ``parent`` (the version it was made from by editing or
        recalibrating), ``run_id``, ``code_version``, ``created_at``, ``libraries``,
        ``feature_contract``, and ``probability``: whether its number may be shown, and why.
    manifest_sha256 : str
        Digest of the manifest, and so of everything.
    aliases : tuple of str
        ``champion`` for the one in use, ``shadow`` for the one on trial.
    despite : tuple of str
        Gates that failed and were overridden at its approval.
    """

    outcome: str
    version: str
    stage: Stage
    by: str
    at: str
    manifest: Mapping[str, Any]
    manifest_sha256: str
    why: str = ""
    aliases: tuple[str, ...] = ()
    despite: tuple[str, ...] = ()

    @property
    def number(self) -> int:
        """The version as a number; the newest is the highest, whatever the clock says."""
        return version_number(self.version)


def check_name(name: str) -> str:
    """The name itself, if it can be a folder's.

    Raises
    ------
    ValueError
        If it holds anything but small letters, digits and underscores.
    """
    if not _NAME.fullmatch(name):
        raise ValueError("an outcome is named in small letters, digits and underscores")
    return name


def is_version(name: str) -> bool:
    """Whether it is the name of a version, such as ``v3``."""
    return _VERSION.fullmatch(name) is not None


def version_number(version: str) -> int:
    """The number of a version.

    >>> version_number("v12")
    12

    Raises
    ------
    ValueError
        If it is none.
    """
    found = _VERSION.fullmatch(version)
    if found is None:
        raise ValueError("a version is v and a number, such as v3")
    return int(found.group(1))


def compute_digest(content: bytes) -> str:
    """SHA-256, as it stands in the manifest."""
    return hashlib.sha256(content).hexdigest()


def write_json(content: Mapping[str, Any]) -> bytes:
    """Readable JSON, the same bytes for the same content."""
    return (json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def read_entry(folder: Path, standing: Standing) -> Entry:
    """The entry in a folder, at the stage that decisions gave it; its files stay unread.

    A folder of which nobody decided anything is a candidate.

    Raises
    ------
    ModelRefused
        If the manifest is missing, unreadable, or not the one that was decided on.
    """
    content = _read(folder / MANIFEST)
    manifest, digest = _parse(folder / MANIFEST, content), compute_digest(content)
    decision = standing.stages.get(folder.name)
    stage: Stage = "candidate"
    by, at = "training", str(manifest.get("created_at", ""))
    if decision is not None:
        brought_in = decision.act != "retired" and decision.version == folder.name
        stage = "approved" if brought_in else "retired"
        by, at = decision.by, decision.at
    approved_as = standing.digests.get(folder.name, digest)
    if approved_as != digest:
        raise _refused(folder, "the manifest was changed after it was approved")
    return Entry(
        outcome=folder.parent.name,
        version=folder.name,
        stage=stage,
        by=by,
        at=at,
        manifest=manifest,
        manifest_sha256=digest,
        why=decision.why if decision else "",
        aliases=standing.aliases_of(folder.name),
        despite=decision.despite if decision and decision.version == folder.name else (),
    )


def read_verdict(files: Mapping[str, bytes]) -> dict[str, Any]:
    """What the judgement among a model's files says on showing its probability as a number."""
    judged = json.loads(files["metrics.json"]) if "metrics.json" in files else {}
    held = judged.get("probability")
    if not isinstance(held, dict):
        return {"shown": False, "why": "Shown as a band only: the numbers were never judged."}
    return {"shown": held["shown"] is True, "why": str(held["why"])}


def read_files(folder: Path, entry: Entry) -> dict[str, bytes]:
    """Every file of the model, each equal to what the manifest says.

    Raises
    ------
    ModelRefused
        If one is missing or was changed, or one is there that the manifest does not name.
    """
    expected = entry.manifest.get("files", {})
    there = {path.name for path in folder.iterdir()} - {MANIFEST, _EARLIER}
    if there != set(expected):
        odd = ", ".join(sorted(there ^ set(expected)))
        raise _refused(folder, f"files are missing or were added ({odd})")
    contents = {name: _read(folder / name) for name in expected}
    changed = [name for name, held in contents.items() if compute_digest(held) != expected[name]]
    if changed:
        raise _refused(folder, f"files were changed ({', '.join(sorted(changed))})")
    return contents


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise _refused(path.parent, f"{path.name} cannot be read") from error


def _parse(path: Path, content: bytes) -> dict[str, Any]:
    try:
        read = json.loads(content)
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise _refused(path.parent, f"{path.name} is not JSON") from error
    if not isinstance(read, dict):
        raise _refused(path.parent, f"{path.name} is not a JSON object")
    return read


def _refused(folder: Path, what: str) -> ModelRefused:
    return ModelRefused(
        what, where=f"{folder.parent.name}/{folder.name}", cure="Restore it, or train again."
    )
