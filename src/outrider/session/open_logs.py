"""The logs that are open. Each at most once; one that is being closed cannot be opened, so others wait for it."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from outrider.model.errors import NotFound
from outrider.model.ids import SessionId
from outrider.ports.store import Rescue, SessionLog, SessionLogs


class OpenLogs:
    """Opens logs, and reads those of sessions that sleep without waking them."""

    _open: dict[SessionId, SessionLog]
    _busy: dict[SessionId, asyncio.Event]
    """Sessions that are on their way to being awake or asleep."""

    def __init__(self, logs: SessionLogs) -> None:
        self._logs = logs
        self._open = {}
        self._busy = {}
        self._turn = asyncio.Lock()

    def ids(self) -> list[SessionId]:
        """Every session that has a log."""
        return self._logs.ids()

    def create(self, session: SessionId) -> SessionLog | None:
        """A new log, open; None where the session exists. One without any event is new: its maker was killed."""
        if session in self._open:
            return None
        try:
            log = self._logs.create(session)
        except ValueError:
            log = self._logs.open(session)
        if log.last_seq():
            log.close()
            return None
        self._open[session] = log
        return log

    def open(self, session: SessionId) -> SessionLog:
        """The log of a session that is not busy. Raises NotFound."""
        log = self._open[session] = self._logs.open(session)
        return log

    async def close(self, session: SessionId) -> None:
        """Close it in a thread: it may wait for the disk. The session is busy meanwhile."""
        log = self._open.pop(session)
        with self.busy(session):
            await asyncio.to_thread(log.close)

    def damaged(self) -> list[SessionId]:
        """Every session that had a log of which nothing could be read."""
        return self._logs.damaged()

    async def rescue(self, session: SessionId) -> Rescue:
        """Make a new log of what can be read of a damaged one that is not open. The session is busy meanwhile."""
        with self.busy(session):
            return await asyncio.to_thread(self._logs.rescue, session)

    @contextmanager
    def busy(self, session: SessionId) -> Iterator[None]:
        """Others wait in `free` for as long as this lives."""
        over = self.keep_busy(session)
        try:
            yield
        finally:
            self._busy.pop(session, None)
            over.set()

    def keep_busy(self, session: SessionId) -> asyncio.Event:
        """Others wait in `free` until the next `busy` of this session ends."""
        return self._busy.setdefault(session, asyncio.Event())

    async def free(self, session: SessionId) -> None:
        """Wait until the session is awake or asleep."""
        while busy := self._busy.get(session):
            await busy.wait()

    async def readable(self, session: SessionId) -> None:
        """Wait for one's turn, and while the log is being closed; then it may be read before anything else is awaited.
        Readers have their turns one after the other, and all else in between: a page takes milliseconds."""
        async with self._turn:
            await asyncio.sleep(0)
        while session not in self._open and (busy := self._busy.get(session)):
            await busy.wait()

    def read(self, session: SessionId, after: int, limit: int) -> list[bytes]:
        """Stored events as encoded bytes. Raises NotFound."""
        with self._reading(session) as log:
            return log.read_encoded(after, limit)

    def last_seq(self, session: SessionId) -> int:
        """The number of the newest event. Raises NotFound."""
        with self._reading(session) as log:
            return log.last_seq()

    def exists(self, session: SessionId) -> bool:
        """Whether there is such a session. A log without any event is none yet."""
        try:
            return self.last_seq(session) > 0
        except NotFound:
            return False

    @contextmanager
    def _reading(self, session: SessionId) -> Iterator[SessionLog]:
        if session in self._open:
            yield self._open[session]
            return
        log = self._logs.open(session)
        try:
            yield log
        finally:
            log.close()
