"""What people ask: prompts, their order, stop, archive."""

from outrider.model import commands as c
from outrider.model import events as e
from outrider.model.egress import HOSTS_LIMIT, host_for_people
from outrider.model.errors import BadRequest, LimitReached, NotFound, Refused
from outrider.model.ids import PromptId
from outrider.model.person import Person
from outrider.model.prompt import MAX_PROMPT_BYTES
from outrider.session.decide.follow import request_sandbox
from outrider.session.state import State, Turn

TYPING_SECONDS = 30.0
"""Typing is noted this often at most."""

LONGEST_QUEUE = 100
"""Prompts that wait. More is a program gone wild, not a person."""


def queue(state: State, command: c.QueuePrompt) -> tuple[e.Event, ...]:
    """A prompt joins the queue; one whose key is known is there already."""
    prompt = command.prompt
    if prompt.key is not None and prompt.key in state.keys:
        return ()
    _expect_open(state)
    if not prompt.text.strip():
        raise BadRequest("The prompt is empty.", "Say what is to be done.")
    if len(prompt.text.encode()) > MAX_PROMPT_BYTES:
        raise BadRequest("The prompt is longer than 256 kB.", "Put long texts into a file of the repository.")
    if len(state.queue) >= LONGEST_QUEUE:
        raise LimitReached(f"{LONGEST_QUEUE} prompts wait already.", "Wait for some turns to end, or withdraw some.")
    return (e.PromptQueued(prompt=prompt),)


def withdraw(state: State, command: c.WithdrawPrompt) -> tuple[e.Event, ...]:
    """A prompt leaves the queue."""
    _expect_queued(state, command.prompt)
    return (e.PromptWithdrawn(prompt=command.prompt, by=command.by),)


def move(state: State, command: c.MovePrompt) -> tuple[e.Event, ...]:
    """A prompt changes its place; a place behind the end is the end."""
    old = _expect_queued(state, command.prompt)
    new = min(max(command.position, 0), len(state.queue) - 1)
    return () if new == old else (e.PromptMoved(prompt=command.prompt, position=new, by=command.by),)


def steer(state: State, command: c.SteerNow) -> tuple[e.Event, ...]:
    """The prompt goes to the front, and the turn before it is stopped."""
    old = _expect_queued(state, command.prompt)
    front = (e.PromptMoved(prompt=command.prompt, position=0, by=command.by),) if old else ()
    return (*front, *(_stop(state.turn, command.by) if state.turn else ()))


def stop(state: State, command: c.StopTurn) -> tuple[e.Event, ...]:
    """The turn stops; asking twice is asking once."""
    if state.turn is None:
        raise Refused("Nothing runs in this session.")
    return _stop(state.turn, command.by)


def allow_host(state: State, command: c.AllowHost) -> tuple[e.Event, ...]:
    """The sandbox may reach one more host; allowing twice is allowing once."""
    _expect_open(state)
    host = host_for_people(command.host)
    if command.scope == "session":
        if host in state.allowed_hosts:
            return ()
        if len(state.allowed_hosts) >= HOSTS_LIMIT:
            raise LimitReached(f"{HOSTS_LIMIT} hosts are allowed to this session already.")
    return (e.HostAllowed(host=host, by=command.by, scope=command.scope),)


def typing(state: State, command: c.Typing) -> tuple[e.Event, ...]:
    """A prompt is on its way: a sandbox that sleeps is asked for, one that has nothing to do stays a while longer."""
    if state.archived or state.turn is not None:
        return ()
    if not state.sandbox_alive:
        return (request_sandbox(state),)
    if (command.at - state.at).total_seconds() < TYPING_SECONDS:
        return ()
    return (e.TypingNoticed(by=command.by),)


def archive(state: State, command: c.Archive) -> tuple[e.Event, ...]:
    """The session closes for good."""
    if state.archived:
        return ()
    if state.turn is not None:
        raise Refused("A turn runs in this session.", "Stop it first, then archive the session.")
    return (e.SessionArchived(by=command.by),)


def _stop(turn: Turn, by: Person) -> tuple[e.Event, ...]:
    return () if turn.stopped_by else (e.StopRequested(turn=turn.id, by=by),)


def _expect_open(state: State) -> None:
    if state.archived:
        raise Refused("This session is archived.", "Start a new one.")


def _expect_queued(state: State, prompt: PromptId) -> int:
    """The place of a waiting prompt."""
    for place, waiting in enumerate(state.queue):
        if waiting.id == prompt:
            return place
    if state.turn and state.turn.prompt.id == prompt:
        raise Refused("The prompt is being answered already.", "Stop the turn, or queue another prompt.")
    raise NotFound("There is no such prompt in the queue.")
