"""The store as the rest of the toolkit sees it: declared tables in, declared tables out."""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import sqlalchemy as sa

from chw_tools.errors import Conflict, PopulationMixed, StoreUnavailable
from chw_tools.records import TABLES, Source
from chw_tools.records.ids import ENTERED_HERE
from chw_tools.store import copies, imports, loading, longer_plans, plans, risks, saving
from chw_tools.store.census import Census, count_work, take_census
from chw_tools.store.connection import Reader
from chw_tools.store.scope import WHOLE, Scope
from chw_tools.store.tables import DERIVED, REGISTER, SOURCES, STORE_INFO

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from datetime import date
    from pathlib import Path

    import pandas as pd

    from chw_tools.records import Register
    from chw_tools.store.longer_plans import StoredRun
    from chw_tools.store.plans import StoredPlan
    from chw_tools.store.saving import SaveCounts

POPULATIONS = ("simulated", "real")

#: Any constant does; it names this toolkit's one writer among the locks of a database.
WRITER_LOCK = 0x43_48_57


class Store:
    """What is kept of one programme. Open it with :func:`chw_tools.store.open_store`.

    Every method is its own transaction unless it is called inside :meth:`transaction`.
    One writer at a time, on both databases; readers see one consistent state.

    Examples
    --------
    >>> from chw_tools.store import open_store
    >>> with open_store("sqlite://") as store:
    ...     store.set_population("simulated")
    ...     store.population
    'simulated'
    """

    def __init__(self, engine: sa.Engine, *, notes: tuple[str, ...] = ()) -> None:
        self._engine = engine
        self._current = threading.local()
        #: What a deployer should know of this store, each one sentence.
        self.notes = notes

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    # -- transactions --------------------------------------------------------------

    @contextmanager
    def transaction(self) -> Iterator[Store]:
        """All or nothing: what is saved inside is committed together; nested ones join."""
        with self._writing():
            yield self

    @contextmanager
    def savepoint(self) -> Iterator[Store]:
        """Part of a transaction that can fail alone: an error undoes only what is inside."""
        with self._writing() as connection, _ours(), connection.begin_nested():
            yield self

    @contextmanager
    def _writing(self, *, in_order: bool = True) -> Iterator[sa.Connection]:
        """A transaction that writes; ``in_order`` where it takes places in the order of commits."""
        current = self._open_connection()
        if current is not None:
            with _ours():
                yield current
            return
        with _ours(), self._engine.connect() as connection:
            connection = connection.execution_options(chw_writes=True)
            with connection.begin():
                if in_order and connection.dialect.name == "postgresql":
                    # Places in the order of commits need one writer at a time.
                    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(WRITER_LOCK)))
                self._current.connection = connection
                try:
                    yield connection
                finally:
                    self._current.connection = None

    @contextmanager
    def working(self) -> Iterator[sa.Connection]:
        """A transaction on the rows that change (messages, tasks); inside another it joins.

        Unlike :meth:`transaction` it takes no place in the order of commits, so on PostgreSQL
        several work at a time, each on the rows that it locks. For modules of the store.
        """
        with self._writing(in_order=False) as connection:
            yield connection

    @contextmanager
    def _reading(self, scope: Scope = WHOLE) -> Iterator[Reader]:
        current = self._open_connection()
        if current is not None:
            with _ours():
                yield Reader(current, scope)
            return
        with _ours(), self._engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                # All tables of a register as of one instant, as SQLite gives by itself.
                connection = connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                yield Reader(connection, scope)

    def _open_connection(self) -> sa.Connection | None:
        return cast("sa.Connection | None", getattr(self._current, "connection", None))

    # -- what the store is ---------------------------------------------------------

    @property
    def population(self) -> str | None:
        """``simulated``, ``real``, or None where nothing was ever stored."""
        return cast("str | None", self._info("population"))

    @property
    def epoch(self) -> str:
        """Random name of this life of the database; a restored backup gets another."""
        return cast("str", self._info("epoch"))

    def _info(self, column: str) -> Any:
        with self._reading() as reader:
            return reader.value(sa.select(STORE_INFO.c[column]))

    def set_population(self, population: str) -> None:
        """Say whose records these are, once and for ever.

        Raises
        ------
        PopulationMixed
            If the store holds the other kind of people.
        """
        if population not in POPULATIONS:
            raise ValueError(f"a population is one of {', '.join(POPULATIONS)}")
        with self._writing() as connection:
            held = self.population
            if held is None:
                connection.execute(STORE_INFO.update().values(population=population))
            elif held != population:
                raise PopulationMixed(
                    f"This store holds {held} people; {population} ones may not join them.",
                    cure="Open another store (CHW_DATABASE_URL).",
                )

    def sources(self) -> set[str]:
        """Names of the systems whose records were imported."""
        with self._reading() as reader:
            return {row[0] for row in reader.rows(sa.select(SOURCES.c.name))}

    def register_source(self, name: str, population: str) -> Source:
        """The source of that name, met now if never before.

        Raises
        ------
        PopulationMixed
            If the store holds the other kind of people.
        """
        with self._writing() as connection:
            self.set_population(population)
            first_seen = connection.execute(
                sa.select(SOURCES.c.first_seen_ms).where(SOURCES.c.name == name)
            ).scalar()
            if first_seen is None:
                first_seen = time.time_ns() // 1_000_000
                connection.execute(SOURCES.insert().values(name=name, first_seen_ms=first_seen))
        return Source(name, first_seen_ms=first_seen)

    def counts(self, *, scope: Scope = WHOLE) -> dict[str, int]:
        """How many rows each table holds, superseded ones included."""
        with self._reading(scope) as reader:
            return {
                name: reader.value(reader.select(name, [sa.func.count()]))
                for name in (*REGISTER, *DERIVED, "unmodelled", "plan_runs", "planning_runs")
            }

    def census(self, *, scope: Scope = WHOLE) -> Census:
        """How much the store holds, in counts and days, for whoever watches the service."""
        with self._reading(scope) as reader:
            return take_census(reader)

    # -- the register --------------------------------------------------------------

    def count_work(
        self, table: str, *, by: str, scope: Scope = WHOLE
    ) -> dict[tuple[str, str], int]:
        """Rows of follow-ups, tasks or messages by a column and their state."""
        with self._reading(scope) as reader:
            return count_work(reader, table, by=by)

    def save(self, table: str, frame: pd.DataFrame, *, scope: Scope = WHOLE) -> SaveCounts:
        """Save trusted rows of a declared table; doing it twice changes nothing.

        Rows of events are never changed: other content under a known key is added as a
        correction. Rows of other tables are brought up to date in place.

        Raises
        ------
        TableFault
            If a key is no UUID, or a value cannot be kept.
        Conflict
            If two rows of the frame share a key and differ, or refer to what is not stored.
        NotFound
            If a row is about somebody outside the scope.
        """
        with self.savepoint():
            connection = cast("sa.Connection", self._open_connection())
            return saving.save_table(connection, TABLES[table], frame, scope=scope)

    def existing_ids(self, table: str, ids: Iterable[str], *, scope: Scope = WHOLE) -> set[str]:
        """Those of the keys that are stored."""
        with self._reading(scope) as reader:
            return saving.find_ids(reader, table, list(ids))

    def load_register(
        self,
        *,
        scope: Scope = WHOLE,
        person_ids: Collection[str] | None = None,
        tables: Collection[str] | None = None,
        before_seq: int | None = None,
    ) -> Register:
        """Everything recorded, superseded rows included.

        With ``person_ids`` just these people's rows; take the keys from
        :meth:`related_people` where features are to be built, since households and merged
        entries bear on them. With ``before_seq`` only the events committed before that place,
        which is what an estimate kept at that place can have known.
        """
        with self._reading(scope) as reader:
            return loading.load_tables(
                reader, person_ids=person_ids, tables=tables, before_seq=before_seq
            )

    def related_people(self, person_ids: Collection[str], *, scope: Scope = WHOLE) -> set[str]:
        """The people, their household members, and entries merged with any of them."""
        with self._reading(scope) as reader:
            return loading.find_related(reader, person_ids)

    def people_search(self, text: str, *, scope: Scope = WHOLE, limit: int = 50) -> pd.DataFrame:
        """People by the beginnings of their names, by key, or by the source's identifier."""
        with self._reading(scope) as reader:
            return loading.search_people(reader, text, limit=limit)

    def last_recorded_day(self, *, scope: Scope = WHOLE) -> date | None:
        """The newest day on which the programme learnt anything, or None."""
        with self._reading(scope) as reader:
            return loading.find_last_day(reader)

    def day_of_lists(self) -> date | None:
        """The day that lists are made for: the newest planned, else the one after the records.

        What is entered here (a visit, a call) moves it no further; a new plan or import does.
        """
        with self._reading() as reader:
            known = loading.find_last_imported_day(reader, entered_as=ENTERED_HERE)
            planned = plans.find_last_whole_day(reader)
        after = None if known is None else known + timedelta(days=1)
        return max((day for day in (after, planned) if day is not None), default=None)

    # -- imports -------------------------------------------------------------------

    def save_import_run(self, *, source: str, summary: Mapping[str, Any]) -> str:
        """Note that an import took place; gives its key."""
        with self._writing() as connection:
            return imports.save_run(connection, source=source, summary=summary)

    def load_import_runs(self) -> list[dict[str, Any]]:
        """Every import: ``source``, ``made_at`` and ``summary``; the oldest first."""
        with self._reading() as reader:
            return imports.load_runs(reader)

    def save_rejected(self, frame: pd.DataFrame, run_id: str | None = None) -> int:
        """Keep rejected records for mending; how many were not kept before."""
        with self._writing() as connection:
            return imports.save_rejected(connection, frame, run_id=run_id)

    def load_rejected(self, *, scope: Scope = WHOLE) -> pd.DataFrame:
        """All rejected records; only the whole programme may see them."""
        with self._reading(scope) as reader:
            return imports.load_rejected(reader)

    def save_unmodelled(self, rows: Iterable[Mapping[str, Any]]) -> int:
        """Keep bodies of what is not modelled (``source``, ``file``, ``type``, ``body``)."""
        with self._writing() as connection:
            return imports.save_unmodelled(connection, rows)

    # -- what the stages produced --------------------------------------------------

    def save_risks(self, frame: pd.DataFrame) -> int:
        """Add estimates; one equal to the newest for the same day is not added again."""
        with self._writing() as connection:
            return risks.save_risks(connection, frame)

    def save_shadow_risks(self, frame: pd.DataFrame) -> int:
        """Add estimates of a model on trial, apart from those that anybody sees."""
        with self._writing() as connection:
            return risks.save_risks(connection, frame, table="shadow_risks")

    def load_risks(
        self,
        *,
        outcome: str | None = None,
        latest: bool = True,
        person_ids: Collection[str] | None = None,
        scope: Scope = WHOLE,
    ) -> pd.DataFrame:
        """Estimates: the newest for each person and outcome, or every one ever made."""
        with self._reading(scope) as reader:
            return risks.load_risks(reader, outcome=outcome, latest=latest, person_ids=person_ids)

    def load_shadow_risks(
        self,
        *,
        outcome: str | None = None,
        latest: bool = True,
        person_ids: Collection[str] | None = None,
        scope: Scope = WHOLE,
    ) -> pd.DataFrame:
        """Estimates of models on trial, as :meth:`load_risks` gives those in use."""
        with self._reading(scope) as reader:
            return risks.load_risks(
                reader,
                outcome=outcome,
                latest=latest,
                person_ids=person_ids,
                table="shadow_risks",
            )

    def scored_people(
        self, *, outcome: str | None = None, since: date | None = None, shadow: bool = False
    ) -> list[str]:
        """Everybody of whom an estimate is kept (as of ``since`` or later), sorted by key."""
        with self._reading() as reader:
            return risks.find_scored(reader, outcome=outcome, since=since, table=_risks_of(shadow))

    def load_kept_risks(
        self,
        person_ids: Collection[str],
        *,
        outcome: str | None = None,
        since: date | None = None,
        shadow: bool = False,
    ) -> pd.DataFrame:
        """Every estimate of some people with ``server_seq`` and ``is_intact``, for verifying."""
        with self._reading() as reader:
            return risks.load_kept_risks(
                reader,
                person_ids=person_ids,
                outcome=outcome,
                since=since,
                table=_risks_of(shadow),
            )

    def event_places(self, low: int, high: int) -> list[int]:
        """Places between two in the order of commits at which an event was recorded."""
        with self._reading() as reader:
            return risks.find_event_places(reader, low=low, high=high)

    def save_plan(
        self,
        *,
        visits: pd.DataFrame,
        unvisited: pd.DataFrame,
        recommendations: pd.DataFrame,
        as_of: date,
        visit_on: date,
        summary: Mapping[str, Any],
        worker_ids: Collection[str] | None = None,
    ) -> str:
        """Keep a day's plan as a new run, for all workers or only those named; its key."""
        with self._writing() as connection:
            return plans.save_plan(
                connection,
                frames={
                    "planned_visits": visits,
                    "unvisited": unvisited,
                    "recommendations": recommendations,
                },
                as_of=as_of,
                visit_on=visit_on,
                summary=summary,
                worker_ids=worker_ids,
            )

    def load_plan(
        self,
        *,
        visit_on: date | None = None,
        worker_id: str | None = None,
        advised: Collection[str] | None = None,
        scope: Scope = WHOLE,
    ) -> StoredPlan | None:
        """The plan in force for a day (by default the newest planned for everybody).

        Each worker's part is that of the newest run that concerned the worker. With ``advised``
        only these people's advice comes with it. None where nothing was ever planned for that
        day.
        """
        with self._reading(scope) as reader:
            return plans.load_plan(reader, visit_on=visit_on, worker_id=worker_id, advised=advised)

    def load_recommendations(
        self, *, person_ids: Collection[str] | None = None, scope: Scope = WHOLE
    ) -> pd.DataFrame:
        """The advice in force: for each person that of the newest run that concerned them."""
        with self._reading(scope) as reader:
            return plans.load_recommendations(reader, person_ids=person_ids)

    def save_run(
        self,
        kind: str,
        *,
        tables: Mapping[str, pd.DataFrame],
        as_of: date,
        from_on: date | None = None,
        summary: Mapping[str, Any],
    ) -> str:
        """Keep a plan of more than a day (a week, caseloads, posts, supplies); its key."""
        with self._writing() as connection:
            return longer_plans.save_run(
                connection, kind, tables=tables, as_of=as_of, from_on=from_on, summary=summary
            )

    def find_runs(
        self, *, kind: str | None = None, limit: int = 20, scope: Scope = WHOLE
    ) -> list[StoredRun]:
        """The newest kept plans of more than a day, without their tables."""
        with self._reading(scope) as reader:
            return longer_plans.find_runs(reader, kind=kind, limit=limit)

    def load_run(self, run_id: str, *, scope: Scope = WHOLE) -> StoredRun | None:
        """A kept plan of more than a day with its tables; None where there is none."""
        with self._reading(scope) as reader:
            return longer_plans.load_run(reader, run_id=run_id)

    def load_caseloads(self, *, scope: Scope = WHOLE) -> pd.Series | None:
        """The worker of each home by the newest caseloads kept; None where none were."""
        with self._reading(scope) as reader:
            return longer_plans.load_caseloads(reader)

    # -- keeping it safe -----------------------------------------------------------

    def backup(self, path: Path) -> None:
        """Write a consistent copy of an SQLite store to a new file.

        Raises
        ------
        StoreUnavailable
            On PostgreSQL (use ``pg_dump``), or if the file exists already.
        """
        if self._engine.dialect.name != "sqlite":
            raise StoreUnavailable("Only SQLite stores are copied here.", cure="Use pg_dump.")
        with _ours(), self._engine.connect() as connection:
            driver = cast("sqlite3.Connection", connection.connection.driver_connection)
            copies.copy_sqlite(driver, path)


def _risks_of(shadow: bool) -> str:
    return "shadow_risks" if shadow else "risks"


@contextmanager
def _ours() -> Iterator[None]:
    """Turn the database's errors into ours, whose messages hold no values."""
    try:
        yield
    except sqlite3.Error as error:
        raise StoreUnavailable(
            f"The file cannot be copied ({type(error).__name__}).",
            cure="Choose a folder with room that you may write to.",
        ) from None
    except sa.exc.IntegrityError:
        raise Conflict(
            "A row refers to one that is not stored, or takes a place already taken.",
            cure="Save what is referred to in the same transaction.",
        ) from None
    except sa.exc.DataError:
        raise Conflict("A value does not fit its column.", cure="Check the rows first.") from None
    except sa.exc.DBAPIError as error:
        raise StoreUnavailable(
            f"The database did not answer ({type(error.orig).__name__}).",
            cure="See whether it can be reached, and whether another writer is busy.",
        ) from None
