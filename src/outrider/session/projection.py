"""The index of sessions: a projection of their logs, written after each commit. File first, row second."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace

from outrider.model.errors import OutriderError
from outrider.model.ids import SessionId
from outrider.ports.clock import Clock
from outrider.ports.store import SessionIndex, SessionRow
from outrider.session.family_state import open_children
from outrider.session.pacing import rest_seconds
from outrider.session.state import SandboxPhase, State, TurnPhase

logger = logging.getLogger(__name__)

DAMAGED = "damaged"
"""Status of sessions whose logs cannot be read."""

BEHIND_SECONDS = 0.1
"""Rows are written so long after what changed: whoever prompts does not wait for the processor that they take."""

ROWS_AT_ONCE = 100
"""Rows that are written as one: whoever waits for another waits some milliseconds."""

AT_REST = {"asleep", "archived"}
"""Status of sessions that nothing is pending for."""


def status(state: State) -> str:
    """One word for where a session is."""
    if state.archived:
        return "archived"
    if state.turn is None:
        up = state.sandbox is not None and state.sandbox.phase not in (SandboxPhase.STOPPED, SandboxPhase.LOST)
        return "idle" if up or open_children(state.children) else "asleep"
    if state.turn.phase is TurnPhase.STOPPING:
        return "stopping"
    if state.turn.held:
        return "waiting"
    return "waking" if state.turn.phase is TurnPhase.ENGINE and not state.sandbox_ready else "running"


def row(state: State) -> SessionRow:
    """What people see of a session in the list."""
    opened, proof = state.pull_request, state.head_proof
    return SessionRow(
        id=state.session,
        title=state.title,
        pinned=state.pinned,
        repository=state.created.repository.name,
        branch=state.created.base_branch,
        author=state.created.created_by.person.name,
        model=str(state.created.model),
        status=status(state),
        pull_request=opened.number if opened else None,
        pull_request_state=opened.state.value if opened else None,
        verdict=proof.verdict.value if proof else None,
        cost_usd=state.spending.cost_usd,
        created_at=state.created_at,
        updated_at=state.at,
        projected_seq=state.seq,
        parent=state.created.parent.session if state.created.parent else None,
        members=state.members,
    )


class Projection:
    """Writes rows in the background; of many changes to one session only the newest is written."""

    _changed: dict[SessionId, SessionRow]
    _shown: dict[SessionId, tuple[object, ...]]

    def __init__(
        self, index: SessionIndex, clock: Clock, written: Callable[[SessionRow], None] = lambda row: None
    ) -> None:
        """`written` is told of each row once a reader of the index would find it."""
        self._index = index
        self._clock = clock
        self._written = written
        self._changed = {}
        self._shown = {}
        self._lost = set[SessionId]()
        self._writing = asyncio.Lock()
        self._arrived = asyncio.Event()

    def touch(self, state: State) -> None:
        """The session has a new event. While it works its row is written only where people would see a difference;
        at rest always, so that the next start finds the row as new as the log."""
        new = row(state)
        visible = (
            new.title,
            new.pinned,
            new.status,
            new.pull_request,
            new.pull_request_state,
            new.verdict,
            new.cost_usd,
            new.members,
        )
        if new.status not in AT_REST and self._shown.get(new.id) == visible:
            return
        self._shown[new.id] = visible
        self._changed[new.id] = new
        self._arrived.set()

    def pending(self, session: SessionId) -> SessionRow | None:
        """What is about to be written."""
        return self._changed.get(session)

    def lost(self, session: SessionId) -> None:
        """Nothing of the session's log can be read: its row says so, and keeps what it knew."""
        self._lost.add(session)
        self._arrived.set()

    async def run(self) -> None:
        """Write rows until cancelled."""
        took = 0.0
        while True:
            await self._arrived.wait()
            await self._clock.sleep(rest_seconds(BEHIND_SECONDS, took))
            self._arrived.clear()
            began = self._clock.monotonic()
            await self.write()
            took = self._clock.monotonic() - began

    async def _write_lost(self) -> None:
        while self._lost:
            row = await self._index.get(self._lost.pop())
            if row is not None:
                await self._index.put(replace(row, status=DAMAGED))

    async def write(self) -> None:
        """Write what has changed; it is written when this returns, what changes meanwhile is not. A row that cannot be
        written is mended at the next start."""
        async with self._writing:
            await self._write_lost()
        waiting = list(self._changed)
        for start in range(0, len(waiting), ROWS_AT_ONCE):
            await self._put(waiting[start : start + ROWS_AT_ONCE])

    async def write_one(self, session: SessionId) -> None:
        """The same for one session, whatever else waits to be written."""
        await self._put([session])

    async def _put(self, sessions: Sequence[SessionId]) -> None:
        async with self._writing:
            rows = [self._changed.pop(session) for session in sessions if session in self._changed]
            if not rows:
                return
            for new in rows:
                if new.status in AT_REST:
                    self._shown.pop(new.id, None)
            try:
                await self._index.put(*rows)
            except asyncio.CancelledError:
                for new in rows:  # whoever waited is gone: the next round, or the last one at the end, writes them
                    self._changed.setdefault(new.id, new)
                self._arrived.set()
                raise
            except OutriderError as error:
                logger.error("rows of %d sessions in the index are old: %s", len(rows), error)
                return
        for new in rows:
            self._written(new)
