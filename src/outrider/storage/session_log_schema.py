"""How the file of a session log looks, and how files of older releases come to look so.

A migration is never changed once released, only followed by another. Each one that a file has seen is recorded in it by
name; they run when a file is opened, so a session that sleeps for a year is migrated when it wakes.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from outrider.model.errors import OutriderError


@dataclass(frozen=True, slots=True)
class Migration:
    """A named step from one form of the file to the next."""

    name: str
    statements: tuple[str, ...]


MIGRATIONS = (
    Migration(
        "0001-events",
        ("CREATE TABLE event (seq INTEGER PRIMARY KEY, at TEXT NOT NULL, type TEXT NOT NULL, body BLOB NOT NULL)",),
    ),
)


def create_schema(db: sqlite3.Connection, migrations: Sequence[Migration]) -> None:
    """Make an empty file a log."""
    db.execute("CREATE TABLE migration (name TEXT PRIMARY KEY) WITHOUT ROWID")
    _apply(db, migrations)


def migrate(db: sqlite3.Connection, path: Path, migrations: Sequence[Migration]) -> None:
    """Bring a log up to date, in one transaction. Raises OutriderError for a file of a newer release, and the error of
    SQLite for a file that is no log at all."""
    seen = {row[0] for row in db.execute("SELECT name FROM migration")}
    unknown = seen - {migration.name for migration in migrations}
    if unknown:
        raise OutriderError(
            f"The session log {path} was written by a newer release of Outrider ({min(unknown)}).",
            "Start that release, or restore the file from a backup.",
        )
    missing = [migration for migration in migrations if migration.name not in seen]
    if missing:
        _apply(db, missing)


def _apply(db: sqlite3.Connection, missing: Sequence[Migration]) -> None:
    with db:  # commits or rolls back, but does not begin: the connection is in autocommit mode
        db.execute("BEGIN IMMEDIATE")
        for migration in missing:
            for statement in migration.statements:
                db.execute(statement)
            db.execute("INSERT INTO migration (name) VALUES (?)", (migration.name,))
