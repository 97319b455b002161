"""ACP's session updates, parsed once into ours and cut to size."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import acp.schema as wire

from outrider.engines.diffs import unified_diff
from outrider.model.engine import (
    EngineUpdate,
    PermissionAsk,
    PlanEntry,
    PlanUpdate,
    Speaker,
    TextDelta,
    ToolCallUpdate,
    ToolContent,
    ToolDiff,
    ToolKind,
    ToolStatus,
    ToolText,
)
from outrider.model.ids import MessageId, ToolCallId, new_id

KNOWN = frozenset({"agent_message_chunk", "agent_thought_chunk", "tool_call", "tool_call_update", "plan"})
"""The kinds of update that we use. Others, known to ACP or not, are ignored."""

TEXT_LIMIT = 65_536
INPUT_LIMIT = 16_384
INPUT_STRING_LIMIT = 2_000
TITLE_LIMIT = 1_000
PATHS_LIMIT = 50
CONTENT_LIMIT = 20
PLAN_LIMIT = 100

_ToolCall: TypeAlias = wire.ToolCallStart | wire.ToolCallProgress | wire.ToolCallUpdate


class UpdateParser:
    """Parses the updates of one engine session in their order.

    Message ids are ours: engines reuse one id for thoughts and prose, or before and after a tool call, or give none.
    What an engine shows when it asks for permission is the whole file, often the only diff there is, so it is kept
    until the call has ended.
    """

    def __init__(self) -> None:
        self._speaking: tuple[Speaker, str | None] | None = None
        self._message = MessageId("")
        self._asked: dict[str, tuple[ToolDiff, ...]] = {}

    def update(self, notification: wire.SessionNotification) -> EngineUpdate | None:
        """Ours, or None where we have no use for it."""
        match notification.update:
            case wire.AgentMessageChunk() as chunk:
                return self._text(Speaker.AGENT, chunk)
            case wire.AgentThoughtChunk() as chunk:
                return self._text(Speaker.THOUGHT, chunk)
            case wire.ToolCallStart() | wire.ToolCallProgress() as call:
                return self._tool_call(call)
            case wire.AgentPlanUpdate() as plan:
                return _plan(plan)
            case _:
                return None

    def plan(self, notification: wire.SessionNotification) -> PlanUpdate | None:
        """The plan in what a tool was given: some engines keep theirs in a list of to-dos, and tell no other."""
        call = notification.update
        given = call.raw_input if isinstance(call, wire.ToolCallStart | wire.ToolCallProgress) else None
        todos = given.get("todos") if isinstance(given, Mapping) else None
        if not isinstance(todos, list):
            return None
        entries = [entry for todo in todos[:PLAN_LIMIT] if (entry := _todo(todo))]
        return PlanUpdate(entries=tuple(entries)) if entries else None

    def ask(self, call: wire.ToolCallUpdate) -> tuple[PermissionAsk, ToolCallUpdate | None]:
        """What is asked, and the update that shows the change which is asked for, where it is shown."""
        parsed = self._tool_call(call)
        diffs = tuple(item for item in parsed.content or () if isinstance(item, ToolDiff))
        ask = PermissionAsk(
            tool_call=parsed.tool_call, title=parsed.title or parsed.tool_call, kind=parsed.kind or ToolKind.OTHER
        )
        if not diffs:
            return ask, None
        self._asked[call.tool_call_id] = diffs
        return ask, ToolCallUpdate(tool_call=parsed.tool_call, paths=parsed.paths, content=diffs)

    def _text(self, speaker: Speaker, chunk: wire.ContentChunk) -> TextDelta | None:
        if not isinstance(chunk.content, wire.TextContentBlock) or not chunk.content.text:
            return None
        if self._speaking != (speaker, chunk.message_id):
            self._speaking = (speaker, chunk.message_id)
            self._message = MessageId(new_id("m"))
        return TextDelta(message=self._message, speaker=speaker, text=chunk.content.text)

    def _tool_call(self, call: _ToolCall) -> ToolCallUpdate:
        self._speaking = None
        return ToolCallUpdate(
            tool_call=ToolCallId(call.tool_call_id[:TITLE_LIMIT]),
            title=_cut(call.title, TITLE_LIMIT) if call.title else None,
            kind=ToolKind(call.kind) if call.kind else None,
            status=ToolStatus(call.status) if call.status else None,
            paths=tuple(map(_place, call.locations[:PATHS_LIMIT])) if call.locations else None,
            input=_json(call.raw_input) if call.raw_input else None,
            content=self._content(call),
        )

    def _content(self, call: _ToolCall) -> tuple[ToolContent, ...] | None:
        """What the call gave back. The change of a whole file that was asked for stands in for that of a part."""
        given = tuple(_contents(call.content or ())) or None
        ended = call.status in ("completed", "failed")
        asked = self._asked.pop(call.tool_call_id, ()) if ended else self._asked.get(call.tool_call_id, ())
        if not asked or call.status == "failed" or (given is None and not ended):
            return given
        return (*(item for item in given or () if isinstance(item, ToolText)), *asked)


def _place(place: wire.ToolCallLocation) -> str:
    """A file, and the line where one is named."""
    return f"{place.path}:{place.line}" if place.line else place.path


def _contents(items: Iterable[Any]) -> Iterable[ToolContent]:
    for item in list(items)[:CONTENT_LIMIT]:
        match item:
            case wire.ContentToolCallContent(content=wire.TextContentBlock(text=text)):
                yield _bounded(text)
            case wire.FileEditToolCallContent(path=path, old_text=old, new_text=new):
                yield unified_diff(path, old, new)


def _bounded(text: str) -> ToolText:
    """The text, or where it is too long its start and its end: errors stand at the end."""
    if len(text) <= TEXT_LIMIT:
        return ToolText(text=text)
    mark = f"\n… {len(text) - TEXT_LIMIT} more characters …\n"
    half = (TEXT_LIMIT - len(mark)) // 2
    return ToolText(text=text[:half] + mark + text[-half:], truncated=True)


def _todo(todo: Any) -> PlanEntry | None:
    """An entry of a list of to-dos; none for one that is given up, or that is none."""
    text, status = (todo.get("content"), todo.get("status")) if isinstance(todo, Mapping) else (None, None)
    if not isinstance(text, str) or not text or status not in ("pending", "in_progress", "completed"):
        return None
    return PlanEntry.model_validate({"text": _cut(text, 1000), "status": status})


def _plan(plan: wire.AgentPlanUpdate) -> PlanUpdate:
    entries = (PlanEntry(text=_cut(entry.content, 1000), status=entry.status) for entry in plan.entries[:PLAN_LIMIT])
    return PlanUpdate(entries=tuple(entries))


def _json(value: Any) -> str:
    """As JSON that is still JSON when it was cut."""
    text = json.dumps(_shortened(value), ensure_ascii=False)
    return text if len(text) <= INPUT_LIMIT else json.dumps({"…": f"{len(text)} characters"}, ensure_ascii=False)


def _shortened(value: Any) -> Any:
    match value:
        case str():
            return _cut(value, INPUT_STRING_LIMIT)
        case Mapping():
            return {_cut(str(key), 200): _shortened(item) for key, item in list(value.items())[:100]}
        case list():
            return [_shortened(item) for item in value[:100]]
        case _:
            return value


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
