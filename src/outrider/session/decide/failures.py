"""What went wrong: effects that could not be carried out, sandboxes and servers that died."""

from collections.abc import Callable
from typing import Any

from outrider.model import children as k
from outrider.model import commands as c
from outrider.model import effects as x
from outrider.model import events as e
from outrider.model.engine import EngineStop
from outrider.model.proof import Proof, ProofVerdict
from outrider.session import wording
from outrider.session.family_state import ChildPhase
from outrider.session.state import SandboxPhase, State, Turn, TurnPhase

MOST_ATTEMPTS = 3
"""How often a turn is begun: twice something may have been an accident."""

Events = tuple[e.Event, ...]


def wake(state: State, command: c.Wake) -> Events:
    """Whatever ran when the log was last written runs no more. Only a prompt that an engine may have seen has to be
    told; everything else is simply asked for again."""
    turn = state.turn
    if turn is None or not turn.handed:
        return ()
    if turn.phase is TurnPhase.STOPPING:
        return (e.EngineFinished(turn=turn.id, round=turn.round, stop=EngineStop.CANCELLED),)
    return _interrupt(turn, command.reason)


def sandbox_vanished(state: State, command: c.SandboxVanished) -> Events:
    """The sandbox is lost, and so is the attempt of the turn that needed it."""
    sandbox = state.sandbox
    if sandbox is None or not sandbox.alive or (sandbox.id, sandbox.start) != (command.sandbox, command.start):
        return ()
    lost = e.SandboxLost(sandbox=sandbox.id, reason=wording.sentence(command.reason))
    turn = state.turn
    if turn is None:
        return (lost,)
    if turn.phase is TurnPhase.STOPPING and turn.handed:
        return (lost, e.EngineFinished(turn=turn.id, round=turn.round, stop=EngineStop.CANCELLED))
    if turn.phase in (TurnPhase.ENGINE, TurnPhase.COLLECTING):
        return (lost, *_interrupt(turn, command.reason))
    return (lost,)


def effect_failed(state: State, command: c.EffectFailed) -> Events:
    """An effect failed. What is not asked for any more can fail as it likes."""
    return _FAILURES[type(command.effect)](state, command, command.effect)


def _interrupt(turn: Turn, reason: str, *, retry: bool = True) -> Events:
    final = not retry or turn.attempt >= MOST_ATTEMPTS
    return (e.TurnInterrupted(turn=turn.id, attempt=turn.attempt, reason=wording.sentence(reason), final=final),)


def _end(turn: Turn, command: c.EffectFailed) -> e.TurnEnded:
    reason = e.TurnEndReason.STOPPED if turn.stopped_by else e.TurnEndReason.FAILED
    return e.TurnEnded(turn=turn.id, reason=reason, message=wording.failed(command))


def _start_failed(state: State, command: c.EffectFailed, effect: x.StartSandbox) -> Events:
    sandbox, turn = state.sandbox, state.turn
    if sandbox is None or not sandbox.alive or sandbox.start != effect.start:
        return ()
    needed = turn is not None and turn.phase in (TurnPhase.ENGINE, TurnPhase.COLLECTING)
    ended: Events = (_end(turn, command),) if turn is not None and needed else ()
    if sandbox.phase is SandboxPhase.READY or not ended:
        return (e.SandboxLost(sandbox=sandbox.id, reason=wording.failed(command)), *ended)
    return ended


def _sync_failed(state: State, command: c.EffectFailed, effect: x.SyncWorkspace) -> Events:
    """The turn cannot go on without the right files. The sandbox stays: the next turn tries again."""
    sandbox, turn = state.sandbox, state.turn
    asked = sandbox and (sandbox.start, state.sync.attempt) == (effect.start, effect.attempt)
    if not asked or not state.sandbox_ready or state.sync.done or state.sync.failed:
        return ()
    reason, remedy = wording.sentence(command.sentence), wording.sentence(command.remedy)
    failed = e.SyncFailed(reason=reason, remedy=remedy)
    if turn is not None and turn.phase is TurnPhase.COLLECTING:
        return (failed, _end(turn, command))
    return (failed,)


def _run_failed(state: State, command: c.EffectFailed, effect: x.RunTurn) -> Events:
    turn = state.turn
    if turn is None or (turn.id, turn.attempt, turn.round) != (effect.turn, effect.attempt, effect.round):
        return ()
    if turn.phase is TurnPhase.STOPPING and turn.handed:
        return (e.EngineFinished(turn=turn.id, round=turn.round, stop=EngineStop.CANCELLED),)
    if turn.phase is not TurnPhase.ENGINE:
        return ()
    return _interrupt(turn, wording.failed(command), retry=command.retry)


