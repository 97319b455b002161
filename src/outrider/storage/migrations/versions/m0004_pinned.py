"""Sessions that stand at the top of the list."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the column."""
    op.add_column("session", sa.Column("pinned", sa.Boolean, nullable=False, server_default=sa.false()))
