"""Members of sessions, guests, links to join by."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the tables. Every row of the index is written anew at the next start: members are in the logs."""
    op.create_table(
        "session_member",
        sa.Column("session", sa.String, primary_key=True),
        sa.Column("email", sa.String, primary_key=True),
        sa.Column("document", sa.Text, nullable=False),
        sa.Index("session_member_by_email", "email"),
    )
    op.execute("UPDATE session SET projected_seq = 0")
    op.create_table(
        "invite",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("token_hash", sa.String, nullable=False, unique=True),
        sa.Column("session", sa.String, nullable=False),
        sa.Column("role", sa.String, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("made_at", sa.DateTime, nullable=False),
        sa.Column("expires_at", sa.DateTime, nullable=False),
        sa.Column("uses", sa.Integer, nullable=False),
        sa.Column("used", sa.Integer, nullable=False),
        sa.Index("invite_by_session", "session"),
    )
    _logins()


def _logins() -> None:
    with op.batch_alter_table("login") as table:
        table.add_column(sa.Column("email", sa.String, nullable=False, server_default=""))
        table.add_column(sa.Column("account", sa.Text))
        table.create_index("login_by_email", ["email"])
    login = sa.table("login", sa.column("token_hash"), sa.column("person"), sa.column("email"))
    connection = op.get_bind()
    for token_hash, person in connection.execute(sa.select(login.c.token_hash, login.c.person)).all():
        email = str(json.loads(person)["email"]).casefold()
        connection.execute(sa.update(login).where(login.c.token_hash == token_hash).values(email=email))
