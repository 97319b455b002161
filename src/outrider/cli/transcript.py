"""A session as lines: frames of the feed in, blocks of whole lines out, and the line that is still being written.

Pure but for what it remembers: the same frames give the same lines, on a terminal, in a file, in a test.
"""

from rich.console import RenderableType
from rich.text import Text

from outrider.cli.draw import draw
from outrider.cli.prose import Prose
from outrider.cli.scene import Block, Scene
from outrider.model.engine import Speaker
from outrider.model.events import Recorded, TextSealed
from outrider.model.feed import DeltaFrame, DraftsFrame, EventsFrame, ProgressFrame, ServerFrame
from outrider.model.ids import MessageId

MIN_WIDTH, MAX_WIDTH = 40, 200

_STYLE = {Speaker.AGENT: "", Speaker.THOUGHT: "dim italic"}


class Transcript:
    """One drawing of one session."""

    def __init__(self, width: int, server: str = "") -> None:
        self.scene = Scene(width=min(max(width, MIN_WIDTH), MAX_WIDTH), server=server)
        self._messages: dict[MessageId, Prose] = {}
        self._open: tuple[MessageId, Speaker] | None = None
        self._last_kind = ""

    @property
    def open_line(self) -> Text:
        """The line that is still being written; empty where none is."""
        if self._open is None:
            return Text()
        message, speaker = self._open
        return Text(self._messages[message].open_line, style=_STYLE[speaker])

    @property
    def status(self) -> str:
        """What goes on now."""
        return self.scene.status

    def apply(self, frame: ServerFrame) -> list[RenderableType]:
        """The lines that are whole after this frame."""
        match frame:
            case EventsFrame():
                return [line for recorded in frame.events for line in self.event(recorded)]
            case DraftsFrame():
                return [
                    line
                    for draft in frame.drafts
                    for line in self._text(draft.message, draft.speaker, draft.offset, draft.text)
                ]
            case DeltaFrame():
                return self._text(frame.message, frame.speaker, frame.offset, frame.text)
            case ProgressFrame():
                self.scene.status = frame.text
        return []

    def close(self) -> list[RenderableType]:
        """What is left on the open line."""
        if self._open is None:
            return []
        message, speaker = self._open
        self._open = None
        return [Text(line, style=_STYLE[speaker]) for line in self._messages[message].close()]

    def event(self, recorded: Recorded) -> list[RenderableType]:
        """The lines that are whole after this event."""
        event = recorded.event
        if isinstance(event, TextSealed):
            return self._text(event.message, event.speaker, event.offset, event.text)
        self.scene.at = recorded.at
        block = draw(event, self.scene)
        return [] if block is None else [*self.close(), *self._spaced(block)]

    def _text(self, message: MessageId, speaker: Speaker, offset: int, text: str) -> list[RenderableType]:
        before: list[RenderableType] = []
        if self._open is None or self._open[0] != message:
            before = self.close()
        prose = self._messages.setdefault(message, Prose(self.scene.width))
        fresh = offset + len(text) > prose.drawn
        lines = [Text(line, style=_STYLE[speaker]) for line in prose.write(offset, text)]
        if fresh:
            self.scene.status = ""
            self._open = (message, speaker)
        if not lines and not (fresh and prose.open_line):
            return before
        return [*before, *self._spaced(Block(f"text {message}", tuple(lines)))]

    def _spaced(self, block: Block) -> list[RenderableType]:
        gap: list[RenderableType] = (
            [Text()] if self._last_kind not in ("", block.kind) or block.kind == "prompt" else []
        )
        self._last_kind = block.kind
        return [*gap, *block.lines]
