"""Sessions as scripts: events and frames in, lines of a terminal out."""

import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console, RenderableType

from outrider.cli.transcript import Transcript
from outrider.model.events import Event, Recorded
from outrider.model.feed import EventsFrame, ServerFrame

START = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


class Tape:
    """Numbers events, and gives each a time: half a second after the one before, or as told."""

    def __init__(self) -> None:
        self.seq = 0
        self.at = START

    def __call__(self, event: Event, after_seconds: float = 0.5) -> EventsFrame:
        self.seq += 1
        self.at += timedelta(seconds=after_seconds)
        return EventsFrame(events=(Recorded(seq=self.seq, at=self.at, event=event),))


@pytest.fixture
def tape() -> Tape:
    return Tape()


def render(lines: list[RenderableType], width: int, *, colour: bool = False) -> str:
    """The lines as a terminal of this width shows them."""
    out = io.StringIO()
    console = Console(file=out, width=width, force_terminal=colour, color_system="standard" if colour else None)
    for line in lines:
        console.print(line, highlight=False, markup=False, emoji=False)
    return out.getvalue()


@pytest.fixture
def play() -> Callable[..., str]:
    """Draw frames in one go, with what was still open at the end."""

    def draw(*frames: ServerFrame, width: int = 80, colour: bool = False) -> str:
        transcript = Transcript(width, "http://localhost:4100")
        lines = [line for frame in frames for line in transcript.apply(frame)]
        return render([*lines, *transcript.close()], width, colour=colour)

    return draw
