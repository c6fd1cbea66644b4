"""Cases: tiny tables of what is known of one person, and the advice that a rule must give.

They are the specification of the rules and their manual: the pages in ``docs/guidelines`` are
written from them, every change of a rule is tried on them, and a programme folder may add its
own in ``cases.csv``. What a case does not name is not known.

``known`` reads ``age_years=50; systolic_mmhg=140@31``: the value, and after ``@`` how many days
ago it was measured (today where nothing is said).
"""

from __future__ import annotations

import csv
import io
import math
import re
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

from chw_tools.programme.rules import RULE_SETS, is_known_feature, is_measured, since
from chw_tools.records import load_catalogue
from chw_tools.records.derived import URGENCIES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from chw_tools.programme import reading

COLUMNS = ("rule", "case", "known", "advice", "due_days")
#: The rule does not speak; or it would, but another says all that it does.
SILENT, REPLACED = "none", "replaced"
ADVICE = (*URGENCIES, SILENT, REPLACED)
_OWN_FILE = "cases.csv"
_MONTHS_A_YEAR = 12
_TRUTH = {"yes": True, "no": False}
#: Features outside the catalogue whose value is a word; flags are yes or no; others are numbers.
_WORDED = ("sex", "education")
_SUFFIXES = ("_days_since", "_per_year")
_WHOLE = re.compile(r"[+-]?[0-9]{1,6}")
_FLAGS = re.compile(r"(is|has|takes)_.*|.*_(differs|is_reversed|is_implausible)")


@dataclass(frozen=True)
class Case:
    """One person in, the advice of one rule out.

    Parameters
    ----------
    rule_id, title : str
        The rule, and what the case is about.
    known : mapping
        What is known, by feature.
    said : str
        The same as written.
    advice : str
        An urgency, ``none`` or ``replaced``.
    due_days : int or None
        Days until it is due; negative is overdue.
    at : str
        File and line.
    """

    rule_id: str
    title: str
    known: Mapping[str, object]
    said: str
    advice: str
    due_days: int | None
    at: str


def read_cases(
    folder: Path | None, rule_ids: set[str], problems: reading.Problems
) -> tuple[Case, ...]:
    """The shipped cases of the rules that are in use, and those of a folder."""
    shipped = files("chw_tools.programme").joinpath("defaults")
    cases: list[Case] = []
    for name in (f"cases_{rule_set}.csv" for rule_set in RULE_SETS):
        text = shipped.joinpath(name).read_text(encoding="utf-8")
        # A folder may switch a rule off; its shipped cases then say nothing.
        read = _read(name, text, problems)
        cases += [case for case in read if case.rule_id in rule_ids]
    own = folder / _OWN_FILE if folder is not None else None
    if own is not None and own.is_file():
        for case in _read(_OWN_FILE, own.read_text(encoding="utf-8"), problems):
            if case.rule_id in rule_ids:
                cases.append(case)
            else:
                problems.add(case.at, case.title, f"no rule is called {case.rule_id}")
    return tuple(cases)


def _read(name: str, text: str, problems: reading.Problems) -> Iterator[Case]:
    rows = csv.DictReader(io.StringIO(text))
    if tuple(rows.fieldnames or ()) != COLUMNS:
        problems.add(f"{name}:1", "columns", f"must be {', '.join(COLUMNS)}")
        return
    for row in rows:
        at = f"{name}:{rows.line_num}"
        if None in row or None in row.values():
            problems.add(at, row["case"] or "row", f"must have {len(COLUMNS)} cells")
            continue
        known = _known(row["known"], at, row["case"], problems)
        if row["advice"] not in ADVICE:
            problems.add(at, row["case"], f"advice must be one of {', '.join(ADVICE)}")
            continue
        due = row["due_days"].strip()
        if due and not _WHOLE.fullmatch(due):
            problems.add(at, row["case"], f"due_days must be a whole number, not {due}")
            continue
        yield Case(
            rule_id=row["rule"],
            title=row["case"],
            known=known,
            said=row["known"],
            advice=row["advice"],
            due_days=int(due) if due else None,
            at=at,
        )


def _known(text: str, at: str, case: str, problems: reading.Problems) -> dict[str, object]:
    known: dict[str, object] = {}
    for part in filter(None, (one.strip() for one in text.split(";"))):
        name, _, said = part.partition("=")
        value, _, days = said.partition("@")
        if not said or not is_known_feature(name):
            problems.add(at, case, f"no feature is called {name}")
            continue
        if value not in _answers(name, value):
            problems.add(at, case, f"{name} has no answer {value}")
            continue
        if _is_number(name) and _number(value) is None:
            problems.add(at, case, f"{name} must be a number, not {value}")
            continue
        if days and _number(days) is None:
            problems.add(at, case, f"the days after @ must be a number, not {days}")
            continue
        known[name] = _value(value)
        if is_measured(name):
            known[since(name)] = float(days) if days else 0.0
    if "age_months" in known and "age_years" not in known:
        known["age_years"] = float(str(known["age_months"])) / _MONTHS_A_YEAR
    return known


def _answers(name: str, value: str) -> tuple[str, ...]:
    """The answers that a choice or a flag has; of anything else every value may be said."""
    entry = load_catalogue().entries.get(name)
    if entry is None and _FLAGS.fullmatch(name) and not name.endswith(_SUFFIXES):
        return tuple(_TRUTH)
    return entry.allowed if entry is not None and entry.kind == "choice" else (value,)


def _is_number(name: str) -> bool:
    entry = load_catalogue().entries.get(name)
    if entry is not None:
        return entry.kind == "number"
    return name.endswith(_SUFFIXES) or not (name in _WORDED or _FLAGS.fullmatch(name))


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _value(text: str) -> object:
    number = _number(text)
    return text if number is None else number


def as_flag(value: object) -> object:
    """A yes or no of a case as a flag."""
    return _TRUTH.get(str(value), value)
