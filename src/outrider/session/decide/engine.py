"""What the engine does in its turn, and the end of the stop ladder."""

from typing import assert_never

from outrider.model import commands as c
from outrider.model import events as e
from outrider.model.engine import PlanUpdate, ToolCallUpdate
from outrider.model.errors import Refused
from outrider.model.ids import TurnId
from outrider.session import wording
from outrider.session.state import State, Turn, TurnPhase


def attach(state: State, command: c.AttachEngine) -> tuple[e.Event, ...]:
    """The engine has its session."""
    return (e.EngineAttached(engine=command.engine, engine_session=command.engine_session, how=command.how),)


def hand(state: State, command: c.HandPrompt) -> tuple[e.Event, ...]:
    """The prompt goes to the engine: once for each attempt and round, never again in silence."""
    turn = state.turn
    asked = turn and (turn.id, turn.attempt, turn.round) == (command.turn, command.attempt, command.round)
    if turn is None or not asked or turn.phase is not TurnPhase.ENGINE or turn.handed:
        raise Refused("This prompt is not to be handed to the engine now.")
    return (e.PromptHanded(turn=command.turn, attempt=command.attempt, round=command.round),)


def tell(state: State, command: c.TellEngine) -> tuple[e.Event, ...]:
    """The engine is told that its files have moved, within its round."""
    turn = _runs(state, command.turn)
    if turn is None or turn.phase is not TurnPhase.ENGINE or not turn.handed:
        raise Refused("The engine is not to be told anything now.")
    return (e.EngineTold(turn=turn.id, text=wording.sentence(command.text)),)


def seal(state: State, command: c.SealText) -> tuple[e.Event, ...]:
    """Text was said: true whatever became of its turn."""
    return (
        e.TextSealed(
            turn=command.turn,
            message=command.message,
            speaker=command.speaker,
            offset=command.offset,
            text=command.text,
        ),
    )


def changed(state: State, command: c.EngineChanged) -> tuple[e.Event, ...]:
    """A tool call or the plan changed."""
    if not _runs(state, command.turn):
        return ()
    match command.update:
        case ToolCallUpdate() as update:
            return (e.ToolCallChanged(turn=command.turn, update=update),)
        case PlanUpdate(entries=entries):
            return (e.PlanChanged(turn=command.turn, entries=entries),)
        case never:
            assert_never(never)


def permission(state: State, command: c.DecidePermission) -> tuple[e.Event, ...]:
    """Our policy answered the engine."""
    if not _runs(state, command.turn):
        return ()
    return (e.PermissionDecided(turn=command.turn, ask=command.ask, allowed=command.allowed),)


def usage(state: State, command: c.RecordUsage) -> tuple[e.Event, ...]:
    """An LLM call was paid for; the same call twice is one."""
    if command.usage.call in state.recent_calls:
        return ()
    return (e.UsageRecorded(turn=state.turn.id if state.turn else None, usage=command.usage),)


def finished(state: State, command: c.EngineTurnEnded) -> tuple[e.Event, ...]:
    """The engine's round is over."""
    turn = _runs(state, command.turn)
    if turn is None or not turn.handed or turn.round != command.round:
        return ()
    return (e.EngineFinished(turn=command.turn, round=command.round, stop=command.stop),)


def stopped(state: State, command: c.TurnStopped) -> tuple[e.Event, ...]:
    """Nothing of the turn lives any more. What was fetched is pushed next; where nothing could be, the turn ends."""
    turn = _runs(state, command.turn)
    if turn is None or turn.phase is not TurnPhase.STOPPING:
        return ()
    if command.work is not None:
        return (command.work,)
    reason = e.TurnEndReason.STOPPED if turn.stopped_by else e.TurnEndReason.FAILED
    return (e.TurnEnded(turn=turn.id, reason=reason, message=wording.stopped_without_work(turn)),)


def _runs(state: State, turn: TurnId) -> Turn | None:
    return state.turn if state.turn and state.turn.id == turn else None
