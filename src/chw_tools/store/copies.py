"""Whole copies of a store, and putting one back where nothing is.

A copy is taken of a store as it stands, whatever its version: before an upgrade above all.
The file holds health records in the clear; who keeps it keeps it as the store itself.
"""

from __future__ import annotations

import os
import secrets
import shutil
import sqlite3
import subprocess
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from chw_tools.errors import Conflict, NotFound, StoreUnavailable
from chw_tools.store.connection import Reader
from chw_tools.store.tables import DERIVED, METADATA, REGISTER

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: Tables whose rows a backup tells and a restore compares.
_COUNTED = (*REGISTER, *DERIVED, "unmodelled", "plan_runs", "planning_runs")
_NEW_LIFE = "UPDATE store_info SET epoch = {mark}"


@dataclass(frozen=True)
class CopyFacts:
    """What a copy is of.

    Parameters
    ----------
    database : str
        ``sqlite`` or ``postgresql``; a copy goes back into the same.
    revision : str
        Version of the schema.
    rows : mapping of str to int
        Rows of each declared table.
    """

    database: str
    revision: str
    rows: Mapping[str, int]


def copy_store(url: str, path: Path) -> CopyFacts:
    """Write a consistent copy of a store to a new file; writers need not stop.

    SQLite is copied by ``VACUUM INTO``, PostgreSQL by ``pg_dump`` in its custom format.

    Raises
    ------
    NotFound
        If there is no store.
    StoreUnavailable
        If the file exists, cannot be written, or ``pg_dump`` is missing or fails.
    """
    parsed = sa.make_url(url)
    if parsed.get_backend_name() == "sqlite":
        source = Path(parsed.database or "")
        if not source.is_file():
            raise NotFound("There is no store yet.", where=str(source), cure="Nothing to keep.")
        with closing(sqlite3.connect(source)) as driver:
            driver.execute("PRAGMA temp_store = MEMORY")
            try:
                copy_sqlite(driver, path)
            except sqlite3.Error as error:
                raise _cannot_copy(error) from None
        return facts_of(f"sqlite:///{path.as_posix()}")
    facts = facts_of(url)
    path.touch(mode=0o600, exist_ok=False)
    _run(["pg_dump", "--format=custom", "--no-owner", f"--file={path}", *_place(parsed)], parsed)
    return facts


def copy_sqlite(driver: sqlite3.Connection, path: Path) -> None:
    """Copy an open SQLite store to a new file, which begins another life.

    Raises
    ------
    StoreUnavailable
        If the file exists.
    """
    if path.exists():
        raise StoreUnavailable("The backup file exists already.", cure="Name a new one.")
    path.touch(mode=0o600)
    driver.execute("VACUUM INTO ?", (str(path),))
    # Whoever restores it begins another life, which devices must be able to tell.
    with closing(sqlite3.connect(path)) as copy, copy:
        copy.execute(_NEW_LIFE.format(mark="?"), (secrets.token_hex(16),))


def check_nothing_there(url: str) -> None:
    """Refuse to put a copy where a store is already.

    Raises
    ------
    Conflict
        If the file exists, or the database holds tables of a store.
    StoreUnavailable
        If the database does not answer.
    """
    parsed = sa.make_url(url)
    if parsed.get_backend_name() == "sqlite":
        taken = bool(parsed.database) and Path(str(parsed.database)).exists()
    else:
        taken = bool(_tables_at(url))
    if taken:
        raise Conflict(
            "A store is there already; nothing was changed.",
            where=parsed.database or "",
            cure="Move it away, or restore into an empty one (CHW_DATABASE_URL).",
        )


