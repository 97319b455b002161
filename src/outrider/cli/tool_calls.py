"""A tool call as one quiet line, and below it the diff that it made or the end of what it printed."""

import json
from datetime import datetime

from rich.cells import cell_len
from rich.console import RenderableType
from rich.text import Text

from outrider.cli import words
from outrider.cli.clean import clean, clean_line, coloured
from outrider.cli.layout import Hanging
from outrider.cli.scene import Block, OpenCall, Scene
from outrider.model.engine import ToolCallUpdate, ToolDiff, ToolKind, ToolStatus, ToolText
from outrider.model.sandbox import WORKSPACE

DIFF_LINES = 40
OUTPUT_LINES = 12
INDENT = "    "
OWN_TOOLS = "outrider_"
"""What the engine puts before the names of our own tools."""

_ENDED = {ToolStatus.COMPLETED: ("✓", "green"), ToolStatus.FAILED: ("✗", "red")}
_DIFF_STYLE = {"+": "green", "-": "red", "@": "cyan"}


def change(update: ToolCallUpdate, scene: Scene) -> Block | None:
    """Take in what changed; the call's lines once it has ended."""
    at = scene.at or datetime.min  # noqa: DTZ901 -- only differences are used
    call = scene.calls.get(update.tool_call)
    if call is None:
        call = scene.calls[update.tool_call] = OpenCall(begun_at=at, merged=update)
    else:
        told = {name: value for name, value in update if value is not None}
        call.merged = call.merged.model_copy(update=told)
    if call.merged.status not in _ENDED:
        scene.status = f"{_verb(call.merged)} {_object(call.merged)}"
        return None
    if call.drawn:
        return None
    call.drawn = True
    scene.status = "Thinking"
    return Block("work", (_line(call, at, scene.width), *_content(call.merged)))


def diff_lines(diff: str, *, limit: int = DIFF_LINES) -> list[RenderableType]:
    """A unified diff without its file header, coloured, and cut with a word about how much is left."""
    lines = [line for line in clean(diff).splitlines() if not line.startswith(("--- ", "+++ ", "diff ", "index "))]
    drawn = [Hanging(Text(INDENT), Text(line, style=_DIFF_STYLE.get(line[:1], "dim"))) for line in lines[:limit]]
    return [*drawn, *_more(len(lines) - limit)]


def output_tail(text: str, *, limit: int = OUTPUT_LINES) -> list[RenderableType]:
    """The last lines of what a command printed, in its own colours."""
    lines = coloured(text.strip("\n")).split("\n")
    shown = [Hanging(Text(INDENT), line) for line in list(lines)[-limit:] if line.plain.strip()]
    return [*_more(len(lines) - limit, "above"), *shown]


def _more(count: int, where: str = "more") -> list[RenderableType]:
    return [Text(f"{INDENT}… {words.count(count, 'line')} {where}", style="dim")] if count > 0 else []


def _line(call: OpenCall, at: datetime, width: int) -> Text:
    merged = call.merged
    icon, colour = _ENDED[merged.status or ToolStatus.COMPLETED]
    took = (at - call.begun_at).total_seconds()
    result = "  ".join(part for part in (_result(merged), words.seconds(took)) if part)
    left = Text("  ").append(icon, style=colour).append(f" {_verb(merged):<6} ", style="bold")
    thing = Text(_object(merged))
    thing.truncate(max(width - cell_len(left.plain) - cell_len(result) - 2, 8), overflow="ellipsis")
    return left.append_text(thing).append("  ").append_text(_result_text(result))


def _result_text(result: str) -> Text:
    text = Text(result, style="dim")
    text.highlight_regex(r"\+\d+", style="green")
    text.highlight_regex(r"-\d+", style="red")
    text.highlight_words(["failed"], style="red")
    return text


def _verb(call: ToolCallUpdate) -> str:
    return words.VERB[call.kind or ToolKind.OTHER]


def _object(call: ToolCallUpdate) -> str:
    """What the tool works on: a command, a path, else the engine's title."""
    command = _command(call)
    if command:
        return command
    if call.paths and call.kind is not ToolKind.SEARCH:
        return ", ".join(clean_line(path).removeprefix(f"{WORKSPACE}/") for path in call.paths[:3])
    title = clean_line(call.title or "").removeprefix(f"{WORKSPACE}/") or "…"
    return title.removeprefix(OWN_TOOLS).replace("_", " ") if title.startswith(OWN_TOOLS) else title


def _command(call: ToolCallUpdate) -> str:
    if call.kind is not ToolKind.EXECUTE or not call.input:
        return ""
    try:
        given = json.loads(call.input)
    except ValueError:
        return ""
    command = given.get("command") if isinstance(given, dict) else None
    return clean_line(command) if isinstance(command, str) else ""


def _result(call: ToolCallUpdate) -> str:
    diffs = [part.diff for part in call.content or () if isinstance(part, ToolDiff)]
    lines = [line for diff in diffs for line in diff.splitlines()]
    added = sum(line.startswith("+") and not line.startswith("+++ ") for line in lines)
    deleted = sum(line.startswith("-") and not line.startswith("--- ") for line in lines)
    changed = f"+{added} -{deleted}" if diffs else ""
    return "failed" if call.status is ToolStatus.FAILED else changed


def _content(call: ToolCallUpdate) -> list[RenderableType]:
    lines: list[RenderableType] = []
    for part in call.content or ():
        if isinstance(part, ToolDiff):
            lines += diff_lines(part.diff)
        elif isinstance(part, ToolText) and (call.kind is ToolKind.EXECUTE or call.status is ToolStatus.FAILED):
            lines += output_tail(part.text)
    return lines
