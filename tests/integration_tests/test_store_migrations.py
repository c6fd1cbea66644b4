"""What migrations make is what the declarations say, up, down and up again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from chw_tools.errors import StoreUnavailable
from chw_tools.store import open_store
from chw_tools.store.database import REVISION, migration_config
from chw_tools.store.tables import METADATA

if TYPE_CHECKING:
    from pathlib import Path


def _difference(connection: sa.Connection) -> list[Any]:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, METADATA))


def test_migrations_make_what_is_declared(any_url: str) -> None:
    open_store(any_url).close()
    engine = sa.create_engine(any_url)
    with engine.connect() as connection:
        assert _difference(connection) == []
    engine.dispose()


def test_a_new_store_is_what_the_migrations_come_to(tmp_path: Path) -> None:
    made, migrated = (f"sqlite:///{tmp_path / name}.db" for name in ("made", "migrated"))
    open_store(made).close()
    engine = sa.create_engine(migrated)
    with engine.connect() as connection, connection.begin():
        command.upgrade(migration_config(connection), "head")
    engine.dispose()
    assert _schema(made) == _schema(migrated)


def _schema(url: str) -> set[tuple[str, ...]]:
    """Each statement of the schema; columns and constraints of a table in any order."""
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        found = connection.exec_driver_sql("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")
        said = [re.sub(r"\s+|(?<=\() | (?=\))", " ", sql) for (sql,) in found]
    engine.dispose()
    # Commas between columns, not those within the brackets of a key.
    parts = (
        re.split(r",(?![^()]*\))", sql.removesuffix(")").replace("(", "(,", 1)) for sql in said
    )
    return {tuple(sorted(" ".join(re.split(r"[\s()]+", p)).strip() for p in ps)) for ps in parts}


def test_up_down_up(any_url: str) -> None:
    engine = sa.create_engine(any_url)
    with engine.connect() as connection, connection.begin():
        config = migration_config(connection)
        command.upgrade(config, "head")
        command.downgrade(config, "base")
        assert set(sa.inspect(connection).get_table_names()) == {"alembic_version"}
        command.upgrade(config, "head")
        assert _difference(connection) == []
    engine.dispose()


def test_the_newest_migration_is_the_one_the_code_expects(sqlite_url: str) -> None:
    from alembic.script import ScriptDirectory

    engine = sa.create_engine(sqlite_url)
    with engine.connect() as connection:
        heads = ScriptDirectory.from_config(migration_config(connection)).get_heads()
    engine.dispose()
    assert heads == [REVISION]


def test_a_store_of_a_newer_version_is_left_alone(any_url: str) -> None:
    open_store(any_url).close()
    engine = sa.create_engine(any_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreUnavailable, match="another version"):
        open_store(any_url)
    with engine.connect() as connection:
        found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    engine.dispose()
    assert found == "9999"
