"""How much a store holds, for whoever watches the service: counts and days, nobody's values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import sqlalchemy as sa

from chw_tools.store import loading, plans
from chw_tools.store.tables import DERIVED, REGISTER, WORK

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from chw_tools.store.connection import Reader


@dataclass(frozen=True)
class Census:
    """How much a store holds.

    Parameters
    ----------
    records : mapping of str to int
        Rows of each table of the register, superseded ones included.
    in_quarantine : mapping of str to int
        Rejected records by the table they were meant for.
    scores : mapping of (outcome, model, state) to int
        Estimates ever kept.
    planned_on : date or None
        The newest day that was planned.
    planned_visits, unvisited : int
        People on the lists of that day, and people who wait.
    last_recorded_on : date or None
        The newest day on which anything became known.
    """

    records: Mapping[str, int] = field(default_factory=dict)
    in_quarantine: Mapping[str, int] = field(default_factory=dict)
    scores: Mapping[tuple[str, str, str], int] = field(default_factory=dict)
    planned_on: date | None = None
    planned_visits: int = 0
    unvisited: int = 0
    last_recorded_on: date | None = None


def take_census(reader: Reader) -> Census:
    """Count what a store holds, within the reader's scope."""
    planned_on, counted = plans.count_plan(reader)
    return Census(
        records=_count_records(reader),
        in_quarantine=_count_quarantine(reader),
        scores=_count_scores(reader),
        planned_on=planned_on,
        planned_visits=counted["planned_visits"],
        unvisited=counted["unvisited"],
        last_recorded_on=loading.find_last_day(reader),
    )


def _count_records(reader: Reader) -> dict[str, int]:
    return {name: reader.value(reader.select(name, [sa.func.count()])) for name in REGISTER}


def _count_quarantine(reader: Reader) -> dict[str, int]:
    table = DERIVED["rejected"].c.table
    chosen = reader.select("rejected", [table, sa.func.count()]).group_by(table)
    return {str(name): int(n) for name, n in reader.rows(chosen)}


def _count_scores(reader: Reader) -> dict[tuple[str, str, str], int]:
    risks = DERIVED["risks"].c
    keys = (risks.outcome, risks.model, risks.state)
    chosen = reader.select("risks", [*keys, sa.func.count()]).group_by(*keys)
    return {(str(o), str(m), str(s)): int(n) for o, m, s, n in reader.rows(chosen)}


def count_work(reader: Reader, table: str, *, by: str) -> dict[tuple[str, str], int]:
    """Rows of a table of follow-up and outreach, by a column and their state."""
    keys = (WORK[table].c[by], WORK[table].c.state)
    chosen = reader.select(table, [*keys, sa.func.count()]).group_by(*keys)
    return {(str(name), str(state)): int(n) for name, state, n in reader.rows(chosen)}
