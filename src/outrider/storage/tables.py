"""The tables of the catalog. A change here needs a migration in `storage/migrations/versions`; a test compares both."""

from datetime import UTC, datetime

from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    false,
)
from sqlalchemy.engine import Dialect


class UtcDateTime(TypeDecorator[datetime]):
    """A moment. Kept in UTC without an offset, since SQLite has no type for one."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To the database."""
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """From the database."""
        return None if value is None else value.replace(tzinfo=UTC)


metadata = MetaData()

session = Table(
    "session",
    metadata,
    Column("id", String, primary_key=True),
    Column("title", String, nullable=False),
    Column("repository", String, nullable=False),
    Column("branch", String, nullable=False),
    Column("author", String, nullable=False),
    Column("model", String, nullable=False),
    Column("status", String, nullable=False),
    Column("pull_request", Integer),
    Column("pull_request_state", String),
    Column("verdict", String),
    Column("cost_usd", Float, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("projected_seq", Integer, nullable=False),
    Column("pinned", Boolean, nullable=False, server_default=false()),
    Column("parent", String),
    Index("session_by_change", "updated_at"),
)

session_member = Table(
    "session_member",
    metadata,
    Column("session", String, primary_key=True),
    Column("email", String, primary_key=True),
    Column("document", Text, nullable=False),
    Index("session_member_by_email", "email"),
)
"""A projection, as `session` is; `email` is in lower case."""

repository = Table(
    "repository",
    metadata,
    Column("name", String, primary_key=True),
    Column("forge", String, nullable=False),
    Column("source", String, nullable=False, unique=True),
    Column("default_branch", String, nullable=False),
)

pull_request = Table(
    "pull_request",
    metadata,
    Column("repository", String, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("head_branch", String, nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("document", Text, nullable=False),
    Index("pull_request_by_head", "repository", "head_branch"),
)
"""`document` is the pull request as JSON; the other columns are what is searched for."""

proof = Table(
    "proof",
    metadata,
    Column("repository", String, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("head", String, primary_key=True),
    Column("document", Text, nullable=False),
)

login = Table(
    "login",
    metadata,
    Column("token_hash", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("person", Text, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("email", String, nullable=False),
    Column("account", Text),
    Index("login_by_expiry", "expires_at"),
    Index("login_by_email", "email"),
)
"""Login links (`kind` "link") and logins ("login"), by the SHA-256 of their token. `account` is what else is known
of whom they belong to, as JSON."""

invite = Table(
    "invite",
    metadata,
    Column("id", String, primary_key=True),
    Column("token_hash", String, nullable=False, unique=True),
    Column("session", String, nullable=False),
    Column("role", String, nullable=False),
    Column("by", Text, nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("uses", Integer, nullable=False),
    Column("used", Integer, nullable=False),
    Index("invite_by_session", "session"),
)
"""Links by which people join a session, by the SHA-256 of their token."""

egress_host = Table(
    "egress_host",
    metadata,
    Column("repository", String, primary_key=True),
    Column("host", String, primary_key=True),
    Column("by", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)
"""Hosts that people have allowed to the sandboxes of a repository; `by` is the person as JSON."""

deed = Table(
    "deed",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String, nullable=False),
    Column("person", String, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index("deed_by_time", "kind", "at"),
)
"""What people have done within the last day, by their email."""

audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("owner", String, nullable=False),
    Column("action", String, nullable=False),
    Column("target", String, nullable=False),
    Column("allowed", Boolean, nullable=False),
    Column("why", String, nullable=False),
    Index("audit_by_owner", "owner", "id"),
)

repository_image = Table(
    "repository_image",
    metadata,
    Column("build", String, primary_key=True),
    Column("repository", String, nullable=False),
    Column("branch", String, nullable=False),
    Column("built_at", UtcDateTime, nullable=False),
    Column("document", Text, nullable=False),
    Index("repository_image_by_branch", "repository", "branch", "built_at"),
)

image_build = Table(
    "image_build",
    metadata,
    Column("id", String, primary_key=True),
    Column("state", String, nullable=False),
    Column("queued_at", UtcDateTime, nullable=False),
    Column("document", Text, nullable=False),
    Index("image_build_by_time", "queued_at"),
)

layer_use = Table(
    "layer_use",
    metadata,
    Column("layer", String, primary_key=True),
    Column("used_at", UtcDateTime, nullable=False),
)
"""When a layer that nothing names was last used: those of finished setups."""
