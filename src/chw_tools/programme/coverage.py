"""Which rows of the WHO decision tables the rules carry out, and why the others are left out."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

from chw_tools.programme.programme import load_programme

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chw_tools.programme.programme import Programme

_RANGE = re.compile(r"(?P<stem>.*?)(?P<first>\d+)-(?P<letters>[A-Z]*)(?P<last>\d+)$")
_INTRODUCTION = """\
# WHO decision tables: what is carried out, and what is not

Written from `coverage.toml` and the `rows` of each rule (`make docs`). The tables: WHO digital
adaptation kits for antenatal care (2021, CC0), child health in humanitarian emergencies (2024,
CC BY 3.0 IGO), tuberculosis (2024, CC BY 3.0 IGO) and immunisations (CC BY 3.0 IGO). A test
compares the rows named here with the tables themselves where they are on the machine. Rows of
the antenatal and the immunisations kit have no names: they are counted from 1 in the sheet of
their table.

*Carried out* means that a rule acts on the row, and that a case exercises the rule. It says
nothing of drugs and doses: treatment is for those trained and allowed to give it.

`vaccines_due` is the engine of the vaccine schedule (`immunisation.toml`), by default one of the
kit's schedules for each disease; advice on vaccines ends at the second birthday, also where a
row goes on for longer. Where engine and row differ, the row is left out and says *Differs*.

Whole tables that are out of reach of a community health worker's decision support are named at
the end.
"""


@dataclass(frozen=True)
class LeftOut:
    """Rows that no rule carries out, and why."""

    rows: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class Coverage:
    """The tables within scope, the rows left out of them, and the tables out of scope.

    Parameters
    ----------
    tables : mapping
        Title and row ids of each table.
    left_out : tuple of LeftOut
        Rows within these tables that no rule carries out.
    engine : mapping
        Rows that an engine carries out instead of a rule, such as the vaccine schedule.
    out_of_scope : mapping
        Whole tables, with the reason.
    """

    tables: dict[str, tuple[str, tuple[str, ...]]]
    left_out: tuple[LeftOut, ...]
    engine: dict[str, str]
    out_of_scope: dict[str, str]


def expand(row: str) -> tuple[str, ...]:
    """The row ids that one entry names.

    >>> expand("CHE.DT.01.CL03-CL05")
    ('CHE.DT.01.CL03', 'CHE.DT.01.CL04', 'CHE.DT.01.CL05')
    """
    match = _RANGE.fullmatch(row)
    if match is None:
        return (row,)
    width = len(match["first"])
    numbers = range(int(match["first"]), int(match["last"]) + 1)
    return tuple(f"{match['stem']}{number:0{width}d}" for number in numbers)


def load_coverage() -> Coverage:
    """The shipped list."""
    path = files("chw_tools.programme").joinpath("defaults", "coverage.toml")
    raw = tomllib.loads(path.read_text(encoding="utf-8"))
    return Coverage(
        tables={
            name: (table["title"], _all(table["rows"])) for name, table in raw["tables"].items()
        },
        left_out=tuple(LeftOut(_all(one["rows"]), one["reason"]) for one in raw["left_out"]),
        engine={row: one["rule"] for one in raw["engine"] for row in _all(one["rows"])},
        out_of_scope=raw["out_of_scope"],
    )


def carried_out(programme: Programme) -> dict[str, tuple[str, ...]]:
    """The rules that carry out each row."""
    found: dict[str, tuple[str, ...]] = {
        row: (name,) for row, name in load_coverage().engine.items()
    }
    for rule in programme.rules:
        for row in _all(rule.rows):
            found[row] = (*found.get(row, ()), rule.id)
    return found


def coverage_page(programme: Programme | None = None) -> str:
    """Markdown of every row within scope: the rule that carries it out, or the reason."""
    programme = programme or load_programme()
    coverage, rules = load_coverage(), carried_out(programme)
    why = {row: one.reason for one in coverage.left_out for row in one.rows}
    lines = ["| Table | Rows | Carried out | Left out |", "|---|---|---|---|"]
    for name, (title, rows) in coverage.tables.items():
        n = sum(row in rules for row in rows)
        lines.append(f"| {name} {title} | {len(rows)} | {n} | {len(rows) - n} |")
    every = [row for _, rows in coverage.tables.values() for row in rows]
    n = sum(row in rules for row in every)
    lines.append(f"| All | {len(every)} | {n} | {len(every) - n} |")
    for name, (title, rows) in coverage.tables.items():
        lines += ["", f"## {name}: {title}", "", "| Rows | Rule, or why not |", "|---|---|"]
        for group, said in _grouped(rows, rules, why):
            lines.append(f"| {group} | {said} |")
    lines += ["", "## Tables left out as a whole", "", "| Table | Why |", "|---|---|"]
    lines += [f"| {name} | {reason} |" for name, reason in coverage.out_of_scope.items()]
    return "\n".join([_INTRODUCTION, *lines, ""])


def _grouped(
    rows: Iterable[str], rules: dict[str, tuple[str, ...]], why: dict[str, str]
) -> list[tuple[str, str]]:
    """Rows in order, those with one answer in one line."""
    grouped: list[tuple[list[str], str]] = []
    for row in rows:
        named = ", ".join(f"`{name}`" for name in rules.get(row, ()))
        said = named or f"Left out: {why.get(row, 'no reason is given')}"
        if grouped and grouped[-1][1] == said:
            grouped[-1][0].append(row)
        else:
            grouped.append(([row], said))
    return [
        (group[0] if len(group) == 1 else f"{group[0]} to {group[-1].rpartition('.')[2]}", said)
        for group, said in grouped
    ]


def _all(rows: Iterable[str]) -> tuple[str, ...]:
    return tuple(row for entry in rows for row in expand(entry))
