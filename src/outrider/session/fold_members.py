"""How the events of people change the state. Part of `session.fold`."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from outrider.model import events as e
from outrider.model.membership import Member, person_key
from outrider.session.state import State


def first_members(created: e.SessionCreated) -> Mapping[str, Member]:
    """Who starts a session owns it."""
    person = created.created_by.person
    return {person_key(person.email): Member(person=person, role="owner")}


def joined(state: State, event: e.MemberJoined) -> State:
    """A member more."""
    return _with(state, Member(person=event.person, role=event.role, guest=event.guest))


def role_changed(state: State, event: e.RoleChanged) -> State:
    """The same member with another role."""
    known = state.members.get(person_key(event.person.email))
    return _with(state, Member(person=event.person, role=event.role, guest=known is not None and known.guest))


def left(state: State, event: e.MemberLeft) -> State:
    """A member less."""
    gone = person_key(event.person.email)
    return replace(state, members={key: member for key, member in state.members.items() if key != gone})


def _with(state: State, member: Member) -> State:
    return replace(state, members={**state.members, person_key(member.person.email): member})


CHANGES: Mapping[type[Any], Callable[[State, Any], State]] = {
    e.MemberJoined: joined,
    e.RoleChanged: role_changed,
    e.MemberLeft: left,
}
