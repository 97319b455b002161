"""Lines whose wrapped rest stands below their text, not below their icon."""

from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text


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
