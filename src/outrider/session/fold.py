"""How each event changes the state. Pure: folding a log twice gives the same state twice."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from outrider.model import events as e
from outrider.model.engine import EngineStop
from outrider.model.membership import House
from outrider.session import fold_children, fold_history, fold_members, fold_queue, fold_snapshots, keys
from outrider.session.state import Publishing, Sandbox, SandboxPhase, State, Sync, Turn, TurnPhase

RECENT_CALLS = 100
"""Ids of LLM calls kept to know a repeated report; the gateway repeats one at once or never."""

FAILED_STOPS = {
    EngineStop.REFUSAL: "The model refused to go on.",
    EngineStop.CANCELLED: "The engine stopped by itself.",
}
"""Ends of a round that nobody asked for."""


NO_HOUSE = House()


def begin(first: e.Recorded, house: House = NO_HOUSE) -> State:
    """The state after the first event of a log. Raises ValueError where it is not SessionCreated."""
    if not isinstance(first.event, e.SessionCreated):
        raise ValueError(f"a log begins with session_created, not with {first.event.type}")
    members = fold_members.first_members(first.event)
    return State(seq=first.seq, at=first.at, created_at=first.at, created=first.event, members=members, house=house)


def fold(state: State, recorded: e.Recorded) -> State:
    """The state after one more event."""
    return fold_all(state, (recorded,))


def fold_all(state: State, records: Iterable[e.Recorded]) -> State:
    """The state after more events. No change looks at `seq` or `at`, so that only the last event's count; a key
    remembers the number of its own event."""
    recorded = None
    for recorded in records:
        event = recorded.event
        change = CHANGES.get(type(event))
        if change:
            state = change(state, event)
            if isinstance(event, e.PromptQueued | e.KeyUsed):
                state = replace(state, keys=keys.remembered(state, event, recorded.seq))
    return passed(state, recorded.seq, recorded.at) if recorded else state


def passed(state: State, seq: int, at: datetime) -> State:
    """The state after events that changed nothing, the last of which is this."""
    return replace(state, seq=seq, at=at)


def change_nothing(events: Iterable[e.Event]) -> bool:
    """Whether events are history only: the state after them differs in `seq` and `at` alone."""
    return CHANGES.keys().isdisjoint(map(type, events))


EventT = TypeVar("EventT")
Change = Callable[[State, Any], State]
CHANGES: dict[type[Any], Change] = {
    **fold_queue.CHANGES,
    **fold_snapshots.CHANGES,
    **fold_members.CHANGES,
    **fold_history.CHANGES,
    **fold_children.CHANGES,
}
"""How each event changes the state. An event that is not here is history only."""


def _on(event: type[EventT]) -> Callable[[Callable[[State, EventT], State]], Callable[[State, EventT], State]]:
    def keep(change: Callable[[State, EventT], State]) -> Callable[[State, EventT], State]:
        CHANGES[event] = change
        return change

    return keep


def _with_turn(state: State, **changes: Any) -> State:
    return replace(state, turn=replace(state.turn, **changes)) if state.turn else state


def _with_sandbox(state: State, **changes: Any) -> State:
    return replace(state, sandbox=replace(state.sandbox, **changes)) if state.sandbox else state


@_on(e.SandboxRequested)
def _sandbox_requested(state: State, event: e.SandboxRequested) -> State:
    before = state.sandbox
    start = before.start + 1 if before else 1
    fresh = Sandbox(event.sandbox, start, SandboxPhase.STARTING)
    if before:
        fresh = replace(before, id=event.sandbox, start=start, phase=SandboxPhase.STARTING)
    return replace(state, sandbox=fresh, services={})


@_on(e.SandboxReady)
def _sandbox_ready(state: State, event: e.SandboxReady) -> State:
    state = replace(state, sync=Sync(attempt=state.sync.attempt, untold=state.sync.untold))
    if state.restore:
        state = replace(state, restore=replace(state.restore, asleep=False))
    restored = event.how == "restored"
    if restored:  # what was to be kept is gone
        state = replace(state, snapshot_due=None)
    state = _with_sandbox(state, layers=event.layers, toolbox=event.toolbox, restored=restored)
    return _with_sandbox(state, phase=SandboxPhase.READY, handle=event.handle, discard=False)


@_on(e.ServiceChanged)
def _service_changed(state: State, event: e.ServiceChanged) -> State:
    return replace(state, services={**state.services, event.name: event})


@_on(e.PreviewsNamed)
def _previews_named(state: State, event: e.PreviewsNamed) -> State:
    return replace(state, previews=event.previews)


@_on(e.SyncFinished)
def _sync_finished(state: State, event: e.SyncFinished) -> State:
    """A prompt that was handed before: the engine may have read what is old now."""
    read = state.turn is not None and state.turn.begun
    untold = event if event.moved and read else state.sync.untold
    return replace(state, sync=replace(state.sync, done=True, untold=untold))


@_on(e.SyncFailed)
def _sync_failed(state: State, event: e.SyncFailed) -> State:
    """The engine reads for nothing: its turn is stopped."""
    state = replace(state, sync=replace(state.sync, failed=True, attempt=state.sync.attempt + 1))
    if state.turn is None or state.turn.phase is not TurnPhase.ENGINE:
        return state
    return _with_turn(state, phase=TurnPhase.STOPPING, failure=f"{event.reason} {event.remedy}".strip())


@_on(e.SandboxLost)
def _sandbox_lost(state: State, event: e.SandboxLost) -> State:
    return replace(_with_sandbox(state, phase=SandboxPhase.LOST), snapshot_due=None)


@_on(e.SandboxStopped)
def _sandbox_stopped(state: State, event: e.SandboxStopped) -> State:
    return replace(_with_sandbox(state, phase=SandboxPhase.STOPPED, discard=False), snapshot_due=None)


@_on(e.TurnStarted)
def _turn_started(state: State, event: e.TurnStarted) -> State:
    prompt = next(p for p in state.queue if p.id == event.prompt)
    queue = tuple(p for p in state.queue if p.id != event.prompt)
    turn = Turn(id=event.turn, prompt=prompt, head_before=state.head)
    sync = replace(state.sync, failed=False)
    return replace(state, queue=queue, turn=turn, turns=state.turns + 1, sync=sync, refused_hosts=())


@_on(e.EngineAttached)
def _engine_attached(state: State, event: e.EngineAttached) -> State:
    """An engine that began anew has the story only once it has ended a round."""
    reseeding = event.how == "reseeded" or (event.how == "resumed" and state.reseeding)
    return replace(state, engine=event.engine, engine_session=event.engine_session, reseeding=reseeding)


@_on(e.PromptHanded)
def _handed(state: State, event: e.PromptHanded) -> State:
    """The prompt says what the engine was not told yet."""
    return _with_turn(_told(state), handed=True, begun=True)


@_on(e.EngineTold)
def _engine_told(state: State, event: e.EngineTold) -> State:
    return _told(state)


def _told(state: State) -> State:
    return replace(state, sync=replace(state.sync, untold=None))


@_on(e.UsageRecorded)
def _usage(state: State, event: e.UsageRecorded) -> State:
    calls = (*state.recent_calls[1 - RECENT_CALLS :], event.usage.call)
    return replace(state, spending=state.spending.plus(event.usage), recent_calls=calls)


@_on(e.StopRequested)
def _stop_requested(state: State, event: e.StopRequested) -> State:
    if state.turn is None:
        return state
    if state.turn.phase is TurnPhase.SETTLING and state.publishing:
        return _with_turn(state, stopped_by=event.by.name)
    return _with_turn(state, stopped_by=event.by.name, phase=TurnPhase.STOPPING)


@_on(e.StopFailed)
def _stop_failed(state: State, event: e.StopFailed) -> State:
    return _with_sandbox(_with_turn(state, stop_failed=event.reason, handed=False), phase=SandboxPhase.STOPPING)


@_on(e.EngineFinished)
def _engine_finished(state: State, event: e.EngineFinished) -> State:
    if state.turn is None:
        return state
    if state.turn.phase is TurnPhase.STOPPING:
        return _with_turn(state, handed=False)
    failure = FAILED_STOPS.get(event.stop, "")
    state = replace(state, reseeding=False)
    return _with_turn(state, handed=False, failure=failure, phase=TurnPhase.COLLECTING)


@_on(e.TurnInterrupted)
def _interrupted(state: State, event: e.TurnInterrupted) -> State:
    if state.turn is None:
        return state
    state = _with_turn(state, attempt=event.attempt + 1, handed=False, interruption=event.reason)
    if not event.final:
        return state
    collecting = state.turn is not None and state.turn.phase is TurnPhase.COLLECTING
    return _with_turn(state, failure=event.reason, phase=TurnPhase.SETTLING if collecting else TurnPhase.COLLECTING)


@_on(e.WorkCollected)
def _collected(state: State, event: e.WorkCollected) -> State:
    state = replace(state, work=event)
    if state.turn and state.turn.phase in (TurnPhase.COLLECTING, TurnPhase.STOPPING):
        return _with_turn(state, phase=TurnPhase.SETTLING)
    return state


@_on(e.ProofRequested)
def _proof_requested(state: State, event: e.ProofRequested) -> State:
    state = replace(state, proving=event)
    if state.turn and event.asked_by == "engine":
        return _with_turn(state, proofs_asked=state.turn.proofs_asked + 1)
    return state


@_on(e.ProofFinished)
def _proof_finished(state: State, event: e.ProofFinished) -> State:
    return replace(state, proving=None, proof=event.proof)


@_on(e.EngineReprompted)
def _reprompted(state: State, event: e.EngineReprompted) -> State:
    return _with_turn(
        state, phase=TurnPhase.ENGINE, round=event.round, instruction=event.text, reprompted_for=state.head
    )


@_on(e.PublishRequested)
def _publish_requested(state: State, event: e.PublishRequested) -> State:
    proof = state.proof.id if state.proof and state.proof.head == event.head else None
    pitch = event if event.asked_by == "engine" else state.pitch
    return replace(state, publishing=Publishing(event, proof), pitch=pitch)


@_on(e.BranchPushed)
def _pushed(state: State, event: e.BranchPushed) -> State:
    return replace(state, publishing=None, pushed=event.head)


@_on(e.PublishFailed)
def _publish_failed(state: State, event: e.PublishFailed) -> State:
    state = replace(state, publishing=None)
    if state.turn and state.turn.phase is TurnPhase.SETTLING:
        return _with_turn(state, failure=event.reason, publish_failed=True)
    return state


@_on(e.PullRequestOpened)
def _pull_request_opened(state: State, event: e.PullRequestOpened) -> State:
    return replace(state, pull_request=event.pull_request)


@_on(e.EvidenceAttached)
def _evidence_attached(state: State, event: e.EvidenceAttached) -> State:
    return replace(state, shown=event.proof)


@_on(e.PullRequestChanged)
def _pull_request_changed(state: State, event: e.PullRequestChanged) -> State:
    if state.pull_request is None:
        return state
    return replace(state, pull_request=state.pull_request.model_copy(update={"state": event.state}))


@_on(e.EgressRefused)
def _egress_refused(state: State, event: e.EgressRefused) -> State:
    return replace(state, refused_hosts=(*state.refused_hosts, event.rule))


@_on(e.HostAllowed)
def _host_allowed(state: State, event: e.HostAllowed) -> State:
    """A host that is allowed and refused again, for its address, is told again."""
    refused = tuple(host for host in state.refused_hosts if host != event.host)
    state = replace(state, refused_hosts=refused)
    return replace(state, allowed_hosts=(*state.allowed_hosts, event.host)) if event.scope == "session" else state


@_on(e.HostForbidden)
def _host_forbidden(state: State, event: e.HostForbidden) -> State:
    if event.scope == "repository":
        return state
    return replace(state, allowed_hosts=tuple(host for host in state.allowed_hosts if host != event.host))


@_on(e.TurnEnded)
def _turn_ended(state: State, event: e.TurnEnded) -> State:
    """What ran for the turn runs no more; a sandbox that was only starting is not needed any more. Files that were
    worked on are to be kept."""
    due = event.turn if state.synced else None
    state = replace(state, turn=None, last_end=event, proving=None, publishing=None, snapshot_due=due)
    if state.sandbox and state.sandbox.phase is SandboxPhase.STARTING:
        return _with_sandbox(state, phase=SandboxPhase.STOPPING)
    return state
