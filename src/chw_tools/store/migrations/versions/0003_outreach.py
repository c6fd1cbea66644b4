"""Follow-ups, enrolments, messages, receipts, replies, tasks and experiments."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ID = sa.String(length=36).with_variant(postgresql.UUID(as_uuid=False), "postgresql")
DAY = sa.Date().with_variant(sa.String(length=10), "sqlite")
INSTANT = sa.DateTime(timezone=True).with_variant(sa.String(length=32), "sqlite")
BODY = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table('channel_states',
    sa.Column('channel', sa.Text(), nullable=False),
    sa.Column('is_stopped', sa.Boolean(), nullable=False),
    sa.Column('is_broken', sa.Boolean(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.Column('budget_day', DAY, nullable=True),
    sa.Column('n_sent', sa.BigInteger(), nullable=False),
    sa.Column('minute_at', INSTANT, nullable=True),
    sa.Column('n_in_minute', sa.BigInteger(), nullable=True),
    sa.Column('changed_at', INSTANT, nullable=False),
    sa.PrimaryKeyConstraint('channel', name=op.f('pk_channel_states'))
    )
    op.create_table('contact_points',
    sa.Column('number', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('is_opted_out', sa.Boolean(), nullable=False),
    sa.Column('opted_out_at', INSTANT, nullable=True),
    sa.Column('is_bad', sa.Boolean(), nullable=False),
    sa.Column('bad_reason', sa.Text(), nullable=True),
    sa.Column('changed_at', INSTANT, nullable=False),
    sa.PrimaryKeyConstraint('number', name=op.f('pk_contact_points'))
    )
    op.create_table('enrolments',
    sa.Column('id', ID, nullable=False),
    sa.Column('dedupe_key', sa.Text(), nullable=False),
    sa.Column('person_id', ID, nullable=False),
    sa.Column('follow_up_id', ID, nullable=True),
    sa.Column('protocol', sa.Text(), nullable=False),
    sa.Column('protocol_version', sa.BigInteger(), nullable=False),
    sa.Column('anchor_on', DAY, nullable=False),
    sa.Column('goal_from', DAY, nullable=True),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.Column('experiment', sa.Text(), nullable=True),
    sa.Column('arm', sa.Text(), nullable=True),
    sa.Column('closed_on', DAY, nullable=True),
    sa.Column('made_at', INSTANT, nullable=False),
    sa.Column('changed_at', INSTANT, nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_enrolments')),
    sa.UniqueConstraint('dedupe_key', name=op.f('uq_enrolments_dedupe_key'))
    )
    op.create_index('ix_enrolments_person_id', 'enrolments', ['person_id'], unique=False)
    op.create_index('ix_enrolments_state', 'enrolments', ['state'], unique=False)
    op.create_table('experiments',
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('declared', BODY, nullable=False),
    sa.Column('salt', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('made_at', INSTANT, nullable=False),
    sa.Column('changed_at', INSTANT, nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_experiments'))
    )
    op.create_table('exposures',
    sa.Column('dedupe_key', sa.Text(), nullable=False),
    sa.Column('experiment', sa.Text(), nullable=False),
    sa.Column('person_id', ID, nullable=False),
    sa.Column('arm', sa.Text(), nullable=False),
    sa.Column('exposed_on', DAY, nullable=False),
    sa.PrimaryKeyConstraint('dedupe_key', name=op.f('pk_exposures'))
    )
    op.create_index('ix_exposures_experiment', 'exposures', ['experiment'], unique=False)
    op.create_index('ix_exposures_person_id', 'exposures', ['person_id'], unique=False)
    op.create_table('follow_ups',
    sa.Column('id', ID, nullable=False),
    sa.Column('dedupe_key', sa.Text(), nullable=False),
    sa.Column('person_id', ID, nullable=False),
    sa.Column('rule_id', sa.Text(), nullable=False),
    sa.Column('urgency', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.Column('facts', BODY, nullable=True),
    sa.Column('as_of', DAY, nullable=False),
    sa.Column('due_from', DAY, nullable=False),
    sa.Column('due_by', DAY, nullable=False),
    sa.Column('outcome', sa.Text(), nullable=True),
    sa.Column('closed_on', DAY, nullable=True),
    sa.Column('made_at', INSTANT, nullable=False),
    sa.Column('changed_at', INSTANT, nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_follow_ups')),
    sa.UniqueConstraint('dedupe_key', name=op.f('uq_follow_ups_dedupe_key'))
    )
    op.create_index('ix_follow_ups_person_id', 'follow_ups', ['person_id'], unique=False)
    op.create_index('ix_follow_ups_state_due_by', 'follow_ups', ['state', 'due_by'], unique=False)
    op.create_table('inbound_messages',
    sa.Column('id', ID, nullable=False),
    sa.Column('provider', sa.Text(), nullable=False),
    sa.Column('provider_id', sa.Text(), nullable=False),
    sa.Column('channel', sa.Text(), nullable=False),
    sa.Column('number', sa.Text(), nullable=False),
    sa.Column('person_id', ID, nullable=True),
    sa.Column('answers_id', ID, nullable=True),
    sa.Column('text', sa.Text(), nullable=True),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.Column('received_at', INSTANT, nullable=False),
    sa.Column('changed_at', INSTANT, nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_inbound_messages')),
    sa.UniqueConstraint('provider', 'provider_id', name=op.f('uq_inbound_messages_provider_provider_id'))
    )
    op.create_index('ix_inbound_messages_number_received_at', 'inbound_messages', ['number', 'received_at'], unique=False)
    op.create_index('ix_inbound_messages_person_id', 'inbound_messages', ['person_id'], unique=False)
    op.create_table('message_events',
    sa.Column('id', ID, nullable=False),
    sa.Column('message_id', ID, nullable=False),
    sa.Column('person_id', ID, nullable=False),
    sa.Column('from_state', sa.Text(), nullable=True),
    sa.Column('to_state', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.Column('attempt', sa.BigInteger(), nullable=True),
    sa.Column('by', sa.Text(), nullable=False),
    sa.Column('at', INSTANT, nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_message_events'))
    )
    op.create_index('ix_message_events_message_id', 'message_events', ['message_id'], unique=False)
    op.create_index('ix_message_events_person_id', 'message_events', ['person_id'], unique=False)
    op.create_table('messages',
    sa.Column('id', ID, nullable=False),
    sa.Column('dedupe_key', sa.Text(), nullable=False),
    sa.Column('person_id', ID, nullable=False),
    sa.Column('enrolment_id', ID, nullable=True),
    sa.Column('purpose', sa.Text(), nullable=False),
    sa.Column('step', sa.Text(), nullable=False),
    sa.Column('occurrence', sa.BigInteger(), nullable=False),
    sa.Column('channel', sa.Text(), nullable=False),
    sa.Column('template', sa.Text(), nullable=False),
    sa.Column('template_version', sa.BigInteger(), nullable=False),
    sa.Column('language', sa.Text(), nullable=True),
    sa.Column('variables', BODY, nullable=True),
    sa.Column('number', sa.Text(), nullable=True),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.Column('is_urgent', sa.Boolean(), nullable=False),
    sa.Column('priority', sa.BigInteger(), nullable=False),
    sa.Column('due_at', INSTANT, nullable=False),
    sa.Column('not_after', INSTANT, nullable=False),
    sa.Column('attempt', sa.BigInteger(), nullable=False),
    sa.Column('lease_token', sa.Text(), nullable=True),
    sa.Column('lease_until', INSTANT, nullable=True),
    sa.Column('handed_at', INSTANT, nullable=True),
    sa.Column('client_ref', ID, nullable=True),
    sa.Column('provider', sa.Text(), nullable=True),
    sa.Column('provider_id', sa.Text(), nullable=True),
    sa.Column('segments', sa.BigInteger(), nullable=True),
    sa.Column('experiment', sa.Text(), nullable=True),
    sa.Column('arm', sa.Text(), nullable=True),
    sa.Column('made_at', INSTANT, nullable=False),
    sa.Column('changed_at', INSTANT, nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_messages')),
    sa.UniqueConstraint('dedupe_key', name=op.f('uq_messages_dedupe_key'))
    )
    op.create_index('ix_messages_enrolment_id', 'messages', ['enrolment_id'], unique=False)
    op.create_index('ix_messages_number_handed_at', 'messages', ['number', 'handed_at'], unique=False)
    op.create_index('ix_messages_person_id', 'messages', ['person_id'], unique=False)
    op.create_index('ix_messages_provider_provider_id', 'messages', ['provider', 'provider_id'], unique=False)
    op.create_index('ix_messages_state_channel_priority_due_at', 'messages', ['state', 'channel', 'priority', 'due_at'], unique=False)
    op.create_index('ix_messages_state_due_at', 'messages', ['state', 'due_at'], unique=False)
    op.create_table('receipts',
    sa.Column('id', ID, nullable=False),
    sa.Column('provider', sa.Text(), nullable=False),
    sa.Column('provider_id', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.Column('message_id', ID, nullable=True),
    sa.Column('received_at', INSTANT, nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_receipts')),
    sa.UniqueConstraint('provider', 'provider_id', 'state', name=op.f('uq_receipts_provider_provider_id_state'))
    )
    op.create_index('ix_receipts_message_id', 'receipts', ['message_id'], unique=False)
    op.create_table('task_events',
    sa.Column('id', ID, nullable=False),
    sa.Column('task_id', ID, nullable=False),
    sa.Column('person_id', ID, nullable=True),
    sa.Column('to_state', sa.Text(), nullable=False),
    sa.Column('outcome', sa.Text(), nullable=True),
    sa.Column('by', sa.Text(), nullable=False),
    sa.Column('at', INSTANT, nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_task_events'))
    )
    op.create_index('ix_task_events_task_id', 'task_events', ['task_id'], unique=False)
    op.create_index('ix_task_events_person_id', 'task_events', ['person_id'], unique=False)
    op.create_table('tasks',
    sa.Column('id', ID, nullable=False),
    sa.Column('dedupe_key', sa.Text(), nullable=False),
    sa.Column('person_id', ID, nullable=True),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('urgency', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.Column('follow_up_id', ID, nullable=True),
    sa.Column('enrolment_id', ID, nullable=True),
    sa.Column('inbound_id', ID, nullable=True),
    sa.Column('worker_id', sa.Text(), nullable=True),
    sa.Column('due_on', DAY, nullable=False),
    sa.Column('snoozed_until', DAY, nullable=True),
    sa.Column('tries', sa.BigInteger(), nullable=False),
    sa.Column('outcome', sa.Text(), nullable=True),
    sa.Column('made_at', INSTANT, nullable=False),
    sa.Column('changed_at', INSTANT, nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_tasks')),
    sa.UniqueConstraint('dedupe_key', name=op.f('uq_tasks_dedupe_key'))
    )
    op.create_index('ix_tasks_person_id', 'tasks', ['person_id'], unique=False)
    op.create_index('ix_tasks_state_due_on', 'tasks', ['state', 'due_on'], unique=False)
    op.create_index('ix_tasks_worker_id', 'tasks', ['worker_id'], unique=False)


def downgrade() -> None:
    op.drop_index('ix_tasks_worker_id', table_name='tasks')
    op.drop_index('ix_tasks_state_due_on', table_name='tasks')
    op.drop_index('ix_tasks_person_id', table_name='tasks')
    op.drop_table('tasks')
    op.drop_index('ix_task_events_person_id', table_name='task_events')
    op.drop_index('ix_task_events_task_id', table_name='task_events')
    op.drop_table('task_events')
    op.drop_index('ix_receipts_message_id', table_name='receipts')
    op.drop_table('receipts')
    op.drop_index('ix_messages_state_due_at', table_name='messages')
    op.drop_index('ix_messages_state_channel_priority_due_at', table_name='messages')
    op.drop_index('ix_messages_provider_provider_id', table_name='messages')
    op.drop_index('ix_messages_person_id', table_name='messages')
    op.drop_index('ix_messages_number_handed_at', table_name='messages')
    op.drop_index('ix_messages_enrolment_id', table_name='messages')
    op.drop_table('messages')
    op.drop_index('ix_message_events_person_id', table_name='message_events')
    op.drop_index('ix_message_events_message_id', table_name='message_events')
    op.drop_table('message_events')
    op.drop_index('ix_inbound_messages_person_id', table_name='inbound_messages')
    op.drop_index('ix_inbound_messages_number_received_at', table_name='inbound_messages')
    op.drop_table('inbound_messages')
    op.drop_index('ix_follow_ups_state_due_by', table_name='follow_ups')
    op.drop_index('ix_follow_ups_person_id', table_name='follow_ups')
    op.drop_table('follow_ups')
    op.drop_index('ix_exposures_person_id', table_name='exposures')
    op.drop_index('ix_exposures_experiment', table_name='exposures')
    op.drop_table('exposures')
    op.drop_table('experiments')
    op.drop_index('ix_enrolments_state', table_name='enrolments')
    op.drop_index('ix_enrolments_person_id', table_name='enrolments')
    op.drop_table('enrolments')
    op.drop_table('contact_points')
    op.drop_table('channel_states')
