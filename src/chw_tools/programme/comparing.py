"""Rules against each other: rows that are never reached, overlap, or contradict."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

from chw_tools.programme.logic import Case, cases_of, is_inside, is_possible, meet
from chw_tools.programme.rules import is_measured
from chw_tools.records.derived import URGENCIES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from chw_tools.programme.logic import Box
    from chw_tools.programme.rules import Rule


class Fault(NamedTuple):
    """What is wrong with a rule as one of many."""

    rule_id: str
    key: str
    what: str


class _Row(NamedTuple):
    rule: Rule
    cases: list[Case]

    @property
    def boxes(self) -> list[Box]:
        return [case.box for case in self.cases]


def compare_rules(rules: Sequence[Rule]) -> tuple[Fault, ...]:
    """Every rule that can never be met, overlaps with another, or contradicts one.

    Two rules are compared where they decide by the same features: two different signs are two
    reasons, and both may speak. What is to be done and what is to be asked or measured are held
    apart too. They may both hold for a
    person only if one of them replaces the other, or names it in ``beside``, or a third that
    replaces one holds there too.
    """
    rows = [_Row(rule, cases_of(rule)) for rule in rules]
    found = [*_never_met(rows), *_circles(rules), *_no_effect(rows)]
    for one, other in combinations(rows, 2):
        found += _of_pair(one, other, rows)
    return tuple(found)


def _never_met(rows: Sequence[_Row]) -> Iterator[Fault]:
    for row in rows:
        if not row.cases:
            yield Fault(row.rule.id, "", "its conditions exclude each other: nobody can meet it")


def _circles(rules: Sequence[Rule]) -> Iterator[Fault]:
    replaces = {rule.id: set(rule.replaces) for rule in rules}
    for rule in rules:
        for other in rule.replaces:
            if rule.id in replaces.get(other, ()):
                what = f"{rule.id} and {other} replace each other: both would be left out"
                yield Fault(rule.id, "replaces", what)


def _no_effect(rows: Sequence[_Row]) -> Iterator[Fault]:
    """Replacing a rule that is always more urgent never takes effect."""
    by_id = {row.rule.id: row.rule for row in rows}
    for row in rows:
        for name in row.rule.replaces:
            other = by_id.get(name)
            if other is not None and _most_urgent(row.rule) > _least_urgent(other):
                what = f"is less urgent than {name} and can never replace it"
                yield Fault(row.rule.id, "replaces", what)


def _most_urgent(rule: Rule) -> int:
    return min(URGENCIES.index(u) for u in (rule.urgency, rule.overdue_urgency) if u in URGENCIES)


def _least_urgent(rule: Rule) -> int:
    return URGENCIES.index(rule.urgency) if rule.urgency in URGENCIES else len(URGENCIES)


def _of_pair(one: _Row, other: _Row, rows: Sequence[_Row]) -> Iterator[Fault]:
    asks = (one.rule.kind == "measure", other.rule.kind == "measure")
    if asks[0] != asks[1] or other.rule.id in one.rule.beside or one.rule.id in other.rule.beside:
        return
    shared = [
        meet(a.box, b.box)
        for a in one.cases
        for b in other.cases
        if a.deciding == b.deciding and any(map(is_measured, a.deciding))
    ]
    shared = [box for box in shared if is_possible(box)]
    if not shared:
        return
    if other.rule.id in one.rule.replaces or one.rule.id in other.rule.replaces:
        yield from _shadowed(one, other)
        yield from _shadowed(other, one)
        return
    if all(_settled(box, one, other, rows) for box in shared):
        return
    same = all(is_inside(b, other.boxes) for b in one.boxes) and all(
        is_inside(b, one.boxes) for b in other.boxes
    )
    if same:
        what = f"contradicts {one.rule.id}: the same people, and neither replaces the other"
    else:
        what = f"overlaps with {one.rule.id}: some people get both, and neither replaces the other"
    yield Fault(other.rule.id, "", what)


def _settled(box: Box, one: _Row, other: _Row, rows: Sequence[_Row]) -> bool:
    """Whether a third rule that replaces one of the two holds wherever both do."""
    return any(
        {one.rule.id, other.rule.id} & set(row.rule.replaces) and is_inside(box, row.boxes)
        for row in rows
    )


def _shadowed(over: _Row, under: _Row) -> Iterator[Fault]:
    """A rule that is replaced wherever it holds, by one at least as urgent and no later."""
    rule = under.rule
    timed = rule.schedule or rule.due_from or over.rule.schedule or over.rule.due_from
    if rule.id not in over.rule.replaces or timed:
        return
    firmer = _most_urgent(over.rule) <= _most_urgent(rule) and over.rule.due_days <= rule.due_days
    if firmer and all(is_inside(box, over.boxes) for box in under.boxes):
        yield Fault(rule.id, "", f"is never shown: {over.rule.id} replaces it wherever it holds")
