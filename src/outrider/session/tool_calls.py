"""Tool calls as they are worth storing: each change of state at once, output that only grows once a second."""

from dataclasses import dataclass

from outrider.model.engine import ToolCallUpdate, ToolStatus
from outrider.model.ids import ToolCallId

STORE_SECONDS = 1.0
"""An engine tells of a command's output many times a second, each time all of it."""

ENDED = (ToolStatus.COMPLETED, ToolStatus.FAILED)


@dataclass(slots=True)
class _Call:
    status: ToolStatus | None = None
    stored_at: float = float("-inf")
    held: ToolCallUpdate | None = None


class ToolCalls:
    """The tool calls of one engine session. Nothing is dropped: what is held is merged with what comes next."""

    _calls: dict[ToolCallId, _Call]

    def __init__(self) -> None:
        self._calls = {}

    def take(self, update: ToolCallUpdate, now: float) -> list[ToolCallUpdate]:
        """An update, and what of it is to be stored now."""
        call = self._calls.setdefault(update.tool_call, _Call())
        merged = merge(call.held, update) if call.held else update
        changed = merged.status is not None and merged.status is not call.status
        if not changed and now - call.stored_at < STORE_SECONDS:
            call.held = merged
            return []
        return [self._store(call, merged, now)]

    def due(self, now: float) -> list[ToolCallUpdate]:
        """What was held for long enough."""
        return [
            self._store(call, call.held, now)
            for call in list(self._calls.values())
            if call.held and now - call.stored_at >= STORE_SECONDS
        ]

    def flush(self) -> list[ToolCallUpdate]:
        """Everything that is held, at the end of a round."""
        held = [call.held for call in self._calls.values() if call.held]
        self._calls.clear()
        return held

    def _store(self, call: _Call, update: ToolCallUpdate, now: float) -> ToolCallUpdate:
        call.held, call.stored_at, call.status = None, now, update.status or call.status
        if call.status in ENDED:
            self._calls.pop(update.tool_call, None)
        return update


def merge(earlier: ToolCallUpdate, later: ToolCallUpdate) -> ToolCallUpdate:
    """Both updates in one: what the later one does not say is as the earlier one said."""
    said = {name: value for name in ToolCallUpdate.model_fields if (value := getattr(later, name)) is not None}
    return earlier.model_copy(update=said)
