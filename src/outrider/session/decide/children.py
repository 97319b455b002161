"""Child sessions: who may start one and how many, what they are sent, and stopping them."""

from outrider.model import children as k
from outrider.model import commands as c
from outrider.model import events as e
from outrider.model.errors import NotAllowed, NotFound, Refused
from outrider.model.ids import SessionId, TurnId
from outrider.model.limits import FIXED, limit_reached
from outrider.model.membership import person_key
from outrider.model.person import Person
from outrider.model.prompt import check_prompt
from outrider.session.family_state import Child, ChildPhase, made_children, open_children
from outrider.session.state import State, TurnPhase

MOST_PROMPTS = 50
"""That one session sends to one child."""

Events = tuple[e.Event, ...]


def spawn(state: State, command: c.SpawnChild) -> Events:
    """A child is wanted; one that is there already is that one."""
    known = state.children.get(command.child.session)
    if known and known.phase is not ChildPhase.REFUSED:
        _expect_same(_words(known.spec), _words(command.child))
        return ()
    _expect_asker(state, command.turn, command.by)
    _expect_no_guest(state, command.by)
    check_prompt(command.child.prompt, command.rules.prompt)
    _expect_room(state, command)
    return (k.ChildRequested(child=command.child),)


def prompt(state: State, command: c.PromptChild) -> Events:
    """A child gets more to do."""
    child = expect_child(state, command.child)
    for known in child.prompts:
        if known.key == command.prompt.key:
            _expect_same(known.text, command.prompt.text)
            return ()
    _expect_asker(state, command.turn, command.prompt.author.person)
    if child.stop_by:
        raise Refused(f"The session {child.id} is being stopped.", "Ask again in a moment.")
    check_prompt(command.prompt, command.rules.prompt)
    if len(child.prompts) >= MOST_PROMPTS:
        sentence = f"The session {child.id} was sent {MOST_PROMPTS} prompts already, the most that one session sends."
        raise limit_reached(sentence, "A person can prompt it all the same.", FIXED)
    return (k.ChildPrompted(child=child.id, prompt=command.prompt),)


def stop(state: State, by: Person) -> Events:
    """Every child that is at work is to stop; asking twice is asking once."""
    working = tuple(child.id for child in open_children(state.children) if child.stop_by is None)
    return (k.ChildrenStopRequested(children=working, by=by),) if working else ()


def expect_child(state: State, session: SessionId) -> Child:
    """A child of this session that was made. Raises NotFound."""
    child = state.children.get(session)
    if child is None or child.phase is ChildPhase.REFUSED:
        raise NotFound(f"The session {session[:60]} is not one that this session has started.")
    return child


def is_wanted(state: State, event: k.ChildSpawned | k.ChildRefused) -> bool:
    """Whether it is news that it was made, or was not."""
    child = state.children.get(event.child)
    return child is not None and child.phase is ChildPhase.REQUESTED


def is_awaited(state: State, event: k.ChildEnded) -> bool:
    """Whether it is this rest that is waited for."""
    child = state.children.get(event.child)
    return child is not None and child.phase is ChildPhase.WORKING and len(child.prompts) == event.prompts


def _words(child: k.ChildSpec) -> object:
    """What was asked for. The branch may have moved meanwhile."""
    return child.repository.name, child.base_branch, child.model, child.prompt.text


def _expect_same(before: object, now: object) -> None:
    if before != now:
        raise Refused("This key was used for something else.", "Use a new key for a new session or prompt.")


def _expect_asker(state: State, turn: TurnId | None, person: Person) -> None:
    """An engine asks in the name of whose prompt it answers, and only while it does."""
    if state.archived:
        raise Refused("This session is archived.", "Start a new one.")
    if turn is None:
        return
    running = state.turn
    if running is None or running.id != turn or running.phase is not TurnPhase.ENGINE:
        raise Refused("The turn that asks has ended.")
    if running.prompt.author.person != person:
        raise Refused("A turn asks in the name of the person whose prompt it answers, and of no other.")


def _expect_no_guest(state: State, person: Person) -> None:
    """A guest is nobody outside the sessions that they joined, so nothing begins in their name."""
    member = state.members.get(person_key(person.email))
    if member is not None and member.guest:
        raise NotAllowed(
            f"{person.name} is a guest here, and guests start no sessions.", "Somebody with a login can prompt for it."
        )


def _expect_room(state: State, command: c.SpawnChild) -> None:
    caps = command.caps
    depth = state.created.parent.depth if state.created.parent else 0
    if depth + 1 > caps.depth:
        sentence = f"Sessions may be nested {caps.depth} deep, and this one is at the bottom."
        raise limit_reached(sentence, "Do the work here.", "OUTRIDER_CHILD_DEPTH")
    if len(made_children(state.children)) >= caps.children:
        sentence = f"This session has started {caps.children} sessions, which is the most."
        raise limit_reached(sentence, "Send more work to one of them.", "OUTRIDER_CHILDREN")
    if command.in_tree >= caps.tree:
        sentence = f"There are {caps.tree} sessions below the first one, which is the most."
        raise limit_reached(sentence, "Send more work to one of yours.", "OUTRIDER_TREE_SESSIONS")
