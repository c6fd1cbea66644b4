"""By when: due days counted from today, and the urgency that being overdue gives.

Days due are whole days from ``as_of``; a negative number is days overdue.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from chw_tools.programme.rules import VISIT, since
from chw_tools.records.derived import URGENCIES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from chw_tools.programme import Rule, Schedule
    from chw_tools.recommendations.conditions import Columns


class Due(NamedTuple):
    """When a rule's advice is due, by person."""

    days: NDArray[np.int64]
    shown: NDArray[np.bool_]
    contact: NDArray[np.int64]


def due(columns: Columns, rule: Rule) -> Due:
    """Days until the advice is due, whether it is near enough to show, and which contact."""
    n = len(columns)
    everyone = np.ones(n, dtype=bool)
    none = np.zeros(n, dtype=np.int64)
    if rule.schedule:
        days, exists, contact = _scheduled(columns, rule.schedule)
    elif rule.due_from:
        # Never done, or not known when: due now.
        passed = columns.numbers(since(rule.due_from))
        days = np.where(np.isnan(passed), 0.0, rule.due_days - passed)
        exists, contact = everyone, none
    else:
        days, exists, contact = np.full(n, float(rule.due_days)), everyone, none
    shown = exists & (days <= rule.ahead_days if rule.schedule or rule.due_from else everyone)
    return Due(np.where(exists, days, 0).astype(np.int64), shown, contact)


def _scheduled(
    columns: Columns, schedule: Schedule
) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.int64]]:
    """The contact that is due and not made, or else the next one.

    A contact counts as made if the last visit was at most ``early_days`` before it fell due.
    """
    at = np.asarray(schedule.at)
    reached = columns.numbers(schedule.feature)
    known = ~np.isnan(reached)
    reached = np.where(known, reached, 0.0)
    passed = np.searchsorted(at, reached, side="right") - 1
    since_due = np.floor((reached - at[np.maximum(passed, 0)]) * schedule.days_per_unit)
    made = columns.numbers(since(VISIT)) <= since_due + schedule.early_days
    contact = passed + (made | (passed < 0))
    coming = contact > passed
    there_is = known & (contact < len(at))
    ahead = np.ceil((at[np.minimum(contact, len(at) - 1)] - reached) * schedule.days_per_unit)
    return np.where(coming, ahead, -since_due), there_is, contact + 1


def urgency(rule: Rule, days: NDArray[np.int64]) -> NDArray[np.int8]:
    """Place in :data:`URGENCIES` (0 is most urgent), raised where overdue."""
    level = np.full(len(days), URGENCIES.index(rule.urgency), dtype=np.int8)
    if rule.overdue_urgency:
        raised = np.int8(URGENCIES.index(rule.overdue_urgency))
        level[-days > rule.overdue_days] = min(level[0], raised) if len(level) else raised
    return level
