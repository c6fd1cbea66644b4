"""The files of a programme folder: which names are read, and what they change, key by key."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from chw_tools.programme import reading
from chw_tools.programme.rules import RULE_SETS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: Files whose changes are told key by key; of rules and of the programme's own figures what
#: they come to is told instead.
TOLD_BY_KEY = (
    "scope.toml",
    "effects.toml",
    "monitoring.toml",
    "protocols.toml",
    "outreach.toml",
    "templates.toml",
    "words.toml",
    "outcomes.toml",
)
#: Every file that a programme folder may hold, beside those of a language.
KNOWN = (
    "programme.toml",
    "rules.toml",
    *(f"rules_{name}.toml" for name in RULE_SETS),
    "cases.csv",
    "immunisation.toml",
    *TOLD_BY_KEY,
)
_OF_LANGUAGE = re.compile(r"(texts|templates)_[a-z]{2,3}\.toml")
#: Notes for people may lie beside them.
_NOTES = (".md", ".pdf")
#: Where a value comes from is told with the value, or not at all.
_PROVENANCE = ("verified", "year", "rows")


def check_files(folder: Path | None, problems: reading.Problems) -> None:
    """Note each file that nothing reads: most likely its name is misspelt."""
    for name in _names(folder):
        is_note = name.startswith(".") or name.endswith(_NOTES)
        if not (name in KNOWN or _OF_LANGUAGE.fullmatch(name) or is_note):
            known = ", ".join((*KNOWN, "texts_<language>.toml", "templates_<language>.toml"))
            problems.add(name, "whole file", f"is not read; the names are {known}")


def changed_keys(folder: Path | None) -> Iterator[tuple[str, str, str]]:
    """Key, shipped value and the folder's of all that its files change, by file."""
    told = [name for name in _names(folder) if name in TOLD_BY_KEY or _OF_LANGUAGE.fullmatch(name)]
    for file in told:
        before = dict(_leaves(reading.read_optional(file, None, reading.Problems())))
        after = dict(_leaves(reading.read_optional(file, folder, reading.Problems())))
        for key in dict.fromkeys((*before, *after)):
            if before.get(key) != after.get(key):
                said = (before.get(key, "(none)"), after.get(key, "(left out)"))
                yield (f"{file}: {key}", *said)


def _names(folder: Path | None) -> list[str]:
    if folder is None or not folder.is_dir():
        return []
    return sorted(path.name for path in folder.iterdir() if path.is_file())


def _leaves(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Every value of the tables with its dotted key; steps of a list go by their names."""
    if isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
        value = {str(one.get("name", n)): one for n, one in enumerate(value, start=1)}
    if not isinstance(value, dict):
        yield key, _said(value)
        return
    for name, one in value.items():
        if name not in _PROVENANCE:
            yield from _leaves(one, f"{key}.{name}".strip("."))


def _said(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(_said(one) for one in value) or "(none)"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
