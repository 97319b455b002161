"""The outbox: what the state asks of the world and has no answer to yet. Pure.

An effect is carried out while it is pending and cancelled when it is pending no more; after a restart all of it is
issued again.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from outrider.model import effects as x
from outrider.session.family_state import open_children
from outrider.session.kept import MOST_RETRY_SECONDS
from outrider.session.state import Sandbox, SandboxPhase, State, TurnPhase

CLOCK_SLACK_SECONDS = 60.0
"""An event from further in the future says that the clock was put back: how long ago it was nobody knows."""

AWAKE_SECONDS = 600.0
"""How long a session stays awake only to try again to store its snapshot."""


def pending(state: State, now: datetime, idle_seconds: float) -> tuple[x.Effect, ...]:
    """Every effect that is wanted now. A sandbox without a turn is wanted until `idle_seconds` after the last event."""
    outward = (*_outward(state), *_children(state), *_store(state, now))
    return (*_sandbox(state, now, idle_seconds), *_turn(state), *outward)


def _sandbox(state: State, now: datetime, idle_seconds: float) -> Iterator[x.Effect]:
    sandbox = state.sandbox
    if sandbox is None:
        return
    sync = tuple(_sync(state, sandbox))
    if sandbox.phase is SandboxPhase.STOPPING:
        yield x.StopSandbox(sandbox.id, destroy=state.archived or sandbox.discard)
    elif sandbox.alive and (state.turn or sync or sandbox.phase is SandboxPhase.STARTING):
        yield x.StartSandbox(sandbox.id, sandbox.start)
        yield from sync
        yield from _keep(state)
    elif sandbox.alive:
        until = state.at + timedelta(seconds=idle_seconds)
        put_back = (state.at - now).total_seconds() > CLOCK_SLACK_SECONDS
        if now < until and not put_back:
            yield x.StartSandbox(sandbox.id, sandbox.start)
            yield from _keep(state)
            yield x.WaitUntil("idle", until.timestamp())
        elif state.last_end:
            yield x.SleepSandbox(state.last_end.turn, sandbox.id, sandbox.start)
        else:
            yield x.StopSandbox(sandbox.id)


def _sync(state: State, sandbox: Sandbox) -> Iterator[x.Effect]:
    """Not while a turn is stopped: nothing but the ladder runs in the sandbox then. And not while collected work is on
    its way to the forge: a restored workspace is brought to that."""
    phase = state.turn.phase if state.turn else None
    busy = phase is TurnPhase.STOPPING or (phase is TurnPhase.SETTLING and sandbox.restored)
    if state.sandbox_ready and not (state.sync.done or state.sync.failed or busy):
        yield x.SyncWorkspace(sandbox.id, sandbox.start, state.sync.attempt)


def _keep(state: State) -> Iterator[x.Effect]:
    """Not while a turn is stopped: the ladder must reach what would stand still."""
    stopping = state.turn is not None and state.turn.phase is TurnPhase.STOPPING
    if state.snapshot_due and state.sandbox and state.sandbox_ready and not stopping:
        yield x.TakeSnapshot(state.snapshot_due, state.sandbox.id, state.sandbox.start)


def _turn(state: State) -> Iterator[x.Effect]:
    turn = state.turn
    if turn is None:
        return
    run = x.RunTurn(turn.id, turn.attempt, turn.round)
    if turn.phase is TurnPhase.ENGINE and state.sandbox_ready:
        if state.snapshot_due is None:
            yield run
    elif turn.phase is TurnPhase.COLLECTING and state.synced:
        yield x.CollectWork(turn.id, turn.round)
    elif turn.phase is TurnPhase.STOPPING and not turn.stop_failed:
        if turn.handed:
            yield run  # the ladder ends it; to cancel it here would leave nobody to hear the engine's last words
        yield x.StopEngine(turn.id)


def _store(state: State, now: datetime) -> Iterator[x.Effect]:
    """The newest first; of an archived session the newest alone. While the store is in trouble all wait. A session
    stays awake for a short wait only: whoever collects snapshots wakes it from time to time."""
    wanted = state.snapshots[-1:] if state.archived else state.snapshots
    unstored = next((kept for kept in reversed(wanted) if not kept.stored), None)
    if unstored is None:
        return
    wait = (state.store_at - now).total_seconds() if state.store_at else 0
    if not 0 < wait <= MOST_RETRY_SECONDS:  # more than that is a clock that was put back
        yield x.StoreSnapshot(unstored.layer, unstored.layers, state.store_failures + 1)
    elif state.store_at and wait <= AWAKE_SECONDS:
        yield x.WaitUntil("store", state.store_at.timestamp())


def _outward(state: State) -> Iterator[x.Effect]:
    if state.proving and state.turn and state.turn.well:
        yield x.Prove(state.proving.proof, state.proving.head)
    if state.publishing:
        request = state.publishing.request
        yield x.Publish(request.head, request.title, request.body, state.publishing.proof, request.pull_request)


def _children(state: State) -> Iterator[x.Effect]:
    """Also those of an archived session: nobody else hears them to their end."""
    for child in open_children(state.children):
        yield x.TendChild(child.id, len(child.prompts))
        if child.stop_by:
            yield x.StopChild(child.id, child.stop_by)
