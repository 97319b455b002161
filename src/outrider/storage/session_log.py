"""The log of one session: one SQLite file, `<folder>/<session>/log.sqlite`, and the folder that holds them all.

Durability. When `append` returns, the commit is in the write-ahead log and with the operating system: it outlives a
kill of this process. When the machine loses power the last moments can be lost, never more and never the middle: SQLite
checks every frame of the write-ahead log. Only a checkpoint, and the first append after one, waits for the disk: call
`checkpoint` in a thread, when the session is quiet.

Two more properties of the file: nobody but one process has it open for writing (a lock on its folder), and it is small
(pages of 1 KB, and a cache of 64 KB, because a thousand of them are open at once).
"""

import contextlib
import errno
import fcntl
import os
import re
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

from pydantic import ValidationError

from outrider.model.errors import DamagedLog, LimitReached, NotFound, OutriderError, Refused
from outrider.model.events import RECORDED, Recorded
from outrider.model.ids import ID_PATTERN, SessionId
from outrider.model.rows import Row, row
from outrider.ports.store import Rescue
from outrider.storage.salvage import complete, newest_aside, rescue, unreadable
from outrider.storage.session_log_schema import MIGRATIONS, Migration, create_schema, migrate

FILE_NAME = "log.sqlite"
PAGE_EVENTS = 500
"""Events read at once by `all`."""

_ID = re.compile(ID_PATTERN)


class SqliteSessionLog:
    """An open log. Implements `outrider.ports.store.SessionLog`."""

    def __init__(self, path: Path, migrations: Sequence[Migration] = MIGRATIONS) -> None:
        self._path = path
        self._closed = False
        with contextlib.ExitStack() as undo:
            self._lock = _lock_folder(path.parent)
            undo.callback(os.close, self._lock)
            with named(path):
                self._db = _connect(path)
                undo.callback(self._db.close)
                migrate(self._db, path, migrations)
                self._relaxed = _relax(self._db, path)
                self._last: int = self._db.execute("SELECT coalesce(max(seq), 0) FROM event").fetchone()[0]
            undo.pop_all()

    def last_seq(self) -> int:
        """The number of the newest event; 0 for none."""
        return self._last

    def append(self, events: Sequence[Recorded]) -> None:
        """Store events in one transaction, as `SessionLog.append`."""
        self.append_encoded([row(event) for event in events])

    def append_encoded(self, rows: Sequence[Row]) -> None:
        """As `append`, where the caller has already encoded each event for the feed: encoded once, used twice."""
        if not rows:
            return
        self._expect_next([row[0] for row in rows])
        with named(self._path), _transaction(self._db):
            self._db.executemany("INSERT INTO event (seq, at, type, body) VALUES (?, ?, ?, ?)", rows)
        self._last = rows[-1][0]
        if self._relaxed:
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._relaxed = False

    def read(self, after: int, limit: int) -> list[Recorded]:
        """Events with larger numbers, oldest first."""
        return [self._parse(body) for body in self.read_encoded(after, limit)]

    def read_encoded(self, after: int, limit: int) -> list[bytes]:
        """The same as stored JSON, one `Recorded` each, without parsing."""
        query = "SELECT body FROM event WHERE seq > ? ORDER BY seq LIMIT ?"
        with named(self._path):
            return [row[0] for row in self._db.execute(query, (after, limit))]

    def all(self) -> Iterator[Recorded]:
        """Every event, oldest first, in pages."""
        after = 0
        while page := self.read(after, PAGE_EVENTS):
            yield from page
            after = page[-1].seq

    def checkpoint(self) -> None:
        """Move the write-ahead log into the file. May fsync: call it in a thread; appends go on meanwhile."""
        if self._closed:
            return
        # A connection of its own: on the shared one an append on the event loop would wait for the disk.
        with named(self._path), contextlib.closing(_connect(self._path)) as db:
            db.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def close(self) -> None:
        """Close the file. May fsync. No error when closed."""
        if self._closed:
            return
        self._closed = True
        self._db.close()
        os.close(self._lock)

    def _expect_next(self, numbers: list[int]) -> None:
        if numbers != list(range(self._last + 1, self._last + 1 + len(numbers))):
            raise ValueError(f"events {numbers[0]} to {numbers[-1]} cannot follow {self._last} without a gap")

    def _parse(self, body: bytes) -> Recorded:
        try:
            return RECORDED.validate_json(body)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            kind = DamagedLog if first["type"] == "json_invalid" else OutriderError
            raise kind(
                f"{self._path} holds an event that cannot be read: {first['msg']}.",
                "It may have been written by a newer release of Outrider.",
            ) from error


