"""Text that comes piece by piece, broken into lines that fit while the last line is still being written."""

from dataclasses import dataclass, field

from rich.cells import get_character_cell_size

from outrider.cli.clean import clean


@dataclass
class Prose:
    """One message. Pieces carry their offset in it (characters), so that what came twice is drawn once."""

    width: int
    drawn: int = 0
    open_line: str = ""
    _wrote: bool = field(default=False)

    def write(self, offset: int, text: str) -> list[str]:
        """The lines that are whole now. A piece that leaves a gap is drawn after a mark for what is missing."""
        end = offset + len(text)
        if end <= self.drawn:
            return []
        fresh = text[max(self.drawn - offset, 0) :]
        if offset > self.drawn:
            fresh = f"…{fresh}"
        self.drawn = end
        return self._break(clean(fresh))

    def close(self) -> list[str]:
        """What is left on the open line."""
        line, self.open_line = self.open_line.rstrip(), ""
        return [line] if line else []

    def _break(self, text: str) -> list[str]:
        lines: list[str] = []
        first, *rest = text.split("\n")
        lines += self._extend(first)
        for piece in rest:
            self._finish(lines, self.open_line)
            self.open_line = ""
            lines += self._extend(piece)
        return lines

    def _extend(self, piece: str) -> list[str]:
        lines: list[str] = []
        self.open_line += piece
        while (end := _fitting(self.open_line, self.width)) < len(self.open_line.rstrip()):
            space = end if self.open_line[end] == " " else self.open_line.rfind(" ", 0, end)
            at = space if self.open_line[: max(space, 0)].strip() else end
            self._finish(lines, self.open_line[:at])
            self.open_line = self.open_line[at:].lstrip(" ")
        return lines

    def _finish(self, lines: list[str], line: str) -> None:
        """Empty lines before the first word say nothing."""
        if line.strip() or self._wrote:
            self._wrote = True
            lines.append(line.rstrip())


def _fitting(line: str, width: int) -> int:
    """How many characters of the line fit, at least one."""
    cells = 0
    for number, character in enumerate(line):
        cells += get_character_cell_size(character)
        if cells > width:
            return max(number, 1)
    return len(line)
