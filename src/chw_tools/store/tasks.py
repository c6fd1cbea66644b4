"""Tasks of humans, and the diary of what was tried."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import sqlalchemy as sa

from chw_tools.errors import Conflict, NotFound
from chw_tools.store.connection import Reader
from chw_tools.store.instants import as_text, day
from chw_tools.store.scope import WHOLE, update_of
from chw_tools.store.tables import WORK
from chw_tools.store.work_rows import add_rows, move_rows, of_keys, read_rows

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import date, datetime

    from chw_tools.outreach.advancing import Move

#: States of a task that somebody still has to do.
_OPEN = ("requested", "received", "accepted", "in_progress")


def load_tasks(
    reader: Reader,
    *,
    kinds: Collection[str] | None = None,
    worker_id: str | None = None,
    enrolment_ids: Iterable[str] | None = None,
    is_open: bool = True,
) -> pd.DataFrame:
    """Tasks: open ones, or all; of some kinds, of a worker, or of some enrolments."""
    if enrolment_ids is not None:
        return of_keys(reader, "tasks", "enrolment_id", enrolment_ids)
    rows = WORK["tasks"].c
    conditions: list[sa.ColumnElement[bool]] = []
    if is_open:
        conditions.append(rows.state.in_(_OPEN))
    if kinds is not None:
        conditions.append(rows.kind.in_(list(kinds)))
    if worker_id is not None:
        conditions.append(rows.worker_id == worker_id)
    return read_rows(reader, "tasks", *conditions)


def load_task(reader: Reader, task_id: str) -> dict[str, Any]:
    """One task.

    Raises
    ------
    NotFound
        If there is none of that key, or it is not the reader's to see.
    """
    found = read_rows(reader, "tasks", reader.among(WORK["tasks"].c.id, [task_id]))
    if found.empty:
        raise NotFound("No such task.", cure="Open the list of calls again.")
    row: dict[str, Any] = found.iloc[0].to_dict()
    return {name: None if _is_missing(value) else value for name, value in row.items()}


def _is_missing(value: Any) -> bool:
    return not isinstance(value, dict | list) and bool(pd.isna(value))


def load_events(reader: Reader, task_ids: Iterable[str]) -> pd.DataFrame:
    """The diary of some tasks."""
    return of_keys(reader, "task_events", "task_id", task_ids)


def move_tasks(
    connection: sa.Connection, moves: Collection[Move], *, by: str, now: datetime, new_id: Any
) -> set[str]:
    """Move tasks that nobody need do any more, with a line in the diary for each."""
    moved = move_rows(connection, "tasks", moves, now=now)
    people = of_keys(Reader(connection), "tasks", "id", moved).set_index("id")["person_id"]
    told = [
        {
            "id": new_id(),
            "task_id": move.id,
            "person_id": people.get(move.id),
            "to_state": move.after,
            "by": by,
            "at": now,
        }
        for move in moves
        if move.id in moved
    ]
    add_rows(connection, "task_events", pd.DataFrame(told))
    return moved


def record_try(
    connection: sa.Connection,
    task: dict[str, Any],
    *,
    after: str,
    outcome: str,
    snoozed_until: date | None,
    event_id: str,
    by: str,
    now: datetime,
) -> None:
    """Write what a try at a task came to, by compare-and-swap on its state and tries.

    Raises
    ------
    Conflict
        If somebody else recorded a try meanwhile.
    """
    rows = WORK["tasks"]
    statement = (
        update_of("tasks", scope=WHOLE)
        .where(
            Reader(connection).among(rows.c.id, [task["id"]]),
            rows.c.state == task["state"],
            rows.c.tries == int(task["tries"]),
        )
        .values(
            state=after,
            outcome=outcome,
            tries=int(task["tries"]) + 1,
            snoozed_until=None if snoozed_until is None else day(snoozed_until),
            changed_at=sa.literal(as_text(now), rows.c.changed_at.type),
        )
    )
    if connection.execute(statement).rowcount != 1:
        raise Conflict(
            "Somebody else recorded something for this task.", cure="Open the list again."
        )
    event = {
        "id": event_id,
        "task_id": task["id"],
        "person_id": task["person_id"],
        "to_state": after,
        "outcome": outcome,
        "by": by,
        "at": now,
    }
    add_rows(connection, "task_events", pd.DataFrame([event]))


def is_told(reader: Reader, event_id: str) -> bool:
    """Whether that line stands in the diary already."""
    return not of_keys(reader, "task_events", "id", [event_id]).empty
