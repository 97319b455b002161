"""Where things are kept: the log of one session, blobs, and the index of sessions."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from outrider.model.events import Recorded
from outrider.model.ids import ArtifactId, SessionId
from outrider.model.membership import Member
from outrider.model.rows import Row


class SessionLog(Protocol):
    """The append-only log of one session. One writer. Calls are short and made on the event loop's thread, except
    `checkpoint` and `close`, which may fsync and belong in a thread."""

    def last_seq(self) -> int:
        """The number of the newest event; 0 for none."""

    def append(self, events: Sequence[Recorded]) -> None:
        """Store events in one transaction. They must continue the numbers without a gap, else ValueError. Raises
        LimitReached when the disk is full; nothing is stored then."""

    def append_encoded(self, rows: Sequence[Row]) -> None:
        """As `append`, where the caller has already encoded each event."""

    def read(self, after: int, limit: int) -> list[Recorded]:
        """Events with larger numbers, oldest first."""

    def read_encoded(self, after: int, limit: int) -> list[bytes]:
        """The same as stored JSON, one `Recorded` each, without parsing."""

    def all(self) -> Iterator[Recorded]:
        """Every event, oldest first, in pages."""

    def checkpoint(self) -> None:
        """Move the write-ahead log into the file. May fsync."""

    def close(self) -> None:
        """Close the file. May fsync. No error when closed."""


@dataclass(frozen=True, slots=True)
class Rescue:
    """What came of a damaged log: so many events, from the first on, are in the new one; 0: there is none. The damaged
    file is in `place`."""

    kept: int
    place: Path


class SessionLogs(Protocol):
    """The logs of all sessions: one file each."""

    def create(self, session: SessionId) -> SessionLog:
        """A new empty log. Raises ValueError where it exists."""

    def open(self, session: SessionId) -> SessionLog:
        """An existing log. Raises NotFound; DamagedLog where it cannot be read."""

    def rescue(self, session: SessionId) -> Rescue:
        """Put a log aside that is damaged and not open, whole, and make a new one of the events that can be read from
        the first on without a gap. Reads and writes files: call it in a thread."""

    def damaged(self) -> list[SessionId]:
        """Every session that had a log of which nothing could be read."""

    def ids(self) -> list[SessionId]:
        """Every session that has a log."""


class Blobs(Protocol):
    """Artifacts: logs of checks, attachments. Bounded by whoever writes."""

    async def put(self, session: SessionId, data: bytes, *, media_type: str) -> ArtifactId:
        """Store bytes. The id is derived from the content."""

    async def get(self, session: SessionId, artifact: ArtifactId) -> tuple[bytes, str]:
        """Bytes and media type. Raises NotFound."""


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session in the index: a projection of its log, mended at start where the log is ahead."""

    id: SessionId
    title: str
    repository: str
    branch: str
    author: str
    model: str
    status: str
    pull_request: int | None
    pull_request_state: str | None
    verdict: str | None
    cost_usd: float
    created_at: datetime
    updated_at: datetime
    projected_seq: int
    pinned: bool = False
    parent: SessionId | None = None
    """Which session started it."""
    members: Mapping[str, Member] = field(default_factory=dict)
    """By email, in lower case."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which sessions a list is to have, pinned ones first. What is empty asks for nothing."""

    statuses: frozenset[str] = frozenset()
    """None: all but archived ones."""
    repository: str = ""
    author: str = ""
    words: str = ""
    """In the title, whole or in part, whatever the case."""
    among: frozenset[SessionId] | None = None
    """Sessions that are wanted though their title has no such words: a search has found them."""
    member: str = ""
    """By email, in lower case."""
    only: frozenset[SessionId] | None = None
    """No others than these."""

    def has(self, row: SessionRow) -> bool:
        """Whether this one is wanted."""
        at = row.status in self.statuses if self.statuses else row.status != "archived"
        named = not self.words or self.words.lower() in row.title.lower() or row.id in (self.among or ())
        seen = self.member in ("", *row.members) and (self.only is None or row.id in self.only)
        return at and named and seen and self.repository in ("", row.repository) and self.author in ("", row.author)


class SessionIndex(Protocol):
    """The list of sessions that people see."""

    async def put(self, *rows: SessionRow) -> None:
        """Insert or replace rows of different sessions, all or none. An older `projected_seq` never replaces a newer
        one."""

    async def choose(self, wanted: Wanted, *, limit: int, before: datetime | None = None) -> list[SessionRow]:
        """Those that are wanted: pinned ones first, then the newest change first. With `before` the next page: pinned
        ones were all on the first."""

    async def list(self, *, limit: int, before: datetime | None = None, member: str = "") -> list[SessionRow]:
        """Newest change first; those of one member alone where their email, in lower case, is given."""

    async def get(self, session: SessionId) -> SessionRow | None:
        """One row."""

    async def counts(self) -> Mapping[str, int]:
        """How many there are of each status."""
