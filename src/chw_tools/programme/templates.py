"""The texts that may be sent: templates with their versions, and their wording by language.

Filling them is :mod:`chw_tools.outreach.templates`. A text counts for the version of the
template that it words, and is sent to people only once it is approved.

>>> load_templates().wordings["en"].texts["visit_today"].version
1
"""

from __future__ import annotations

import string
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chw_tools.programme import reading
from chw_tools.programme.texts import SHIPPED_LANGUAGES, STATES, WRITTEN_IN

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FILE = "templates.toml"
KINDS = ("reminder", "reply")
ASKS = ("", "well", "who")
#: What may fill a template: an ISO day, and a number to call. There is none for a name, a place
#: or a condition: a message may lie open on a shared telephone.
VARIABLES = ("day", "phone")
LANGUAGES = (WRITTEN_IN, *SHIPPED_LANGUAGES)
_MONTHS = 12


@dataclass(frozen=True)
class Template:
    """One thing that may be said.

    Parameters
    ----------
    name : str
        Name, as protocols and messages refer to it.
    version : int
        Raised whenever what is said changes.
    kind : str
        ``reminder`` or ``reply``.
    label : str
        What it is for, to whoever plans.
    variables : tuple of str
        What fills it, of :data:`VARIABLES`.
    asks : str
        What an answer means, of :data:`ASKS`.
    """

    name: str
    version: int
    kind: str
    label: str
    variables: tuple[str, ...] = ()
    asks: str = ""


@dataclass(frozen=True)
class Text:
    """One template in one language: the version that it words, and its state."""

    version: int
    state: str
    text: str


@dataclass(frozen=True)
class Wording:
    """All texts of one language, and its months."""

    language: str
    months: tuple[str, ...]
    texts: Mapping[str, Text]


@dataclass(frozen=True)
class Templates:
    """Every template, and every wording of them by language."""

    templates: Mapping[str, Template]
    wordings: Mapping[str, Wording]

    def asking(self, what: str) -> tuple[str, ...]:
        """Names of the templates that ask for it."""
        return tuple(name for name, one in self.templates.items() if one.asks == what)


def load_templates(folder: Path | None = None) -> Templates:
    """The templates of a folder, over those shipped.

    Parameters
    ----------
    folder : Path, optional
        Holds ``templates.toml`` and ``templates_<language>.toml``, each optional, each naming
        only what differs. Any two-letter language may be added.

    Raises
    ------
    ProgrammeFault
        With every fault found, by file, line and key.
    """
    problems = reading.Problems()
    templates = read_templates(folder, problems)
    problems.raise_if_any()
    return templates


def read_templates(folder: Path | None, problems: reading.Problems) -> Templates:
    """The templates as far as they can be read, faults noted."""
    raw = reading.read_layers(FILE, folder, problems)
    found = {
        name: _template(name, table, problems)
        for name, table in raw.items()
        if _is_table(name, table, FILE, problems)
    }
    wordings = {
        language: _wording(language, found, folder, problems) for language in languages_of(folder)
    }
    return Templates(found, wordings)


def file_of(language: str) -> str:
    """The file that holds the messages of a language."""
    return f"templates_{language}.toml"


def languages_of(folder: Path | None) -> tuple[str, ...]:
    """The languages that messages are worded in: those shipped, and those of a folder."""
    own = sorted(folder.glob(file_of("*"))) if folder is not None and folder.is_dir() else []
    return tuple(dict.fromkeys((*LANGUAGES, *(path.stem.partition("_")[2] for path in own))))


def _is_table(name: str, table: Any, file: str, problems: reading.Problems) -> bool:
    if not isinstance(table, dict):
        problems.add(file, name, "must be a table")
    return isinstance(table, dict)


def _template(name: str, table: dict[str, Any], problems: reading.Problems) -> Template:
    reading.check_names(
        table, ("version", "kind", "label", "variables", "asks"), FILE, name, problems
    )
    variables = table.get("variables", [])
    if not isinstance(variables, list) or not set(variables) <= set(VARIABLES):
        problems.add(FILE, f"{name}.variables", f"may hold {' and '.join(VARIABLES)} only")
        variables = []
    return Template(
        name=name,
        version=_version(table, FILE, name, problems),
        kind=_one_of(KINDS, table, "kind", name, problems),
        label=reading.read_text(table, "label", FILE, name, problems),
        variables=tuple(variables),
        asks=_one_of(ASKS, table, "asks", name, problems, default=""),
    )


def _version(table: dict[str, Any], file: str, name: str, problems: reading.Problems) -> int:
    return int(reading.read_number(table, "version", file, name, problems, low=1))


def _one_of(
    allowed: tuple[str, ...],
    table: dict[str, Any],
    key: str,
    name: str,
    problems: reading.Problems,
    default: str | None = None,
) -> str:
    value = reading.read_text(table, key, FILE, name, problems, default)
    if value not in allowed:
        problems.add(FILE, f"{name}.{key}", f"must be one of {', '.join(filter(None, allowed))}")
        return allowed[0]
    return value


def _wording(
    language: str,
    templates: Mapping[str, Template],
    folder: Path | None,
    problems: reading.Problems,
) -> Wording:
    file = file_of(language)
    raw = reading.read_optional(file, folder, problems)
    state = _state(raw, "", file, problems, "draft")
    months = tuple(reading.read_text(raw, "months", file, "", problems, "").split())
    if len(months) != _MONTHS:
        problems.add(file, "months", "must name the twelve months, with spaces between them")
        months = tuple(str(month) for month in range(1, _MONTHS + 1))
    texts = {
        name: _text(name, table, templates.get(name), (file, state), problems)
        for name, table in raw.items()
        if name not in ("state", "months") and _is_table(name, table, file, problems)
    }
    return Wording(language, months, texts)


def _state(
    table: dict[str, Any], name: str, file: str, problems: reading.Problems, default: str
) -> str:
    state = reading.read_text(table, "state", file, name, problems, default)
    if state not in STATES:
        problems.add(file, f"{name}.state".strip("."), f"must be one of {', '.join(STATES)}")
        return "draft"
    return state


def _text(
    name: str,
    table: dict[str, Any],
    template: Template | None,
    place: tuple[str, str],
    problems: reading.Problems,
) -> Text:
    file, state = place
    reading.check_names(table, ("version", "text", "state"), file, name, problems)
    text = reading.read_text(table, "text", file, name, problems)
    if template is None:
        problems.add(file, name, "there is no such template")
    elif (fault := _wrong_fields(text, template)) is not None:
        problems.add(file, f"{name}.text", fault)
    return Text(
        _version(table, file, name, problems), _state(table, name, file, problems, state), text
    )


def _wrong_fields(text: str, template: Template) -> str | None:
    try:
        asked = [
            (field, spec or conversion)
            for _, field, spec, conversion in string.Formatter().parse(text)
            if field is not None
        ]
    except ValueError:
        return "has a brace that is not closed"
    if any(extra for _, extra in asked) or {field for field, _ in asked} != set(template.variables):
        return "must hold the template's {variables}, each, and no others"
    return None
