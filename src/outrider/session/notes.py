"""Notes: what an engine says and does on its way to the session, as drafts and commands, secrets kept out."""

from collections.abc import Sequence

from outrider.model import commands as c
from outrider.model.engine import PermissionAsk, PlanUpdate, TextDelta, ToolCallUpdate
from outrider.model.ids import TurnId
from outrider.ports.clock import Clock
from outrider.session.actor import Actor
from outrider.session.redaction import Redactor


class Notes:
    """Those of one engine session. What was said before something is stored before it."""

    def __init__(self, actor: Actor, redactor: Redactor, clock: Clock) -> None:
        self._actor = actor
        self._drafts = actor.hub.drafts
        self._redactor = redactor
        self._stream = redactor.stream()
        self._clock = clock
        self._last: TextDelta | None = None

    def text(self, turn: TurnId, delta: TextDelta) -> None:
        """Some more text; the message before it is whole."""
        if self._last and self._last.message != delta.message:
            self.seal(turn)
        self._last = delta
        self._say(turn, delta, self._stream.feed(delta.text))
        self.seal_old()

    def changes(self, turn: TurnId, updates: Sequence[ToolCallUpdate | PlanUpdate]) -> None:
        """Tool calls or a plan are new or have changed."""
        if updates:
            self.seal(turn)
            for update in updates:
                self._actor.tell(c.EngineChanged(turn, self._redactor.value(update)))

    def permission(self, turn: TurnId, ask: PermissionAsk, *, allowed: bool) -> None:
        """The engine asked, and was answered."""
        self._actor.tell(c.DecidePermission(turn, self._redactor.value(ask), allowed=allowed))

    def seal(self, turn: TurnId) -> None:
        """Store all that was said."""
        if self._last:
            self._say(turn, self._last, self._stream.flush())
        self._last = None
        self._tell(self._drafts.seal())

    def seal_old(self) -> None:
        """Store what was said a while ago, though its message may go on."""
        self._tell(self._drafts.due(self._clock.monotonic()))

    def _say(self, turn: TurnId, delta: TextDelta, text: str) -> None:
        if text:
            self._actor.hub.say(turn, delta.message, delta.speaker, text, self._clock.monotonic())

    def _tell(self, parts: list[c.SealText]) -> None:
        for part in parts:
            self._actor.tell(part)
