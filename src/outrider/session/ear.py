"""The ear: hears an engine, keeps secrets out of what it says, and passes it on as drafts and commands."""

import asyncio
from collections.abc import Sequence

from outrider.model import commands as c
from outrider.model.engine import EngineUpdate, PermissionAsk, PlanUpdate, TextDelta, ToolCallUpdate
from outrider.model.ids import TurnId
from outrider.ports.clock import Clock
from outrider.session.actor import Actor
from outrider.session.drafts import SEAL_SECONDS
from outrider.session.redaction import Redactor
from outrider.session.tool_calls import ToolCalls


class Ear:
    """Implements `outrider.ports.engine.EngineListener` for one engine session."""

    turn: TurnId | None
    """Whose words these are; between turns an engine is not heard."""
    named: asyncio.Event
    """Set when commits go by the name of who prompts. No tool runs before."""

    def __init__(self, actor: Actor, redactor: Redactor, clock: Clock) -> None:
        self.turn = None
        self.named = asyncio.Event()
        self._actor = actor
        self._drafts = actor.hub.drafts
        self._redactor = redactor
        self._stream = redactor.stream()
        self._clock = clock
        self._last: TextDelta | None = None
        self._calls = ToolCalls()

    def update(self, update: EngineUpdate) -> None:
        """The engine said or did something."""
        if self.turn is None:
            return
        match update:
            case TextDelta():
                self._hear(update)
            case ToolCallUpdate():
                self._store(self._calls.take(update, self._clock.monotonic()))
            case PlanUpdate():
                self._store([update])

    async def permission(self, ask: PermissionAsk) -> bool:
        """Allowed, once: the workspace is ready before any engine starts, and the sandbox is the boundary. Not while
        the turn is being stopped."""
        await self.named.wait()
        turn = self._actor.state.turn
        if turn is None or turn.id != self.turn:
            return False
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
