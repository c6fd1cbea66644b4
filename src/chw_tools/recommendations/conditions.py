"""Whom a rule is about: conditions on feature columns, answered for everybody at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from chw_tools.programme.rules import is_measured, since

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd
    from numpy.typing import NDArray

    from chw_tools.programme import Condition, Rule

    Mask = NDArray[np.bool_]
    Numbers = NDArray[np.float64]


@dataclass
class Columns:
    """The feature table, its columns turned to numbers once and kept.

    Raises
    ------
    ValueError
        If a rule reads a feature that the table does not have: passing over it would
        silence the rule.
    """

    frame: pd.DataFrame
    _numbers: dict[str, Numbers] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.frame)

    def check(self, rules: Iterable[Rule]) -> None:
        """Raise where a feature is absent as a column (absent as a value is "not known")."""
        wanted = {name for rule in rules for name in rule.features()}
        absent = sorted(wanted - set(self.frame.columns))
        if absent:
            raise ValueError(f"rules read features that are not built: {', '.join(absent)}")

    def numbers(self, name: str) -> Numbers:
        """The column as numbers; a flag as 0 and 1, not known as NaN."""
        if name not in self._numbers:
            column = self.frame[name]
            self._numbers[name] = column.to_numpy(dtype="float64", na_value=np.nan)
        return self._numbers[name]

    def rows(self, mask: Mask) -> Columns:
        """The same columns of some people."""
        return Columns(self.frame[mask])


def holds(columns: Columns, condition: Condition) -> Mask:
    """Whether the condition holds, by person.

    What is not known makes a comparison false; with ``not`` before the operator, true.
    """
    values = columns.frame[condition.feature]
    if condition.op == "is_known":
        return np.asarray(values.notna(), dtype=bool)
    if condition.op == "is_missing":
        return np.asarray(values.isna(), dtype=bool)
    comparison = condition.op.removeprefix("not ")
    known = np.asarray(values.notna(), dtype=bool)
    answer = known & _compared(columns, condition.feature, comparison, condition.value)
    return ~answer if condition.op != comparison else answer


def _compared(columns: Columns, feature: str, comparison: str, value: object) -> Mask:
    if comparison in ("==", "!=", "in") and not isinstance(value, bool | int | float):
        wanted = list(value) if isinstance(value, tuple) else [value]
        found = np.asarray(columns.frame[feature].isin(wanted), dtype=bool)
        return ~found if comparison == "!=" else found
    numbers = columns.numbers(feature)
    limit = float(value)  # type: ignore[arg-type]
    compare: np.ufunc = {
        "==": np.equal,
        "!=": np.not_equal,
        "<": np.less,
        "<=": np.less_equal,
        ">": np.greater,
        ">=": np.greater_equal,
    }[comparison]
    return np.asarray(compare(numbers, limit), dtype=bool)


def meets(columns: Columns, rule: Rule) -> Mask:
    """Whom the rule is about and whom something sets off, by person."""
    mask = np.ones(len(columns), dtype=bool)
    for condition in (*rule.who, *rule.all):
        mask &= holds(columns, condition)
    for condition in rule.all:
        mask &= is_fresh(columns, rule, condition)
    if rule.any:
        mask &= np.logical_or.reduce(signs(columns, rule))
    return mask


def signs(columns: Columns, rule: Rule) -> list[Mask]:
    """For each condition of ``any``, whether it holds and is fresh enough."""
    return [holds(columns, c) & is_fresh(columns, rule, c) for c in rule.any]


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
