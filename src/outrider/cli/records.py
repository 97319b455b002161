"""Whether what a home has stored can be read. Looks at copies' worth of pages only, and changes nothing."""

import sqlite3
from contextlib import closing
from pathlib import Path

from outrider.storage.catalog_copy import CATALOG

BUSY_SECONDS = 5


def damaged_files(home: Path) -> list[Path]:
    """The catalog and the session logs that SQLite cannot read through."""
    files = [home / CATALOG, *sorted((home / "sessions").glob("*/log.sqlite"))]
    return [path for path in files if path.is_file() and not _reads(path)]


def put_aside(home: Path) -> list[Path]:
    """Where damaged logs were put, the newest of each session, and damaged catalogs."""
    folders = sorted(home.glob("damaged-*"), key=lambda path: (len(path.name), path))[-1:]
    folders += sorted(
        (home / "sessions").glob("*/damaged-*"), key=lambda path: (path.parent.name, len(path.name), path)
    )
    return list({folder.parent.name: folder for folder in folders}.values())


def _reads(path: Path) -> bool:
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_SECONDS)) as db:
            table = "event" if path.name == "log.sqlite" else "session"
            db.execute(f"SELECT count(*) FROM {table}").fetchone()
            return bool(db.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok")
    except sqlite3.OperationalError as error:
        return "no such table" not in str(error)
    except sqlite3.DatabaseError:
        return False
