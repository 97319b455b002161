"""Hosts that people have allowed to the sandboxes of a repository."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "egress_host",
        sa.Column("repository", sa.String, primary_key=True),
        sa.Column("host", sa.String, primary_key=True),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime, nullable=False),
    )
