"""Follow-ups, enrolments, tasks and experiments as the rest of the toolkit sees them."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chw_tools.records import new_id
from chw_tools.store import experiments, follow_ups, tasks
from chw_tools.store.instants import instant
from chw_tools.store.scope import WHOLE
from chw_tools.store.tables import WORK
from chw_tools.store.work_rows import add_rows, of_keys, read_rows

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from datetime import date, datetime

    import pandas as pd

    from chw_tools.outreach.advancing import Move
    from chw_tools.store.scope import Scope
    from chw_tools.store.store import Store


@dataclass(frozen=True)
class Casebook:
    """What is owed to whom, in a store; each act joins the transaction around it.

    Parameters
    ----------
    store : Store
        Where it is kept.
    by : str
        Who writes, by role or key; never a name.
    scope : Scope
        Whose rows may be read.
    """

    store: Store
    by: str = "chw"
    scope: Scope = WHOLE

    @contextmanager
    def transaction(self) -> Iterator[Casebook]:
        """All or nothing: what is written inside is committed together."""
        with self.store.working():
            yield self

    # -- reading -----------------------------------------------------------------------

    def load(self, table: str, *, column: str = "", keys: Iterable[Any] = ()) -> pd.DataFrame:
        """Rows of a table of work as declared: all, or those of some keys of a column."""
        with self.store._reading(self.scope) as reader:
            return of_keys(reader, table, column, keys) if column else read_rows(reader, table)

    def heard(self, *, since: datetime) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Messages of no enrolment handed over since an instant, and what was received since."""
        messages, inbound = WORK["messages"].c, WORK["inbound_messages"].c
        with self.store._reading(self.scope) as reader:
            return (
                read_rows(
                    reader,
                    "messages",
                    messages.enrolment_id.is_(None),
                    messages.handed_at >= instant(since),
                ),
                read_rows(reader, "inbound_messages", inbound.received_at >= instant(since)),
            )

    def follow_ups(self, **wanted: Any) -> pd.DataFrame:
        """Follow-ups; see :func:`chw_tools.store.follow_ups.load_follow_ups`."""
        with self.store._reading(self.scope) as reader:
            return follow_ups.load_follow_ups(reader, **wanted)

    def enrolments(self, **wanted: Any) -> pd.DataFrame:
        """Enrolments; see :func:`chw_tools.store.follow_ups.load_enrolments`."""
        with self.store._reading(self.scope) as reader:
            return follow_ups.load_enrolments(reader, **wanted)

    def tasks(self, **wanted: Any) -> pd.DataFrame:
        """Tasks; see :func:`chw_tools.store.tasks.load_tasks`."""
        with self.store._reading(self.scope) as reader:
            return tasks.load_tasks(reader, **wanted)

    def task(self, task_id: str) -> dict[str, Any]:
        """One task.

        Raises
        ------
        NotFound
            If there is none of that key.
        """
        with self.store._reading(self.scope) as reader:
            return tasks.load_task(reader, task_id)

    def task_events(self, task_ids: Iterable[str]) -> pd.DataFrame:
        """What was tried at some tasks."""
        with self.store._reading(self.scope) as reader:
            return tasks.load_events(reader, task_ids)

    def is_told(self, event_id: str) -> bool:
        """Whether a try of that key is recorded already."""
        with self.store._reading(self.scope) as reader:
            return tasks.is_told(reader, event_id)

    # -- writing -----------------------------------------------------------------------

    def add(self, table: str, frame: pd.DataFrame) -> int:
        """Add rows of work; those whose key is there already are left out."""
        with self.store.working() as connection:
            return add_rows(connection, table, frame)

    def close_follow_ups(self, closed: pd.DataFrame, *, now: datetime) -> int:
        """Close open follow-ups: ``id``, ``outcome``, ``closed_on``."""
        with self.store.working() as connection:
            return follow_ups.close_follow_ups(connection, closed, now=now)

    def move_enrolments(self, moves: Collection[Move], *, on: date, now: datetime) -> set[str]:
        """Move enrolments by compare-and-swap; the keys of those that moved."""
        with self.store.working() as connection:
            return follow_ups.move_enrolments(connection, moves, on=on, now=now)

    def move_tasks(self, moves: Collection[Move], *, now: datetime) -> set[str]:
        """Move tasks by compare-and-swap; the keys of those that moved."""
        with self.store.working() as connection:
            return tasks.move_tasks(connection, moves, by=self.by, now=now, new_id=new_id)

    def record_try(self, task: dict[str, Any], **told: Any) -> None:
        """Write what a try at a task came to; see :func:`chw_tools.store.tasks.record_try`."""
        with self.store.working() as connection:
            tasks.record_try(connection, task, by=self.by, **told)

    # -- experiments -------------------------------------------------------------------

    def experiments(self) -> pd.DataFrame:
        """Every experiment, as declared."""
        return self.load("experiments")

    def declare(self, declared: Mapping[str, Any], *, salt: str, now: datetime) -> None:
        """Keep an experiment before it begins.

        Raises
        ------
        Conflict
            If one of that name was declared before: a declaration is never changed.
        """
        with self.store.working() as connection:
            experiments.declare(connection, declared, salt=salt, now=now)

    def close_experiment(self, name: str, state: str, *, now: datetime) -> None:
        """Say that an experiment was stopped or read.

        Raises
        ------
        NotFound
            If there is none of that name.
        """
        with self.store.working() as connection:
            experiments.close(connection, name, state, now=now)
