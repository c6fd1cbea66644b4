"""Trying cases on rules: one person in, the expected advice out."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from chw_tools.feature_engineering import Features, build_features
from chw_tools.programme.cases import REPLACED, SILENT, Case, as_flag
from chw_tools.recommendations.conditions import Columns, meets
from chw_tools.recommendations.recommend import all_recommendations
from chw_tools.recommendations.timing import due, urgency
from chw_tools.records import Register, empty_table
from chw_tools.records.derived import RISKS, URGENCIES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from chw_tools.programme import Programme, Rule

#: A day on which cases are tried; no rule looks at the calendar.
_DAY = pd.Timestamp("2026-03-10").as_unit("s")


class Answer(NamedTuple):
    """What a rule said of a case: urgency, or ``none`` or ``replaced``, and days until due."""

    advice: str
    due_days: int | None


def features_of_cases(known: Sequence[Mapping[str, object]]) -> Features:
    """A feature table with one row for each case; all that is not named is not known."""
    empty = _empty()
    index = pd.Index([f"{at:06d}" for at in range(len(known))], name="person_id", dtype="str")
    frame = pd.DataFrame(
        {
            name: _column([one.get(name) for one in known], dtype, index)
            for name, dtype in empty.frame.dtypes.items()
        },
        index=index,
    )
    return Features(frame, empty.declaration, _DAY)


@cache
def _empty() -> Features:
    return build_features(Register.of(), as_of=_DAY)


def _column(values: list[object], dtype: object, index: pd.Index) -> pd.Series:
    if str(dtype) == "boolean":
        values = [as_flag(value) for value in values]
    return pd.Series(values, index=index, dtype="object").astype(dtype)


def answers_of_rule(rule: Rule, features: Features) -> list[Answer]:
    """What the rule alone says of each row."""
    columns = Columns(features.frame)
    when = due(columns, rule)
    mask = meets(columns, rule) & when.shown
    level = urgency(rule, when.days)
    return [
        Answer(URGENCIES[place], int(days)) if there else Answer(SILENT, None)
        for there, place, days in zip(mask, level, when.days, strict=True)
    ]


def failing_cases(programme: Programme, cases: Sequence[Case]) -> tuple[tuple[Case, Answer], ...]:
    """Cases that come out otherwise than expected, with what came out.

    Each is tried on the whole programme, as a person would be.
    """
    if not cases:
        return ()
    features = features_of_cases([case.known for case in cases])
    advice = all_recommendations(features, empty_table(RISKS), programme=programme, as_of=_DAY)
    days = (advice["due_on"] - _DAY).dt.days.astype(np.int64)
    given = {
        (person, rule): Answer(level, day)
        for person, rule, level, day in zip(
            advice["person_id"], advice["rule_id"], advice["urgency"], days, strict=True
        )
    }
    rules = {rule.id: rule for rule in programme.rules}
    found = []
    for person, case in zip(features.frame.index, cases, strict=True):
        answer = given.get((person, case.rule_id), Answer(SILENT, None))
        rule = rules[case.rule_id]
        if case.advice == REPLACED and answer.advice == SILENT:
            answer = _if_alone(rule, features, person)
        elif rule.at_visit and answer.advice != SILENT:
            # Its day hangs on the other advice; the case tells its own.
            answer = answers_of_rule(rule, features.of_people([person]))[0]
        if not agrees(case, answer):
            found.append((case, answer))
    return tuple(found)


def _if_alone(rule: Rule, features: Features, person: str) -> Answer:
    alone = answers_of_rule(rule, features.of_people([person]))[0]
    return alone if alone.advice == SILENT else Answer(REPLACED, alone.due_days)


def agrees(case: Case, answer: Answer) -> bool:
    """Whether the answer is the one expected."""
    if case.advice != answer.advice:
        return False
    return case.due_days is None or case.due_days == answer.due_days
