"""What people ask: stop, hosts, typing."""

from outrider.model import commands as c
from outrider.model import events as e
from outrider.model.errors import Refused
from outrider.model.person import Person
from outrider.session.decide import children
from outrider.session.decide.follow import request_sandbox
from outrider.session.state import State, Turn

TYPING_SECONDS = 30.0
"""Typing is noted this often at most."""


def stop(state: State, command: c.StopTurn) -> tuple[e.Event, ...]:
    """The turn stops, and the children where they are meant too; asking twice is asking once."""
    below = children.stop(state, command.by) if command.children else ()
    if state.turn is None and not below:
        raise Refused("Nothing runs in this session.")
    return (*(stop_turn(state.turn, command.by) if state.turn else ()), *below)


def typing(state: State, command: c.Typing) -> tuple[e.Event, ...]:
    """A prompt is on its way: a sandbox that sleeps is asked for, one that has nothing to do stays a while longer."""
    if state.archived or state.archiving or state.turn is not None:
        return ()
    if not state.sandbox_alive:
        return (request_sandbox(state),)
    if (command.at - state.at).total_seconds() < TYPING_SECONDS:
        return ()
    return (e.TypingNoticed(by=command.by),)


def stop_turn(turn: Turn, by: Person) -> tuple[e.Event, ...]:
    """The turn is asked to stop, once."""
    return () if turn.stopped_by else (e.StopRequested(turn=turn.id, by=by),)


def expect_open(state: State) -> None:
    """Raises Refused where the session is archived, or about to be."""
    if state.archived:
        raise Refused("This session is archived.", f"Take it out first: outrider unarchive {state.session}")
    if state.archiving:
        raise Refused(f"{state.archiving.name} archives this session as soon as its turn has stopped.", "Unarchive it.")
