"""Whom a rule is about: conditions on feature columns, answered for everybody at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from chw_tools.programme.rules import is_measured, since
from chw_tools.programme.texts import WRITTEN_IN, Translation

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from chw_tools.programme import Condition, Rule

    Mask = NDArray[np.bool_]
    Numbers = NDArray[np.float64]
    Codes = tuple[NDArray[np.signedinteger], tuple[object, ...]]

#: The places of one person's answer: not known, or the only level there is.
_UNKNOWN, _FIRST = np.array([-1], dtype=np.int8), np.array([0], dtype=np.int8)


@dataclass
class Columns:
    """The feature table, each column read once and each condition answered once.

    Taking a column out of a table costs more than comparing it for one person, and rules
    share columns and conditions: both are kept for the length of one call.

    Parameters
    ----------
    frame : DataFrame
        One row per person.
    words : Translation
        The language to tell values in.
    at : ndarray of int, optional
        The rows meant, by place; all of them where not given. Then ``whole`` are the columns
        of the whole table, from which values and answers are taken.

    Raises
    ------
    ValueError
        If a rule reads a feature that the table does not have: passing over it would
        silence the rule.
    """

    frame: pd.DataFrame
    words: Translation = field(default_factory=lambda: Translation(WRITTEN_IN))
    at: NDArray[np.intp] | None = None
    whole: Columns | None = None
    _columns: dict[str, pd.Series] = field(default_factory=dict)
    _numbers: dict[str, Numbers] = field(default_factory=dict)
    _codes: dict[str, Codes] = field(default_factory=dict)
    _answers: dict[str, Mask] = field(default_factory=dict)
    _groups: dict[str, Mask] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.frame) if self.at is None else len(self.at)

    def check(self, names: Iterable[str]) -> None:
        """Raise where a feature is absent as a column (absent as a value is "not known")."""
        absent = sorted(frozenset(names).difference(self.frame.columns.tolist()))
        if absent:
            raise ValueError(f"rules read features that are not built: {', '.join(absent)}")

    def _column(self, name: str) -> pd.Series:
        column = self._columns.get(name)
        if column is None:
            column = self._columns[name] = self.frame[name]
        return column

    @cached_property
    def _only(self) -> dict[str, object] | None:
        """All values of the one person there is, by name; None of several people.

        A row is taken out of a table at the cost of some tens of columns, and rules read more.
        """
        if len(self.frame) != 1:
            return None
        return dict(zip(self.frame.columns.tolist(), self.frame.iloc[0].tolist(), strict=True))

    def numbers(self, name: str) -> Numbers:
        """The column as numbers; a flag as 0 and 1, not known as NaN."""
        if name not in self._numbers:
            self._numbers[name] = self._read_numbers(name)
        return self._numbers[name]

    def _read_numbers(self, name: str) -> Numbers:
        if self.whole is not None:
            return self.whole.numbers(name)[self.at]
        if self._only is not None:
            value = self._only[name]
            return np.array([np.nan if pd.isna(value) else value], dtype=np.float64)
        column = self._column(name)
        numbers: Numbers = (
            column.to_numpy()
            if column.dtype == np.float64
            else column.to_numpy(dtype="float64", na_value=np.nan)
        )
        return numbers

    def known(self, name: str) -> Mask:
        """Where the column's value is known."""
        if self.is_number(name):
            return ~np.isnan(self.numbers(name))
        return self.codes(name)[0] >= 0

    def is_number(self, name: str) -> bool:
        """Whether the column is read as numbers: a measurement, a count or a flag."""
        if self.whole is not None:
            return self.whole.is_number(name)
        return name in self._numbers or pd.api.types.is_numeric_dtype(self._column(name).dtype)

    def codes(self, name: str) -> Codes:
        """The column of texts as places in a list of them, -1 where not known."""
        if name not in self._codes:
            self._codes[name] = self._read_codes(name)
        return self._codes[name]

    def _read_codes(self, name: str) -> Codes:
        if self.whole is not None:
            codes, levels = self.whole.codes(name)
            return codes[self.at], levels
        if self._only is not None:
            value = self._only[name]
            return (_UNKNOWN, ()) if pd.isna(value) else (_FIRST, (value,))
        column = self._column(name)
        if not isinstance(column.dtype, pd.CategoricalDtype):
            column = column.astype("category")  # a column of texts, such as one of keys
        held = column.array
        return held.codes, tuple(held.categories.tolist())

    def answer(self, condition: Condition) -> Mask:
        """Whether the condition holds, by person; not to be written to."""
        held = self._answers.get(condition.said)
        if held is None:
            whole = self.whole
            held = _holds(self, condition) if whole is None else whole.answer(condition)[self.at]
            self._answers[condition.said] = held
        return held

    def group(self, rule: Rule) -> Mask:
        """Whom the rule is about; not to be written to."""
        # The same few groups stand in many rules.
        mask = self._groups.get(rule.group)
        if mask is None:
            mask = np.ones(len(self), dtype=bool)
            for condition in rule.who:
                mask &= self.answer(condition)
            self._groups[rule.group] = mask
        return mask

    def rows(self, at: NDArray[np.intp]) -> Columns:
        """The same columns of some people."""
        return Columns(self.frame, self.words, at, self)


