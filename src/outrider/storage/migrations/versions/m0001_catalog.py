"""Sessions, repositories, pull requests, proofs, logins, audit."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables of the first release."""
    _sessions()
    _forge()
    _logins_and_audit()


def _sessions() -> None:
    op.create_table(
        "session",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("title", sa.String, nullable=False),
        sa.Column("repository", sa.String, nullable=False),
        sa.Column("branch", sa.String, nullable=False),
        sa.Column("author", sa.String, nullable=False),
        sa.Column("model", sa.String, nullable=False),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("pull_request", sa.Integer),
        sa.Column("pull_request_state", sa.String),
        sa.Column("verdict", sa.String),
        sa.Column("cost_usd", sa.Float, nullable=False),
        sa.Column("created_at", sa.DateTime, nullable=False),
        sa.Column("updated_at", sa.DateTime, nullable=False),
        sa.Column("projected_seq", sa.Integer, nullable=False),
        sa.Index("session_by_change", "updated_at"),
    )


def _forge() -> None:
    op.create_table(
        "repository",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("forge", sa.String, nullable=False),
        sa.Column("source", sa.String, nullable=False, unique=True),
        sa.Column("default_branch", sa.String, nullable=False),
    )
    op.create_table(
        "pull_request",
        sa.Column("repository", sa.String, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("head_branch", sa.String, nullable=False),
        sa.Column("opened_at", sa.DateTime, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Index("pull_request_by_head", "repository", "head_branch"),
    )
    op.create_table(
        "proof",
        sa.Column("repository", sa.String, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("head", sa.String, primary_key=True),
        sa.Column("document", sa.Text, nullable=False),
    )


def _logins_and_audit() -> None:
    op.create_table(
        "login",
        sa.Column("token_hash", sa.String, primary_key=True),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("expires_at", sa.DateTime, nullable=False),
        sa.Index("login_by_expiry", "expires_at"),
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.Column("owner", sa.String, nullable=False),
        sa.Column("action", sa.String, nullable=False),
        sa.Column("target", sa.String, nullable=False),
        sa.Column("allowed", sa.Boolean, nullable=False),
        sa.Column("why", sa.String, nullable=False),
        sa.Index("audit_by_owner", "owner", "id"),
    )
