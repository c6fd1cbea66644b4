"""Alembic's entrance: runs migrations on the connection that the store has opened."""

from __future__ import annotations

from alembic import context

from chw_tools.store.tables import METADATA

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=METADATA,
    # SQLite changes a table by making it anew.
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
