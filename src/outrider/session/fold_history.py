"""How the name, the place and the archive of a session change its state. Part of `session.fold`."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from outrider.model import events as e
from outrider.session.state import SandboxPhase, State


def renamed(state: State, event: e.SessionRenamed) -> State:
    """Another title."""
    return replace(state, renamed=event.title)


def pinned(state: State, event: e.SessionPinned) -> State:
    """Another place in the list."""
    return replace(state, pinned=event.pinned)


def archive_requested(state: State, event: e.ArchiveRequested) -> State:
    """As soon as nothing runs."""
    return replace(state, archiving=event.by)


def archived(state: State, event: e.SessionArchived) -> State:
    """The sandbox goes. The newest snapshot stays, so that the session can be taken out again; older ones do not."""
    sandbox, restore = state.sandbox, state.restore
    if sandbox:
        sandbox = replace(sandbox, phase=SandboxPhase.STOPPING)
    if restore:
        restore = replace(restore, asleep=True)
    snapshots = tuple(kept for kept in state.snapshots if restore and kept.layer == restore.layer)
    state = replace(state, sandbox=sandbox, restore=restore, snapshots=snapshots)
    return replace(state, archived=True, archiving=None, snapshot_due=None)


def unarchived(state: State, event: e.SessionUnarchived) -> State:
    """Asleep, as any session that rests."""
    return replace(state, archived=False, archiving=None)


def salvaged(state: State, event: e.LogSalvaged) -> State:
    """At rest: what was under way when the readable part ends was gone on with long ago, or never."""
    sandbox = replace(state.sandbox, phase=SandboxPhase.LOST) if state.sandbox else None
    state = replace(state, sandbox=sandbox, queue=(), turn=None, proving=None, publishing=None)
    return replace(state, snapshot_due=None, archiving=None)


CHANGES: Mapping[type[Any], Callable[[State, Any], State]] = {
    e.SessionRenamed: renamed,
    e.SessionPinned: pinned,
    e.ArchiveRequested: archive_requested,
    e.SessionArchived: archived,
    e.SessionUnarchived: unarchived,
    e.LogSalvaged: salvaged,
}
