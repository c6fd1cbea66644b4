"""The first schema."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ID = sa.String(length=36).with_variant(postgresql.UUID(as_uuid=False), "postgresql")
DAY = sa.Date().with_variant(sa.String(length=10), "sqlite")
INSTANT = sa.DateTime(timezone=True).with_variant(sa.String(length=32), "sqlite")
BODY = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table('areas',
    sa.Column('id', ID, nullable=False),
    sa.Column('parent_id', ID, nullable=True),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('level', sa.Text(), nullable=False),
    sa.Column('population', sa.BigInteger(), nullable=True),
    sa.Column('is_rural', sa.Boolean(), nullable=True),
    sa.Column('latitude', sa.Double(), nullable=True),
    sa.Column('longitude', sa.Double(), nullable=True),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('source_id', sa.Text(), nullable=True),
    sa.Column('known_on', DAY, nullable=False),
    sa.Column('row_digest', sa.String(length=32), nullable=False),
    sa.ForeignKeyConstraint(['parent_id'], ['areas.id'], name=op.f('fk_areas_parent_id_areas'), initially='DEFERRED', deferrable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_areas'))
    )
    op.create_table('import_runs',
    sa.Column('id', ID, nullable=False),
    sa.Column('source', sa.Text(), nullable=True),
    sa.Column('made_at', INSTANT, nullable=False),
    sa.Column('summary', BODY, nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_import_runs'))
    )
    op.create_table('plan_runs',
    sa.Column('id', ID, nullable=False),
    sa.Column('as_of', DAY, nullable=False),
    sa.Column('visit_on', DAY, nullable=False),
    sa.Column('made_at', INSTANT, nullable=False),
    sa.Column('worker_ids', BODY, nullable=True),
    sa.Column('summary', BODY, nullable=True),
    sa.Column('server_seq', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_plan_runs')),
    sa.UniqueConstraint('server_seq', name=op.f('uq_plan_runs_server_seq'))
    )
    op.create_index(op.f('ix_plan_runs_visit_on'), 'plan_runs', ['visit_on'], unique=False)
    op.create_table('rejected',
    sa.Column('row_digest', sa.String(length=32), nullable=False),
    sa.Column('run_id', ID, nullable=True),
    sa.Column('table', sa.Text(), nullable=False),
    sa.Column('at', sa.Text(), nullable=False),
    sa.Column('column', sa.Text(), nullable=True),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('cure', sa.Text(), nullable=True),
    sa.Column('body', BODY, nullable=True),
    sa.PrimaryKeyConstraint('row_digest', name=op.f('pk_rejected'))
    )
    op.create_index(op.f('ix_rejected_run_id'), 'rejected', ['run_id'], unique=False)
    op.create_table('risks',
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
    sa.PrimaryKeyConstraint('server_seq', name=op.f('pk_risks'))
    )
    op.create_index(op.f('ix_risks_person_id_outcome_as_of'), 'risks', ['person_id', 'outcome', 'as_of'], unique=False)
    op.create_table('sources',
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('first_seen_ms', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_sources'))
    )
    op.create_table('store_info',
    sa.Column('id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('population', sa.Text(), nullable=True),
    sa.Column('epoch', sa.String(length=32), nullable=False),
    sa.Column('created_at', INSTANT, nullable=False),
    sa.Column('last_seq', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_store_info'))
    )
    op.create_table('unmodelled',
    sa.Column('row_digest', sa.String(length=32), nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('file', sa.Text(), nullable=False),
    sa.Column('type', sa.Text(), nullable=False),
    sa.Column('body', BODY, nullable=True),
    sa.PrimaryKeyConstraint('row_digest', name=op.f('pk_unmodelled'))
    )
    op.create_table('facilities',
    sa.Column('id', ID, nullable=False),
    sa.Column('area_id', ID, nullable=True),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=True),
    sa.Column('latitude', sa.Double(), nullable=True),
    sa.Column('longitude', sa.Double(), nullable=True),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('source_id', sa.Text(), nullable=True),
    sa.Column('known_on', DAY, nullable=False),
    sa.Column('row_digest', sa.String(length=32), nullable=False),
    sa.ForeignKeyConstraint(['area_id'], ['areas.id'], name=op.f('fk_facilities_area_id_areas'), initially='DEFERRED', deferrable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_facilities'))
    )
    op.create_table('planned_visits',
    sa.Column('server_seq', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('run_id', ID, nullable=False),
    sa.Column('person_id', ID, nullable=False),
    sa.Column('household_id', ID, nullable=True),
    sa.Column('worker_id', sa.Text(), nullable=False),
    sa.Column('visit_on', DAY, nullable=False),
    sa.Column('position', sa.BigInteger(), nullable=False),
    sa.Column('urgency', sa.Text(), nullable=False),
    sa.Column('is_must', sa.Boolean(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('due_on', DAY, nullable=True),
    sa.Column('overdue_days', sa.BigInteger(), nullable=True),
    sa.Column('benefit', sa.Double(), nullable=True),
    sa.Column('minutes', sa.Double(), nullable=False),
    sa.Column('travel_minutes', sa.Double(), nullable=True),
    sa.ForeignKeyConstraint(['run_id'], ['plan_runs.id'], name=op.f('fk_planned_visits_run_id_plan_runs')),
    sa.PrimaryKeyConstraint('server_seq', name=op.f('pk_planned_visits'))
    )
    op.create_index(op.f('ix_planned_visits_run_id_person_id'), 'planned_visits', ['run_id', 'person_id'], unique=False)
    op.create_table('recommendations',
    sa.Column('server_seq', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('run_id', ID, nullable=False),
    sa.Column('person_id', ID, nullable=False),
    sa.Column('rank', sa.BigInteger(), nullable=False),
    sa.Column('rule_id', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('urgency', sa.Text(), nullable=False),
    sa.Column('action', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('is_verified', sa.Boolean(), nullable=False),
    sa.Column('due_on', DAY, nullable=False),
    sa.Column('as_of', DAY, nullable=False),
    sa.ForeignKeyConstraint(['run_id'], ['plan_runs.id'], name=op.f('fk_recommendations_run_id_plan_runs')),
    sa.PrimaryKeyConstraint('server_seq', name=op.f('pk_recommendations'))
    )
    op.create_index(op.f('ix_recommendations_run_id_person_id'), 'recommendations', ['run_id', 'person_id'], unique=False)
    op.create_table('unvisited',
    sa.Column('server_seq', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('run_id', ID, nullable=False),
    sa.Column('person_id', ID, nullable=False),
    sa.Column('worker_id', sa.Text(), nullable=True),
    sa.Column('urgency', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('due_on', DAY, nullable=True),
    sa.Column('benefit', sa.Double(), nullable=True),
    sa.ForeignKeyConstraint(['run_id'], ['plan_runs.id'], name=op.f('fk_unvisited_run_id_plan_runs')),
    sa.PrimaryKeyConstraint('server_seq', name=op.f('pk_unvisited'))
    )
    op.create_index(op.f('ix_unvisited_run_id_person_id'), 'unvisited', ['run_id', 'person_id'], unique=False)
    op.create_table('workers',
    sa.Column('id', ID, nullable=False),
    sa.Column('name', sa.Text(), nullable=True),
    sa.Column('area_id', ID, nullable=True),
    sa.Column('facility_id', ID, nullable=True),
    sa.Column('language', sa.Text(), nullable=True),
    sa.Column('capacity_minutes', sa.Double(), nullable=True),
    sa.Column('latitude', sa.Double(), nullable=True),
    sa.Column('longitude', sa.Double(), nullable=True),
    sa.Column('started_on', DAY, nullable=True),
    sa.Column('ended_on', DAY, nullable=True),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('source_id', sa.Text(), nullable=True),
    sa.Column('known_on', DAY, nullable=False),
    sa.Column('row_digest', sa.String(length=32), nullable=False),
    sa.ForeignKeyConstraint(['area_id'], ['areas.id'], name=op.f('fk_workers_area_id_areas'), initially='DEFERRED', deferrable=True),
    sa.ForeignKeyConstraint(['facility_id'], ['facilities.id'], name=op.f('fk_workers_facility_id_facilities'), initially='DEFERRED', deferrable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_workers'))
    )
    op.create_table('households',
    sa.Column('id', ID, nullable=False),
    sa.Column('area_id', ID, nullable=True),
    sa.Column('worker_id', ID, nullable=True),
    sa.Column('latitude', sa.Double(), nullable=True),
    sa.Column('longitude', sa.Double(), nullable=True),
    sa.Column('wealth_fifth', sa.BigInteger(), nullable=True),
    sa.Column('facility_km', sa.Double(), nullable=True),
    sa.Column('has_safe_water', sa.Boolean(), nullable=True),
    sa.Column('has_clean_fuel', sa.Boolean(), nullable=True),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('source_id', sa.Text(), nullable=True),
    sa.Column('known_on', DAY, nullable=False),
    sa.Column('row_digest', sa.String(length=32), nullable=False),
    sa.ForeignKeyConstraint(['area_id'], ['areas.id'], name=op.f('fk_households_area_id_areas'), initially='DEFERRED', deferrable=True),
    sa.ForeignKeyConstraint(['worker_id'], ['workers.id'], name=op.f('fk_households_worker_id_workers'), initially='DEFERRED', deferrable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_households'))
    )
    op.create_index(op.f('ix_households_worker_id'), 'households', ['worker_id'], unique=False)
    op.create_table('people',
    sa.Column('id', ID, nullable=False),
    sa.Column('household_id', ID, nullable=True),
    sa.Column('area_id', ID, nullable=True),
    sa.Column('given_name', sa.Text(), nullable=True),
    sa.Column('family_name', sa.Text(), nullable=True),
    sa.Column('sex', sa.Text(), nullable=False),
    sa.Column('born_on', DAY, nullable=True),
    sa.Column('born_precision', sa.Text(), nullable=True),
    sa.Column('phone', sa.Text(), nullable=True),
    sa.Column('language', sa.Text(), nullable=True),
    sa.Column('education', sa.Text(), nullable=True),
    sa.Column('died_on', DAY, nullable=True),
    sa.Column('moved_on', DAY, nullable=True),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('source_id', sa.Text(), nullable=True),
    sa.Column('known_on', DAY, nullable=False),
    sa.Column('row_digest', sa.String(length=32), nullable=False),
    sa.ForeignKeyConstraint(['area_id'], ['areas.id'], name=op.f('fk_people_area_id_areas'), initially='DEFERRED', deferrable=True),
    sa.ForeignKeyConstraint(['household_id'], ['households.id'], name=op.f('fk_people_household_id_households'), initially='DEFERRED', deferrable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_people'))
    )
    op.create_index(op.f('ix_people_household_id'), 'people', ['household_id'], unique=False)
    op.create_table('consents',
    sa.Column('id', ID, nullable=False),
    sa.Column('person_id', ID, nullable=False),
    sa.Column('purpose', sa.Text(), nullable=False),
    sa.Column('channel', sa.Text(), nullable=True),
    sa.Column('decision', sa.Text(), nullable=False),
    sa.Column('decided_on', DAY, nullable=False),
    sa.Column('wording_version', sa.Text(), nullable=True),
    sa.Column('supersedes_id', ID, nullable=True),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('source_id', sa.Text(), nullable=True),
    sa.Column('known_on', DAY, nullable=False),
    sa.Column('row_digest', sa.String(length=32), nullable=False),
    sa.Column('server_seq', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['people.id'], name=op.f('fk_consents_person_id_people'), initially='DEFERRED', deferrable=True),
    sa.ForeignKeyConstraint(['supersedes_id'], ['consents.id'], name=op.f('fk_consents_supersedes_id_consents'), initially='DEFERRED', deferrable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_consents'))
    )
    op.create_index(op.f('ix_consents_person_id'), 'consents', ['person_id'], unique=False)
    op.create_index('ix_consents_server_seq', 'consents', ['server_seq'], unique=True)
    op.create_index('ix_consents_supersedes_id', 'consents', ['supersedes_id'], unique=False, sqlite_where=sa.text('supersedes_id IS NOT NULL'), postgresql_where=sa.text('supersedes_id IS NOT NULL'))
    op.create_table('outcomes',
    sa.Column('id', ID, nullable=False),
    sa.Column('person_id', ID, nullable=False),
    sa.Column('outcome', sa.Text(), nullable=False),
    sa.Column('happened_on', DAY, nullable=False),
    sa.Column('is_positive', sa.Boolean(), nullable=False),
    sa.Column('supersedes_id', ID, nullable=True),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('source_id', sa.Text(), nullable=True),
    sa.Column('known_on', DAY, nullable=False),
    sa.Column('row_digest', sa.String(length=32), nullable=False),
    sa.Column('server_seq', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['people.id'], name=op.f('fk_outcomes_person_id_people'), initially='DEFERRED', deferrable=True),
    sa.ForeignKeyConstraint(['supersedes_id'], ['outcomes.id'], name=op.f('fk_outcomes_supersedes_id_outcomes'), initially='DEFERRED', deferrable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_outcomes'))
    )
    op.create_index(op.f('ix_outcomes_person_id'), 'outcomes', ['person_id'], unique=False)
    op.create_index('ix_outcomes_server_seq', 'outcomes', ['server_seq'], unique=True)
    op.create_index('ix_outcomes_supersedes_id', 'outcomes', ['supersedes_id'], unique=False, sqlite_where=sa.text('supersedes_id IS NOT NULL'), postgresql_where=sa.text('supersedes_id IS NOT NULL'))
    op.create_table('person_changes',
    sa.Column('id', ID, nullable=False),
    sa.Column('person_id', ID, nullable=False),
    sa.Column('change', sa.Text(), nullable=False),
    sa.Column('happened_on', DAY, nullable=False),
    sa.Column('into_person_id', ID, nullable=True),
    sa.Column('area_id', ID, nullable=True),
    sa.Column('supersedes_id', ID, nullable=True),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('source_id', sa.Text(), nullable=True),
    sa.Column('known_on', DAY, nullable=False),
    sa.Column('row_digest', sa.String(length=32), nullable=False),
    sa.Column('server_seq', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['area_id'], ['areas.id'], name=op.f('fk_person_changes_area_id_areas'), initially='DEFERRED', deferrable=True),
    sa.ForeignKeyConstraint(['into_person_id'], ['people.id'], name=op.f('fk_person_changes_into_person_id_people'), initially='DEFERRED', deferrable=True),
    sa.ForeignKeyConstraint(['person_id'], ['people.id'], name=op.f('fk_person_changes_person_id_people'), initially='DEFERRED', deferrable=True),
    sa.ForeignKeyConstraint(['supersedes_id'], ['person_changes.id'], name=op.f('fk_person_changes_supersedes_id_person_changes'), initially='DEFERRED', deferrable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_person_changes'))
    )
    op.create_index(op.f('ix_person_changes_into_person_id'), 'person_changes', ['into_person_id'], unique=False)
    op.create_index(op.f('ix_person_changes_person_id'), 'person_changes', ['person_id'], unique=False)
    op.create_index('ix_person_changes_server_seq', 'person_changes', ['server_seq'], unique=True)
    op.create_index('ix_person_changes_supersedes_id', 'person_changes', ['supersedes_id'], unique=False, sqlite_where=sa.text('supersedes_id IS NOT NULL'), postgresql_where=sa.text('supersedes_id IS NOT NULL'))
    op.create_table('pregnancies',
    sa.Column('id', ID, nullable=False),
    sa.Column('person_id', ID, nullable=False),
    sa.Column('last_period_on', DAY, nullable=True),
    sa.Column('due_on', DAY, nullable=True),
    sa.Column('ended_on', DAY, nullable=True),
    sa.Column('outcome', sa.Text(), nullable=True),
    sa.Column('gravidity', sa.BigInteger(), nullable=True),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('source_id', sa.Text(), nullable=True),
    sa.Column('known_on', DAY, nullable=False),
    sa.Column('row_digest', sa.String(length=32), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['people.id'], name=op.f('fk_pregnancies_person_id_people'), initially='DEFERRED', deferrable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_pregnancies'))
    )
    op.create_index(op.f('ix_pregnancies_person_id'), 'pregnancies', ['person_id'], unique=False)
    op.create_table('visits',
    sa.Column('id', ID, nullable=False),
    sa.Column('person_id', ID, nullable=False),
    sa.Column('worker_id', ID, nullable=True),
    sa.Column('facility_id', ID, nullable=True),
    sa.Column('visited_on', DAY, nullable=False),
    sa.Column('planned_on', DAY, nullable=True),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('outcome', sa.Text(), nullable=False),
    sa.Column('minutes', sa.Double(), nullable=True),
    sa.Column('supersedes_id', ID, nullable=True),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('source_id', sa.Text(), nullable=True),
    sa.Column('known_on', DAY, nullable=False),
    sa.Column('row_digest', sa.String(length=32), nullable=False),
    sa.Column('server_seq', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['facility_id'], ['facilities.id'], name=op.f('fk_visits_facility_id_facilities'), initially='DEFERRED', deferrable=True),
    sa.ForeignKeyConstraint(['person_id'], ['people.id'], name=op.f('fk_visits_person_id_people'), initially='DEFERRED', deferrable=True),
    sa.ForeignKeyConstraint(['supersedes_id'], ['visits.id'], name=op.f('fk_visits_supersedes_id_visits'), initially='DEFERRED', deferrable=True),
    sa.ForeignKeyConstraint(['worker_id'], ['workers.id'], name=op.f('fk_visits_worker_id_workers'), initially='DEFERRED', deferrable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_visits'))
    )
    op.create_index(op.f('ix_visits_person_id'), 'visits', ['person_id'], unique=False)
    op.create_index('ix_visits_server_seq', 'visits', ['server_seq'], unique=True)
    op.create_index('ix_visits_supersedes_id', 'visits', ['supersedes_id'], unique=False, sqlite_where=sa.text('supersedes_id IS NOT NULL'), postgresql_where=sa.text('supersedes_id IS NOT NULL'))
    op.create_index(op.f('ix_visits_worker_id'), 'visits', ['worker_id'], unique=False)
    op.create_table('conditions',
    sa.Column('id', ID, nullable=False),
    sa.Column('person_id', ID, nullable=False),
    sa.Column('visit_id', ID, nullable=True),
    sa.Column('system', sa.Text(), nullable=False),
    sa.Column('code', sa.Text(), nullable=False),
    sa.Column('onset_on', DAY, nullable=True),
    sa.Column('resolved_on', DAY, nullable=True),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('source_id', sa.Text(), nullable=True),
    sa.Column('known_on', DAY, nullable=False),
    sa.Column('row_digest', sa.String(length=32), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['people.id'], name=op.f('fk_conditions_person_id_people'), initially='DEFERRED', deferrable=True),
    sa.ForeignKeyConstraint(['visit_id'], ['visits.id'], name=op.f('fk_conditions_visit_id_visits'), initially='DEFERRED', deferrable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_conditions'))
    )
    op.create_index(op.f('ix_conditions_person_id'), 'conditions', ['person_id'], unique=False)
    op.create_table('immunisations',
    sa.Column('id', ID, nullable=False),
    sa.Column('person_id', ID, nullable=False),
    sa.Column('visit_id', ID, nullable=True),
    sa.Column('system', sa.Text(), nullable=False),
    sa.Column('code', sa.Text(), nullable=False),
    sa.Column('given_on', DAY, nullable=False),
    sa.Column('dose_number', sa.BigInteger(), nullable=True),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('source_id', sa.Text(), nullable=True),
    sa.Column('known_on', DAY, nullable=False),
    sa.Column('row_digest', sa.String(length=32), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['people.id'], name=op.f('fk_immunisations_person_id_people'), initially='DEFERRED', deferrable=True),
    sa.ForeignKeyConstraint(['visit_id'], ['visits.id'], name=op.f('fk_immunisations_visit_id_visits'), initially='DEFERRED', deferrable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_immunisations'))
    )
    op.create_index(op.f('ix_immunisations_person_id'), 'immunisations', ['person_id'], unique=False)
    op.create_table('medications',
    sa.Column('id', ID, nullable=False),
    sa.Column('person_id', ID, nullable=False),
    sa.Column('visit_id', ID, nullable=True),
    sa.Column('system', sa.Text(), nullable=False),
    sa.Column('code', sa.Text(), nullable=False),
    sa.Column('started_on', DAY, nullable=False),
    sa.Column('ended_on', DAY, nullable=True),
    sa.Column('status', sa.Text(), nullable=True),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('source_id', sa.Text(), nullable=True),
    sa.Column('known_on', DAY, nullable=False),
    sa.Column('row_digest', sa.String(length=32), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['people.id'], name=op.f('fk_medications_person_id_people'), initially='DEFERRED', deferrable=True),
    sa.ForeignKeyConstraint(['visit_id'], ['visits.id'], name=op.f('fk_medications_visit_id_visits'), initially='DEFERRED', deferrable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_medications'))
    )
    op.create_index(op.f('ix_medications_person_id'), 'medications', ['person_id'], unique=False)
    op.create_table('observations',
    sa.Column('id', ID, nullable=False),
    sa.Column('person_id', ID, nullable=False),
    sa.Column('visit_id', ID, nullable=True),
    sa.Column('system', sa.Text(), nullable=False),
    sa.Column('code', sa.Text(), nullable=False),
    sa.Column('value_number', sa.Double(), nullable=True),
    sa.Column('unit', sa.Text(), nullable=True),
    sa.Column('value_code', sa.Text(), nullable=True),
    sa.Column('observed_on', DAY, nullable=False),
    sa.Column('supersedes_id', ID, nullable=True),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('source_id', sa.Text(), nullable=True),
    sa.Column('known_on', DAY, nullable=False),
    sa.Column('row_digest', sa.String(length=32), nullable=False),
    sa.Column('server_seq', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['people.id'], name=op.f('fk_observations_person_id_people'), initially='DEFERRED', deferrable=True),
    sa.ForeignKeyConstraint(['supersedes_id'], ['observations.id'], name=op.f('fk_observations_supersedes_id_observations'), initially='DEFERRED', deferrable=True),
    sa.ForeignKeyConstraint(['visit_id'], ['visits.id'], name=op.f('fk_observations_visit_id_visits'), initially='DEFERRED', deferrable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_observations'))
    )
    op.create_index(op.f('ix_observations_person_id'), 'observations', ['person_id'], unique=False)
    op.create_index('ix_observations_server_seq', 'observations', ['server_seq'], unique=True)
    op.create_index('ix_observations_supersedes_id', 'observations', ['supersedes_id'], unique=False, sqlite_where=sa.text('supersedes_id IS NOT NULL'), postgresql_where=sa.text('supersedes_id IS NOT NULL'))


def downgrade() -> None:
    op.drop_index('ix_observations_supersedes_id', table_name='observations', sqlite_where=sa.text('supersedes_id IS NOT NULL'), postgresql_where=sa.text('supersedes_id IS NOT NULL'))
    op.drop_index('ix_observations_server_seq', table_name='observations')
    op.drop_index(op.f('ix_observations_person_id'), table_name='observations')
    op.drop_table('observations')
    op.drop_index(op.f('ix_medications_person_id'), table_name='medications')
    op.drop_table('medications')
    op.drop_index(op.f('ix_immunisations_person_id'), table_name='immunisations')
    op.drop_table('immunisations')
    op.drop_index(op.f('ix_conditions_person_id'), table_name='conditions')
    op.drop_table('conditions')
    op.drop_index(op.f('ix_visits_worker_id'), table_name='visits')
    op.drop_index('ix_visits_supersedes_id', table_name='visits', sqlite_where=sa.text('supersedes_id IS NOT NULL'), postgresql_where=sa.text('supersedes_id IS NOT NULL'))
    op.drop_index('ix_visits_server_seq', table_name='visits')
    op.drop_index(op.f('ix_visits_person_id'), table_name='visits')
    op.drop_table('visits')
    op.drop_index(op.f('ix_pregnancies_person_id'), table_name='pregnancies')
    op.drop_table('pregnancies')
    op.drop_index('ix_person_changes_supersedes_id', table_name='person_changes', sqlite_where=sa.text('supersedes_id IS NOT NULL'), postgresql_where=sa.text('supersedes_id IS NOT NULL'))
    op.drop_index('ix_person_changes_server_seq', table_name='person_changes')
    op.drop_index(op.f('ix_person_changes_person_id'), table_name='person_changes')
    op.drop_index(op.f('ix_person_changes_into_person_id'), table_name='person_changes')
    op.drop_table('person_changes')
    op.drop_index('ix_outcomes_supersedes_id', table_name='outcomes', sqlite_where=sa.text('supersedes_id IS NOT NULL'), postgresql_where=sa.text('supersedes_id IS NOT NULL'))
    op.drop_index('ix_outcomes_server_seq', table_name='outcomes')
    op.drop_index(op.f('ix_outcomes_person_id'), table_name='outcomes')
    op.drop_table('outcomes')
    op.drop_index('ix_consents_supersedes_id', table_name='consents', sqlite_where=sa.text('supersedes_id IS NOT NULL'), postgresql_where=sa.text('supersedes_id IS NOT NULL'))
    op.drop_index('ix_consents_server_seq', table_name='consents')
    op.drop_index(op.f('ix_consents_person_id'), table_name='consents')
    op.drop_table('consents')
    op.drop_index(op.f('ix_people_household_id'), table_name='people')
    op.drop_table('people')
    op.drop_index(op.f('ix_households_worker_id'), table_name='households')
    op.drop_table('households')
    op.drop_table('workers')
    op.drop_index(op.f('ix_unvisited_run_id_person_id'), table_name='unvisited')
    op.drop_table('unvisited')
    op.drop_index(op.f('ix_recommendations_run_id_person_id'), table_name='recommendations')
    op.drop_table('recommendations')
    op.drop_index(op.f('ix_planned_visits_run_id_person_id'), table_name='planned_visits')
    op.drop_table('planned_visits')
    op.drop_table('facilities')
    op.drop_table('unmodelled')
    op.drop_table('store_info')
    op.drop_table('sources')
    op.drop_index(op.f('ix_risks_person_id_outcome_as_of'), table_name='risks')
    op.drop_table('risks')
    op.drop_index(op.f('ix_rejected_run_id'), table_name='rejected')
    op.drop_table('rejected')
    op.drop_index(op.f('ix_plan_runs_visit_on'), table_name='plan_runs')
    op.drop_table('plan_runs')
    op.drop_table('import_runs')
    op.drop_table('areas')
