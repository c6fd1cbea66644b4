"""The wall that keeps estimates as they were made: the database refuses to change or drop a row.

Code that forgets itself, or a person with a database client, meets the same refusal. (Who owns
the database can still take the trigger away; :func:`chw_tools.store.risks.load_kept_risks`
tells a row that is not as it was written.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chw_tools.store.tables import APPEND_ONLY

if TYPE_CHECKING:
    import sqlalchemy as sa

REFUSAL = "estimates are added, never changed or removed"

_SQLITE = tuple(
    f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table} "
    f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
    for table in APPEND_ONLY
    for act in ("UPDATE", "DELETE")
)
_POSTGRESQL = (
    "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
    f"$$ BEGIN RAISE EXCEPTION '{REFUSAL}'; END $$",
    *(
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        for table in APPEND_ONLY
    ),
)


def statements(dialect: str) -> tuple[str, ...]:
    """What makes the wall in a database of this kind."""
    return _SQLITE if dialect == "sqlite" else _POSTGRESQL


def put_up(connection: sa.Connection) -> None:
    """Make the wall on a new store."""
    for statement in statements(connection.dialect.name):
        connection.exec_driver_sql(statement)
