"""What each worker has learnt, for caseloads."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('workers', sa.Column('skills', sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column('workers', 'skills')