def holds(columns: Columns, condition: Condition) -> Mask:
    """Whether the condition holds, by person.

    What is not known makes a comparison false; with ``not`` before the operator, true.
    """
    return columns.answer(condition)


def _holds(columns: Columns, condition: Condition) -> Mask:
    if condition.op == "is_known":
        return columns.known(condition.feature)
    if condition.op == "is_missing":
        return ~columns.known(condition.feature)
    comparison = condition.op.removeprefix("not ")
    answer = _compared(columns, condition.feature, comparison, condition.value)
    return ~answer if condition.op != comparison else answer


_NUMBERS = (bool, int, float)
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
    if isinstance(value, _NUMBERS):
        mask: Mask = _COMPARE[comparison](columns.numbers(feature), value)
        return mask
    codes, levels = columns.codes(feature)
    wanted = value if isinstance(value, tuple) else (value,)
    places = [place for place, level in enumerate(levels) if level in wanted]
    # An answer that occurs nowhere has no place; -1 is "not known".
    found: Mask = codes == (places[0] if places else len(levels))
    for place in places[1:]:
        found |= codes == place
    return found


def meets(columns: Columns, rule: Rule) -> Mask:
    """Whom the rule is about and whom something sets off, by person."""
    mask = columns.group(rule)
    # Of one person most rules are out at the first condition; the rest is not looked at.
    if not np.count_nonzero(mask):
        return mask
    mask = mask.copy()
    for condition in rule.all:
        mask &= columns.answer(condition)
        if not np.count_nonzero(mask):
            return mask
    for condition in rule.all:
        mask = _fresh(columns, rule, condition, mask)
    if rule.any and np.count_nonzero(mask):
        found = signs(columns, rule)
        if rule.at_least == 1:
            mask &= np.logical_or.reduce(found)
        else:
            mask &= np.add.reduce(found, dtype=np.int64) >= rule.at_least
    return mask


def signs(columns: Columns, rule: Rule) -> list[Mask]:
    """For each condition of ``any``, whether it holds and is fresh enough."""
    return [
        _fresh(columns, rule, condition, columns.answer(condition).copy()) for condition in rule.any
    ]


def _fresh(columns: Columns, rule: Rule, condition: Condition, mask: Mask) -> Mask:
    """Of the mask those whom the condition's feature was measured of in the rule's time."""
    if (rule.within_days, rule.older_than_days) == (None, None):
        return mask
    if not np.count_nonzero(mask) or not is_measured(condition.feature):
        return mask
    days = columns.numbers(since(condition.feature))
    if rule.within_days is not None:
        mask &= days <= rule.within_days
    if rule.older_than_days is not None:
        mask &= days > rule.older_than_days
    return mask
