"""What was decided about the models of an outcome: a log that only grows, and where it leads.

Each decision is one line of ``<outcome>/history.jsonl``, written in one go under a lock and
linked to the line before by its digest. Stages are not kept anywhere else: they are what the
lines come to, so no crash can leave a decision half made, and none is lost.

>>> from chw_tools.model_registry.history import stand
>>> stand([]).champion is None
True
"""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Literal

from chw_tools.errors import ModelRefused

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

HISTORY = "history.jsonl"
Act = Literal["approved", "retired", "rolled_back", "shadowed", "unshadowed"]
#: Digest before the first line.
_BEGINNING = "0" * 64
_CURE = "Restore the file from a backup; nothing in it may be changed or removed."


@dataclass(frozen=True)
class Decision:
    """One thing that somebody decided about the models of an outcome.

    Parameters
    ----------
    act : {"approved", "retired", "rolled_back", "shadowed", "unshadowed"}
        What.
    version : str
        About which model; for a roll back the one that is in use from then on, or empty where
        the guideline rules alone are.
    by, at, why : str
        Who, when (an instant in ISO 8601), and why.
    manifest_sha256 : str
        Digest of the model's manifest, which holds the digest of each of its files.
    gates : mapping
        For an approval: what each gate said.
    despite : tuple of str
        For an approval: the gates that failed and were overridden.
    population : str
        For an approval: whom it may score.
    signature : mapping
        Of whoever signed it, where a key was given.
    """

    act: Act
    version: str
    by: str
    at: str
    why: str = ""
    manifest_sha256: str = ""
    gates: Mapping[str, Any] = field(default_factory=dict)
    despite: tuple[str, ...] = ()
    population: str = ""
    signature: Mapping[str, Any] = field(default_factory=dict)

    @property
    def said(self) -> str:
        """Who, on which day, and why."""
        day = self.at.partition("T")[0]
        return f"{self.by}, {day}" + (f": {self.why}" if self.why else "")

    def as_dict(self) -> dict[str, Any]:
        """What is written: everything but what is empty."""
        held = {name: getattr(self, name) for name in self.__dataclass_fields__}
        held["despite"] = list(self.despite)
        held["gates"], held["signature"] = dict(self.gates), dict(self.signature)
        always = ("act", "version", "by", "at")
        return {name: value for name, value in held.items() if value or name in always}


@dataclass(frozen=True)
class Standing:
    """Where the decisions lead.

    Parameters
    ----------
    stages : mapping of str to Decision
        The last decision on each version that changed its stage.
    champion, shadow : str or None
        The model in use, and the one scored beside it and never shown.
    earlier : tuple of str
        Models that were in use before, the last one last.
    rules : Decision or None
        The decision to go without a model, while it stands.
    digests : mapping of str to str
        The manifest that was decided on, by version.
    """

    stages: Mapping[str, Decision] = field(default_factory=dict)
    champion: str | None = None
    shadow: str | None = None
    earlier: tuple[str, ...] = ()
    rules: Decision | None = None
    digests: Mapping[str, str] = field(default_factory=dict)

    def after(self, decision: Decision) -> Standing:
        """Where one more decision leads."""
        version, digest = decision.version, decision.manifest_sha256
        if digest and version not in self.digests:
            return replace(self, digests={**self.digests, version: digest}).after(decision)
        if decision.act == "shadowed":
            return replace(self, shadow=version)
        if decision.act == "unshadowed":
            return replace(self, shadow=None)
        if decision.act == "retired":
            return self._without(version, decision)
        return self._in_use(version, decision)

    def _in_use(self, version: str, decision: Decision) -> Standing:
        before = self.champion
        stages = {**self.stages, **({before: decision} if before else {})}
        if version:
            stages[version] = decision
        if decision.act == "rolled_back":
            earlier = tuple(name for name in self.earlier if name != version)
        else:
            earlier = (*self.earlier, before) if before and before != version else self.earlier
        return replace(
            self,
            stages=stages,
            champion=version or None,
            earlier=earlier,
            shadow=None if self.shadow == version else self.shadow,
            rules=None if version else decision,
        )

    def _without(self, version: str, decision: Decision) -> Standing:
        return replace(
            self,
            stages={**self.stages, version: decision},
            champion=None if self.champion == version else self.champion,
            shadow=None if self.shadow == version else self.shadow,
            # Taken out by hand, it is nothing to go back to.
            earlier=tuple(name for name in self.earlier if name != version),
        )

    def aliases_of(self, version: str) -> tuple[str, ...]:
        """``champion`` and ``shadow``, as far as they point to a version."""
        held = {"champion": self.champion, "shadow": self.shadow}
        return tuple(alias for alias, name in held.items() if name == version)


def stand(decisions: Sequence[Decision]) -> Standing:
    """Where the decisions lead, in order."""
    standing = Standing()
    for decision in decisions:
        standing = standing.after(decision)
    return standing


def read_history(folder: Path) -> list[Decision]:
    """Every decision on the models in a folder, the oldest first.

    A last line that was cut off while it was written was never acknowledged, and is not one.

    Raises
    ------
    ModelRefused
        If a line was changed, removed or put in.
    """
    return [decision for decision, _ in _read(folder / HISTORY)]


def _read(path: Path) -> list[tuple[Decision, str]]:
    if not path.is_file():
        return []
    read, before = [], _BEGINNING
    for number, line in enumerate(_whole_lines(path.read_bytes()), start=1):
        try:
            held = json.loads(line)
            linked = held.pop("after")
            despite = tuple(held.pop("despite", ()))
            decision = Decision(**held, despite=despite)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise _broken(path, number) from error
        if linked != before:
            raise _broken(path, number)
        before = sha256(line).hexdigest()
        read.append((decision, before))
    return read


def _whole_lines(content: bytes) -> list[bytes]:
    return content[: content.rfind(b"\n") + 1].splitlines()


def _broken(path: Path, number: int) -> ModelRefused:
    return ModelRefused(
        "the history of decisions was changed",
        where=f"{path.parent.name}/{HISTORY}, line {number}",
        cure=_CURE,
    )


@contextmanager
def deciding(folder: Path) -> Iterator[Deciding]:
    """Hold the history of an outcome while a decision is made: one at a time, on one machine."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f".{HISTORY}.lock").open("a+b") as lock:
        _wait_for(lock)
        yield Deciding(folder)


@dataclass(frozen=True)
class Deciding:
    """The history while it is held."""

    folder: Path

    @property
    def standing(self) -> Standing:
        """Where the decisions lead so far."""
        return stand(read_history(self.folder))

    def add(self, decision: Decision) -> Standing:
        """Write one more decision; it stands once this returns."""
        path = self.folder / HISTORY
        read = _read(path)
        line = {**decision.as_dict(), "after": read[-1][1] if read else _BEGINNING}
        with path.open("ab") as file:
            _cut_torn_line(path)
            file.write(json.dumps(line, ensure_ascii=False, allow_nan=False).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        return stand([*(held for held, _ in read), decision])


def _cut_torn_line(path: Path) -> None:
    content = path.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole != len(content):
        os.truncate(path, whole)


def _wait_for(lock: Any) -> None:
    try:
        import fcntl
    except ModuleNotFoundError:  # pragma: no cover (Windows)
        import msvcrt

        msvcrt.locking(lock.fileno(), msvcrt.LK_LOCK, 1)  # type: ignore[attr-defined, unused-ignore]
    else:
        fcntl.flock(lock, fcntl.LOCK_EX)
