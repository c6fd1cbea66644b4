"""Advice and plans as they were made: every run is added, none is rewritten."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import pandas as pd
import sqlalchemy as sa

from chw_tools.records import DERIVED_TABLES, Column, conform, new_id
from chw_tools.store.connection import Reader, insert_rows, next_seqs
from chw_tools.store.imports import now
from chw_tools.store.tables import DERIVED, PLAN_RUNS
from chw_tools.store.values import as_json, plain_columns

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

_RUN_ID = Column("run_id", "id", "Run of the plan that made the row.")


@dataclass(frozen=True)
class StoredPlan:
    """The plan in force for a day.

    ``visits``, ``unvisited`` and ``recommendations`` are as declared; ``summary`` and
    ``as_of`` are those of the newest run that it is made of, ``run_ids`` all of them.
    """

    visits: pd.DataFrame
    unvisited: pd.DataFrame
    recommendations: pd.DataFrame
    as_of: date
    visit_on: date
    summary: dict[str, Any]
    run_ids: tuple[str, ...]


@dataclass(frozen=True)
class _Run:
    id: str
    as_of: str
    visit_on: str
    worker_ids: tuple[str, ...] | None
    summary: dict[str, Any]


def save_plan(
    connection: sa.Connection,
    *,
    frames: Mapping[str, pd.DataFrame],
    as_of: date,
    visit_on: date,
    summary: Mapping[str, Any],
    worker_ids: Collection[str] | None,
) -> str:
    """Add a run with its visits, unvisited people and advice; gives its key."""
    run_id = new_id()
    workers = None if worker_ids is None else as_json(sorted(worker_ids))
    insert_rows(
        connection,
        PLAN_RUNS,
        ("id", "as_of", "visit_on", "made_at", "worker_ids", "summary", "server_seq"),
        [
            (
                run_id,
                _iso(as_of),
                _iso(visit_on),
                now(),
                workers,
                as_json(dict(summary)),
                next_seqs(connection, 1)[0],
            )
        ],
    )
    for name, frame in frames.items():
        declared = DERIVED_TABLES[name]
        columns = plain_columns(declared, conform(declared, frame))
        if len(frame):
            seqs = next_seqs(connection, len(frame))
            rows = zip(*columns, seqs, strict=True)
            names = (*declared.column_names, "server_seq", "run_id")
            insert_rows(connection, DERIVED[name], names, ((*row, run_id) for row in rows))
    return run_id


#: What a day's plan says of each person: on a list, or waiting.
PLANNED = ("planned_visits", "unvisited")


def _iso(day: date) -> str:
    return str(pd.Timestamp(day).date())


def load_plan(
    reader: Reader,
    *,
    visit_on: date | None,
    worker_id: str | None,
    advised: Collection[str] | None = None,
) -> StoredPlan | None:
    """The plan in force for a day, or None; with the advice of some people, or of all."""
    day = visit_on or find_last_whole_day(reader)
    runs = list(_runs_in_force(reader, day)) if day else []
    if not runs:
        return None
    visits = _in_force(reader, runs, "planned_visits")
    unvisited = _in_force(reader, runs, "unvisited")
    if worker_id is not None:
        visits = visits[visits["worker_id"] == worker_id]
        unvisited = unvisited[unvisited["worker_id"] == worker_id]
    planned = pd.concat([visits[["person_id", "run_id"]], unvisited[["person_id", "run_id"]]])
    advice = _of_runs(reader, "recommendations", [run.id for run in runs], advised)
    newest = runs[-1]
    return StoredPlan(
        visits=_as_declared("planned_visits", visits.sort_values(["worker_id", "position"])),
        unvisited=_as_declared("unvisited", unvisited),
        recommendations=_as_declared(
            "recommendations", advice.merge(planned.drop_duplicates(), on=["person_id", "run_id"])
        ),
        as_of=date.fromisoformat(newest.as_of),
        visit_on=date.fromisoformat(newest.visit_on),
        summary=newest.summary,
        run_ids=tuple(run.id for run in runs),
    )


def count_plan(reader: Reader) -> tuple[date | None, dict[str, int]]:
    """The newest day planned for everybody, and its rows in force by table."""
    day = find_last_whole_day(reader)
    runs = list(_runs_in_force(reader, day)) if day else []
    return day, {name: _count_in_force(reader, runs, name) for name in PLANNED}


def _count_in_force(reader: Reader, runs: list[_Run], name: str) -> int:
    rows = DERIVED[name].c
    chosen = reader.select(name, [rows.run_id, rows.worker_id, sa.func.count()])
    chosen = chosen.where(reader.among(rows.run_id, [run.id for run in runs]))
    by_worker: dict[str | None, int] = {}
    counted = reader.rows(chosen.group_by(rows.run_id, rows.worker_id))
    for run in runs:  # each worker's rows are those of the newest run that concerned them
        for worker_id in run.worker_ids or ():
            by_worker.pop(worker_id, None)
        by_worker |= {_text(w): int(n) for run_id, w, n in counted if _text(run_id) == run.id}
    return sum(by_worker.values())


def _text(key: object) -> str | None:
    return None if key is None else str(key)


def load_recommendations(reader: Reader, *, person_ids: Collection[str] | None) -> pd.DataFrame:
    """The advice of the newest run that concerned each person."""
    runs = list(_runs_in_force(reader, None))
    advice = _of_runs(reader, "recommendations", [run.id for run in runs], person_ids)
    concerned = {
        run.id: set(_of_runs(reader, name, [run.id], person_ids)["person_id"])
        for run in runs[1:]
        for name in ("planned_visits", "unvisited")
    }
    for at, run in enumerate(runs[1:], start=1):
        earlier = [before.id for before in runs[:at]]
        replanned = concerned[run.id] | set(advice.loc[advice["run_id"] == run.id, "person_id"])
        stale = advice["run_id"].isin(earlier) & advice["person_id"].isin(replanned)
        advice = advice[~stale]
    return _as_declared("recommendations", advice)


def find_last_whole_day(reader: Reader) -> date | None:
    """The newest day planned for everybody.

    One worker's tomorrow, planned anew after each visit, must not pass for today's plan.
    """
    runs = PLAN_RUNS.c
    newest = reader.select("plan_runs", [sa.cast(sa.func.max(runs.visit_on), sa.Text)])
    day = reader.value(newest.where(runs.worker_ids.is_(sa.null())))
    return None if day is None else date.fromisoformat(day)


def _runs_in_force(reader: Reader, visit_on: date | None) -> Iterator[_Run]:
    """The newest run for all workers, and those for some after it; of one day, or of any."""
    runs = PLAN_RUNS.c
    names = ("id", "as_of", "visit_on", "worker_ids", "summary")
    statement = reader.select("plan_runs", names)
    if visit_on is not None:
        statement = statement.where(sa.cast(runs.visit_on, sa.Text) == _iso(visit_on))
    found = [
        _Run(
            id=row[0],
            as_of=str(row[1]),
            visit_on=str(row[2]),
            worker_ids=None if row[3] is None else tuple(row[3]),
            summary=row[4] or {},
        )
        for row in reader.rows(statement.order_by(runs.server_seq))
    ]
    whole = [at for at, run in enumerate(found) if run.worker_ids is None]
    yield from found[whole[-1] if whole else 0 :]


def _in_force(reader: Reader, runs: list[_Run], name: str) -> pd.DataFrame:
    """Rows of the runs, each worker's from the newest run that concerned the worker."""
    frame = _of_runs(reader, name, [run.id for run in runs])
    for at, run in enumerate(runs):
        earlier = [before.id for before in runs[:at]]
        stale = frame["run_id"].isin(earlier) & frame["worker_id"].isin(list(run.worker_ids or ()))
        frame = frame[~stale]
    return frame


def _of_runs(
    reader: Reader, name: str, run_ids: list[str], person_ids: Collection[str] | None = None
) -> pd.DataFrame:
    table, declared = DERIVED[name].c, DERIVED_TABLES[name]
    statement = (
        reader.select(name, [*declared.column_names, "run_id"])
        .where(reader.among(table.run_id, run_ids))
        .order_by(table.server_seq)
    )
    if person_ids is not None:
        statement = statement.where(reader.among(table.person_id, list(person_ids)))
    return reader.frame(statement, (*declared.columns, _RUN_ID))


def _as_declared(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    return conform(DERIVED_TABLES[name], frame)
