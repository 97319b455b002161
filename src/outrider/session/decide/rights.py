"""Rights: which role each command of a person takes. One table, asked for every command before anything is decided."""

from collections.abc import Callable, Mapping
from typing import Any

from outrider.model import commands as c
from outrider.model.errors import NotAllowed
from outrider.model.ids import SessionId
from outrider.model.membership import Caller, House, Member, Role, at_least, person_key, role_in
from outrider.model.person import Person
from outrider.session.state import State

Need = Role | Callable[[State, Any], Role]
"""A role, or a rule that says which, such as less for one's own prompt than for another person's."""


def _to_allow(_: State, command: c.AllowHost | c.ForbidHost) -> Role:
    """What is allowed to a whole repository outlives the session."""
    return "owner" if command.scope == "repository" else "prompter"


def _to_leave(_: State, command: c.Leave) -> Role:
    """Anybody may go; an owner may send others away."""
    return "viewer" if person_key(command.person.email) == person_key(command.by.email) else "owner"


def _to_edit(state: State, command: c.EditPrompt) -> Role:
    """One's own words; another person's are an owner's to change."""
    waiting = next((prompt for prompt in state.queue if prompt.id == command.prompt), None)
    own = waiting is None or person_key(waiting.author.person.email) == person_key(command.by.email)
    return "prompter" if own else "owner"


def _to_ask_once(state: State, command: c.Once) -> Role:
    """What it takes to ask it without a key."""
    need = LEAST_ROLE[type(command.command)]
    return need if isinstance(need, str) else need(state, command.command)


LEAST_ROLE: Mapping[type[Any], Need] = {
    c.QueuePrompt: "prompter",
    c.WithdrawPrompt: "prompter",
    c.MovePrompt: "prompter",
    c.EditPrompt: _to_edit,
    c.Once: _to_ask_once,
    c.SteerNow: "prompter",
    c.StopTurn: "prompter",
    c.Typing: "prompter",
    c.Rewind: "prompter",
    c.SpawnChild: "prompter",
    c.PromptChild: "prompter",
    c.AllowHost: _to_allow,
    c.ForbidHost: _to_allow,
    c.Rename: "prompter",
    c.Pin: "prompter",
    c.Archive: "owner",
    c.Unarchive: "owner",
    c.SetRole: "owner",
    c.Leave: _to_leave,
}
"""Every command of a person. One that is not here comes from the world, and no person can send it."""

VERBS: Mapping[Role, str] = {
    "viewer": "see this session",
    "prompter": "work in this session",
    "owner": "decide this for the session",
}
"""What it takes a role for, in words."""


def role_of(state: State, person: Person) -> Role | None:
    """A person's role in the session; None where they may not even see it."""
    return role_in(state.members, state.house, Caller(person))


def expect_role(state: State, person: Person, least: Role) -> None:
    """Raises NotAllowed, with who can raise the role, where a person has less than this role in the session."""
    expect_in(state.session, state.members, state.house, Caller(person), least)


def expect_right(state: State, command: c.Command, caller: Caller | None) -> None:
    """Raises NotAllowed where a command takes more than who asks for it has: the caller, or, without one, the person
    whom the command names. What comes from the world needs no right."""
    need = LEAST_ROLE.get(type(command))
    if need is None:
        return
    least = need if isinstance(need, str) else need(state, command)
    expect_in(state.session, state.members, state.house, caller or Caller(_person(command)), least)


def expect_in(session: SessionId, members: Mapping[str, Member], house: House, caller: Caller, least: Role) -> None:
    """The same for a session of which no more is known than its members."""
    role, person = role_in(members, house, caller), caller.person
    if at_least(role, least):
        return
    has = f"{person.name} is a {role} here" if role else f"{person.name} is not a member of this session"
    owners = [member.person.name for member in members.values() if member.role == "owner"]
    whom = " or ".join(owners[:3]) or "the owner of this deployment"
    raise NotAllowed(
        f"{has}; it takes {'an' if least == 'owner' else 'a'} {least} to {VERBS[least]}.",
        f"Ask {whom}: the role is raised under “People”, or by `outrider members {session} EMAIL {least}`.",
    )


def _person(command: Any) -> Person:
    if isinstance(command, c.Once):
        return _person(command.command)
    by: Person = command.prompt.author.person if isinstance(command, c.QueuePrompt | c.PromptChild) else command.by
    return by
