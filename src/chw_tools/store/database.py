"""Opening a store: engine, durability, schema version."""

from __future__ import annotations

import os
import secrets
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.pool import StaticPool

from chw_tools.errors import StoreUnavailable
from chw_tools.store.append_only import put_up
from chw_tools.store.imports import now
from chw_tools.store.store import WRITER_LOCK, Store
from chw_tools.store.tables import METADATA, STORE_INFO
from chw_tools.store.turns import CAN_TAKE_TURNS, take_turns

if TYPE_CHECKING:
    from collections.abc import Callable

    from alembic.config import Config

#: Newest schema version that this code knows; its migration must exist.
REVISION = "0005"

#: 3.7.0 to 3.51.2 can corrupt a WAL that is reset while another process checkpoints.
#: Source: https://sqlite.org/wal.html, "The WAL-reset bug".
_SOUND_SQLITE = (3, 51, 3)

_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    # NORMAL loses acknowledged commits at a power cut in WAL mode; visits must outlive it.
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA busy_timeout = 10000",
    # Nothing of anybody in temporary files, which would outlive the act.
    "PRAGMA temp_store = MEMORY",
    "PRAGMA cache_size = -32000",
)


#: Seconds until a PostgreSQL that does not answer counts as down.
_PATIENCE = 10


def open_store(url: str) -> Store:
    """Open a store, making it or bringing its schema up to date where needed.

    Parameters
    ----------
    url : str
        ``sqlite:///folder/store.sqlite``, ``sqlite://`` for one in memory, or
        ``postgresql+psycopg://user@host/database``.

    Raises
    ------
    StoreUnavailable
        If it cannot be opened, or was written by a newer version. The message never holds
        the URL's password.
    """
    return _open(url, _bring_up_to_date)


def open_store_as_it_is(url: str) -> Store:
    """Open a store whose schema is up to date, and never change its schema.

    For a server that may not make tables: whoever may runs ``chw migrate`` first.

    Raises
    ------
    StoreUnavailable
        If it cannot be opened, holds nothing yet, or is of another version.
    """
    return _open(url, _check_up_to_date)


def _open(url: str, prepare: Callable[..., None]) -> Store:
    parsed = _parse(url)
    if parsed.get_backend_name() == "sqlite":
        engine = _sqlite_engine(parsed)
        notes = _sqlite_notes()
    else:
        engine = _postgres_engine(parsed)
        notes = ()
    try:
        prepare(engine, where=_shown(parsed))
    except sa.exc.DBAPIError as error:
        engine.dispose()
        raise StoreUnavailable(
            f"The database cannot be opened ({type(error.orig).__name__}).",
            where=_shown(parsed),
            cure="Check that the path or server exists, that you may write there, and that no "
            "other writer is busy.",
        ) from None
    except StoreUnavailable:
        engine.dispose()
        raise
    return Store(engine, notes=notes)


def _parse(url: str) -> sa.URL:
    try:
        parsed = sa.make_url(url)
        backend = parsed.get_backend_name()
    except (sa.exc.ArgumentError, ValueError):  # the latter of a port that is no number
        raise StoreUnavailable(
            "The database URL cannot be read.",
            cure="Write sqlite:///path or postgresql+psycopg://user@host/database.",
        ) from None
    if backend not in ("sqlite", "postgresql"):
        raise StoreUnavailable("Only SQLite and PostgreSQL are supported.", where=_shown(parsed))
    return parsed


def _shown(url: sa.URL) -> str:
    """The URL without user, password and options."""
    host = f"{url.host or ''}{f':{url.port}' if url.port else ''}"
    return f"{url.drivername}://{host}/{url.database or ''}"


def _sqlite_notes() -> tuple[str, ...]:
    if _is_sound() or CAN_TAKE_TURNS:
        return ()
    return (
        f"SQLite {sqlite3.sqlite_version} is older than 3.51.3, which mended a rare corruption "
        "of write-ahead logs used by several processes, and this system has no locks by which "
        "they could take turns: let one process write, keep backups, or use a newer SQLite.",
    )


def _is_sound() -> bool:
    return sqlite3.sqlite_version_info >= _SOUND_SQLITE


