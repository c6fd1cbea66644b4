"""What sets of values a rule's conditions let through, so that rules can be compared as data.

Each rule is turned into boxes: for every feature it reads the values it accepts, "not known"
among them. Two rules overlap where boxes meet; a rule that has no box can never be met.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

from chw_tools.programme.rules import is_measured, since
from chw_tools.records import load_catalogue

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from chw_tools.programme.rules import Condition, Rule

#: A place just before (0) or just after (1) a number.
Cut = tuple[float, int]
Span = tuple[Cut, Cut]
_INFINITE = float("inf")
_ALL: tuple[Span, ...] = (((-_INFINITE, 0), (_INFINITE, 1)),)
#: Some answer that no condition names.
_OTHER = "(any other answer)"
#: Limits of what a feature that is no observation can be; wide enough for every true value.
_LIMITS = {
    "age_years": (0.0, 130.0),
    "age_months": (0.0, 60.0),
    "gestational_weeks": (0.0, 44.0),
    "weeks_postpartum": (0.0, _INFINITE),
}


@dataclass(frozen=True)
class Values:
    """The values of one feature that are let through.

    Parameters
    ----------
    spans : tuple of spans
        Ranges of numbers, rising and apart; flags are 0 and 1.
    levels : frozenset of str
        Answers, where the feature is a choice.
    unknown : bool
        Whether "not known" is let through.
    """

    spans: tuple[Span, ...] = _ALL
    levels: frozenset[str] = frozenset()
    unknown: bool = True

    def __bool__(self) -> bool:
        return bool(self.spans or self.levels or self.unknown)

    def __and__(self, other: Values) -> Values:
        met = (
            (max(a[0], b[0]), min(a[1], b[1]))
            for a in self.spans
            for b in other.spans
            if max(a[0], b[0]) < min(a[1], b[1])
        )
        return Values(
            tuple(sorted(met)), self.levels & other.levels, self.unknown and other.unknown
        )

    def inverse(self, every: Values) -> Values:
        """What is not let through, of every value there is."""
        gaps, low = [], _ALL[0][0]
        for start, end in self.spans:
            if low < start:
                gaps.append((low, start))
            low = end
        if low < _ALL[0][1]:
            gaps.append((low, _ALL[0][1]))
        inverse = Values(tuple(gaps), every.levels - self.levels, unknown=not self.unknown)
        return inverse & every

    def within(self, other: Values) -> bool:
        """Whether the other lets through all that this one does."""
        return (self & other) == self


Box = dict[str, Values]
_KNOWN = Values(unknown=False)
_YES = Values((((1.0, 0), (1.0, 1)),), unknown=False)
_FROM_FIVE = Values((((5.0, 0), (_INFINITE, 1)),), unknown=False)


class Case(NamedTuple):
    """One way to set a rule off: the box, and the features that decide."""

    box: Box
    deciding: frozenset[str]


def cases_of(rule: Rule) -> list[Case]:
    """The ways to set the rule off, one for each sign of ``any``; none if nobody can."""
    base: Box = {}
    for condition in (*rule.who, *rule.all):
        base = meet(base, _box(condition))
    for condition in rule.all:
        base = meet(base, _fresh(rule, condition))
    every = frozenset(condition.feature for condition in rule.all)
    found = [_case(base, every, rule, signs) for signs in combinations(rule.any, rule.at_least)]
    found = found if rule.any else [Case(base, every)]
    return [case for case in found if is_possible(case.box)]


def _case(base: Box, every: frozenset[str], rule: Rule, signs: Iterable[Condition]) -> Case:
    box = base
    for sign in signs:
        box = meet(meet(box, _box(sign)), _fresh(rule, sign))
        every = every | {sign.feature}
    return Case(box, every)


def is_possible(box: Box) -> bool:
    """Whether anybody can be so.

    A person under five who is pregnant, gave birth or is older is a question about the record
    (see the rule set ``questions``), not somebody whom two rules serve.
    """
    if not all(box.values()):
        return False
    grown = (
        box.get("is_pregnant", Values()).within(_YES),
        box.get("weeks_postpartum", Values()).within(_KNOWN),
        box.get("age_years", Values()).within(_FROM_FIVE),
    )
    is_young = box.get("age_months", Values()).within(_KNOWN)
    return not (is_young and any(grown)) and not (grown[0] and grown[1])


def meet(one: Mapping[str, Values], other: Mapping[str, Values]) -> Box:
    """The box in which both hold."""
    met = dict(one)
    for name, values in other.items():
        met[name] = met[name] & values if name in met else values
    return met


def is_inside(inner: Box, outers: Iterable[Box]) -> bool:
    """Whether one of the boxes holds all of this one."""
    return any(
        all(inner.get(name, every_value(name)).within(v) for name, v in outer.items())
        for outer in outers
    )


def every_value(feature: str) -> Values:
    """All values that a feature can have."""
    entry = load_catalogue().entries.get(feature)
    if entry is not None and entry.kind == "choice":
        return Values((), frozenset(entry.allowed))
    low, high = (-_INFINITE, _INFINITE)
    if entry is not None:
        low, high = entry.low or low, entry.high or high
    elif feature.endswith("_days_since"):
        low = 0.0
    low, high = _LIMITS.get(feature, (low, high))
    return Values((((low, 0), (high, 1)),), frozenset((_OTHER,)) if entry is None else frozenset())


def _box(condition: Condition) -> Box:
    every = every_value(condition.feature)
    if condition.op == "is_missing":
        return {condition.feature: Values((), frozenset(), unknown=True)}
    known = every & Values(_ALL, every.levels | _named(condition), unknown=False)
    if condition.op == "is_known":
        return {condition.feature: known}
    comparison = condition.op.removeprefix("not ")
    values = _compared(comparison, condition.value, known, _named(condition))
    if condition.op != comparison:
        every = Values(every.spans, every.levels | _named(condition), unknown=True)
        values = values.inverse(every)
    return {condition.feature: values}


def _named(condition: Condition) -> frozenset[str]:
    values = condition.value if isinstance(condition.value, tuple) else (condition.value,)
    # Answers of the catalogue are all known; of other texts only those that rules name.
    if condition.feature in load_catalogue().entries:
        return frozenset()
    return frozenset(value for value in values if isinstance(value, str))


def _compared(comparison: str, value: object, known: Values, named: frozenset[str]) -> Values:
    if comparison == "!=":
        return _compared("==", value, known, named).inverse(known)
    if isinstance(value, bool | int | float):
        at, low, high = float(value), _ALL[0][0], _ALL[0][1]
        spans: dict[str, Span] = {
            "==": ((at, 0), (at, 1)),
            "<": (low, (at, 0)),
            "<=": (low, (at, 1)),
            ">": ((at, 1), high),
            ">=": ((at, 0), high),
        }
        return known & Values((spans[comparison],), frozenset(), unknown=False)
    texts = value if isinstance(value, tuple) else (value,)
    wanted = frozenset(str(text) for text in texts)
    return Values((), wanted & (known.levels | named), unknown=False)


def _fresh(rule: Rule, condition: Condition) -> Box:
    """The days since the measurement that the rule asks for."""
    if not is_measured(condition.feature):
        return {}
    low: Cut = (0.0, 0) if rule.older_than_days is None else (float(rule.older_than_days), 1)
    high: Cut = (_INFINITE, 1) if rule.within_days is None else (float(rule.within_days), 1)
    if (rule.within_days, rule.older_than_days) == (None, None):
        return {}
    spans = ((low, high),) if low < high else ()
    return {since(condition.feature): Values(spans, frozenset(), unknown=False)}