def _stop_failed(state: State, command: c.EffectFailed, effect: x.StopEngine) -> Events:
    turn = state.turn
    if turn is None or turn.id != effect.turn or turn.phase is not TurnPhase.STOPPING:
        return ()
    if not state.sandbox_alive:
        return (_end(turn, command),)
    return (e.StopFailed(turn=turn.id, reason=wording.sentence(command.sentence)),)


def _collect_failed(state: State, command: c.EffectFailed, effect: x.CollectWork) -> Events:
    turn = state.turn
    if turn is None or turn.id != effect.turn or turn.phase is not TurnPhase.COLLECTING:
        return ()
    return (e.TurnEnded(turn=turn.id, reason=e.TurnEndReason.FAILED, message=wording.not_collected(command, turn)),)


def _prove_failed(state: State, command: c.EffectFailed, effect: x.Prove) -> Events:
    if state.proving is None or state.proving.proof != effect.proof:
        return ()
    proof = Proof(
        id=effect.proof,
        base=state.created.base_commit,
        head=effect.head,
        verdict=ProofVerdict.NOT_RUN,
        summary=wording.failed(command)[:1000],
        could_not_run=True,
    )
    return (e.ProofFinished(proof=proof),)


def _publish_failed(state: State, command: c.EffectFailed, effect: x.Publish) -> Events:
    if state.publishing is None or state.publishing.request.head != effect.head:
        return ()
    return (e.PublishFailed(head=effect.head, reason=wording.failed(command)),)


def _release_failed(state: State, command: c.EffectFailed, effect: x.StopSandbox | x.SleepSandbox) -> Events:
    """Said aloud. A sandbox that was to go is taken as lost: the next start finds it again by its label."""
    if state.sandbox is None or state.sandbox.phase not in (SandboxPhase.READY, SandboxPhase.STOPPING):
        return ()
    told = e.ProblemReported(sentence=wording.sentence(command.sentence), remedy=wording.sentence(command.remedy))
    return (told, e.SandboxLost(sandbox=effect.sandbox, reason=wording.failed(command)))


def _snapshot_failed(state: State, command: c.EffectFailed, effect: x.TakeSnapshot) -> Events:
    if state.snapshot_due != effect.turn:
        return ()
    return (e.SnapshotFailed(turn=effect.turn, reason=wording.failed(command)),)


def _store_failed(state: State, command: c.EffectFailed, effect: x.StoreSnapshot) -> Events:
    return (e.SnapshotNotStored(layer=effect.layer, reason=wording.failed(command)),)


def _child_failed(state: State, command: c.EffectFailed, effect: x.TendChild) -> Events:
    """It was not made, or cannot be heard any more."""
    child = state.children.get(effect.child)
    if child is None or not child.open or len(child.prompts) != effect.prompts:
        return ()
    reason = wording.failed(command)
    if child.phase is ChildPhase.REQUESTED:
        return (k.ChildRefused(child=child.id, reason=reason),)
    result = k.ChildResult(ok=False, reason="lost", summary=reason)
    return (k.ChildEnded(child=child.id, prompts=effect.prompts, result=result),)


def _child_not_stopped(state: State, command: c.EffectFailed, effect: x.StopChild) -> Events:
    sentence = wording.sentence(f"The session {effect.child} could not be stopped: {command.sentence}")
    return (e.ProblemReported(sentence=sentence, remedy=wording.sentence(command.remedy)),)


def _ignore(state: State, command: c.EffectFailed, effect: x.WaitUntil) -> Events:
    return ()


_FAILURES: dict[type[Any], Callable[[State, c.EffectFailed, Any], Events]] = {
    x.StartSandbox: _start_failed,
    x.SyncWorkspace: _sync_failed,
    x.RunTurn: _run_failed,
    x.StopEngine: _stop_failed,
    x.CollectWork: _collect_failed,
    x.Prove: _prove_failed,
    x.Publish: _publish_failed,
    x.StopSandbox: _release_failed,
    x.TakeSnapshot: _snapshot_failed,
    x.SleepSandbox: _release_failed,
    x.StoreSnapshot: _store_failed,
    x.TendChild: _child_failed,
    x.StopChild: _child_not_stopped,
    x.WaitUntil: _ignore,
}