class SqliteSessionLogs:
    """All logs below one folder. Implements `outrider.ports.store.SessionLogs`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def create(self, session: SessionId) -> SqliteSessionLog:
        """A new empty log. Raises ValueError where it exists, LimitReached where the disk is full."""
        path = self._path(session)
        fresh = path.with_suffix(".new")
        with named(path):
            path.parent.mkdir(exist_ok=True, mode=0o700)
            try:
                fresh.write_bytes(_template())
                os.link(fresh, path)  # unlike a rename it refuses to replace an existing log
            except FileExistsError as error:
                raise ValueError(f"session {session} already has a log") from error
            finally:
                fresh.unlink(missing_ok=True)
        return SqliteSessionLog(path)

    def open(self, session: SessionId) -> SqliteSessionLog:
        """An existing log. Raises NotFound, DamagedLog."""
        path = self._path(session)
        complete(path)
        if not path.is_file():
            if place := newest_aside(path):
                raise DamagedLog(*unreadable(session, place))
            raise NotFound(f"There is no session {session}.")
        return SqliteSessionLog(path)

    def rescue(self, session: SessionId) -> Rescue:
        """Put a damaged log aside, and make a new one of what can be read of it."""
        path = self._path(session)
        with contextlib.ExitStack() as stack:
            stack.callback(os.close, _lock_folder(path.parent))
            return rescue(path, _template())

    def damaged(self) -> list[SessionId]:
        """Every session whose log could not be read at all, in the order of their ids."""
        without = (name for name in self._folders() if not self._has_log(name))
        return [SessionId(name) for name in without if newest_aside(self._folder / name / FILE_NAME)]

    def ids(self) -> list[SessionId]:
        """Every session that has a log, in the order of their ids."""
        return [SessionId(name) for name in self._folders() if self._has_log(name)]

    def _folders(self) -> list[str]:
        with os.scandir(self._folder) as entries:
            return sorted(entry.name for entry in entries if _ID.fullmatch(entry.name))

    def _has_log(self, name: str) -> bool:
        return os.path.isfile(f"{self._folder}/{name}/{FILE_NAME}")  # noqa: PTH113 -- a `Path` takes four times as long

    def _path(self, session: SessionId) -> Path:
        if not _ID.fullmatch(session):
            raise NotFound(f"There is no session {session!r}.")
        return self._folder / session / FILE_NAME


@lru_cache(maxsize=1)
def _template() -> bytes:
    """An empty log, made once a process: copying it takes 35 µs where the DDL takes 3.5 ms."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / FILE_NAME
        with contextlib.closing(_connect(path)) as db:
            db.execute("PRAGMA page_size=1024")
            db.execute("PRAGMA journal_mode=WAL")
            create_schema(db, MIGRATIONS)
        return path.read_bytes()


def _connect(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=1)
    db.execute("PRAGMA cache_size=-64")
    db.execute("PRAGMA cache_spill=OFF")  # else a long transaction writes its pages more than once
    db.execute("PRAGMA wal_autocheckpoint=0")
    db.execute("PRAGMA synchronous=NORMAL")
    return db


def _relax(db: sqlite3.Connection, path: Path) -> bool:
    """Spare the first append the wait for the disk (0.6 ms, 6 ms at p99) that SQLite puts before a new write-ahead log.

    It waits so that a new header can never stand before frames of an older log. Only where there is no older log is
    that needless; elsewhere it would be the way to a corrupt file.
    """
    wal = path.with_name(path.name + "-wal")
    if wal.exists() and wal.stat().st_size > 0:
        return False
    db.execute("PRAGMA synchronous=OFF")
    return True


def _lock_folder(folder: Path) -> int:
    """A lock that ends with the process, however it ends. SQLite's own would also keep our checkpoints out."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(handle)
        raise Refused(
            f"The session in {folder} is open elsewhere.", "Only one server may use a home folder."
        ) from error
    return handle


@contextlib.contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[None]:
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def disk_full(path: Path) -> LimitReached:
    """What is said where nothing more can be written to a file."""
    return LimitReached(f"The disk is full: nothing more can be written to {path}.", "Free some space.")


@contextlib.contextmanager
def named(path: Path) -> Iterator[None]:
    """Turn what SQLite says, and the disk, into a sentence that names the file."""
    try:
        yield
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise disk_full(path) from error
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
            raise disk_full(path) from error
        kind = DamagedLog if _is_damage(error) else OutriderError
        raise kind(
            f"The session log {path} cannot be used: {error}.", "Restore the file from a backup, or move it away."
        ) from error


def _is_damage(error: sqlite3.Error) -> bool:
    """Whether the file is to blame, not the disk or another process."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    return code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB) or "no such table" in str(error)
