"""What a server says where its installation is faulty: one line with the cure, and no start.

Nothing is lost by a start that fails, and a database that goes away makes the server unready.
"""

from __future__ import annotations

import json
import socket
import sqlite3
import sys
import urllib.error
import urllib.request
from contextlib import closing
from subprocess import PIPE, Popen, run
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
import sqlalchemy as sa

from chw_tools.cli.main import main
from chw_tools.errors import StoreUnavailable
from chw_tools.store import open_store, open_store_as_it_is
from chw_tools.store.database import REVISION

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SERVE = [sys.executable, "-c", "from chw_tools.cli.main import run; run()", "serve"]


def _opened(server: Popen[str]) -> str:
    """The address that a server says it can be opened under."""
    assert server.stdout is not None
    for line in server.stdout:
        if line.startswith("Open "):
            return line.split()[1]
    raise AssertionError("the server ended")


def _refusal(capsys: pytest.CaptureFixture[str], environ: dict[str, str]) -> str:
    """The one line with which a start is refused."""
    assert main(["serve", "--port", "0"], environ) == 1
    captured = capsys.readouterr()
    lines = captured.err.strip().splitlines()
    assert len(lines) == 1, lines
    assert "Traceback" not in captured.err
    return lines[0]


def _environ(home: Path, **more: str) -> dict[str, str]:
    return {"CHW_HOME": str(home), "CHW_MODELS": str(home / "models"), **more}


def test_a_home_that_cannot_be_made(tmp_path, capsys):
    (tmp_path / "file").touch()
    said = _refusal(capsys, _environ(tmp_path / "file" / "home"))
    assert "CHW_HOME=" in said
    assert "Choose a folder that you may write to" in said


def test_a_folder_in_the_place_of_the_store(tmp_path, capsys):
    (tmp_path / "chw.db").mkdir()
    said = _refusal(capsys, _environ(tmp_path))
    assert "cannot be made or written" in said
    assert "CHW_DATABASE_URL" in said


@pytest.mark.parametrize(
    ("setting", "value", "named"),
    [
        ("CHW_DATABASE_URL", "mysql://db/chw", "Only SQLite and PostgreSQL"),
        ("CHW_DATABASE_URL", "nonsense", "cannot be read"),
        ("CHW_DATABASE_URL_FILE", "/nowhere/url", "CHW_DATABASE_URL_FILE=/nowhere/url"),
        ("CHW_PORT", "eighty", "CHW_PORT"),
        ("CHW_PROGRAMME", "/nowhere/at/all", "/nowhere/at/all"),
        ("CHW_TRUSTED_KEYS", "/nowhere/keys.txt", "CHW_TRUSTED_KEYS"),
        ("CHW_MIGRATIONS", "perhaps", "CHW_MIGRATIONS"),
        ("CHW_PUBLIC_HOSTS", "chw.example.org", "CHW_PROXY_SECRET_FILE"),
        ("CHW_PROXY_SECRET_FILE", "/nowhere/secret", "CHW_PUBLIC_HOSTS"),
        ("CHW_HOST", "0.0.0.0", "CHW_HOST"),  # noqa: S104
    ],
)
def test_a_setting_that_is_missing_or_unusable(tmp_path, capsys, setting, value, named):
    assert named in _refusal(capsys, _environ(tmp_path, **{setting: value}))


def test_a_port_that_is_taken(tmp_path, capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["serve", "--port", str(port)], _environ(tmp_path)) == 1
    said = capsys.readouterr().err.strip()
    assert str(port) in said
    assert "another port" in said
    assert len(said.splitlines()) == 1


def test_a_database_that_is_down(tmp_path, capsys):
    with socket.socket() as nobody:  # bound and not listening: refused at once
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        url = f"postgresql+psycopg://chw:hidden-word@127.0.0.1:{port}/chw"
        said = _refusal(capsys, _environ(tmp_path, CHW_DATABASE_URL=url))
    assert "cannot be opened" in said
    assert f"127.0.0.1:{port}" in said
    assert "hidden-word" not in said


def test_a_file_that_is_no_store(tmp_path, capsys):
    (tmp_path / "chw.db").write_bytes(b"a letter, not a database" * 100)
    assert "cannot be opened" in _refusal(capsys, _environ(tmp_path))
    assert (tmp_path / "chw.db").read_bytes().startswith(b"a letter")


def _saved(url: str, rows: Any) -> pd.DataFrame:
    with open_store(url) as store:
        store.save("people", rows("people", ada={}))
        return store.load_register().people


