"""Who may do what in a session: members with roles, and what the deployment says about everybody else."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from outrider.model.base import Model
from outrider.model.ids import SessionId
from outrider.model.person import Person

Role = Literal["viewer", "prompter", "owner"]
"""A viewer reads, a prompter works with the agent, an owner decides who else may."""

ROLES: tuple[Role, ...] = get_args(Role)
"""From the least to the most."""

MOST_MEMBERS = 500
"""Members of one session. Whoever else may see it by the deployment's say needs no membership."""


def at_least(role: Role | None, least: Role) -> bool:
    """Whether a role is this one or more. None is nobody's role."""
    return role is not None and ROLES.index(role) >= ROLES.index(least)


def person_key(email: str) -> str:
    """What a person is known by. Upper and lower case are one address."""
    return email.casefold()


class Member(Model):
    """A person with a role in one session. A guest came by a link and has no login of their own."""

    person: Person
    role: Role
    guest: bool = False


@dataclass(frozen=True, slots=True)
class House:
    """What the deployment says about people in all of its sessions."""

    owner: str = ""
    """The email of the deployment's owner, who may everything."""
    others: Role | None = "prompter"
    """The role of a person who is logged in and no member."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who really asks for something, where it is not simply the person whose name it carries: the deployment's token
    may speak for others, and a guest is nobody outside the sessions that they joined."""

    person: Person
    keeper: bool = False
    """Whether it is the deployment's owner, by token."""
    guest: bool = False
    otherwise: Role | None = None
    """The role where they are no member, if the deployment gave this person one."""


class Account(Model):
    """Who a login belongs to. A guest's is good for the sessions that were joined with it and for nothing else."""

    person: Person
    role: Role | None = None
    """What they may in sessions of which they are no member, where that is not the deployment's say."""
    guest: bool = False
    sessions: tuple[SessionId, ...] = ()
    """Those that a guest has joined."""


def role_in(members: Mapping[str, Member], house: House, caller: Caller) -> Role | None:
    """The role of who asks, in a session with these members. A guest has what they were given, nothing by default."""
    if caller.keeper:
        return "owner"
    key = person_key(caller.person.email)
    member = members.get(key)
    if caller.guest:
        return member.role if member and member.guest else None
    if house.owner and key == person_key(house.owner):
        return "owner"
    if member:
        return member.role
    return caller.otherwise or house.others