def put_back(url: str, path: Path, facts: CopyFacts) -> None:
    """Make a store of a copy, where nothing is; all or nothing, and another life.

    Parameters
    ----------
    url : str
        Of an SQLite file that does not exist, or of an empty PostgreSQL database.
    path : Path
        The copy; on SQLite it becomes the store, so it must lie on the same disk.
    facts : CopyFacts
        What was written down when the copy was made.

    Raises
    ------
    Conflict
        If a store is there, or the copy is of the other kind of database.
    StoreUnavailable
        If the copy is damaged, or ``pg_restore`` is missing or fails.
    """
    parsed = sa.make_url(url)
    if parsed.get_backend_name() != facts.database:
        raise Conflict(
            f"The backup is of {facts.database}, the store would be of another kind.",
            cure="Restore into the same kind of database.",
        )
    check_nothing_there(url)
    if facts.database == "sqlite":
        _put_back_file(Path(str(parsed.database)), path, facts)
        return
    tables = ["--no-owner", "--exit-on-error", "--single-transaction"]
    _run(["pg_restore", *tables, *_place(parsed), str(path)], parsed)
    engine = sa.create_engine(url, hide_parameters=True)
    with engine.begin() as connection:
        new = sa.text(_NEW_LIFE.format(mark=":epoch"))
        connection.execute(new, {"epoch": secrets.token_hex(16)})
    engine.dispose()


def _put_back_file(store: Path, copy: Path, facts: CopyFacts) -> None:
    with closing(sqlite3.connect(copy)) as driver:
        try:
            sound = driver.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            sound = sound and driver.execute("PRAGMA foreign_key_check").fetchone() is None
        except sqlite3.DatabaseError:
            sound = False
    if not sound or facts_of(f"sqlite:///{copy.as_posix()}").rows != facts.rows:
        raise StoreUnavailable("The copy in the backup is damaged.", cure="Take an earlier one.")
    with closing(sqlite3.connect(copy)) as driver, driver:
        driver.execute(_NEW_LIFE.format(mark="?"), (secrets.token_hex(16),))
    store.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    copy.chmod(0o600)
    copy.replace(store)


def facts_of(url: str) -> CopyFacts:
    """Kind, version and rows of a store as it stands.

    Raises
    ------
    StoreUnavailable
        If it does not answer, or does not say its version.
    """
    engine = sa.create_engine(url, hide_parameters=True)
    try:
        with engine.connect() as connection:
            revision = connection.exec_driver_sql(
                "SELECT version_num FROM alembic_version"
            ).scalar()
            there = set(sa.inspect(connection).get_table_names())
            reader = Reader(connection)
            rows = {
                name: int(reader.value(reader.select(name, [sa.func.count()])))
                for name in _COUNTED
                if name in there
            }
    except sa.exc.DBAPIError as error:
        raise StoreUnavailable(
            f"The store cannot be read ({type(error.orig).__name__}).",
            where=engine.url.database or "",
            cure="See that it is a store of chw-tools, and that the database runs.",
        ) from None
    finally:
        engine.dispose()
    return CopyFacts(engine.dialect.name, str(revision), rows)


def _tables_at(url: str) -> set[str]:
    engine = sa.create_engine(url, hide_parameters=True)
    try:
        with engine.connect() as connection:
            return set(sa.inspect(connection).get_table_names()) & set(METADATA.tables)
    except sa.exc.DBAPIError as error:
        raise StoreUnavailable(
            f"The database did not answer ({type(error.orig).__name__}).",
            cure="See whether it can be reached.",
        ) from None
    finally:
        engine.dispose()


def _place(url: sa.URL) -> list[str]:
    """The database as the tools of PostgreSQL take it, without the password."""
    plain = url.set(drivername="postgresql", password=None)
    return [f"--dbname={plain.render_as_string(hide_password=False)}"]


def _run(command: Sequence[str], url: sa.URL) -> None:
    tool = shutil.which(command[0])
    if tool is None:
        raise StoreUnavailable(
            f"{command[0]} is not on this machine.",
            cure="Install PostgreSQL's client programs (apt-get install postgresql-client).",
        )
    # Not on the command line, which everybody on the machine can read.
    environ = os.environ | ({"PGPASSWORD": str(url.password)} if url.password else {})
    done = subprocess.run(  # noqa: S603 - a fixed program; its words are ours and the settings'
        [tool, *command[1:]], env=environ, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        # What the tool says may hold rows.
        old = "version mismatch" in done.stderr
        raise StoreUnavailable(
            f"{command[0]} failed (exit code {done.returncode}).",
            cure="It is older than the server: install the client of the server's version."
            if old
            else "Run it by hand to see why; what it says may hold records.",
        )


def _cannot_copy(error: sqlite3.Error) -> StoreUnavailable:
    return StoreUnavailable(
        f"The file cannot be copied ({type(error).__name__}).",
        cure="Choose a folder with room that you may write to.",
    )
