"""How events of the queue change the state. Part of `session.fold`."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from outrider.model import events as e
from outrider.model.attachment import Attachment
from outrider.session.state import State


def _queued(state: State, event: e.PromptQueued) -> State:
    state = _with_files(state, event.prompt.attachments)
    place = len(state.queue) if event.position is None else event.position
    return replace(state, queue=(*state.queue[:place], event.prompt, *state.queue[place:]))


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


def _held(state: State, event: e.TurnHeld) -> State:
    return replace(state, turn=replace(state.turn, held=event)) if state.turn else state


def _admitted(state: State, event: e.TurnAdmitted) -> State:
    return replace(state, turn=replace(state.turn, held=None)) if state.turn else state


def _with_files(state: State, files: tuple[Attachment, ...]) -> State:
    return replace(state, attachments={**state.attachments, **{file.id: file for file in files}}) if files else state


CHANGES: dict[type[Any], Callable[[State, Any], State]] = {
    e.PromptQueued: _queued,
    e.PromptWithdrawn: _withdrawn,
    e.PromptMoved: _moved,
    e.PromptEdited: _edited,
    e.KeyUsed: lambda state, event: state,
    e.TurnHeld: _held,
    e.TurnAdmitted: _admitted,
    e.TranscriptNearlyFull: lambda state, event: replace(state, nearly_full=True),
}
