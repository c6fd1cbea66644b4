"""The store's tables: generated from the declarations, plus a few of the store's own.

Each table of the register gains ``row_digest`` (what a repeated import compares), and each
table of events ``server_seq`` (its place in the order of commits, the cursor of a later
sync). Nothing of this leaves ``store/``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from chw_tools.records import DERIVED_TABLES, TABLES, WORK_TABLES
from chw_tools.records.contacting import INDEXED, UNIQUE

if TYPE_CHECKING:
    from sqlalchemy.types import TypeEngine

    from chw_tools.records import Column, Table

#: Columns that the store adds to declared ones; never shown outside.
OWN_COLUMNS = ("row_digest", "server_seq", "run_id")

METADATA = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_JSON: TypeEngine[Any] = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
_DAY: TypeEngine[Any] = sa.Date().with_variant(sa.String(10), "sqlite")
_INSTANT: TypeEngine[Any] = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")
_UUID: TypeEngine[Any] = sa.String(36).with_variant(postgresql.UUID(as_uuid=False), "postgresql")

_TYPES: dict[str, TypeEngine[Any]] = {
    "id": _UUID,
    "text": sa.Text(),
    "choice": sa.Text(),
    "number": sa.Double(),
    "integer": sa.BigInteger(),
    "flag": sa.Boolean(),
    "day": _DAY,
    "instant": _INSTANT,
    "json": _JSON,
}

#: Estimates are added and never changed or removed; the database itself refuses (append_only.py).
APPEND_ONLY = ("risks", "shadow_risks")

#: References of events and derived rows that are followed backwards often enough to index.
_INDEXED = ("person_id", "household_id", "worker_id", "into_person_id")


def _declared(column: Column, *, in_register: bool) -> sa.Column[Any]:
    """One declared column in both databases' types."""
    if not in_register and column.refers_to == "workers":
        # A plan may name a worker who is only assumed, and so has no key in the register.
        return sa.Column(column.name, sa.Text(), nullable=not column.required)
    key: list[sa.ForeignKey] = []
    if in_register and column.refers_to:
        # Deferred: within one import a child may come before its parent.
        key = [sa.ForeignKey(f"{column.refers_to}.id", deferrable=True, initially="DEFERRED")]
    return sa.Column(
        column.name,
        _TYPES[column.kind],
        *key,
        primary_key=in_register and column.name == "id",
        nullable=not column.required,
    )


def _indexes(table: Table) -> list[sa.Index]:
    return [sa.Index(None, name) for name in table.column_names if name in _INDEXED]


def _register_table(table: Table) -> sa.Table:
    own: list[sa.Column[Any]] = [sa.Column("row_digest", sa.String(32), nullable=False)]
    if table.is_event:
        own.append(sa.Column("server_seq", sa.BigInteger(), nullable=False))
    made = sa.Table(
        table.name,
        METADATA,
        *(_declared(column, in_register=True) for column in table.columns),
        *own,
        *_indexes(table),
    )
    if table.is_event:
        sa.Index(f"ix_{table.name}_server_seq", made.c.server_seq, unique=True)
        corrects = made.c.supersedes_id.is_not(None)
        # Corrections are rare, so their index is all but empty.
        sa.Index(
            f"ix_{table.name}_supersedes_id",
            made.c.supersedes_id,
            sqlite_where=corrects,
            postgresql_where=corrects,
        )
    return made


def _derived_table(name: str, *own: sa.Column[Any], indexes: tuple[sa.Index, ...]) -> sa.Table:
    declared = (_declared(c, in_register=False) for c in DERIVED_TABLES[name].columns)
    return sa.Table(name, METADATA, *own, *declared, *indexes)


def _of_run(runs: str = "plan_runs") -> sa.Column[Any]:
    return sa.Column("run_id", _UUID, sa.ForeignKey(f"{runs}.id"), nullable=False)


def _row() -> sa.Column[Any]:
    return sa.Column("server_seq", sa.BigInteger(), primary_key=True, autoincrement=False)


def _digest_key() -> sa.Column[Any]:
    return sa.Column("row_digest", sa.String(32), primary_key=True)


#: The register, by name.
REGISTER: dict[str, sa.Table] = {name: _register_table(table) for name, table in TABLES.items()}

