"""What a drawing of a session has to remember from event to event."""

from dataclasses import dataclass, field
from datetime import datetime

from rich.console import RenderableType

from outrider.model.engine import ModelRef, ToolCallUpdate, Usage
from outrider.model.ids import ToolCallId


@dataclass(frozen=True, slots=True)
class Block:
    """Lines that belong together; blocks of different kinds are set apart by an empty line."""

    kind: str
    lines: tuple[RenderableType, ...]


@dataclass(slots=True)
class OpenCall:
    """A tool call as it is known so far."""

    begun_at: datetime
    merged: ToolCallUpdate
    drawn: bool = False


@dataclass(slots=True)
class Scene:
    """The state of one drawing."""

    width: int
    session: str = ""
    server: str = ""
    """Address that relative links begin with."""
    model: ModelRef | None = None
    status: str = ""
    """What goes on now, in a few words; empty where nothing does."""
    synced: bool = True
    """Whether the workspace is on the session's commit: until then the agent only reads."""
    at: datetime | None = None
    """When the event that is drawn was stored."""
    shown_head: str = ""
    """The newest commit that was listed: the work of one turn is collected several times."""
    calls: dict[ToolCallId, OpenCall] = field(default_factory=dict)
    spent: list[Usage] = field(default_factory=list)
    spent_before: int = 0
    """How many of these were spent before the turn."""

    def link(self, url: str) -> str:
        """An address that can be opened."""
        return f"{self.server}{url}" if url.startswith("/") else url
