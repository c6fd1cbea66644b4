"""What is wrong with a programme folder, what it would change, and what is to be confirmed."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, fields
from typing import TYPE_CHECKING

from chw_tools.programme import reading
from chw_tools.programme.folder import changed_keys, check_files
from chw_tools.programme.programme import read_programme
from chw_tools.programme.rules import Condition, Rule
from chw_tools.programme.texts import SHIPPED_LANGUAGES, WRITTEN_IN, read_translations
from chw_tools.programme.written import missing_texts

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from chw_tools.programme.figures import Figure
    from chw_tools.programme.programme import Programme
    from chw_tools.programme.reading import Finding


@dataclass(frozen=True)
class Change:
    """One thing that a folder decides otherwise than the shipped programme."""

    key: str
    before: str
    after: str


@dataclass(frozen=True)
class Check:
    """The check of a programme.

    Parameters
    ----------
    programme : Programme
        As far as it could be read.
    findings : tuple of Finding
        Every fault, by file, line and key; the programme may be used only if there is none.
    changes : tuple of Change
        What differs from the shipped programme.
    """

    programme: Programme
    findings: tuple[Finding, ...]
    changes: tuple[Change, ...]

    def unverified(self) -> tuple[Figure, ...]:
        """Rules and numbers whose source was not read."""
        return self.programme.unverified()


def check_programme(folder: Path | None = None) -> Check:
    """Read a programme folder, find all its faults, and say what it would change."""
    programme, problems = read_programme(folder)
    check_files(folder, problems)
    shipped, _ = read_programme(None)
    changes = [*_changes(shipped, programme), *(Change(*one) for one in changed_keys(folder))]
    return Check(programme, tuple(problems.findings), tuple(changes))


@dataclass(frozen=True)
class LanguageState:
    """How far the advice is translated: texts there and missing; draft or approved."""

    language: str
    state: str
    n_texts: int
    n_missing: int


def language_states(folder: Path | None = None) -> tuple[LanguageState, ...]:
    """Every language of the programme, and those that are shipped but not in use."""
    programme, _ = read_programme(folder)
    languages = dict.fromkeys((*programme.translations, *SHIPPED_LANGUAGES))
    held = read_translations(languages, folder, reading.Problems())
    written = programme.written
    found = []
    for language, translation in held.items():
        missing = len(missing_texts(translation, written))
        state = "written" if language == WRITTEN_IN else translation.state
        found.append(LanguageState(language, state, len(written) - missing, missing))
    return tuple(found)


def texts_missing(language: str, folder: Path | None = None) -> tuple[str, ...]:
    """Keys of texts that a language lacks, whether or not the programme uses it yet."""
    programme, _ = read_programme(folder)
    translation = read_translations((language,), folder, reading.Problems())[language]
    return missing_texts(translation, programme.written)


#: Rules are told condition by condition, the others key by key of their files.
_TOLD_ELSEWHERE = ("rules.", "monitoring.", "protocols.", "outreach.", "scope.", "effects.")


def _changes(shipped: Programme, own: Programme) -> list[Change]:
    found = []
    before, after = _said(shipped), _said(own)
    for key in dict.fromkeys((*before, *after)):
        if before.get(key) != after.get(key):
            found.append(Change(key, before.get(key, "(none)"), after.get(key, "(left out)")))
    return found


def _said(programme: Programme) -> dict[str, str]:
    said = {
        "name": programme.name,
        "country": programme.country,
        "who_region": programme.who_region,
        "language": programme.language,
        "languages": ", ".join(programme.translations),
    }
    said |= {
        figure.key: figure.value
        for figure in programme.figures
        if not figure.key.startswith(_TOLD_ELSEWHERE)
    }
    for rule in programme.rules:
        said |= {f"rules.{rule.id}.{key}": value for key, value in _of_rule(rule).items()}
    return said


_DEFAULTS = {field.name: field.default for field in fields(Rule) if field.default is not MISSING}


def _of_rule(rule: Rule) -> Mapping[str, str]:
    left_out = ("id", "rule_set", "verified", "rows", "year")
    values = {field.name: getattr(rule, field.name) for field in fields(rule)}
    said = {name: _plain(value) for name, value in values.items() if name not in left_out}
    return {name: value for name, value in said.items() if value != _plain(_DEFAULTS.get(name))}


def _plain(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(_plain(one) for one in value) or "(none)"
    if isinstance(value, Condition):
        return _condition(value)
    return "(none)" if value is None or value == "" else str(value)


def _condition(condition: Condition) -> str:
    value = "" if condition.value is None else f" {condition.value}"
    return f"{condition.feature} {condition.op}{value}"
