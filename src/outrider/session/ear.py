"""The ear: hears an engine, and answers when it asks."""

import asyncio
from collections.abc import Awaitable, Callable

from outrider.model.engine import EngineUpdate, PermissionAsk, PlanUpdate, TextDelta, ToolCallUpdate, ToolKind
from outrider.model.ids import TurnId
from outrider.ports.clock import Clock
from outrider.session.actor import Actor
from outrider.session.drafts import SEAL_SECONDS
from outrider.session.notes import Notes
from outrider.session.redaction import Redactor
from outrider.session.state import State
from outrider.session.tool_calls import ENDED, ToolCalls

Synced = Callable[[TurnId], Awaitable[State]]
"""Returns the state when the workspace is synced, or when this turn is not to go on."""


READS = (ToolKind.READ, ToolKind.SEARCH, ToolKind.THINK)
"""Kinds of tool that change nothing: most engines do not even ask."""


class Ear:
    """Implements `outrider.ports.engine.EngineListener` for one engine session."""

    turn: TurnId | None
    """Whose words these are; between turns an engine is not heard."""
    heard: asyncio.Event
    """Set at the first that the engine says or asks in its round."""
    named: asyncio.Event
    """Set when commits go by the name of who prompts. No tool runs before."""
    stale: asyncio.Event
    """Set when the engine wants to act on files that have moved since it may have read them."""

    acted: Callable[[TurnId, ToolCallUpdate], None]
    """Called when a tool that may have changed something has ended."""

    def __init__(self, actor: Actor, redactor: Redactor, clock: Clock, synced: Synced) -> None:
        self.turn = None
        self.acted = lambda turn, update: None
        self.heard = asyncio.Event()
        self.named = asyncio.Event()
        self.stale = asyncio.Event()
        self._synced = synced
        self._actor = actor
        self._clock = clock
        self._notes = Notes(actor, redactor, clock)
        self._calls = ToolCalls()

    def begin(self, turn: TurnId) -> None:
        """A round begins: from here on the engine is heard."""
        self.turn = turn
        self.heard.clear()
        self.named.clear()
        self.stale.clear()

    def update(self, update: EngineUpdate) -> None:
        """The engine said or did something."""
        if self.turn is None:
            return
        self.heard.set()
        match update:
            case TextDelta():
                self._notes.text(self.turn, update)
            case ToolCallUpdate():
                self._notes.changes(self.turn, self._calls.take(update, self._clock.monotonic()))
                if update.status in ENDED and update.kind not in READS:
                    self.acted(self.turn, update)
            case PlanUpdate():
                self._notes.changes(self.turn, [update])

    async def permission(self, ask: PermissionAsk) -> bool:
        """Allowed, once, as soon as the workspace is synced: the sandbox is the boundary. Not while the turn is being
        stopped. Where the sync has moved files and the engine does not know it, what it asks for may be made from old
        ones: it is not answered, but cancelled with its prompt, and the engine is told."""
        self.heard.set()
        await self.named.wait()
        if self.turn is None:
            return False
        reads = ask.kind in READS
        state = self._actor.state if reads else await self._synced(self.turn)
        turn = state.turn
        if turn is None or turn.id != self.turn:
            return False
        if turn.well and state.sync.untold and not reads:
            self.stale.set()
            await asyncio.Event().wait()
        self._notes.permission(turn.id, ask, allowed=turn.well)
        return turn.well

    async def keep_sealing(self) -> None:
        """Have what is held stored when it gets old, though the engine is silent."""
        while True:
            await self._clock.sleep(SEAL_SECONDS / 4)
            self._notes.seal_old()
            if self.turn is not None:
                self._notes.changes(self.turn, self._calls.due(self._clock.monotonic()))

    def finish(self) -> None:
        """The round is over: everything that was said is stored."""
        if self.turn is not None:
            self._notes.seal(self.turn)
            self._notes.changes(self.turn, self._calls.flush())
        self.turn = None
