"""Lines whose wrapped rest stands below their text, and lists that stay whole where there is little room."""

from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

NARROW = 72
"""Below so many columns a list has a few lines a row instead of cells beside one another."""


@dataclass(frozen=True, slots=True)
class Hanging:
    """`lead` once, then `body` wrapped beside it."""

    lead: Text
    body: Text

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the lines."""
        indent = cell_len(self.lead.plain)
        lines = self.body.wrap(console, max(options.max_width - indent, 8), tab_size=4) or [Text()]
        for number, line in enumerate(lines):
            yield Text.assemble(self.lead if number == 0 else " " * indent, line)


def beside(icon: str, body: str | Text, style: str = "", *, indent: int = 2) -> Hanging:
    """A line with an icon in front."""
    text = Text(body) if isinstance(body, str) else body
    return Hanging(Text(" " * indent).append(f"{icon} " if icon else "", style=style), text)


def is_narrow(console: Console) -> bool:
    """Whether a table would cut what it shows."""
    return console.width < NARROW


def make_table(console: Console) -> Table:
    """An empty table as every list has it: as wide as the terminal; in a pipe as wide as what is in it."""
    return Table(box=None, pad_edge=False, header_style="dim", expand=console.is_terminal)


def stack(console: Console, facts: list[str], *lines: str | Text) -> None:
    """A row of a list where there is little room: facts, of which the first names it, and below them the rest."""
    told = [fact for fact in facts if fact]
    head = Text(told[0], style="bold").append("".join(f"  {fact}" for fact in told[1:]), style="not bold dim")
    console.print(Hanging(Text(), head))
    for line in lines:
        if str(line):
            console.print(beside("", line))
