"""The search index: one SQLite file with an FTS5 table. A projection: a damaged file is thrown away and made anew."""

import asyncio
import contextlib
import logging
import re
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from outrider.model.errors import OutriderError
from outrider.model.ids import SessionId
from outrider.ports.search import Hit, Passage, PassageKind, SnippetPart

PASSAGE_CHARACTERS = 200_000
"""More of one message is not searched: only a program writes that much."""

SNIPPET_TOKENS = 24
WORDS_LIMIT = 16

_BEGIN, _END = "\x02", "\x03"
"""Round each word that was found. Taken out of all text that comes in."""

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS reached (session TEXT PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS passage (
  id INTEGER PRIMARY KEY, session TEXT NOT NULL, key TEXT NOT NULL, kind TEXT NOT NULL, seq INTEGER NOT NULL,
  at TEXT NOT NULL, text TEXT NOT NULL, UNIQUE (session, key)
);
CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5(
  text, content='passage', content_rowid='id', tokenize="unicode61 remove_diacritics 2", prefix='2 3'
);
CREATE TRIGGER IF NOT EXISTS passage_added AFTER INSERT ON passage BEGIN
  INSERT INTO words(rowid, text) VALUES (new.id, new.text);
END;
CREATE TRIGGER IF NOT EXISTS passage_changed AFTER UPDATE OF text ON passage BEGIN
  INSERT INTO words(words, rowid, text) VALUES ('delete', old.id, old.text);
  INSERT INTO words(rowid, text) VALUES (new.id, new.text);
END;
"""

_PUT = f"""
INSERT INTO passage (session, key, kind, seq, at, text) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (session, key) DO UPDATE SET text = substr(passage.text || excluded.text, 1, {PASSAGE_CHARACTERS})
"""

_FIND = f"""
SELECT passage.session, passage.kind, passage.seq, passage.at,
       snippet(words, 0, '{_BEGIN}', '{_END}', '…', {SNIPPET_TOKENS})
FROM words JOIN passage ON passage.id = words.rowid WHERE words MATCH ? ORDER BY rank LIMIT ?
"""

_log = logging.getLogger(__name__)


class SqliteSearch:
    """Implements `outrider.ports.search.SearchIndex`. One connection; each call waits for it in a thread."""

    def __init__(self, path: Path) -> None:
        """Open the file or make it. Raises OutriderError."""
        self._path = path
        self._turn = threading.Lock()
        self._db = _open(path)

    async def reached(self) -> Mapping[SessionId, int]:
        """Up to which event each session is in here."""
        rows = await asyncio.to_thread(self._query, "SELECT session, seq FROM reached", ())
        return {SessionId(session): seq for session, seq in rows}

    async def put(self, session: SessionId, passages: Sequence[Passage], seq: int) -> None:
        """Take in what the events up to `seq` say."""
        await asyncio.to_thread(self._put, session, passages, seq)

    async def find(self, words: str, limit: int) -> Sequence[Hit]:
        """Passages that hold all the words."""
        expression = fts_expression(words)
        if not expression:
            return []
        return [_hit(*row) for row in await asyncio.to_thread(self._query, _FIND, (expression, limit))]

    def close(self) -> None:
        """Close the file."""
        with self._turn:
            self._db.close()

    def _query(self, statement: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        with self._using():
            return self._db.execute(statement, values).fetchall()

    def _put(self, session: SessionId, passages: Sequence[Passage], seq: int) -> None:
        with self._using(), self._db:
            known = self._db.execute("SELECT seq FROM reached WHERE session = ?", (session,)).fetchone()
            before = known[0] if known else 0
            rows = [
                (session, new.key, new.kind, new.seq, new.at.isoformat(), _CONTROL.sub(" ", new.text))
                for new in passages
                if new.seq > before
            ]
            self._db.executemany(_PUT, rows)
            self._db.execute("INSERT OR REPLACE INTO reached VALUES (?, ?)", (session, max(seq, before)))

    @contextlib.contextmanager
    def _using(self) -> Iterator[None]:
        with self._turn:
            try:
                yield
            except sqlite3.Error as error:
                raise OutriderError(
                    f"The search index {self._path} cannot be used: {error}.",
                    "Delete it and start again: it is made anew from the sessions.",
                ) from error


def fts_expression(words: str) -> str:
    """What people type, as an FTS5 expression that has no operators: every word quoted, the last one a beginning."""
    quoted = [f'"{word}"' for word in words.replace('"', " ").replace("\0", " ").split() if _has_letters(word)]
    return " ".join(quoted[:WORDS_LIMIT]) + "*" if quoted else ""


def _has_letters(word: str) -> bool:
    return any(letter.isalnum() for letter in word)


def _hit(session: str, kind: PassageKind, seq: int, at: str, snippet: str) -> Hit:
    parts = []
    for piece in snippet.split(_BEGIN):
        found, mark, rest = piece.rpartition(_END)
        parts += [SnippetPart(found, hit=True)] if mark else []
        parts += [SnippetPart(rest, hit=False)] if rest else []
    return Hit(SessionId(session), kind, seq, datetime.fromisoformat(at), tuple(parts))


def _open(path: Path) -> sqlite3.Connection:
    try:
        return _connect(path)
    except sqlite3.DatabaseError as error:
        _log.warning("the search index %s is made anew: %s", path, error)
    for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
        path.with_name(name).unlink(missing_ok=True)
    try:
        return _connect(path)
    except sqlite3.Error as error:
        raise OutriderError(f"The search index {path} cannot be made: {error}.", "Look at the disk.") from error


def _connect(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, check_same_thread=False, timeout=5)
    try:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=NORMAL")
        db.execute("PRAGMA cache_size=-256")
        db.executescript(_SCHEMA)
        db.execute("SELECT count(*) FROM reached").fetchone()
    except BaseException:
        db.close()
        raise
    return db
