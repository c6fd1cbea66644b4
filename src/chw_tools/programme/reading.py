"""Reading programme files: defaults, then what a folder changes, all faults at once.

A folder overrides key by key. Whoever changes a number says where theirs comes from: the
default's source does not vouch for it.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from chw_tools.errors import ProgrammeFault

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

#: Keys that may be changed without a new source: wording, and the source itself.
WORDING = frozenset(
    {"label", "action", "reason", "source", "year", "verified", "unit", "off", "texts", "rows"}
)
#: Of a table that switches off what is not there: most likely its name is misspelt.
NOTHING_OFF = "there is nothing of this name to switch off"
_HEADER = re.compile(r"\s*\[\[?\s*([^\]]+?)\s*\]\]?\s*(#.*)?$")


@dataclass(frozen=True)
class Finding:
    """One fault: file, line where it can be told, key, and what is wrong."""

    file: str
    line: int | None
    key: str
    what: str

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place}, {self.key}: {self.what}"


@dataclass
class Problems:
    """Everything found wrong so far, each with file, line and key."""

    findings: list[Finding] = field(default_factory=list)
    _texts: dict[str, list[tuple[str, str]]] = field(default_factory=dict)

    @property
    def found(self) -> list[str]:
        """Each fault in one line."""
        return [str(finding) for finding in self.findings]

    def remember(self, file: str, name: str, text: str) -> None:
        """Keep a file's text, so that a fault in it can be told with its line."""
        self._texts.setdefault(file, []).insert(0, (name, text))

    def add(self, file: str, key: str, what: str) -> None:
        """Note one fault; the file read last is searched for the key first."""
        name, line = self.locate(file, key)
        finding = Finding(name, line, key, what)
        if finding not in self.findings:
            self.findings.append(finding)

    def locate(self, file: str, key: str) -> tuple[str, int | None]:
        """The file that names the key, and the line."""
        while key:
            for name, text in self._texts.get(file, ()):
                line = line_of(text, key)
                if line is not None:
                    return name, line
            key = key.rpartition(".")[0]
        return file, None

    def raise_if_any(self) -> None:
        """Raise once for all of them.

        Raises
        ------
        ProgrammeFault
            With each fault on its own line.
        """
        if self.findings:
            raise ProgrammeFault(
                "; ".join(self.found),
                where="programme",
                cure="Mend the named keys; the defaults in chw_tools/programme/defaults show each.",
            )


def line_of(text: str, key: str) -> int | None:
    """The line of a TOML file on which a key is set, or its table begins.

    Of a list of tables ``steps`` the second is ``steps.2``.

    >>> line_of('[bp_high]\\nurgency = "soon"', "bp_high.urgency")
    2
    """
    tables = [""]
    n_met: Counter[str] = Counter()
    for number, line in enumerate(text.splitlines(), start=1):
        header = _HEADER.match(line)
        if header:
            n_met[header[1]] += 1
            tables = [header[1], f"{header[1]}.{n_met[header[1]]}"]
            if key in tables:
                return number
            continue
        name = line.partition("=")[0].strip().strip("\"'")
        if "=" in line and key in (f"{table}.{name}".strip(".") for table in tables):
            return number
    return None


@cache
def shipped(name: str) -> tuple[str, dict[str, Any]]:
    """A shipped file as text and as tables, parsed once; nobody may change what it gives."""
    text = files("chw_tools.programme").joinpath("defaults", name).read_text(encoding="utf-8")
    return text, tomllib.loads(text)


def is_shipped(name: str) -> bool:
    """Whether there is a shipped file of that name."""
    return files("chw_tools.programme").joinpath("defaults", name).is_file()


