"""How the events of snapshots change the state. Part of `session.fold`."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from outrider.model import events as e
from outrider.model.ids import LayerId
from outrider.session.kept import Kept, of_turn, with_newest
from outrider.session.state import SandboxPhase, State

UP = (SandboxPhase.STARTING, SandboxPhase.READY, SandboxPhase.STOPPING)


def taken(state: State, event: e.SnapshotTaken) -> State:
    """Kept, and what a new sandbox begins from."""
    kept = Kept(
        turn=event.turn,
        number=event.number,
        layer=event.layer,
        layers=event.layers,
        toolbox=event.toolbox,
        engine_session=state.engine_session,
        work=state.work,
        asleep=event.reason == "sleep",
    )
    snapshots = with_newest(state.snapshots, kept, event.keep)
    return replace(state, snapshots=snapshots, restore=kept, snapshot_due=None)


def failed(state: State, event: e.SnapshotFailed) -> State:
    """Not asked for again."""
    return replace(state, snapshot_due=None)


def stored(state: State, event: e.SnapshotStored) -> State:
    """The store has it, and works."""
    return replace(_done_with(state, event.layer), store_failures=0, store_at=None)


def not_stored(state: State, event: e.SnapshotNotStored) -> State:
    """It is tried again after a while; where nobody said when, never."""
    if event.retry_at is None:
        return _done_with(state, event.layer)
    return replace(state, store_failures=state.store_failures + 1, store_at=event.retry_at)


def _done_with(state: State, layer: LayerId) -> State:
    snapshots = tuple(replace(kept, stored=True) if kept.layer == layer else kept for kept in state.snapshots)
    return replace(state, snapshots=snapshots)


def rewound(state: State, event: e.SessionRewound) -> State:
    """As it was after the turn. Snapshots of later turns stay: it can be rewound forwards too."""
    kept = of_turn(state.snapshots, event.turn)
    if kept is None:
        return state
    sandbox = state.sandbox
    if sandbox:
        phase = SandboxPhase.STOPPING if sandbox.phase in UP else sandbox.phase
        sandbox = replace(sandbox, phase=phase, discard=True)
    state = replace(
        state,
        sandbox=sandbox,
        restore=replace(kept, asleep=True),
        snapshot_due=None,
        engine_session=kept.engine_session,
        work=kept.work,
    )
    if event.branch == state.branch:
        return state
    return replace(state, later_branch=event.branch, pushed=None, pull_request=None, shown=None, pitch=None)


def forked(state: State, event: e.SessionForked) -> State:
    """It begins where another session was."""
    kept = Kept(
        turn=event.turn,
        number=0,
        layer=event.layer,
        layers=event.layers,
        toolbox=event.toolbox,
        engine_session=event.engine_session,
        work=state.work,
        asleep=True,
    )
    return replace(state, snapshots=(kept,), restore=kept, engine_session=event.engine_session)


CHANGES: Mapping[type[Any], Callable[[State, Any], State]] = {
    e.SnapshotTaken: taken,
    e.SnapshotFailed: failed,
    e.SnapshotStored: stored,
    e.SnapshotNotStored: not_stored,
    e.SessionRewound: rewound,
    e.SessionForked: forked,
}
