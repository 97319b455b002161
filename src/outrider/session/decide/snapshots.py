"""What is kept of a session's sandboxes, and going back to it."""

from outrider.model import commands as c
from outrider.model import events as e
from outrider.model.errors import Refused
from outrider.model.limits import raised_by
from outrider.session.kept import Kept, of_turn, pushed_alike
from outrider.session.state import State


def made(state: State, command: c.SnapshotMade) -> tuple[e.Event, ...]:
    """A snapshot is there. One that nobody waits for any more is dropped; its layer is nobody's and is collected."""
    taken = command.taken
    if command.asleep is None:
        return (taken,) if state.snapshot_due == taken.turn and state.sandbox_ready else ()
    sandbox = state.sandbox
    if sandbox is None or not sandbox.alive or sandbox.id != command.asleep or state.turn is not None:
        return ()
    return (taken, e.SandboxStopped(sandbox=sandbox.id))


def rewind(state: State, command: c.Rewind) -> tuple[e.Event, ...]:
    """Back to the end of a turn. Where the branch that was pushed does not end there, work goes to another branch from
    now on, so that nothing is ever pushed by force."""
    if state.archived:
        raise Refused("This session is archived.", "Fork it, or start a new one.")
    if state.turn is not None:
        raise Refused("A turn runs in this session.", "Stop it first, then rewind.")
    kept = expect_kept(state, command.turn)
    branch = state.branch if pushed_alike(kept, state.pushed) else f"outrider/{state.session}/work-{state.turns + 1}"
    return (e.SessionRewound(turn=kept.turn, number=kept.number, by=command.by, branch=branch),)


def expect_kept(state: State, turn: str | None) -> Kept:
    """The snapshot of a turn, by id or number; of the newest where none is named. Raises Refused."""
    kept = state.restore if turn is None else of_turn(state.snapshots, turn)
    if kept is not None:
        return kept
    if not state.snapshots:
        raise Refused("This session has no snapshot yet.", "One is taken at the end of each turn.")
    known = ", ".join(str(kept.number) for kept in state.snapshots)
    remedy = f"There are snapshots of these turns: {known}."
    if str(turn).isdecimal() and int(str(turn)) < state.snapshots[0].number:
        remedy += f" Older ones are deleted. {raised_by('OUTRIDER_SNAPSHOTS_KEPT')}"
    raise Refused(f"There is no snapshot of turn {turn}.", remedy)
