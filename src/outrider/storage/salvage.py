"""What is done with a session log that cannot be read: it is put aside, whole, and a new one is made of what can be.

Only a beginning without a gap is taken over: an event in whose past something is missing would say what never was.
"""

import contextlib
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from outrider.model.events import RECORDED
from outrider.model.rows import Row
from outrider.ports.store import Rescue

ASIDE = "damaged-"
BESIDE = ("-wal", "-shm")
BATCH = 500


def rescue(path: Path, template: bytes) -> Rescue:
    """Copy a log and its write-ahead log aside, and put a new one in its place where any event can be read; else leave
    none. Killed in the middle, it is begun again, or completed by `complete`."""
    place = newest_aside(path)
    if not path.is_file() and place is not None:
        return Rescue(0, place)
    place = put_aside(path)
    fresh = path.with_name(f"{path.stem}.new")
    fresh.write_bytes(template)
    kept = _take_over(place / path.name, fresh)
    if not kept:
        fresh.unlink()
        _remove(path)
        return Rescue(0, place)
    replace(path, fresh)
    return Rescue(kept, place)


def replace(path: Path, fresh: Path) -> None:
    """Put a new file in place of a damaged one. Killed in the middle, it is done by `complete`."""
    fresh.rename(_salvaged(path))
    complete(path)


def complete(path: Path) -> None:
    """Put a new file in place of a damaged one where that was begun. Its write-ahead log goes first: it would be read
    into the new file."""
    fresh = _salvaged(path)
    if fresh.exists():
        _remove(path)
        fresh.rename(path)


def newest_aside(path: Path) -> Path | None:
    """Where the log was put last, if it ever was."""
    found = path.parent.glob(f"{ASIDE}*")
    return max(found, key=lambda folder: int(folder.name.removeprefix(ASIDE)), default=None)


def unreadable(session: str, place: Path) -> tuple[str, str]:
    """What is said of a session of which nothing can be read, and what to do."""
    return (
        f"The log of the session {session} is damaged, and nothing of it can be read. It is kept in {place}.",
        f"Put log.sqlite from a backup into {place.parent} and start the server again, or move that folder away.",
    )


def _salvaged(path: Path) -> Path:
    return path.with_name(f"{path.stem}.salvaged")


def put_aside(path: Path) -> Path:
    """Copy a file and its write-ahead log into a new folder beside it."""
    before = newest_aside(path)
    number = int(before.name.removeprefix(ASIDE)) + 1 if before else 1
    place = path.parent / f"{ASIDE}{number}"
    place.mkdir(mode=0o700)
    for suffix in ("", *BESIDE):
        source = path.with_name(path.name + suffix)
        if source.exists():
            shutil.copy2(source, place / source.name)
            with (place / source.name).open("rb") as file:
                os.fsync(file.fileno())
    return place


def _remove(path: Path) -> None:
    for suffix in (*BESIDE, ""):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _take_over(damaged: Path, fresh: Path) -> int:
    """Copy what can be read, from a copy: to open a file of SQLite may change it."""
    kept = 0
    with tempfile.TemporaryDirectory() as folder, contextlib.closing(sqlite3.connect(fresh)) as target:
        for source in damaged.parent.glob(f"{damaged.name}*"):
            shutil.copy(source, folder)
        for row in _readable(Path(folder, damaged.name)):
            target.execute("INSERT INTO event (seq, at, type, body) VALUES (?, ?, ?, ?)", row)
            kept += 1
            if kept % BATCH == 0:
                target.commit()
        target.commit()
        target.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return kept


def _readable(path: Path) -> Iterator[Row]:
    with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA writable_schema=ON")  # else SQLite refuses a file that is shorter than it says
        seq = 1
        while row := db.execute("SELECT seq, at, type, body FROM event WHERE seq = ?", (seq,)).fetchone():
            try:
                whole = RECORDED.validate_json(row[3]).seq == seq
            except (ValidationError, TypeError):
                return
            if not whole:
                return
            yield row
            seq += 1