STORE_INFO = sa.Table(
    "store_info",
    METADATA,
    sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
    sa.Column("population", sa.Text()),
    sa.Column("epoch", sa.String(32), nullable=False),
    sa.Column("created_at", _INSTANT, nullable=False),
    sa.Column("last_seq", sa.BigInteger(), nullable=False),
)
SOURCES = sa.Table(
    "sources",
    METADATA,
    sa.Column("name", sa.Text(), primary_key=True),
    sa.Column("first_seen_ms", sa.BigInteger(), nullable=False),
)
IMPORT_RUNS = sa.Table(
    "import_runs",
    METADATA,
    sa.Column("id", _UUID, primary_key=True),
    sa.Column("source", sa.Text()),
    sa.Column("made_at", _INSTANT, nullable=False),
    sa.Column("summary", _JSON),
)
UNMODELLED = sa.Table(
    "unmodelled",
    METADATA,
    _digest_key(),
    sa.Column("source", sa.Text(), nullable=False),
    sa.Column("file", sa.Text(), nullable=False),
    sa.Column("type", sa.Text(), nullable=False),
    sa.Column("body", _JSON),
)
REJECTED = _derived_table(
    "rejected", _digest_key(), sa.Column("run_id", _UUID), indexes=(sa.Index(None, "run_id"),)
)
RISKS, SHADOW_RISKS = (
    _derived_table(
        name,
        _row(),
        sa.Column("row_digest", sa.String(32), nullable=False),
        indexes=(sa.Index(None, "person_id", "outcome", "as_of"),),
    )
    for name in APPEND_ONLY
)
PLAN_RUNS = sa.Table(
    "plan_runs",
    METADATA,
    sa.Column("id", _UUID, primary_key=True),
    sa.Column("as_of", _DAY, nullable=False),
    sa.Column("visit_on", _DAY, nullable=False),
    sa.Column("made_at", _INSTANT, nullable=False),
    sa.Column("worker_ids", _JSON),
    sa.Column("summary", _JSON),
    sa.Column("server_seq", sa.BigInteger(), nullable=False, unique=True),
    sa.Index(None, "visit_on"),
)
RECOMMENDATIONS, PLANNED_VISITS, UNVISITED = (
    _derived_table(name, _row(), _of_run(), indexes=(sa.Index(None, "run_id", "person_id"),))
    for name in ("recommendations", "planned_visits", "unvisited")
)

#: One row for each plan of more than a day that is kept: a week, caseloads, posts, supplies.
PLANNING_RUNS = sa.Table(
    "planning_runs",
    METADATA,
    sa.Column("id", _UUID, primary_key=True),
    sa.Column("kind", sa.Text(), nullable=False),
    sa.Column("as_of", _DAY, nullable=False),
    sa.Column("from_on", _DAY),
    sa.Column("made_at", _INSTANT, nullable=False),
    sa.Column("summary", _JSON),
    sa.Column("server_seq", sa.BigInteger(), nullable=False, unique=True),
    sa.Index(None, "kind"),
)
#: The tables of such plans.
LONGER_PLANS = ("week_visits", "week_waiting", "caseloads", "posted", "supply_orders")

#: What the stages produced, by name.
DERIVED: dict[str, sa.Table] = {
    "rejected": REJECTED,
    "risks": RISKS,
    "shadow_risks": SHADOW_RISKS,
    "recommendations": RECOMMENDATIONS,
    "planned_visits": PLANNED_VISITS,
    "unvisited": UNVISITED,
    **{
        name: _derived_table(
            name, _row(), _of_run("planning_runs"), indexes=(sa.Index(None, "run_id"),)
        )
        for name in LONGER_PLANS
    },
}


def _work_table(table: Table) -> sa.Table:
    """A table of follow-up and outreach: its rows change, but for the diaries."""
    columns = (_declared(column, in_register=False) for column in table.columns)
    made = sa.Table(table.name, METADATA, *columns, sa.PrimaryKeyConstraint(table.key))
    for names in UNIQUE.get(table.name, ()):
        made.append_constraint(sa.UniqueConstraint(*(made.c[name] for name in names)))
    for names in INDEXED.get(table.name, ()):
        sa.Index(f"ix_{table.name}_{'_'.join(names)}", *(made.c[name] for name in names))
    return made


#: What is owed to whom and said to whom, by name.
WORK: dict[str, sa.Table] = {name: _work_table(table) for name, table in WORK_TABLES.items()}