def test_tables_without_a_version_are_left_alone(any_url, rows):
    _saved(any_url, rows)
    engine = sa.create_engine(any_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM alembic_version")
    with pytest.raises(StoreUnavailable, match=r"ended half way.*chw restore"):
        open_store(any_url)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM people").scalar() == 1
    engine.dispose()


def _tables(engine: sa.Engine) -> set[str]:
    with engine.connect() as connection:
        return set(sa.inspect(connection).get_table_names())


def _stamp(engine: sa.Engine, revision: str) -> None:
    with engine.begin() as connection:
        stamp = sa.text("UPDATE alembic_version SET version_num = :revision")
        connection.execute(stamp, {"revision": revision})


def test_a_migration_that_is_refused_is_undone_and_loses_nothing(any_url, rows):
    before = _saved(any_url, rows)
    engine = sa.create_engine(any_url)
    _stamp(engine, "0001")  # as if the next one had been carried out and its stamp were lost
    tables = _tables(engine)
    with pytest.raises(StoreUnavailable, match=r"undone; nothing was changed.*chw migrate"):
        open_store(any_url)
    assert _tables(engine) == tables
    _stamp(engine, REVISION)
    engine.dispose()
    with open_store(any_url) as store:
        pd.testing.assert_frame_equal(store.load_register().people, before)


_MIGRATE_AND_STALL = """
import sys, time
import sqlalchemy as sa
from alembic import command
from chw_tools.store.database import migration_config, _sqlite_engine
engine = _sqlite_engine(sa.make_url(sys.argv[1]))
with engine.connect().execution_options(chw_writes=True) as connection, connection.begin():
    command.downgrade(migration_config(connection), "base")
    print("half", flush=True)
    time.sleep(60)
"""


def test_a_migration_that_is_killed_half_way_never_happened(sqlite_url, rows):
    before = _saved(sqlite_url, rows)
    command = [sys.executable, "-c", _MIGRATE_AND_STALL, sqlite_url]
    with Popen(command, stdout=PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "half\n"
        process.kill()
    with open_store(sqlite_url) as store:
        pd.testing.assert_frame_equal(store.load_register().people, before)


def test_a_server_that_may_not_migrate_says_who_must(tmp_path, capsys):
    environ = _environ(tmp_path, CHW_MIGRATIONS="off")
    assert "chw migrate" in _refusal(capsys, environ)
    assert main(["migrate"], environ) == 0
    with open_store_as_it_is(f"sqlite:///{tmp_path / 'chw.db'}") as store:
        assert store.population is None
    with closing(sqlite3.connect(tmp_path / "chw.db")) as file, file:
        file.execute("UPDATE alembic_version SET version_num = '0001'")
    capsys.readouterr()
    assert "version 0001" in _refusal(capsys, environ)


@pytest.fixture
def proxied(tmp_path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """A server that others can reach through a proxy, and what the proxy adds."""
    import os

    (tmp_path / "secret").write_text("0123456789abcdef" * 4, encoding="ascii")
    environ = {
        **os.environ,
        **_environ(tmp_path),
        "CHW_HOST": "0.0.0.0",  # noqa: S104
        "CHW_PUBLIC_HOSTS": "chw.example.org",
        "CHW_PROXY_SECRET_FILE": str(tmp_path / "secret"),
    }
    with Popen([*SERVE, "--port", "0"], env=environ, stdout=PIPE, text=True) as process:
        port = _opened(process).rsplit(":", 1)[1].strip("/")
        headers = {
            "Host": "chw.example.org",
            "X-Forwarded-Proto": "https",
            "X-Chw-Proxy-Secret": "0123456789abcdef" * 4,
        }
        yield f"http://127.0.0.1:{port}", headers
        process.terminate()
        process.wait(timeout=30)


def _status(address: str, headers: dict[str, str]) -> int:
    asked = urllib.request.Request(address, headers=headers)  # noqa: S310
    try:
        with urllib.request.urlopen(asked, timeout=20) as answer:  # noqa: S310
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code


def test_a_running_server_answers_its_proxy_and_nobody_else(proxied):
    address, headers = proxied
    assert _status(f"{address}/api/v1/openapi.json", headers) == 200
    assert _status(f"{address}/api/v1/openapi.json", {}) == 403
    assert _status(f"{address}/readyz", {}) == 200


@pytest.mark.postgres
def test_a_database_that_goes_away_makes_the_server_unready_until_it_is_back(
    tmp_path, postgres_url, postgres_server
):
    import os

    environ = {**os.environ, **_environ(tmp_path, CHW_DATABASE_URL=postgres_url)}
    with Popen([*SERVE, "--port", "0"], env=environ, stdout=PIPE, stderr=PIPE, text=True) as server:
        address = _opened(server).rstrip("/")
        assert _status(f"{address}/readyz", {}) == 200
        name = sa.make_url(postgres_url).database
        admin = "postgres" if name != "postgres" else "template1"
        aside = f'ALTER DATABASE "{name}" RENAME TO aside'
        back = f'ALTER DATABASE aside RENAME TO "{name}"'
        url = sa.make_url(postgres_url).set(database=admin)
        engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
            connection.exec_driver_sql(end, (name,))
            connection.exec_driver_sql(aside)
            try:
                assert _status(f"{address}/readyz", {}) == 503
                assert _status(f"{address}/healthz", {}) == 200
                with urllib.request.urlopen(f"{address}/metrics", timeout=20) as answer:  # noqa: S310
                    assert "chw_up 0.0" in answer.read().decode()
            finally:
                connection.exec_driver_sql(back)
        engine.dispose()
        assert _status(f"{address}/readyz", {}) == 200
        server.terminate()
        _, said = server.communicate(timeout=30)
    assert "Traceback" not in said


def test_the_entry_that_the_brief_names_is_the_same_server(tmp_path):
    import os
    from pathlib import Path

    script = Path(__file__).parents[2] / "deployment/api/app.py"
    environ = {**os.environ, **_environ(tmp_path, CHW_PORT="eighty")}
    done = run([sys.executable, script], env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("CHW_PORT:")
    assert json.dumps(done.stderr).count("\\n") == 1
