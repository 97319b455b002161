"""Copies of SQLite files that are being written to: each as it was in one moment."""

import json
import sqlite3
from collections.abc import Collection
from contextlib import closing
from pathlib import Path

from outrider.model.ids import LayerId


def prune_catalog(catalog: Path, sessions: Collection[str], *, secrets: bool) -> None:
    """Of a copy: rows of sessions whose logs were not copied, being younger; logins and links to join, where they are
    not wanted."""
    with closing(sqlite3.connect(catalog)) as db, db:
        rows = [row[0] for row in db.execute("SELECT id FROM session")]
        db.executemany("DELETE FROM session WHERE id = ?", [(row,) for row in rows if row not in sessions])
        for table in () if secrets else ("login", "invite"):
            db.execute(f"DELETE FROM {table}")
    with closing(sqlite3.connect(catalog)) as db:
        db.execute("VACUUM")  # what was deleted is not to be found in free pages


def newest_snapshot(log: Path) -> tuple[LayerId, ...]:
    """The layers of the newest snapshot that a log names, bottom first, where it was not stored; nothing else."""
    newest = "SELECT body FROM event WHERE type = ? ORDER BY seq DESC LIMIT 1"
    with closing(sqlite3.connect(log)) as db:
        taken, stored = (db.execute(newest, (kind,)).fetchone() for kind in ("snapshot_taken", "snapshot_stored"))
    if taken is None:
        return ()
    event = json.loads(taken[0])["event"]
    if stored and json.loads(stored[0])["event"]["layer"] == event["layer"]:
        return ()
    return (*map(LayerId, event["layers"]), LayerId(event["layer"]))
