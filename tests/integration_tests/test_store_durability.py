"""A store that is killed while it saves holds all or nothing."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
import sqlalchemy as sa

from chw_tools.errors import StoreUnavailable
from chw_tools.store import open_store

if TYPE_CHECKING:
    from pathlib import Path

_SAVE_AND_STALL = """
import pickle, sys, time
from chw_tools.store import open_store
url, saved, stalled = sys.argv[1], pickle.load(open(sys.argv[2], "rb")), sys.argv[3]
store = open_store(url)
store.save("people", saved["committed"])
with store.transaction():
    store.save("people", saved["half"])
    store.save("visits", saved["visits"])
    if stalled == "before":
        print("stalled", flush=True)
        time.sleep(60)
print("stalled", flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize(("killed", "people", "visits"), [("before", 1, 0), ("after", 301, 1)])
def test_killed_while_saving(
    any_url: str, rows: Any, tmp_path: Path, killed: str, people: int, visits: int
) -> None:
    half = rows("people", **{f"p{n}": {} for n in range(300)})
    frames = tmp_path / "frames.pickle"
    pd.to_pickle(
        {
            "committed": rows("people", ada={}),
            "half": half,
            "visits": rows("visits", v={}),
        },
        frames,
    )
    child = subprocess.Popen(
        [sys.executable, "-c", _SAVE_AND_STALL, any_url, str(frames), killed],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "stalled\n"
    child.send_signal(signal.SIGKILL)
    child.communicate()
    with open_store(any_url) as store:
        register = store.load_register()
        assert (len(register.people), len(register.visits)) == (people, visits)
        # What was cut off goes in as if for the first time.
        assert store.save("people", half).new == 301 - people


def test_commits_reach_the_disk(sqlite_url: str) -> None:
    with open_store(sqlite_url) as store, store._engine.connect() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "temp_store")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "temp_store": 2}


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("postgresql+psycopg://amina:s3cret@127.0.0.1:1/chw", "127.0.0.1:1/chw"),
        ("postgresql://amina:s3cret@127.0.0.1:1/chw?password=s3cret", "127.0.0.1"),
        ("mysql://amina:s3cret@db/chw", "SQLite and PostgreSQL"),
        ("nothing like a url s3cret", "cannot be read"),
        ("postgresql+psycopg://u:s3cret@localhost:port/db", "cannot be read"),
        ("sqlite:////proc/nowhere/s.sqlite", "cannot be made"),
    ],
)
def test_an_unusable_url_is_said_without_its_password(url: str, says: str) -> None:
    with pytest.raises(StoreUnavailable, match=says) as error:
        open_store(url)
    assert "s3cret" not in str(error.value)
    assert error.value.__cause__ is None


def test_a_file_that_is_no_store(tmp_path: Path) -> None:
    letter = tmp_path / "letter.sqlite"
    letter.write_text("Dear store, " * 100)
    with pytest.raises(StoreUnavailable, match="cannot be opened"):
        open_store(f"sqlite:///{letter}")
    assert letter.read_text().startswith("Dear")


def test_a_table_that_vanished_is_said_in_our_words(any_url: str) -> None:
    with open_store(any_url) as store:
        engine = sa.create_engine(any_url)
        with engine.begin() as connection:
            connection.exec_driver_sql("DROP TABLE unmodelled")
        engine.dispose()
        with pytest.raises(StoreUnavailable):
            store.counts()


def test_a_second_writer_is_told_to_wait(sqlite_url: str, rows: Any) -> None:
    with open_store(sqlite_url) as first, open_store(sqlite_url) as second:
        sa.event.listen(
            second._engine, "connect", lambda c, _: c.execute("PRAGMA busy_timeout = 50")
        )
        second._engine.dispose()
        with (
            first.transaction(),
            pytest.raises(StoreUnavailable, match="another writer"),
        ):
            second.save("people", rows("people", ada={}))


def test_a_store_opens_and_is_read_while_another_writes(tmp_path):
    url = f"sqlite:///{tmp_path / 'kept.db'}"
    with open_store(url) as writer:
        writer.set_population("simulated")
        with writer.transaction():
            writer.register_source("s", "simulated")
            with open_store(url) as reader:
                assert reader.population == "simulated"
