"""How events of the queue change the state. Part of `session.fold`."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from outrider.model import events as e
from outrider.model.attachment import Attachment
from outrider.session.state import State


def _queued(state: State, event: e.PromptQueued) -> State:
    state = _with_files(state, event.prompt.attachments)
    return replace(state, queue=(*state.queue, event.prompt))


def _withdrawn(state: State, event: e.PromptWithdrawn) -> State:
    return replace(state, queue=tuple(p for p in state.queue if p.id != event.prompt))


def _moved(state: State, event: e.PromptMoved) -> State:
    moved = [p for p in state.queue if p.id == event.prompt]
    others = [p for p in state.queue if p.id != event.prompt]
    return replace(state, queue=(*others[: event.position], *moved, *others[event.position :]))


def _edited(state: State, event: e.PromptEdited) -> State:
    state = _with_files(state, event.attachments)
    new = {"text": event.text, "attachments": event.attachments, "revision": event.revision, "edited_by": event.by}
    return replace(state, queue=tuple(p.model_copy(update=new) if p.id == event.prompt else p for p in state.queue))


def _with_files(state: State, files: tuple[Attachment, ...]) -> State:
    return replace(state, attachments={**state.attachments, **{file.id: file for file in files}}) if files else state


CHANGES: dict[type[Any], Callable[[State, Any], State]] = {
    e.PromptQueued: _queued,
    e.PromptWithdrawn: _withdrawn,
    e.PromptMoved: _moved,
    e.PromptEdited: _edited,
    e.KeyUsed: lambda state, event: state,
}
