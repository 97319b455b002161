"""Who is in a session: joining, roles, leaving."""

from outrider.model import commands as c
from outrider.model import events as e
from outrider.model.errors import NotFound, Refused
from outrider.model.limits import FIXED, limit_reached
from outrider.model.membership import MOST_MEMBERS, Member, at_least, person_key
from outrider.model.person import Person
from outrider.session.state import State


def join(state: State, command: c.Join) -> tuple[e.Event, ...]:
    """Somebody follows a link. It never lowers a role, and nobody becomes by it who is in the session already."""
    known = _member(state, command.person)
    if known is None:
        _expect_room(state)
        joined = e.MemberJoined(person=command.person, role=command.role, guest=command.guest, by=command.by)
        return (joined,)
    if command.guest:
        raise Refused(
            "Somebody with this address is in the session already.",
            "Log in if it is you, or take another address, or ask an owner of the session.",
        )
    if at_least(known.role, command.role):
        return ()
    return (e.RoleChanged(person=known.person, role=command.role, by=command.by),)


def set_role(state: State, command: c.SetRole) -> tuple[e.Event, ...]:
    """An owner gives a person a role; who was no member becomes one."""
    known = _member(state, command.person)
    if known is None:
        _expect_room(state)
        return (e.MemberJoined(person=command.person, role=command.role, by=command.by),)
    if known.role == command.role:
        return ()
    _expect_another_owner(state, known)
    return (e.RoleChanged(person=known.person, role=command.role, by=command.by),)


def leave(state: State, command: c.Leave) -> tuple[e.Event, ...]:
    """A member goes, or is sent away."""
    known = _member(state, command.person)
    if known is None:
        raise NotFound(f"{command.person.email} is not a member of this session.")
    _expect_another_owner(state, known)
    return (e.MemberLeft(person=known.person, by=command.by),)


def _member(state: State, person: Person) -> Member | None:
    return state.members.get(person_key(person.email))


def _expect_room(state: State) -> None:
    if len(state.members) >= MOST_MEMBERS:
        sentence = f"{MOST_MEMBERS} people are members of this session already, which is the most."
        raise limit_reached(sentence, "An owner of the session can remove some first.", FIXED)


def _expect_another_owner(state: State, member: Member) -> None:
    if member.role == "owner" and sum(one.role == "owner" for one in state.members.values()) == 1:
        raise Refused(f"{member.person.name} is the only owner of this session.", "Make somebody else one first.")
