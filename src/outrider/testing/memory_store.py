"""Stores that keep everything in memory. They pass the same contract suite as the real ones."""

import base64
import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from outrider.model.errors import NotFound, Refused
from outrider.model.events import RECORDED, Recorded
from outrider.model.ids import ArtifactId, SessionId
from outrider.model.rows import Row, row
from outrider.ports.store import Rescue, SessionRow, Wanted


class MemorySessionLog:
    """An open log: a view on the bytes that `MemorySessionLogs` keeps while it is closed."""

    def __init__(self, session: SessionId, bodies: list[bytes], open_ones: set[SessionId]) -> None:
        self._session = session
        self._bodies = bodies
        self._open_ones = open_ones
        self._closed = False
        open_ones.add(session)

    def last_seq(self) -> int:
        """The number of the newest event; 0 for none."""
        return len(self._bodies)

    def append(self, events: Sequence[Recorded]) -> None:
        """Store events that continue the numbers, else ValueError."""
        self.append_encoded([row(event) for event in events])

    def append_encoded(self, rows: Sequence[Row]) -> None:
        """As `append`, already encoded."""
        if [row[0] for row in rows] != list(range(self.last_seq() + 1, self.last_seq() + len(rows) + 1)):
            raise ValueError("the numbers of the events do not continue")
        self._bodies.extend(row[3] for row in rows)

    def read(self, after: int, limit: int) -> list[Recorded]:
        """Events with larger numbers, oldest first."""
        return [RECORDED.validate_json(body) for body in self.read_encoded(after, limit)]

    def read_encoded(self, after: int, limit: int) -> list[bytes]:
        """The same without parsing."""
        return self._bodies[after : after + limit]

    def all(self) -> Iterator[Recorded]:
        """Every event, oldest first."""
        yield from self.read(0, self.last_seq())

    def checkpoint(self) -> None:
        """Nothing to do."""

    def close(self) -> None:
        """Let others open it."""
        if not self._closed:
            self._closed = True
            self._open_ones.discard(self._session)


class MemorySessionLogs:
    """All logs, gone with the process."""

    def __init__(self) -> None:
        self._bodies: dict[SessionId, list[bytes]] = {}
        self._open: set[SessionId] = set()

    def create(self, session: SessionId) -> MemorySessionLog:
        """A new empty log. Raises ValueError where it exists."""
        if session in self._bodies:
            raise ValueError(f"session {session} already has a log")
        self._bodies[session] = []
        return self.open(session)

    def open(self, session: SessionId) -> MemorySessionLog:
        """An existing log. Raises NotFound; Refused where it is open already."""
        if session not in self._bodies:
            raise NotFound(f"There is no session {session}.")
        if session in self._open:
            raise Refused(f"The session {session} is open elsewhere.")
        return MemorySessionLog(session, self._bodies[session], self._open)

    def rescue(self, session: SessionId) -> Rescue:
        """Memory is never damaged."""
        return Rescue(len(self._bodies[session]), Path())

    def damaged(self) -> list[SessionId]:
        """None."""
        return []

    def ids(self) -> list[SessionId]:
        """Every session that has a log, in the order of their ids."""
        return sorted(self._bodies)


class MemoryBlobs:
    """Artifacts in a dictionary."""

    def __init__(self) -> None:
        self._blobs: dict[tuple[SessionId, ArtifactId], tuple[bytes, str]] = {}

    async def put(self, session: SessionId, data: bytes, *, media_type: str) -> ArtifactId:
        """Store bytes under an id that is derived from them and their type."""
        digest = hashlib.sha256(media_type.encode() + b"\0" + data).digest()[:20]
        artifact = ArtifactId("a-" + base64.b32encode(digest).decode().lower())
        self._blobs[session, artifact] = (data, media_type)
        return artifact

    async def get(self, session: SessionId, artifact: ArtifactId) -> tuple[bytes, str]:
        """Bytes and media type. Raises NotFound."""
        if (session, artifact) not in self._blobs:
            raise NotFound(f"There is no artifact {artifact}.")
        return self._blobs[session, artifact]


class MemorySessionIndex:
    """The list of sessions in a dictionary."""

    def __init__(self) -> None:
        self._rows: dict[SessionId, SessionRow] = {}

    async def put(self, *rows: SessionRow) -> None:
        """Insert or replace, never by an older projection."""
        for new in rows:
            known = self._rows.get(new.id)
            if known is None or known.projected_seq <= new.projected_seq:
                self._rows[new.id] = new

    async def choose(self, wanted: Wanted, *, limit: int, before: datetime | None = None) -> list[SessionRow]:
        """Those that are wanted: pinned ones first, then the newest change first."""
        rows = [row for row in self._rows.values() if wanted.has(row)]
        if before is not None:
            rows = [row for row in rows if row.updated_at < before and not row.pinned]
        return sorted(rows, key=lambda row: (row.pinned, row.updated_at, row.id), reverse=True)[:limit]

    async def list(self, *, limit: int, before: datetime | None = None, member: str = "") -> list[SessionRow]:
        """Newest change first."""
        rows = [row for row in self._rows.values() if before is None or row.updated_at < before]
        rows = [row for row in rows if not member or member in row.members]
        return sorted(rows, key=lambda row: (row.updated_at, row.id), reverse=True)[:limit]

    async def get(self, session: SessionId) -> SessionRow | None:
        """One row."""
        return self._rows.get(session)

    async def counts(self) -> dict[str, int]:
        """How many there are of each status."""
        return dict(Counter(row.status for row in self._rows.values()))
