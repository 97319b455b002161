"""Unified diffs of what an engine changed, bounded in time and size: both texts come from the guest.

In a long text difflib drops the lines that one in a hundred is like (`autojunk`). Without that, a thousand lines of
two kinds take it half a minute.
"""

import difflib
from itertools import takewhile

from outrider.model.engine import ToolDiff

DIFF_LIMIT = 262_144
"""Characters kept of a diff; ToolDiff refuses more."""

CONTEXT_LINES = 3

COMPARE_LIMIT = 250_000
"""Old lines times new lines, of those between the first and the last difference, that difflib may compare: 0.1 s with
texts made to be slow. Beyond, all of them are replaced."""


def unified_diff(path: str, old: str | None, new: str) -> ToolDiff:
    """The change of one file. `old` is None where the file is new. Line numbers are those of the texts given."""
    before, after = (old or "").splitlines(), new.splitlines()
    lines = [f"--- {path if old is not None else '/dev/null'}", f"+++ {path}", *_hunks(before, after)]
    diff = "\n".join(lines) + "\n"
    return ToolDiff(path=path[:4096], diff=diff[:DIFF_LIMIT], truncated=len(diff) > DIFF_LIMIT)


def _hunks(before: list[str], after: list[str]) -> list[str]:
    lines = _Lines(before, after)
    return [line for group in lines.get_grouped_opcodes(CONTEXT_LINES) for line in _hunk(group, before, after)]


class _Lines(difflib.SequenceMatcher[str]):
    """Compares two texts. Equal lines at both ends are set aside first: most edits are small, files are not."""

    def __init__(self, before: list[str], after: list[str]) -> None:
        super().__init__(None, (), (), autojunk=False)
        self._before = before
        self._after = after

    def get_matching_blocks(self) -> list[difflib.Match]:
        """Where both texts are equal."""
        before, after = self._before, self._after
        head = _equal(before, after)
        tail = _equal(before[head:][::-1], after[head:][::-1])
        end_before, end_after = len(before) - tail, len(after) - tail
        middle: list[difflib.Match] = []
        if (end_before - head) * (end_after - head) <= COMPARE_LIMIT:
            differing = difflib.SequenceMatcher(None, before[head:end_before], after[head:end_after])
            middle = differing.get_matching_blocks()[:-1]
        return [
            difflib.Match(0, 0, head),
            *(difflib.Match(a + head, b + head, size) for a, b, size in middle),
            difflib.Match(end_before, end_after, tail),
            difflib.Match(len(before), len(after), 0),
        ]


def _hunk(group: list[tuple[str, int, int, int, int]], before: list[str], after: list[str]) -> list[str]:
    (_, old_start, _, new_start, _), (_, _, old_end, _, new_end) = group[0], group[-1]
    lines = [f"@@ -{_range(old_start, old_end)} +{_range(new_start, new_end)} @@"]
    for tag, i1, i2, j1, j2 in group:
        if tag == "equal":
            lines += (f" {line}" for line in before[i1:i2])
        else:
            lines += (f"-{line}" for line in before[i1:i2])
            lines += (f"+{line}" for line in after[j1:j2])
    return lines


def _range(start: int, end: int) -> str:
    """A range as patch writes it: an empty one names the line before it."""
    return f"{start + 1 if end > start else start},{end - start}"


def _equal(one: list[str], other: list[str]) -> int:
    """How many lines at the start are equal."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
