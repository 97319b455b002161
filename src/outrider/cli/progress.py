"""How far a session is, as seen from its feed: enough to know when to stop looking."""

from dataclasses import dataclass, field
from enum import Enum

from outrider.model import events
from outrider.model.feed import EventsFrame, LiveFrame, ServerFrame
from outrider.model.ids import PromptId, TurnId


class Goal(Enum):
    """What we look at a session for."""

    PROMPT = "until one prompt is answered"
    IDLE = "until nothing runs and nothing waits"
    NEVER = "until the person leaves"


@dataclass
class Progress:
    """A fold of the feed. Without `prompt`, the session's first one is meant."""

    goal: Goal
    prompt: PromptId | None = None
    seq: int = 0
    """Number of the last event that came."""
    _live: bool = False
    _answered: bool = False
    _waiting: set[PromptId] = field(default_factory=set)
    _running: tuple[TurnId, PromptId] | None = None

    @property
    def over(self) -> bool:
        """Whether the goal is reached."""
        match self.goal:
            case Goal.PROMPT:
                return self._answered
            case Goal.IDLE:
                return self._live and not self._waiting and self._running is None
            case Goal.NEVER:
                return False

    def take(self, frame: ServerFrame) -> None:
        """Fold one frame."""
        self._live = self._live or isinstance(frame, LiveFrame)
        if isinstance(frame, EventsFrame):
            for recorded in frame.events:
                self.seq = recorded.seq
                self._event(recorded.event)

    def _event(self, event: events.Event) -> None:
        match event:
            case events.PromptQueued(prompt=prompt):
                self.prompt = self.prompt or prompt.id
                self._waiting.add(prompt.id)
            case events.PromptWithdrawn(prompt=withdrawn):
                self._done_with(withdrawn)
            case events.TurnStarted(turn=turn, prompt=begun):
                self._waiting.discard(begun)
                self._running = (turn, begun)
            case events.TurnEnded(turn=turn) if self._running and self._running[0] == turn:
                self._done_with(self._running[1])
                self._running = None
            case events.SessionArchived():
                self._answered = True
                self._waiting.clear()

    def _done_with(self, prompt: PromptId) -> None:
        self._waiting.discard(prompt)
        self._answered = self._answered or prompt == self.prompt
