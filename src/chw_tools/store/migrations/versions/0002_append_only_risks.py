"""Risks of a model on trial, and a wall round every estimate: added, never changed."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ID = sa.String(length=36).with_variant(postgresql.UUID(as_uuid=False), "postgresql")
DAY = sa.Date().with_variant(sa.String(length=10), "sqlite")
BODY = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
TABLES = ("risks", "shadow_risks")
REFUSAL = "estimates are added, never changed or removed"


def upgrade() -> None:
    op.create_table('shadow_risks',
    sa.Column('server_seq', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('row_digest', sa.String(length=32), nullable=False),
    sa.Column('person_id', ID, nullable=False),
    sa.Column('outcome', sa.Text(), nullable=False),
    sa.Column('as_of', DAY, nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('risk', sa.Double(), nullable=True),
    sa.Column('band', sa.Text(), nullable=True),
    sa.Column('reasons', BODY, nullable=True),
    sa.Column('note', sa.Text(), nullable=True),
    sa.Column('model', sa.Text(), nullable=False),
    sa.Column('model_digest', sa.Text(), nullable=False),
    sa.Column('inputs_digest', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('server_seq', name=op.f('pk_shadow_risks'))
    )
    op.create_index(op.f('ix_shadow_risks_person_id_outcome_as_of'), 'shadow_risks', ['person_id', 'outcome', 'as_of'], unique=False)
    if op.get_bind().dialect.name == "sqlite":
        for table in TABLES:
            for act in ("UPDATE", "DELETE"):
                op.execute(f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table} BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END")
        return
    op.execute(f"CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '{REFUSAL}'; END $$")
    for table in TABLES:
        op.execute(f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()")


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for table in TABLES:
            for act in ("update", "delete"):
                op.execute(f"DROP TRIGGER {table}_no_{act}")
    else:
        for table in TABLES:
            op.execute(f"DROP TRIGGER {table}_append_only ON {table}")
        op.execute("DROP FUNCTION refuse_change()")
    op.drop_index(op.f('ix_shadow_risks_person_id_outcome_as_of'), table_name='shadow_risks')
    op.drop_table('shadow_risks')
