"""What would be if there were more workers, longer days or shorter visits.

>>> read_change("workers=+5")
Change(name='workers', amount=5.0, is_added=True)
>>> read_change("visit_minutes=25").is_added
False
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from chw_tools.errors import InputError
from chw_tools.records import Source, derived_ids

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chw_tools.programme import Planning
    from chw_tools.resource_allocation.plan import Plan

_CHANGE = re.compile(r"([a-z_]+)=([+-]?)(\d+(?:\.\d+)?)")
_WORKERS = "workers"
_FIGURES = (
    "capacity_minutes",
    "visit_minutes",
    "further_person_minutes",
    "default_travel_minutes",
    "walking_km_per_h",
    "look_ahead_days",
)
#: What is set beside each other, and whether more is better.
MEASURES = (
    "n_workers",
    "n_visits",
    "n_homes",
    "n_must",
    "n_displaced",
    "n_workers_over_capacity",
    "minutes_used",
    "minutes_capacity",
    "benefit",
    "benefit_bound",
)


@dataclass(frozen=True)
class Change:
    """One thing that would be otherwise: set to an amount, or changed by it."""

    name: str
    amount: float
    is_added: bool

    def of(self, value: float) -> float:
        """The changed value; never below nothing."""
        return max(0.0, value + self.amount if self.is_added else self.amount)


def read_change(text: str) -> Change:
    """A change from ``NAME=+N``, ``NAME=-N`` or ``NAME=N``.

    Raises
    ------
    InputError
        If it is none, or nothing of that name can be changed.
    """
    found = _CHANGE.fullmatch(text.strip())
    if found is None or found[1] not in (_WORKERS, *_FIGURES):
        raise InputError(
            "nothing of that name can be changed.",
            where="--what-if",
            cure="Write NAME=+N, NAME=-N or NAME=N with one of "
            f"{', '.join((_WORKERS, *_FIGURES))}.",
        )
    sign = -1.0 if found[2] == "-" else 1.0
    return Change(found[1], sign * float(found[3]), bool(found[2]))


def changed_planning(planning: Planning, changes: Iterable[Change]) -> Planning:
    """The figures of the working day with the changes."""
    for change in changes:
        if change.name in _FIGURES:
            value = change.of(float(getattr(planning, change.name)))
            planning = replace(planning, **{change.name: value})
    return planning


def changed_workers(
    workers: pd.DataFrame, households: pd.DataFrame, changes: Iterable[Change], *, plan: Plan
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Workers and homes with the changes.

    A further worker starts beside the one whose people lose the most by waiting, shares
    that area, and the homes there are shared out anew; who is fewer is who loses least.

    Returns
    -------
    workers, households : DataFrame
        As declared.
    """
    for change in changes:
        if change.name == "capacity_minutes":
            minutes = workers["capacity_minutes"]
            workers = workers.assign(
                capacity_minutes=minutes.map(change.of, na_action="ignore").clip(upper=1440)
            )
        if change.name == _WORKERS:
            wanted = round(change.of(len(workers)))
            workers, households = _resized(workers, households, wanted, plan)
    return workers, households


def _resized(
    workers: pd.DataFrame, households: pd.DataFrame, wanted: int, plan: Plan
) -> tuple[pd.DataFrame, pd.DataFrame]:
    waiting = plan.unvisited.groupby("worker_id")["benefit"].sum()
    load = waiting.reindex(workers["id"]).fillna(0.0)
    if wanted <= len(workers):
        kept = load.sort_values(ascending=False, kind="stable").index[:wanted]
        return workers[workers["id"].isin(kept)], households
    beside, share = [], load.to_numpy(dtype=float).copy()
    helpers = np.ones(len(share))
    for _ in range(wanted - len(workers)):
        at = int((share / helpers).argmax())
        beside.append(at)
        helpers[at] += 1
    numbers = [str(number) for number in range(1, len(beside) + 1)]
    new = workers.iloc[beside].assign(
        id=derived_ids(Source("what-if"), "workers", numbers),
        name=[f"Further worker {number}" for number in numbers],
        source="what-if",
        source_id=numbers,
    )
    helped = set(workers["id"].iloc[beside])
    free = households["worker_id"].isin(helped)
    shared = households.assign(worker_id=households["worker_id"].mask(free))
    return pd.concat([workers, new], ignore_index=True), shared


def compare_plans(before: Plan, after: Plan) -> pd.DataFrame:
    """Measure by measure: ``measure``, ``now``, ``then``, ``change``."""
    rows = [
        {
            "measure": name,
            "now": float(before.summary[name]),
            "then": float(after.summary[name]),
            "change": float(after.summary[name]) - float(before.summary[name]),
        }
        for name in MEASURES
    ]
    return pd.DataFrame(rows)
