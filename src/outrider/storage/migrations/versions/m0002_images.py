"""Images of repositories, their builds, and the last use of layers."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "repository_image",
        sa.Column("build", sa.String, primary_key=True),
        sa.Column("repository", sa.String, nullable=False),
        sa.Column("branch", sa.String, nullable=False),
        sa.Column("built_at", sa.DateTime, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Index("repository_image_by_branch", "repository", "branch", "built_at"),
    )
    op.create_table(
        "image_build",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("queued_at", sa.DateTime, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Index("image_build_by_time", "queued_at"),
    )
    op.create_table(
        "layer_use",
        sa.Column("layer", sa.String, primary_key=True),
        sa.Column("used_at", sa.DateTime, nullable=False),
    )
