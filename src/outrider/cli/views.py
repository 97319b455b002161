"""Where a session is shown: on a terminal with a live last line, as plain lines, or as JSON for programs."""

import json
import sys
from typing import Any, Protocol, TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from outrider.cli import words
from outrider.cli.presence import present
from outrider.cli.transcript import MAX_WIDTH, MIN_WIDTH, Transcript
from outrider.cli.words import seconds
from outrider.model.events import CheckStarted, Event, StageReported
from outrider.model.feed import EventsFrame, PresenceFrame, ProgressFrame, ServerFrame

REFRESHES_PER_SECOND = 12

PIPE_WIDTH = 10_000
"""Columns of what no terminal shows."""

ANNOUNCED_STAGES = ("import", "clone", "model")
"""Whose progress is worth a line for good: they take minutes in silence, and say little."""


class View(Protocol):
    """Takes the frames of a feed as they come."""

    def frame(self, raw: str, frame: ServerFrame) -> None:
        """Show a frame; `raw` is its JSON as it came."""

    def say(self, sentence: str, style: str = "") -> None:
        """Show a sentence of ours."""

    def result(self, result: dict[str, Any]) -> None:
        """Show what came of the session, where the frames did not."""

    def close(self) -> None:
        """Leave the terminal as it was."""


def make_console(*, to_stderr: bool = False) -> Console:
    """A console within the widths that we draw for. Colour only on a terminal, and not with NO_COLOR."""
    console = Console(stderr=to_stderr, highlight=False, soft_wrap=False, emoji=False, markup=False)
    width = min(max(console.width, MIN_WIDTH), MAX_WIDTH)
    return console if width == console.width else Console(
        stderr=to_stderr, highlight=False, soft_wrap=False, emoji=False, markup=False, width=width
    )  # fmt: skip


def make_list_console() -> Console:
    """A console for lists. In a pipe nothing is cut: there a program reads, or `grep`."""
    console = make_console()
    return console if console.is_terminal else Console(highlight=False, emoji=False, markup=False, width=PIPE_WIDTH)


def make_view(server: str, *, as_json: bool) -> View:
    """The view that fits where stdout goes."""
    if as_json:
        return JsonView(sys.stdout)
    console = make_console()
    return Screen(console, server) if console.is_terminal and not console.is_dumb_terminal else Plain(console, server)


def say_no_success(console: Console, result: dict[str, Any]) -> None:
    """Say why a turn that ran to its end is no success all the same."""
    if said := words.NO_SUCCESS.get(str(result.get("reason"))):
        console.print(Text(said, style="yellow"))


class JsonView:
    """One object a line: each event as it is on the feed, and last the result. Sentences go to stderr."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def frame(self, raw: str, frame: ServerFrame) -> None:
        """Write the events of a frame."""
        if isinstance(frame, EventsFrame):
            for event in json.loads(raw)["events"]:
                self._write(event)

    def say(self, sentence: str, style: str = "") -> None:
        """Write a sentence to stderr, apart from the objects."""
        print(sentence, file=sys.stderr)

    def result(self, result: dict[str, Any]) -> None:
        """Write the last line."""
        self._write({"result": result})

    def close(self) -> None:
        """Nothing is open."""

    def _write(self, value: dict[str, Any]) -> None:
        self._out.write(json.dumps(value, ensure_ascii=False) + "\n")
        self._out.flush()


class Plain:
    """Whole lines for files and pipes; what takes long is announced in a line of its own."""

    def __init__(self, console: Console, server: str) -> None:
        self._console = console
        self._transcript = Transcript(console.width, server)
        self._announced = ""

    def frame(self, raw: str, frame: ServerFrame) -> None:
        """Print what is whole."""
        if not isinstance(frame, EventsFrame):
            self._print(self._transcript.apply(frame))
            if isinstance(frame, ProgressFrame) and frame.stage in ANNOUNCED_STAGES:
                self._announce()
            return
        for recorded in frame.events:
            self._print(self._transcript.event(recorded))
            if self._begins(recorded.event):
                self._announce()

    def say(self, sentence: str, style: str = "") -> None:
        """Print a sentence."""
        self._console.print(Text(sentence, style=style))

    def result(self, result: dict[str, Any]) -> None:
        """The frames have shown it, but for why it is no success."""
        say_no_success(self._console, result)

    def close(self) -> None:
        """Print what was still open."""
        self._print(self._transcript.close())

    def _print(self, lines: list[RenderableType]) -> None:
        for line in lines:
            self._console.print(line)

    def _announce(self) -> None:
        """Print what goes on now, once."""
        if self._transcript.status != self._announced:
            self._announced = self._transcript.status
            self._console.print(Text(f"  … {self._announced}"))

    def _begins(self, event: Event) -> bool:
        """Whether this is the beginning of something that takes long."""
        return isinstance(event, CheckStarted) or (isinstance(event, StageReported) and event.seconds is None)


class Screen:
    """A terminal: whole lines scroll by, and below them the line being written and what goes on now."""

    def __init__(self, console: Console, server: str) -> None:
        self._console = console
        self._transcript = Transcript(console.width, server)
        self._now = Now(console)
        self._present = ""
        self._live = Live(console=console, transient=True, refresh_per_second=REFRESHES_PER_SECOND)
        self._live.start()

    def frame(self, raw: str, frame: ServerFrame) -> None:
        """Print what is whole and renew what is live, in one go: no line is seen twice in between."""
        if isinstance(frame, PresenceFrame):
            self._present = present(frame)
        lines = self._transcript.apply(frame)
        self._live.update(self._below())
        if lines:
            self._console.print(Group(*lines))

    def say(self, sentence: str, style: str = "") -> None:
        """Print a sentence above what is live."""
        self._console.print(Text(sentence, style=style))

    def result(self, result: dict[str, Any]) -> None:
        """The frames have shown it, but for why it is no success."""
        say_no_success(self._console, result)

    def close(self) -> None:
        """Take the live lines away, and keep what was being written."""
        self._live.update(Text())
        self._live.stop()
        if rest := self._transcript.close():
            self._console.print(Group(*rest))

    def _below(self) -> RenderableType:
        parts: list[RenderableType] = [self._transcript.open_line] if self._transcript.open_line.plain else []
        if self._transcript.status:
            parts.append(self._now.doing(self._transcript.status))
        if self._present:
            parts.append(Text(self._present, style="dim", no_wrap=True, overflow="ellipsis"))
        return Group(*parts)


class Now:
    """What goes on, with a spinner and how long it has."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._spinner = Spinner("dots", style="cyan")
        self._status = ""
        self._since = 0.0

    def doing(self, status: str) -> RenderableType:
        """Go on with the same clock where the words are the same."""
        if status != self._status:
            self._status, self._since = status, self._console.get_time()
        return self

    def __rich__(self) -> RenderableType:
        """One line, cut where it does not fit."""
        took = self._console.get_time() - self._since
        line = Table.grid(padding=(0, 1))
        line.add_column(width=1)
        line.add_column(no_wrap=True, overflow="ellipsis")
        line.add_column(no_wrap=True, style="dim")
        line.add_row(self._spinner, Text(self._status, style="dim"), seconds(took) if took >= 1 else "")
        return line
