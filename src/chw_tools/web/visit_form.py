"""The visit form: which rows it shows for whom, and what was entered in them.

Only the shape of the entry is read here (is it a number, was a row chosen); whether it can
be true is the workflow's and the catalogue's business.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from chw_tools.records.tables import VISIT_OUTCOMES
from chw_tools.workflows.views import VisitEntry

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from chw_tools.records import Catalogue, Observable
    from chw_tools.web.wording import Wording
    from chw_tools.workflows.views import PersonView

#: A visit longer ago is most likely a wrong year, and asked about; a decision of this project.
_LONG_AGO = timedelta(days=366)
PRESSURES = ("systolic_mmhg", "diastolic_mmhg")


@dataclass(frozen=True)
class Section:
    """Rows of one subject, folded unless they can be emergencies."""

    name: str
    rows: tuple[Observable, ...]
    is_open: bool = False


@dataclass(frozen=True)
class VisitForm:
    """The rows that the form shows for one person."""

    measure: tuple[Observable, ...]
    sections: tuple[Section, ...]
    danger_signs: tuple[Observable, ...]
    asks_medicines: bool

    @property
    def observables(self) -> tuple[Observable, ...]:
        """Every measurement that can be entered."""
        return self.measure + tuple(row for section in self.sections for row in section.rows)


@dataclass(frozen=True)
class Problem:
    """Something to look at again, at one field."""

    field: str
    message: str


@dataclass(frozen=True)
class Answered:
    """What was read from the form: an entry, or the problems that stand in its way."""

    entry: VisitEntry | None
    problems: tuple[Problem, ...]
    values: Mapping[str, str] = field(default_factory=dict)
    signs: frozenset[str] = frozenset()
    is_unusual: bool = False


def form_for(person: PersonView, catalogue: Catalogue) -> VisitForm:
    """The rows that this person needs, the most needed first."""
    shapes = _shapes()
    years = age_in_years(person.age)
    shape = shapes[_age_group(years, shapes)]
    signs, sections = list(shape["danger_signs"]), list(shape["sections"])
    maybe = shapes["may_be_pregnant"]
    may_be_pregnant = person.sex != "male" and (
        years is None or maybe["from_age_years"] <= years < maybe["up_to_age_years"]
    )
    if may_be_pregnant:
        signs += maybe["danger_signs"]
        sections = [*maybe["sections"], *sections]
    return VisitForm(
        measure=tuple(catalogue[name] for name in shape["measure"]),
        sections=tuple(_section(table, catalogue) for table in sections),
        danger_signs=tuple(catalogue[name] for name in signs),
        asks_medicines=bool(person.conditions) or _is_told_to_ask(person),
    )


def _section(table: Mapping[str, Any], catalogue: Catalogue) -> Section:
    rows = tuple(catalogue[name] for name in table["rows"])
    return Section(table["name"], rows, table.get("is_open", False))


def _is_told_to_ask(person: PersonView) -> bool:
    # What the advice tells a worker to ask must have a place on the form.
    return any("medicines" in advice.action for advice in (*person.advice, *person.more_advice))


def age_in_years(shown: str) -> float | None:
    """Years of an age as shown (``34 years``, ``8 months``), or None where it is not known.

    >>> age_in_years("8 months") < 1
    True
    """
    found = re.match(r"\s*(\d+)\s*([a-z]*)", shown)
    if not found:
        return None
    number, unit = float(found[1]), found[2]
    for start, per_year in (("d", 365.25), ("w", 52.18), ("m", 12.0)):
        if unit.startswith(start):
            return number / per_year
    return number


def read_visit(
    fields: Mapping[str, Sequence[str]],
    *,
    person_id: str,
    worker_id: str | None,
    form: VisitForm,
    words: Wording,
    last_day: date,
) -> Answered:
    """What was entered, with all its problems at once."""
    values = {name: given[-1].strip() for name, given in fields.items() if given}
    signs = frozenset(fields.get("danger_signs", ()))
    outcome = values.get("outcome", "")
    problems: list[Problem] = []
    if outcome not in VISIT_OUTCOMES:
        problems.append(Problem("outcome", words("errors.outcome")))
    measurements, faults = _measurements(values, form, words)
    problems += faults
    is_unusual = not faults and "confirmed" not in values
    visited_on = _day(values)
    unusual = _unusual(measurements, form, words) if is_unusual else []
    if is_unusual and visited_on is not None and visited_on < last_day - _LONG_AGO:
        unusual.append(Problem("day", words("errors.day_long_ago")))
    problems += unusual
    danger_signs = None
    if outcome == "seen":
        danger_signs, faults = _danger_signs(signs, form, words)
        problems += faults
    elif outcome in VISIT_OUTCOMES and (measurements or _found(signs, form)):
        problems.append(Problem("outcome", words("errors.not_seen")))
    if visited_on is None:
        problems.append(Problem("day", words("errors.day")))
    elif visited_on > last_day:
        problems.append(Problem("day", words("errors.day_future")))
    entry = None
    if not problems and visited_on is not None:
        entry = VisitEntry(
            person_id=person_id,
            visited_on=visited_on,
            outcome=outcome,
            worker_id=worker_id,
            measurements=measurements,
            danger_signs=danger_signs,
            visit_id=values.get("visit_id") or None,
        )
    return Answered(entry, tuple(problems), values, signs, bool(unusual))


def _measurements(
    values: Mapping[str, str], form: VisitForm, words: Wording
) -> tuple[dict[str, float | str], list[Problem]]:
    read: dict[str, float | str] = {}
    problems = []
    for item in form.observables:
        text = values.get(item.name, "")
        if not text:
            continue
        value, message = _value(item, text, words)
        if message:
            problems.append(Problem(item.name, message))
        elif value is not None:
            read[item.name] = value
    adherence = values.get("medicine_adherence", "")
    if adherence in {"yes", "partly", "no"}:
        read["medicine_adherence"] = adherence
    return read, problems + _pressure_problems(values, read, words)


def _value(item: Observable, text: str, words: Wording) -> tuple[float | str | None, str]:
    if item.kind == "choice":
        if text in item.allowed:
            return text, ""
        return None, words("errors.choice", label=item.label)
    # A comma before one or two digits is a decimal comma; no measurement has thousands.
    number = re.fullmatch(r"(\d{1,4})(?:[.,](\d{1,2}))?", text)
    if not number:
        return None, words("errors.number", label=item.label)
    value = float(f"{number[1]}.{number[2] or 0}")
    low = float("-inf") if item.low is None else item.low
    high = float("inf") if item.high is None else item.high
    if not low <= value <= high:
        return None, words("errors.limits", label=item.label, low=f"{low:g}", high=f"{high:g}")
    return value, ""


def _pressure_problems(
    values: Mapping[str, str], read: Mapping[str, float | str], words: Wording
) -> list[Problem]:
    given = [name for name in PRESSURES if values.get(name)]
    if len(given) == 1:
        missing = next(name for name in PRESSURES if name not in given)
        return [Problem(missing, words("errors.pressure_pair"))]
    if all(name in read for name in PRESSURES) and float(read[PRESSURES[0]]) <= float(
        read[PRESSURES[1]]
    ):
        return [Problem(PRESSURES[0], words("errors.pressure_order"))]
    return []


def _unusual(
    measurements: Mapping[str, float | str], form: VisitForm, words: Wording
) -> list[Problem]:
    problems = []
    for item in form.observables:
        value = measurements.get(item.name)
        if isinstance(value, float) and (
            (item.usual_low is not None and value < item.usual_low)
            or (item.usual_high is not None and value > item.usual_high)
        ):
            problems.append(Problem(item.name, words("errors.unusual", label=item.label)))
    return problems


def _danger_signs(
    ticked: frozenset[str], form: VisitForm, words: Wording
) -> tuple[dict[str, bool] | None, list[Problem]]:
    # Asked and none is an answer; not asked is another; silence is neither.
    found = _found(ticked, form)
    if (found and ticked & {"none", "not_asked"}) or {"none", "not_asked"} <= ticked:
        return None, [Problem("danger_signs", words("errors.signs_both"))]
    if "not_asked" in ticked:
        return None, []
    if not found and "none" not in ticked:
        return None, [Problem("danger_signs", words("errors.signs_missing"))]
    return {sign.name: sign.name in found for sign in form.danger_signs}, []


def _found(ticked: frozenset[str], form: VisitForm) -> set[str]:
    return {sign.name for sign in form.danger_signs} & ticked


def _day(values: Mapping[str, str]) -> date | None:
    chosen = values.get("day", "")
    text = values.get("other_day", "") if chosen == "other" else chosen
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _age_group(years: float | None, shapes: Mapping[str, Any]) -> str:
    if years is None:
        return "unknown_age"
    for name in ("infant", "child", "young"):
        if years < shapes[name]["up_to_age_years"]:
            return name
    return "adult"


@cache
def _shapes() -> dict[str, Any]:
    text = files("chw_tools.web").joinpath("visit_form.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
