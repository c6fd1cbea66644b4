"""The sentence that says why, with the values that decided."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from chw_tools.programme.rules import since
from chw_tools.programme.texts import Translation, english
from chw_tools.programme.written import ANSWER, answer_said, names_answer
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

_PART = re.compile(r"\{([a-z0-9_]+)\}")
#: A day further back is said with its year.
_HALF_A_YEAR_DAYS = 183
#: How a blood pressure is told that is not one reading.
_OF_SEVERAL = ("pressure_apart", "pressure_highest")
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
    """The blood pressure with its day; each value with its own where they differ.

    Of several readings on one day the highest of each counts. Together they may be no reading
    that anybody took, so it is said that they are the highest.
    """
    upper, lower = (columns.numbers(since(f"{name}_mmhg")) for name in ("systolic", "diastolic"))
    said = [values_said(columns, f"{name}_mmhg") for name in ("systolic", "diastolic")]
    days = [days_said(each, as_of, columns.words) for each in (np.fmin(upper, lower), upper, lower)]
    is_apart = ~np.isnan(upper) & ~np.isnan(lower) & (upper != lower)
    is_highest = columns.numbers("pressure_is_highest") == 1
    pattern = np.where(
        is_apart, "pressure_apart", np.where(is_highest, "pressure_highest", "pressure_on")
    )
    words = {name: columns.words.word(name) for name in ("pressure_on", *_OF_SEVERAL)}
    return [
        words[name].format(high=high, low=low, day=on, high_on=high_on, low_on=low_on)
        for high, low, on, high_on, low_on, name in zip(*said, *days, pattern.tolist(), strict=True)
    ]


def days_said(
    days_since: NDArray[np.float64], as_of: pd.Timestamp, words: Translation | None = None
) -> list[str]:
    """Days ago as days of the calendar: "3 March"; with the year where it is another or far back.

    On a list for 1 January "28 January" would look ahead, and it is eleven months ago.

    >>> days_said(np.array([60.0, np.nan]), pd.Timestamp("2026-05-02"))
    ['3 March', 'none known']
    >>> days_said(np.array([300.0]), pd.Timestamp("2026-12-31"))
    ['6 March 2026']
    """
    words = words or english()
    months, none = words.months, words.word("none_known")
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
    not_known = columns.words.word("not_known")
    if columns.is_number(name):
        numbers = columns.numbers(name)
        if name in _WHOLE:
            numbers = np.floor(numbers)
        return [not_known if number != number else f"{number:.4g}" for number in numbers.tolist()]
    codes, levels = columns.codes(name)
    said = [*(answer_word(columns.words, level) for level in levels), not_known]
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
    label = columns.words.word(entry.name, entry.label[0].lower() + entry.label[1:])
    if entry.kind == "choice":
        # An answer beyond yes says more than the question: "mouth: deep".
        if names_answer(condition):
            label = f"{label}: {answer_word(columns.words, condition.value)}"
        return [label] * len(columns)
    unit = {"mm[Hg]": "mmHg", "Cel": "°C", "1": ""}.get(entry.unit, entry.unit)
    return [f"{label} {v} {unit}".strip() for v in values_said(columns, condition.feature)]


def answer_word(words: Translation, answer: object) -> str:
    """The answer that somebody gave, in words."""
    return words.word(f"{ANSWER}{answer}", answer_said(answer))


def _other_said(columns: Columns, feature: str) -> list[str]:
    """What a feature that is no observation is called, with its value where it has a place."""
    pattern = columns.words.word(feature, _written(feature))
    if "{}" not in pattern:
        return [pattern] * len(columns)
    return [pattern.format(value) for value in values_said(columns, feature)]


def _written(feature: str) -> str:
    group = load_code_groups().conditions.get(feature.removeprefix("has_"))
    if feature.startswith("has_") and group:
        return f"{group.label[0].lower()}{group.label[1:]}"
    said = feature.removeprefix("has_").replace("_", " ")
    return english().words.get(feature, said)


def _newest_sign(columns: Columns, rule: Rule) -> NDArray[np.float64]:
    ages = [
        np.where(there, columns.numbers(since(condition.feature)), np.inf)
        for condition, there in zip(rule.any, signs(columns, rule), strict=True)
    ]
    newest = np.minimum.reduce(ages)
    return np.where(np.isfinite(newest), newest, np.nan)
