"""The data dictionary: every declared table and observable, as one Markdown page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chw_tools.records.catalogue import load_catalogue
from chw_tools.records.contacting import WORK_TABLES
from chw_tools.records.derived import DERIVED_TABLES
from chw_tools.records.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chw_tools.records.catalogue import Observable
    from chw_tools.records.columns import Column, Table

_HEAD = """\
# Data dictionary

Written from the declarations in `chw_tools.records`; do not edit by hand.
`make docs` writes it again, and a test compares it with the code.

Two days stand on a record: the day it happened (the table's event day) and `known_on`, the
day the programme knew of it. A column ending in `_on` is a day, in `_at` an instant with
its offset. Missing means not known: nothing is ever filled in. A column marked
**identifying** never reaches a log, an error, a URL or a model.

## Writing these files yourself

Name each file after its table (`people.csv`, `visits.csv`, …) and write the columns that you
have, with their names in the first line. Of the required ones you may leave out `source`, and
`known_on` where the table has an event day; the import report says what was taken instead.
An `id`, and what refers to one, may be any number or name of your own (`1`, `HH-07`): the
UUID is made from it, always the same. Write what an observation, condition or medicine is as
a `system` and its `code`: `LOINC` (or `http://loinc.org`) and `8480-6` for a systolic blood
pressure; the [catalogue](#catalogue-of-observables) lists the codes that are understood, and
`value_code` takes an answer such as `yes`. A file with names of its own needs a mapping
instead: `chw ingest FILE --suggest-mapping`.
"""
_KINDS = """\
| Kind | Held as (pandas) | Written in files as |
|---|---|---|
| id | str | UUID version 7 |
| text, choice | str | text; a choice takes only the values listed |
| number | float64 | digits with a decimal point |
| integer | Int64 | digits |
| flag | boolean | `true` or `false` |
| day | datetime64[s] | `YYYY-MM-DD` |
| instant | datetime64[us, UTC] | ISO 8601 with its offset |
| json | object | JSON |
"""


def data_dictionary() -> str:
    """The dictionary of all declared tables and of the catalogue, in Markdown.

    >>> data_dictionary().splitlines()[0]
    '# Data dictionary'
    """
    sections = [
        _HEAD,
        "## Kinds of column\n",
        _KINDS,
        "## Tables of the register\n",
        *map(_table, TABLES.values()),
        "## Tables that the stages produce\n",
        *map(_table, DERIVED_TABLES.values()),
        "## Tables of follow-up and outreach\n",
        *map(_table, WORK_TABLES.values()),
        _catalogue(load_catalogue().entries.values()),
    ]
    return "\n".join(sections)


def _table(table: Table) -> str:
    traits = [f"Event day: `{table.event_day}`."] if table.event_day else []
    if table.is_event:
        traits.append("Rows are never changed; a correction is a new row.")
    said = " ".join([table.meaning, *traits])
    heads = ("Column", "Kind", "Unit", "Meaning", "Required", "Limits", "Refers to", "Source")
    return f"### {table.name}\n\n{said}\n\n{_grid(heads, map(_column, table.columns))}"


def _column(column: Column) -> tuple[str, ...]:
    meaning = f"{column.meaning} **identifying**" if column.identifying else column.meaning
    return (
        f"`{column.name}`",
        column.kind,
        column.unit,
        meaning,
        "yes" if column.required else "",
        ", ".join(f"`{word}`" for word in column.allowed) or _limits(column.low, column.high),
        f"`{column.refers_to}`" if column.refers_to else "",
        column.source,
    )


def _catalogue(entries: Iterable[Observable]) -> str:
    said = (
        "What `observations` can hold under a name. Beyond the possible a value goes to "
        "quarantine; beyond the usual it is kept and listed in the import report. The limits "
        "are decisions of this project, set far outside clinical ranges."
    )
    heads = ("Name", "Label", "Codes", "Unit", "Other units (factor)", "Possible", "Usual")
    return f"## Catalogue of observables\n\n{said}\n\n{_grid(heads, map(_observable, entries))}"


def _observable(entry: Observable) -> tuple[str, ...]:
    answers = ", ".join(f"`{word}`" for word in entry.allowed)
    return (
        f"`{entry.name}`",
        entry.label,
        ", ".join(f"{_short(code.system)} {code.code}" for code in entry.codes),
        entry.unit,
        ", ".join(f"{unit} ({factor:.6g})" for unit, factor in entry.units.items()),
        answers or _limits(entry.low, entry.high),
        _limits(entry.usual_low, entry.usual_high),
    )


def _short(system: str) -> str:
    return {"http://loinc.org": "LOINC", "http://snomed.info/sct": "SNOMED CT"}.get(system, system)


def _limits(low: float | None, high: float | None) -> str:
    if low is not None and high is not None:
        return f"{low:g} to {high:g}"
    if low is not None:
        return f"at least {low:g}"
    return f"at most {high:g}" if high is not None else ""


def _grid(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [heads, tuple("---" for _ in heads), *rows]
    # A bar inside a cell would end it.
    cells = [[cell.replace("|", "\\|") for cell in line] for line in lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in cells) + "\n"
