"""The forms that start longer plans: which fields each kind has, and how they are read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from chw_tools.errors import InputError

if TYPE_CHECKING:
    from chw_tools.workflows.planning import PlanningAsked


@dataclass(frozen=True)
class FormRow:
    """One field: its name, how it is entered, its bounds, and what stands in it at first."""

    name: str
    kind: str
    least: float | None = None
    most: float | None = None
    usual: str = ""


#: Decisions of this project: enough for a district of some tens of workers; a form may say more.
_SECONDS = FormRow("seconds", "number", 1, 3600, "60")
_WEEK = (
    FormRow("on", "day"),
    FormRow("days", "whole", 1, 7, "5"),
    FormRow("floors", "lines"),
    FormRow("unseen_weeks", "number", 0),
    FormRow("risk_floor", "percent", 0, 100),
    _SECONDS,
)
#: The fields of each kind; supplies and replays take files, and are made by command.
FORMS: dict[str, tuple[FormRow, ...]] = {
    "week": _WEEK,
    "caseloads": (FormRow("absent", "workers"), _SECONDS),
    "posts": (FormRow("posts", "whole", 1, 100_000), FormRow("worst_first", "tick"), _SECONDS),
    "needs": (),
    "district": _WEEK,
    "what_if": (FormRow("on", "day"), FormRow("changes", "lines", usual="workers=+1")),
}


def read_asked(kind: str, fields: dict[str, list[str]]) -> PlanningAsked:
    """What a form asks for.

    Raises
    ------
    InputError
        If a number or a day cannot be read, with the field.
    """
    from chw_tools.workflows.planning import PlanningAsked

    given: dict[str, Any] = {}
    for row in FORMS[kind]:
        values = [value.strip() for value in fields.get(row.name, []) if value.strip()]
        if values:
            given[row.name] = _value(row, values)
    return PlanningAsked(kind, **given)


def _value(row: FormRow, values: list[str]) -> Any:
    if row.kind == "tick":
        return True
    if row.kind == "workers":
        return tuple(values)
    if row.kind == "lines":
        return tuple(line.strip() for line in values[-1].splitlines() if line.strip())
    try:
        return _single(row, values[-1])
    except ValueError:
        raise InputError("this cannot be used.", where=row.name, cure=_cure(row)) from None


def _single(row: FormRow, text: str) -> Any:
    if row.kind == "day":
        return date.fromisoformat(text)
    number = int(text) if row.kind == "whole" else float(text.replace(",", "."))
    if not (row.least or 0) <= number <= (row.most or float("inf")):
        raise ValueError
    return number / 100.0 if row.kind == "percent" else number


def _cure(row: FormRow) -> str:
    if row.kind == "day":
        return "Choose a day."
    most = "" if row.most is None else f" to {row.most:g}"
    return f"Enter a number from {row.least or 0:g}{most}."