def read_layers(
    file: str, folder: Path | None, problems: Problems, *, defaults: Sequence[str] = ()
) -> dict[str, Any]:
    """The default file with the folder's file of the same name laid over it.

    ``defaults`` names the shipped files where there are several; a folder may then use any of
    their names too.
    """
    base: dict[str, Any] = {}
    for name in defaults or (file,):
        text, tables = shipped(name)
        problems.remember(file, name, text)
        base |= tables
    if folder is None:
        return base
    if not folder.is_dir():
        # Told once, not for each file that might have been in it.
        problems.add("programme", str(folder), "there is no such folder")
        return base
    for name in dict.fromkeys((file, *defaults)):
        base = laid_over(base, folder / name, file, problems)
    return base


def read_optional(file: str, folder: Path | None, problems: Problems) -> dict[str, Any]:
    """As :func:`read_layers`, of a file that need not be shipped, such as that of a language."""
    raw: dict[str, Any] = {}
    if is_shipped(file):
        text, raw = shipped(file)
        problems.remember(file, file, text)
    return raw if folder is None else laid_over(raw, folder / file, file, problems)


def laid_over(base: dict[str, Any], path: Path, file: str, problems: Problems) -> dict[str, Any]:
    """The tables with those of a file laid over them, if there is such a file."""
    if not path.is_file():
        return base
    try:
        text = path.read_text(encoding="utf-8")
        over = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        problems.add(path.name, "whole file", f"cannot be read as TOML ({error})")
        return base
    problems.remember(file, path.name, text)
    return _merged(base, over, file, "", problems)


def _merged(
    base: dict[str, Any], over: dict[str, Any], file: str, key: str, problems: Problems
) -> dict[str, Any]:
    if "source" in base or "source" in over:
        return _merged_sourced(base, over, file, key, problems)
    merged = dict(base)
    for name, value in over.items():
        here = f"{key}.{name}" if key else name
        if isinstance(value, dict):
            lower = base.get(name, {})
            merged[name] = _merged(
                lower if isinstance(lower, dict) else {}, value, file, here, problems
            )
        else:
            merged[name] = value
    return merged


def _merged_sourced(
    base: dict[str, Any], over: dict[str, Any], file: str, key: str, problems: Problems
) -> dict[str, Any]:
    merged, changed = dict(base), set()
    for name, value in over.items():
        lower = base.get(name)
        if isinstance(lower, dict) and isinstance(value, dict):
            if "source" in lower or "source" in value:
                # It vouches for itself, such as the ladder of a protocol.
                here = f"{key}.{name}"
                merged[name] = _merged_sourced(lower, value, file, here, problems)
                continue
            value = lower | value
        merged[name] = value
        if lower != value:
            changed.add(name)
    if changed - WORDING and "source" not in over:
        problems.add(file, key, "a changed number or condition needs its own `source`")
    if "source" in changed and "year" not in over:
        merged.pop("year", None)  # that of the document that is no longer named
    if changed - WORDING and "verified" not in over:
        merged["verified"] = False
    return merged


def read_text(
    table: dict[str, Any],
    name: str,
    file: str,
    key: str,
    problems: Problems,
    default: str | None = None,
) -> str:
    """A text of the table; absent without a default is a fault."""
    value = table.get(name, default)
    if not isinstance(value, str):
        problems.add(file, f"{key}.{name}".strip("."), "must be a text")
        return ""
    return value


def read_number(
    table: dict[str, Any],
    name: str,
    file: str,
    key: str,
    problems: Problems,
    *,
    low: float = 0.0,
    high: float = 1e6,
) -> float:
    """A number of the table within limits."""
    value = table.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        problems.add(file, f"{key}.{name}", f"must be a number from {low:g} to {high:g}")
        return low
    return float(value)


def read_flag(
    table: dict[str, Any], name: str, file: str, key: str, problems: Problems, *, default: bool
) -> bool:
    """A yes or no of the table."""
    value = table.get(name, default)
    if not isinstance(value, bool):
        problems.add(file, f"{key}.{name}", "must be true or false")
        return default
    return value


def check_names(
    table: dict[str, Any], known: Collection[str], file: str, key: str, problems: Problems
) -> None:
    """A misspelt key must not be passed over in silence."""
    for name in table:
        if name not in known:
            problems.add(file, f"{key}.{name}".strip("."), "is not a key of this table")
