"""Whom a rule is about: conditions on feature columns, answered for everybody at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from chw_tools.programme.rules import is_measured, since
from chw_tools.programme.texts import WRITTEN_IN, Translation

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd
    from numpy.typing import NDArray

    from chw_tools.programme import Condition, Rule

    Mask = NDArray[np.bool_]
    Numbers = NDArray[np.float64]


@dataclass
class Columns:
    """The feature table, its columns turned to numbers once and kept; the words to tell them in.

    Raises
    ------
    ValueError
        If a rule reads a feature that the table does not have: passing over it would
        silence the rule.
    """

    frame: pd.DataFrame
    words: Translation = field(default_factory=lambda: Translation(WRITTEN_IN))
    _numbers: dict[str, Numbers] = field(default_factory=dict)
    _known: dict[str, Mask] = field(default_factory=dict)
    _codes: dict[str, tuple[NDArray[np.int64], dict[object, int]]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.frame)

    def check(self, rules: Iterable[Rule]) -> None:
        """Raise where a feature is absent as a column (absent as a value is "not known")."""
        wanted = frozenset().union(*(rule.features() for rule in rules))
        absent = sorted(wanted.difference(self.frame.columns))
        if absent:
            raise ValueError(f"rules read features that are not built: {', '.join(absent)}")

    def numbers(self, name: str) -> Numbers:
        """The column as numbers; a flag as 0 and 1, not known as NaN."""
        if name not in self._numbers:
            column = self.frame[name]
            self._numbers[name] = column.to_numpy(dtype="float64", na_value=np.nan)
        return self._numbers[name]

    def known(self, name: str) -> Mask:
        """Where the column's value is known."""
        if name not in self._known:
            self._known[name] = np.asarray(self.frame[name].notna(), dtype=bool)
        return self._known[name]

    def codes(self, name: str) -> tuple[NDArray[np.int64], dict[object, int]]:
        """The column of texts as places in a list of them, -1 where not known."""
        if name not in self._codes:
            held = self.frame[name].astype("category").array
            places = {text: place for place, text in enumerate(held.categories)}
            self._codes[name] = (np.asarray(held.codes, dtype=np.int64), places)
        return self._codes[name]

    def rows(self, mask: Mask, names: Iterable[str]) -> Columns:
        """Some columns of some people."""
        # Not all columns are taken: the table is wide, and a reason reads a few of them.
        return Columns(self.frame.loc[:, list(names)][mask], self.words)


def holds(columns: Columns, condition: Condition) -> Mask:
    """Whether the condition holds, by person.

    What is not known makes a comparison false; with ``not`` before the operator, true.
    """
    if condition.op == "is_known":
        return columns.known(condition.feature)
    if condition.op == "is_missing":
        return ~columns.known(condition.feature)
    comparison = condition.op.removeprefix("not ")
    answer = _compared(columns, condition.feature, comparison, condition.value)
    return ~answer if condition.op != comparison else answer


_COMPARE: dict[str, np.ufunc] = {
    "==": np.equal,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}


def _compared(columns: Columns, feature: str, comparison: str, value: object) -> Mask:
    """The comparison; false where the feature is not known."""
    if comparison == "!=":
        return columns.known(feature) & ~_compared(columns, feature, "==", value)
    if isinstance(value, bool | int | float):
        return np.asarray(_COMPARE[comparison](columns.numbers(feature), value), dtype=bool)
    codes, places = columns.codes(feature)
    found = np.zeros(len(codes), dtype=bool)
    for wanted in value if isinstance(value, tuple) else (value,):
        # A value that occurs nowhere has no place; -1 is "not known".
        found |= codes == places.get(wanted, -2)
    return found


def meets(columns: Columns, rule: Rule) -> Mask:
    """Whom the rule is about and whom something sets off, by person."""
    mask = np.ones(len(columns), dtype=bool)
    for condition in (*rule.who, *rule.all):
        mask &= holds(columns, condition)
        # Of one person most rules are out at the first condition; the rest is not looked at.
        if not mask.any():
            return mask
    for condition in rule.all:
        mask &= is_fresh(columns, rule, condition)
    if rule.any and mask.any():
        found = signs(columns, rule)
        if rule.at_least == 1:
            mask &= np.logical_or.reduce(found)
        else:
            mask &= np.add.reduce(found, dtype=np.int64) >= rule.at_least
    return mask


def signs(columns: Columns, rule: Rule) -> list[Mask]:
    """For each condition of ``any``, whether it holds and is fresh enough."""
    return [_sign(columns, rule, condition) for condition in rule.any]


def _sign(columns: Columns, rule: Rule, condition: Condition) -> Mask:
    mask = holds(columns, condition)
    return mask & is_fresh(columns, rule, condition) if mask.any() else mask


def is_fresh(columns: Columns, rule: Rule, condition: Condition) -> Mask:
    """Whether what the condition reads was measured in the rule's time."""
    fresh = np.ones(len(columns), dtype=bool)
    if not is_measured(condition.feature):
        return fresh
    if rule.within_days is not None:
        fresh &= columns.numbers(since(condition.feature)) <= rule.within_days
    if rule.older_than_days is not None:
        fresh &= columns.numbers(since(condition.feature)) > rule.older_than_days
    return fresh
