"""Bare sqlite3 loops over the table of a session's log: what appending and reading cost without us."""

import contextlib
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path

PAGE = 500


def append(path: Path, rows: Sequence[tuple[int, str, str, bytes]], batch: int) -> float:
    """Append rows in transactions of `batch`. Seconds of processor time."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA page_size=1024")
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=NORMAL")
        db.execute("PRAGMA wal_autocheckpoint=0")
        db.execute("CREATE TABLE event (seq INTEGER PRIMARY KEY, at TEXT, type TEXT, body BLOB)")
        started = time.process_time()
        for start in range(0, len(rows), batch):
            db.execute("BEGIN IMMEDIATE")
            db.executemany("INSERT INTO event VALUES (?, ?, ?, ?)", rows[start : start + batch])
            db.execute("COMMIT")
        return time.process_time() - started


def read(path: Path, after: int = 0) -> float:
    """Open a log and read everything after a number in pages. Seconds."""
    started = time.perf_counter()
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)) as db:
        query = "SELECT body FROM event WHERE seq > ? ORDER BY seq LIMIT ?"
        while page := [row[0] for row in db.execute(query, (after, PAGE))]:
            b",".join(page)
            after += len(page)
    return time.perf_counter() - started


def glance(path: Path) -> float:
    """Open a log, read its newest number and its last 100 events, and close it. Seconds."""
    started = time.perf_counter()
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)) as db:
        (newest,) = db.execute("SELECT max(seq) FROM event").fetchone()
        db.execute("SELECT body FROM event WHERE seq > ? ORDER BY seq", (newest - 100,)).fetchall()
    return time.perf_counter() - started
