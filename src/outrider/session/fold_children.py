"""How the events of children change the state of their parent. Part of `session.fold`."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from outrider.model import children as k
from outrider.model.ids import SessionId
from outrider.session.family_state import Child, ChildPhase
from outrider.session.state import State


def requested(state: State, event: k.ChildRequested) -> State:
    """Wanted, for the first time or once more after it was refused."""
    child = Child(spec=event.child, prompts=(event.child.prompt,))
    others = {key: known for key, known in state.children.items() if key != child.id}
    return replace(state, children={**others, child.id: child})


def spawned(state: State, event: k.ChildSpawned) -> State:
    """It exists."""
    return _with(state, event.child, phase=ChildPhase.WORKING)


def refused(state: State, event: k.ChildRefused) -> State:
    """It does not."""
    return _with(state, event.child, phase=ChildPhase.REFUSED, refusal=event.reason, stop_by=None)


def prompted(state: State, event: k.ChildPrompted) -> State:
    """It has more to do."""
    child = state.children.get(event.child)
    if child is None:
        return state
    return _with(state, event.child, prompts=(*child.prompts, event.prompt), phase=ChildPhase.WORKING, stop_by=None)


def ended(state: State, event: k.ChildEnded) -> State:
    """It rests, and whoever wanted it to stop has what they wanted."""
    return _with(state, event.child, phase=ChildPhase.RESTING, result=event.result, stop_by=None)


def stop_requested(state: State, event: k.ChildrenStopRequested) -> State:
    """To be stopped."""
    for child in event.children:
        state = _with(state, child, stop_by=event.by)
    return state


def _with(state: State, child: SessionId, **changes: Any) -> State:
    known = state.children.get(child)
    return replace(state, children={**state.children, child: replace(known, **changes)}) if known else state


CHANGES: Mapping[type[Any], Callable[[State, Any], State]] = {
    k.ChildRequested: requested,
    k.ChildSpawned: spawned,
    k.ChildRefused: refused,
    k.ChildPrompted: prompted,
    k.ChildEnded: ended,
    k.ChildrenStopRequested: stop_requested,
}
