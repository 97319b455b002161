"""What a state calls for by itself. Asked after every command until the answer is nothing."""

from outrider.model import events as e
from outrider.model.ids import SandboxId, TurnId, derived_id
from outrider.model.person import Person
from outrider.model.proof import ProofVerdict
from outrider.session import wording
from outrider.session.decide.outcome import new_proof
from outrider.session.state import SandboxPhase, State, Turn, TurnPhase

MOST_ROUNDS = 3
"""How often the engine works within one turn: once for the prompt, twice for checks that came back red."""

Events = tuple[e.Event, ...]


def follow(state: State) -> Events:
    """The next events, in order; none where the state rests or waits for the world."""
    turn = state.turn
    if state.archived:
        return ()
    if turn is None:
        return _archive(state, state.archiving) if state.archiving else _begin_turn(state)
    match turn.phase:
        case TurnPhase.ENGINE | TurnPhase.COLLECTING:
            return _need_sandbox(state, turn)
        case TurnPhase.STOPPING:
            return _stopped_with_sandbox(state, turn)
        case TurnPhase.SETTLING:
            return _settle(state, turn) if turn.well else _salvage(state, turn)


def _stopped_with_sandbox(state: State, turn: Turn) -> Events:
    """After a stop that failed: once the sandbox has been stopped nothing of the turn runs. Where it could not be
    stopped either, nobody is told that the turn was."""
    phase = state.sandbox.phase if state.sandbox else SandboxPhase.STOPPED
    if not turn.stop_failed or phase is SandboxPhase.STOPPING:
        return ()
    if phase is SandboxPhase.LOST:
        message = wording.not_stopped(turn)
        return (e.TurnEnded(turn=turn.id, reason=e.TurnEndReason.FAILED, message=message),)
    reason = e.TurnEndReason.STOPPED if turn.stopped_by else e.TurnEndReason.FAILED
    return (e.TurnEnded(turn=turn.id, reason=reason, message=wording.stopped_with_sandbox(turn)),)


def _archive(state: State, by: Person) -> Events:
    """Once the files of the last turn are kept."""
    return () if state.snapshot_due else (e.SessionArchived(by=by),)


def _begin_turn(state: State) -> Events:
    if not state.queue:
        return ()
    prompt = state.queue[0]
    started = e.TurnStarted(turn=TurnId(derived_id("turn", state.session, prompt.id)), prompt=prompt.id)
    return (started,) if state.sandbox_alive else (request_sandbox(state), started)


def _need_sandbox(state: State, turn: Turn) -> Events:
    if state.sandbox_alive:
        return ()
    return (_end(state, turn),) if turn.failure else (request_sandbox(state),)


def request_sandbox(state: State) -> e.SandboxRequested:
    """The session's sandbox is wanted."""
    return e.SandboxRequested(sandbox=SandboxId(derived_id("box", state.session)))


def _settle(state: State, turn: Turn) -> Events:
    """After a turn that went well: prove, tell the engine what is red, publish, end."""
    if state.proving or state.publishing:
        return ()
    if not state.has_commits:
        return (_end(state, turn),)
    proof = state.head_proof
    if proof is None:
        return (e.ProofRequested(proof=new_proof(state), head=state.head, asked_by="turn_end"),)
    if proof.verdict is ProofVerdict.RED and turn.round < MOST_ROUNDS and turn.reprompted_for != state.head:
        text = wording.red_checks(proof)
        return (e.EngineReprompted(turn=turn.id, round=turn.round + 1, text=text),)
    if not _published(state):
        return (_publish(state, turn, pull_request=True),)
    return (_end(state, turn),)


def _salvage(state: State, turn: Turn) -> Events:
    """After a turn that was stopped or failed: what is committed is pushed, but nothing is proposed."""
    if state.publishing:
        return ()
    if state.has_commits and state.pushed != state.head and not turn.publish_failed:
        return (_publish(state, turn, pull_request=False),)
    return (_end(state, turn),)


def _published(state: State) -> bool:
    shown = state.head_proof is None or state.shown == state.head_proof.id
    return state.pull_request is not None and state.pull_request.head_commit == state.head and shown


def _publish(state: State, turn: Turn, *, pull_request: bool) -> e.PublishRequested:
    pitch = state.pitch
    return e.PublishRequested(
        head=state.head,
        title=pitch.title if pitch else wording.pull_request_title(state, turn),
        body=pitch.body if pitch else wording.pull_request_body(state, turn),
        asked_by="turn_end",
        pull_request=pull_request,
    )


def _end(state: State, turn: Turn) -> e.TurnEnded:
    if turn.stopped_by:
        reason, message = e.TurnEndReason.STOPPED, wording.turn_stopped(state, turn)
    elif turn.failure:
        reason, message = e.TurnEndReason.FAILED, wording.turn_failed(state, turn)
    else:
        reason, message = e.TurnEndReason.COMPLETED, wording.turn_completed(state, turn)
    return e.TurnEnded(
        turn=turn.id, reason=reason, message=message, kept=None if turn.well else wording.kept(state, turn)
    )
