"""Processes that write one SQLite file take turns, where its SQLite is not yet mended.

SQLite 3.7.0 to 3.51.2 can corrupt a database in write-ahead mode where one process finishes a
checkpoint while another commits and begins the log anew. A checkpoint runs inside a commit, so
if every writer holds one lock from the beginning of its transaction to the end of its commit,
the two never meet. The lock is of a file beside the database and falls with its process, also
when that is killed. Readers never wait.

Source: https://sqlite.org/wal.html, "The WAL-reset bug".
"""

from __future__ import annotations

import os
import sqlite3
import time
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from pathlib import Path

#: Whether this system has locks that fall with their process.
CAN_TAKE_TURNS = fcntl is not None
_HELD = "chw_turn"
#: Seconds between two tries, from the first to the longest.
_TRIES = (0.0005, 0.02)


def take_turns(engine: sa.Engine, database: Path) -> None:
    """Let the writers of an engine hold the database's lock for the length of a transaction."""
    lock = database.with_name(f"{database.name}-turn")

    def end(_driver: sqlite3.Connection, record: Any, *_: object) -> None:
        held = record.info.pop(_HELD, None)
        if held is not None:
            os.close(held)

    def begin(connection: sa.Connection) -> None:
        if connection.get_execution_options().get("chw_writes") and _HELD not in connection.info:
            wait = connection.exec_driver_sql("PRAGMA busy_timeout").scalar_one() / 1000
            connection.info[_HELD] = _wait_for(lock, wait)

    # Before SQLite's own BEGIN, which is the next listener; after the commit, when the
    # connection goes back to the pool.
    sa.event.listen(engine, "begin", begin)
    sa.event.listen(engine, "checkin", end)
    sa.event.listen(engine, "close", end)


def _wait_for(lock: Path, seconds: float) -> int:
    """A handle on the lock of a file, once it is free.

    Raises
    ------
    OperationalError
        If it is not free in time, as where SQLite itself waits.
    """
    handle = os.open(lock, os.O_CREAT | os.O_RDWR, 0o600)
    until, pause = time.monotonic() + seconds, _TRIES[0]
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                os.close(handle)
                busy = sqlite3.OperationalError("database is locked")
                raise sa.exc.OperationalError("BEGIN IMMEDIATE", None, busy) from None
            time.sleep(pause)
            pause = min(2 * pause, _TRIES[1])
        else:
            return handle
