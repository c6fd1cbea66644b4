"""The sentence that says why, with the values that decided."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from chw_tools.feature_engineering.people import MONTHS
from chw_tools.programme.rules import since
from chw_tools.programme.texts import FALLBACK_MARK, WRITTEN_IN, Translation
from chw_tools.recommendations.conditions import signs
from chw_tools.records import load_catalogue
from chw_tools.records.condition_groups import load_code_groups

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    import pandas as pd
    from numpy.typing import NDArray

    from chw_tools.programme import Condition, Rule
    from chw_tools.recommendations.conditions import Columns

NOT_KNOWN = "not known"
_ENGLISH = Translation(WRITTEN_IN)
_PART = re.compile(r"\{([a-z0-9_]+)\}")
#: A day further back is said with its year.
_HALF_A_YEAR_DAYS = 183
#: Shown in whole units, rounded down, as people say them.
_WHOLE = frozenset({"age_years", "age_months", "gestational_weeks", "weeks_postpartum"})


def filled(
    template: str,
    columns: Columns,
    rule: Rule,
    contact: NDArray[np.int64],
    *,
    as_of: pd.Timestamp,
) -> list[str] | str:
    """A template of the rule (its action, its reason) about each person of the table.

    One text for all of them where it holds no value of theirs.
    """
    parts = _PART.split(template)
    if len(parts) == 1:
        return template
    texts: list[Sequence[str]] = []
    for place, part in enumerate(parts):
        if place % 2:
            texts.append(_filled(part, columns, rule, contact, as_of))
        else:
            texts.append([part] * len(columns))
    return ["".join(pieces) for pieces in zip(*texts, strict=True)]


def _filled(
    name: str, columns: Columns, rule: Rule, contact: NDArray[np.int64], as_of: pd.Timestamp
) -> Sequence[str]:
    if name == "contact":
        return [str(number) for number in contact.tolist()]
    if name == "contacts":
        return [str(len(rule.schedule.at) if rule.schedule else 0)] * len(columns)
    if name == "signs":
        return _signs(columns, rule)
    if name == "pressure":
        return _pressure(columns, as_of)
    if name == "signs_on":
        return days_said(_newest_sign(columns, rule), as_of, columns.words)
    if name.endswith("_on"):
        return days_said(columns.numbers(since(name.removesuffix("_on"))), as_of, columns.words)
    return values_said(columns, name)


def _pressure(columns: Columns, as_of: pd.Timestamp) -> list[str]:
    """The blood pressure with its day; each value with its own where they differ."""
    upper, lower = (columns.numbers(since(f"{name}_mmhg")) for name in ("systolic", "diastolic"))
    said = [values_said(columns, f"{name}_mmhg") for name in ("systolic", "diastolic")]
    days = [days_said(each, as_of, columns.words) for each in (np.fmin(upper, lower), upper, lower)]
    is_apart = ~np.isnan(upper) & ~np.isnan(lower) & (upper != lower)
    return [
        f"systolic {high} on {high_on}, diastolic {low} on {low_on}"
        if apart
        else f"{high}/{low} on {on}"
        for high, low, on, high_on, low_on, apart in zip(*said, *days, is_apart, strict=True)
    ]


def days_said(
    days_since: NDArray[np.float64], as_of: pd.Timestamp, words: Translation = _ENGLISH
) -> list[str]:
    """Days ago as days of the calendar: "3 March"; with the year where it is another or far back.

    On a list for 1 January "28 January" would look ahead, and it is eleven months ago.

    >>> days_said(np.array([60.0, np.nan]), pd.Timestamp("2026-05-02"))
    ['3 March', 'none known']
    >>> days_said(np.array([300.0]), pd.Timestamp("2026-12-31"))
    ['6 March 2026']
    """
    months = words.word("months", " ".join(MONTHS)).split()
    none = words.word("none_known", "none known")
    today = as_of.date()
    said = {
        days: none if days != days else _day_said(today - timedelta(days=int(days)), today, months)
        for days in dict.fromkeys(days_since.tolist())
    }
    return [none if days != days else said[days] for days in days_since.tolist()]


def _day_said(day: date, today: date, months: Sequence[str]) -> str:
    near = day.year == today.year and (today - day).days < _HALF_A_YEAR_DAYS
    return f"{day.day} {months[day.month - 1]}{'' if near else f' {day.year}'}"


def values_said(columns: Columns, name: str) -> list[str]:
    """A feature's values as read out."""
    not_known = columns.words.word("not_known", NOT_KNOWN)
    if columns.is_number(name):
        numbers = columns.numbers(name)
        if name in _WHOLE:
            numbers = np.floor(numbers)
        return [not_known if number != number else f"{number:.4g}" for number in numbers.tolist()]
    codes, levels = columns.codes(name)
    said = [*map(str, levels), not_known]
    return [said[code] for code in codes.tolist()]


def _signs(columns: Columns, rule: Rule) -> list[str]:
    named = [_sign_said(columns, condition) for condition in rule.any]
    present = [mask.tolist() for mask in signs(columns, rule)]
    return [
        ", ".join(text[row] for text, there in zip(named, present, strict=True) if there[row])
        for row in range(len(columns))
    ]


def _sign_said(columns: Columns, condition: Condition) -> list[str]:
    """Label of the sign, with its value where it is a measurement."""
    entry = load_catalogue().entries.get(condition.feature)
    if entry is None:
        return _other_said(columns, condition.feature)
    label = _word(columns, entry.name, entry.label[0].lower() + entry.label[1:])
    if entry.kind == "choice":
        # An answer beyond yes says more than the question: "mouth: deep".
        named = condition.value == "yes" or condition.op == "in"
        return (
            [label] * len(columns) if named else [f"{label}: {_answer(condition)}"] * len(columns)
        )
    unit = {"mm[Hg]": "mmHg", "Cel": "°C", "1": ""}.get(entry.unit, entry.unit)
    return [f"{label} {v} {unit}".strip() for v in values_said(columns, condition.feature)]


def _word(columns: Columns, name: str, written: str) -> str:
    """The word in the language asked for; English is marked as such."""
    mark = "" if columns.words.language == WRITTEN_IN else FALLBACK_MARK
    return columns.words.word(name, f"{mark}{written}")


def _answer(condition: Condition) -> str:
    return str(condition.value).replace("_", " ")


#: What a feature that is no observation is called, with its value or without.
_NAMES = {
    "age_years": ("age {} years", True),
    "gravidity": ("pregnancy number {}", True),
    "pressure_differs": ("blood pressure", False),
    "weight_differs": ("weight", False),
    "glucose_differs": ("blood glucose", False),
}


def _other_said(columns: Columns, feature: str) -> list[str]:
    if feature.startswith("has_"):
        group = load_code_groups().conditions.get(feature.removeprefix("has_"))
        said = group.label if group else feature.removeprefix("has_").replace("_", " ")
        return [_word(columns, feature, said[0].lower() + said[1:])] * len(columns)
    pattern, with_value = _NAMES.get(feature, (feature.replace("_", " "), False))
    pattern = _word(columns, feature, pattern)
    if not with_value:
        return [pattern] * len(columns)
    return [pattern.format(value) for value in values_said(columns, feature)]


def _newest_sign(columns: Columns, rule: Rule) -> NDArray[np.float64]:
    ages = [
        np.where(there, columns.numbers(since(condition.feature)), np.inf)
        for condition, there in zip(rule.any, signs(columns, rule), strict=True)
    ]
    newest = np.minimum.reduce(ages)
    return np.where(np.isfinite(newest), newest, np.nan)