def _sqlite_engine(url: sa.URL) -> sa.Engine:
    options: dict[str, Any] = {"hide_parameters": True}
    if url.database in (None, "", ":memory:"):
        options |= {"poolclass": StaticPool, "connect_args": {"check_same_thread": False}}
    else:
        _make_private(Path(str(url.database)), where=_shown(url))
    engine = sa.create_engine(url, **options)
    sa.event.listen(engine, "connect", _set_up_sqlite)
    if "poolclass" not in options and CAN_TAKE_TURNS and not _is_sound():
        take_turns(engine, Path(str(url.database)))
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _make_private(path: Path, *, where: str) -> None:
    """Make the file so that only its owner can read it; SQLite's side files follow suit."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)
    except OSError as error:
        raise StoreUnavailable(
            f"The file cannot be made or written ({error.strerror}).",
            where=where,
            cure="Choose a folder that you may write to (CHW_DATABASE_URL).",
        ) from None


def _set_up_sqlite(driver: sqlite3.Connection, _record: object) -> None:
    # The driver's own notion of transactions would commit before a savepoint; ours is below.
    driver.isolation_level = None
    for pragma in _PRAGMAS:
        driver.execute(pragma)


def _begin_sqlite(connection: sa.Connection) -> None:
    # A writer asks for the lock at once: one that began as a reader could be refused later.
    writes = connection.get_execution_options().get("chw_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _postgres_engine(url: sa.URL) -> sa.Engine:
    try:
        return sa.create_engine(
            url,
            hide_parameters=True,
            pool_pre_ping=True,
            connect_args={"connect_timeout": _PATIENCE},
        )
    except ModuleNotFoundError:
        raise StoreUnavailable(
            "The PostgreSQL driver is not installed.",
            where=_shown(url),
            cure="Install chw-tools[postgres] and use postgresql+psycopg://.",
        ) from None


def _bring_up_to_date(engine: sa.Engine, *, where: str) -> None:
    found = _revision(engine)
    if found is None and engine.dialect.name == "sqlite":
        found = _make(engine)
    if found is None:
        _check_no_tables(engine, where=where)
    if found != REVISION:
        _upgrade(engine, where=where)
    # Asked by a reader first: a list can be looked at while a long import holds the writer's lock.
    with engine.connect() as connection, connection.begin():
        if connection.execute(sa.select(STORE_INFO.c.id)).scalar() is not None:
            return
    with engine.connect().execution_options(chw_writes=True) as connection, connection.begin():
        if connection.execute(sa.select(STORE_INFO.c.id)).scalar() is None:
            connection.execute(
                STORE_INFO.insert(),
                {"id": 1, "epoch": secrets.token_hex(16), "created_at": now(), "last_seq": 0},
            )


def _check_up_to_date(engine: sa.Engine, *, where: str) -> None:
    found = _revision(engine)
    if found != REVISION:
        raise StoreUnavailable(
            f"The store is of version {found or 'none'}; this code works with {REVISION}.",
            where=where,
            cure="Run chw migrate (CHW_MIGRATIONS is off here).",
        )


def _check_no_tables(engine: sa.Engine, *, where: str) -> None:
    """Refuse what is neither empty nor says its version: migrating it could only do harm."""
    with engine.connect() as connection:
        ours = set(sa.inspect(connection).get_table_names()) & set(METADATA.tables)
    if ours:
        raise StoreUnavailable(
            f"{len(ours)} tables of a store are there, and nothing says of which version: "
            "a migration or a restore ended half way. Nothing was changed.",
            where=where,
            cure="Restore the last backup into an empty database (chw restore).",
        )


def _revision(engine: sa.Engine) -> str | None:
    # Asked without Alembic, whose import a store that is up to date need not pay for.
    with engine.connect() as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return None
        found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
        return None if found is None else str(found)


def _make(engine: sa.Engine) -> str | None:
    """Make a new store as declared, which is what the migrations come to; its revision.

    A test holds the two equal. Running them instead would cost a tenth of a short import.
    """
    with engine.connect().execution_options(chw_writes=True) as connection, connection.begin():
        if sa.inspect(connection).get_table_names():
            return None
        METADATA.create_all(connection)
        put_up(connection)
        connection.exec_driver_sql(
            "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, "
            "CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
        )
        stamp = sa.text("INSERT INTO alembic_version VALUES (:revision)")
        connection.execute(stamp, {"revision": REVISION})
    return REVISION


def _upgrade(engine: sa.Engine, *, where: str) -> None:
    from alembic import command
    from alembic.util import CommandError

    with engine.connect().execution_options(chw_writes=True) as connection, connection.begin():
        if connection.dialect.name == "postgresql":
            # Of several servers that start at once, one migrates and the others find it done.
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(WRITER_LOCK)))
        try:
            command.upgrade(migration_config(connection), "head")
        except sa.exc.DBAPIError as error:
            raise StoreUnavailable(
                f"A migration was refused ({type(error.orig).__name__}) and undone; "
                "nothing was changed.",
                where=where,
                cure="See that the disk has room and the user may change tables; then run "
                "chw migrate, or restore the last backup.",
            ) from None
        except CommandError:
            raise StoreUnavailable(
                "The store was written by another version of chw-tools.",
                where=where,
                cure="Update chw-tools, or open another store.",
            ) from None


def migration_config(connection: sa.Connection) -> Config:
    """Alembic's configuration for one open connection."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config
