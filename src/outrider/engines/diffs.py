"""Unified diffs of what an engine changed, bounded in time and size: both texts come from the guest."""

import difflib
from itertools import takewhile

from outrider.model.engine import ToolDiff

DIFF_LIMIT = 262_144
"""Characters kept of a diff; ToolDiff refuses more."""

CONTEXT_LINES = 3

COMPARE_LIMIT = 4_000_000
"""Old lines times new lines that difflib may compare, about a second at worst. Beyond, all lines are replaced."""


def unified_diff(path: str, old: str | None, new: str) -> ToolDiff:
    """The change of one file. `old` is None where the file is new. Line numbers are those of the texts given."""
    before, after = (old or "").splitlines(), new.splitlines()
    lines = [f"--- {path if old is not None else '/dev/null'}", f"+++ {path}", *_hunks(before, after)]
    diff = "\n".join(lines) + "\n"
    return ToolDiff(path=path[:4096], diff=diff[:DIFF_LIMIT], truncated=len(diff) > DIFF_LIMIT)


def _hunks(before: list[str], after: list[str]) -> list[str]:
    """Hunks of what differs. Equal lines at both ends are set aside first: most edits are small, files are not."""
    head = _equal(before, after)
    tail = _equal(before[head:][::-1], after[head:][::-1])
    first = max(0, head - CONTEXT_LINES)
    last = max(0, tail - CONTEXT_LINES)
    old, new = before[first : len(before) - last], after[first : len(after) - last]
    if len(old) * len(new) > COMPARE_LIMIT:
        return [_header(first, len(old), len(new)), *(f"-{line}" for line in old), *(f"+{line}" for line in new)]
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    return [line for group in matcher.get_grouped_opcodes(CONTEXT_LINES) for line in _hunk(group, old, new, first)]


def _hunk(group: list[tuple[str, int, int, int, int]], old: list[str], new: list[str], first: int) -> list[str]:
    start_old, end_old, start_new, end_new = group[0][1], group[-1][2], group[0][3], group[-1][4]
    lines = [_header(first, end_old - start_old, end_new - start_new, start_old, start_new)]
    for tag, i1, i2, j1, j2 in group:
        if tag == "equal":
            lines += (f" {line}" for line in old[i1:i2])
        else:
            lines += (f"-{line}" for line in old[i1:i2])
            lines += (f"+{line}" for line in new[j1:j2])
    return lines


def _header(first: int, old_count: int, new_count: int, start_old: int = 0, start_new: int = 0) -> str:
    return f"@@ -{_range(first + start_old, old_count)} +{_range(first + start_new, new_count)} @@"


def _range(start: int, count: int) -> str:
    """A range as patch writes it: an empty one names the line before it."""
    return f"{start + 1 if count else start},{count}"


def _equal(one: list[str], other: list[str]) -> int:
    """How many lines at the start are equal."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
