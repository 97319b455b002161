"""The ear: hears an engine, keeps secrets out of what it says, and passes it on as drafts and commands."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from outrider.model import commands as c
from outrider.model.engine import EngineUpdate, PermissionAsk, PlanUpdate, TextDelta, ToolCallUpdate, ToolKind
from outrider.model.ids import TurnId
from outrider.ports.clock import Clock
from outrider.session.actor import Actor
from outrider.session.drafts import SEAL_SECONDS
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
        self._drafts = actor.hub.drafts
        self._redactor = redactor
        self._stream = redactor.stream()
        self._clock = clock
        self._last: TextDelta | None = None
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
                self._hear(update)
            case ToolCallUpdate():
                self._store(self._calls.take(update, self._clock.monotonic()))
                if update.status in ENDED and update.kind not in READS:
                    self.acted(self.turn, update)
            case PlanUpdate():
                self._store([update])

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
        self._actor.tell(c.DecidePermission(turn.id, self._redactor.value(ask), allowed=turn.well))
        return turn.well

    async def keep_sealing(self) -> None:
        """Have what is held stored when it gets old, though the engine is silent."""
        while True:
            await self._clock.sleep(SEAL_SECONDS / 4)
            self._tell(self._drafts.due(self._clock.monotonic()))
            self._store(self._calls.due(self._clock.monotonic()))

    def finish(self) -> None:
        """The round is over: everything that was said is stored."""
        if self.turn is not None:
            self._seal()
            self._store(self._calls.flush())
        self.turn = None

    def _hear(self, delta: TextDelta) -> None:
        if self._last and self._last.message != delta.message:
            self._seal()
        self._last = delta
        self._say(delta, self._stream.feed(delta.text))
        self._tell(self._drafts.due(self._clock.monotonic()))

    def _say(self, delta: TextDelta, text: str) -> None:
        if text and self.turn is not None:
            self._actor.hub.say(self.turn, delta.message, delta.speaker, text, self._clock.monotonic())

    def _seal(self) -> None:
        if self._last:
            self._say(self._last, self._stream.flush())
        self._last = None
        self._tell(self._drafts.seal())

    def _store(self, updates: Sequence[ToolCallUpdate | PlanUpdate]) -> None:
        """What was said before is stored before."""
        if updates and self.turn is not None:
            self._seal()
            for update in updates:
                self._actor.tell(c.EngineChanged(self.turn, self._redactor.value(update)))

    def _tell(self, parts: list[c.SealText]) -> None:
        for part in parts:
            self._actor.tell(part)
