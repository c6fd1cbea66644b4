"""Plans of more than a day: weeks, caseloads, posts and orders, each with its run."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

ID = sa.String(length=36).with_variant(postgresql.UUID(as_uuid=False), "postgresql")
DAY = sa.Date().with_variant(sa.String(length=10), "sqlite")
INSTANT = sa.DateTime(timezone=True).with_variant(sa.String(length=32), "sqlite")
BODY = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table('planning_runs',
    sa.Column('id', ID, nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('as_of', DAY, nullable=False),
    sa.Column('from_on', DAY, nullable=True),
    sa.Column('made_at', INSTANT, nullable=False),
    sa.Column('summary', BODY, nullable=True),
    sa.Column('server_seq', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_planning_runs')),
    sa.UniqueConstraint('server_seq', name=op.f('uq_planning_runs_server_seq'))
    )
    op.create_index(op.f('ix_planning_runs_kind'), 'planning_runs', ['kind'], unique=False)
    op.create_table('caseloads',
    sa.Column('server_seq', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('run_id', ID, nullable=False),
    sa.Column('home', ID, nullable=False),
    sa.Column('worker_id', sa.Text(), nullable=True),
    sa.Column('worker_before', sa.Text(), nullable=True),
    sa.Column('load_minutes', sa.Double(), nullable=True),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['run_id'], ['planning_runs.id'], name=op.f('fk_caseloads_run_id_planning_runs')),
    sa.PrimaryKeyConstraint('server_seq', name=op.f('pk_caseloads'))
    )
    op.create_index(op.f('ix_caseloads_run_id'), 'caseloads', ['run_id'], unique=False)
    op.create_table('posted',
    sa.Column('server_seq', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('run_id', ID, nullable=False),
    sa.Column('area_id', ID, nullable=False),
    sa.Column('posts_before', sa.BigInteger(), nullable=False),
    sa.Column('posts', sa.BigInteger(), nullable=False),
    sa.Column('hours', sa.Double(), nullable=True),
    sa.Column('served', sa.Double(), nullable=True),
    sa.Column('walk_minutes', sa.Double(), nullable=True),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['run_id'], ['planning_runs.id'], name=op.f('fk_posted_run_id_planning_runs')),
    sa.PrimaryKeyConstraint('server_seq', name=op.f('pk_posted'))
    )
    op.create_index(op.f('ix_posted_run_id'), 'posted', ['run_id'], unique=False)
    op.create_table('supply_orders',
    sa.Column('server_seq', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('run_id', ID, nullable=False),
    sa.Column('place_id', sa.Text(), nullable=False),
    sa.Column('item', sa.Text(), nullable=False),
    sa.Column('per_day', sa.Double(), nullable=False),
    sa.Column('days', sa.Double(), nullable=False),
    sa.Column('expected', sa.Double(), nullable=False),
    sa.Column('spread', sa.Double(), nullable=False),
    sa.Column('level', sa.Double(), nullable=True),
    sa.Column('safety', sa.Double(), nullable=True),
    sa.Column('usable', sa.Double(), nullable=True),
    sa.Column('pack', sa.Double(), nullable=False),
    sa.Column('packs', sa.Double(), nullable=False),
    sa.Column('packs_sent', sa.Double(), nullable=False),
    sa.Column('fill', sa.Double(), nullable=True),
    sa.ForeignKeyConstraint(['run_id'], ['planning_runs.id'], name=op.f('fk_supply_orders_run_id_planning_runs')),
    sa.PrimaryKeyConstraint('server_seq', name=op.f('pk_supply_orders'))
    )
    op.create_index(op.f('ix_supply_orders_run_id'), 'supply_orders', ['run_id'], unique=False)
    op.create_table('week_visits',
    sa.Column('server_seq', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('run_id', ID, nullable=False),
    sa.Column('person_id', ID, nullable=False),
    sa.Column('household_id', ID, nullable=True),
    sa.Column('worker_id', sa.Text(), nullable=False),
    sa.Column('visit_on', DAY, nullable=False),
    sa.Column('position', sa.BigInteger(), nullable=False),
    sa.Column('begins_minute', sa.Double(), nullable=True),
    sa.Column('urgency', sa.Text(), nullable=False),
    sa.Column('is_must', sa.Boolean(), nullable=False),
    sa.Column('because', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('due_on', DAY, nullable=True),
    sa.Column('benefit', sa.Double(), nullable=True),
    sa.Column('minutes', sa.Double(), nullable=False),
    sa.Column('travel_minutes', sa.Double(), nullable=True),
    sa.ForeignKeyConstraint(['run_id'], ['planning_runs.id'], name=op.f('fk_week_visits_run_id_planning_runs')),
    sa.PrimaryKeyConstraint('server_seq', name=op.f('pk_week_visits'))
    )
    op.create_index(op.f('ix_week_visits_run_id'), 'week_visits', ['run_id'], unique=False)
    op.create_table('week_waiting',
    sa.Column('server_seq', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('run_id', ID, nullable=False),
    sa.Column('person_id', ID, nullable=False),
    sa.Column('worker_id', sa.Text(), nullable=True),
    sa.Column('urgency', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('due_on', DAY, nullable=True),
    sa.Column('benefit', sa.Double(), nullable=True),
    sa.Column('is_due', sa.Boolean(), nullable=False),
    sa.Column('is_displaced', sa.Boolean(), nullable=False),
    sa.Column('is_above_risk_floor', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['run_id'], ['planning_runs.id'], name=op.f('fk_week_waiting_run_id_planning_runs')),
    sa.PrimaryKeyConstraint('server_seq', name=op.f('pk_week_waiting'))
    )
    op.create_index(op.f('ix_week_waiting_run_id'), 'week_waiting', ['run_id'], unique=False)


def downgrade() -> None:
    op.drop_index(op.f('ix_week_waiting_run_id'), table_name='week_waiting')
    op.drop_table('week_waiting')
    op.drop_index(op.f('ix_week_visits_run_id'), table_name='week_visits')
    op.drop_table('week_visits')
    op.drop_index(op.f('ix_supply_orders_run_id'), table_name='supply_orders')
    op.drop_table('supply_orders')
    op.drop_index(op.f('ix_posted_run_id'), table_name='posted')
    op.drop_table('posted')
    op.drop_index(op.f('ix_caseloads_run_id'), table_name='caseloads')
    op.drop_table('caseloads')
    op.drop_index(op.f('ix_planning_runs_kind'), table_name='planning_runs')
    op.drop_table('planning_runs')
