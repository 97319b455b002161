"""Who may what in a session, and how that changes."""

from collections.abc import Callable
from dataclasses import replace
from typing import get_args

import pytest

from outrider.model import commands as c
from outrider.model import events as e
from outrider.model.errors import LimitReached, NotAllowed, NotFound, OutriderError, Refused
from outrider.model.membership import MOST_MEMBERS, ROLES, Caller, House, Role, at_least, role_in
from outrider.model.person import Author, Person
from outrider.model.prompt import Prompt
from outrider.session.decide import decide
from outrider.session.decide.rights import LEAST_ROLE, expect_role, role_of
from outrider.testing.children import CHILD, child_prompt, child_spec
from outrider.testing.playbook import ADA, BOB, Playbook, play, prompt_id

CLEO = Person(name="Cleo", email="cleo@example.org")


def closed() -> Playbook:
    """A session of Ada's that others may not see."""
    session = Playbook()
    session.state = replace(session.state, house=House(others=None))
    return session


def prompt_of(person: Person) -> Prompt:
    return Prompt(id=prompt_id(7), author=Author(person=person), text="mend it")


COMMANDS: dict[type[object], Callable[[Person], c.Command]] = {
    c.QueuePrompt: lambda by: c.QueuePrompt(prompt_of(by)),
    c.WithdrawPrompt: lambda by: c.WithdrawPrompt(prompt_id(1), by),
    c.MovePrompt: lambda by: c.MovePrompt(prompt_id(1), 0, by),
    c.SteerNow: lambda by: c.SteerNow(prompt_id(1), by),
    c.StopTurn: c.StopTurn,
    c.Typing: lambda by: c.Typing(by, Playbook().clock.now()),
    c.Rewind: lambda by: c.Rewind("1", by),
    c.AllowHost: lambda by: c.AllowHost("a.example", by),
    c.ForbidHost: lambda by: c.ForbidHost("a.example", by),
    c.Archive: c.Archive,
    c.Unarchive: c.Unarchive,
    c.Rename: lambda by: c.Rename("Another title", by),
    c.Pin: lambda by: c.Pin(True, by),
    c.SetRole: lambda by: c.SetRole(CLEO, "viewer", by),
    c.Leave: lambda by: c.Leave(ADA, by),
    c.EditPrompt: lambda by: c.EditPrompt(prompt_id(1), 1, "mend it well", by),
    c.Once: lambda by: c.Once("key", c.Archive(by)),
    c.SpawnChild: lambda by: c.SpawnChild(child_spec(by=by), by, None, 0, c.Caps()),
    c.PromptChild: lambda by: c.PromptChild(CHILD, child_prompt(1, by), None),
}


@pytest.mark.parametrize("kind", LEAST_ROLE, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("role", [None, *ROLES])
def test_each_command_takes_the_role_of_the_table(kind: type[object], role: Role | None) -> None:
    session = closed()
    if role:
        session.ask(c.SetRole(BOB, role, ADA))
    command = COMMANDS.get(kind)
    assert command is not None, "a new command of people has its line in COMMANDS here"
    need = LEAST_ROLE[kind]
    least = need if isinstance(need, str) else need(session.state, command(BOB))
    assert not_allowed(session, command(BOB)) is not at_least(role, least)


def not_allowed(session: Playbook, command: c.Command) -> bool:
    try:
        decide(session.state, command, session.clock.now())
    except NotAllowed:
        return True
    except OutriderError:
        return False
    return False


def test_every_command_is_a_persons_or_the_worlds() -> None:
    """What carries a person and is in no table would be decided for anybody."""
    of_people = {kind for kind in get_args(c.Command) if {"by", "prompt"} & set(kind.__dataclass_fields__)}
    assert of_people - {c.Join, c.ForgeChanged} == set(LEAST_ROLE) - {c.Once}


def test_who_starts_a_session_owns_it() -> None:
    session = Playbook()
    assert role_of(session.state, ADA) == "owner"
    assert role_of(session.state, BOB) == "prompter", "by the deployment's say"
    assert role_of(closed().state, BOB) is None


def test_an_address_is_one_in_any_case() -> None:
    assert role_of(closed().state, Person(name="Ada", email="Ada@Example.org")) == "owner"


def test_the_deployments_owner_may_everything() -> None:
    session = closed()
    session.state = replace(session.state, house=House(owner=BOB.email, others=None))
    session.ask(c.SetRole(BOB, "viewer", ADA))
    expect_role(session.state, BOB, "owner")
    assert decide(session.state, c.QueuePrompt(prompt_of(CLEO)), session.clock.now(), Caller(ADA, keeper=True))


def test_a_viewer_hears_who_can_raise_the_role() -> None:
    session = closed()
    session.ask(c.SetRole(BOB, "viewer", ADA))
    with pytest.raises(NotAllowed) as refused:
        session.prompt("mend it", by=BOB)
    assert refused.value.sentence == "Bob is a viewer here; it takes a prompter to work in this session."
    assert "Ask Ada" in refused.value.remedy


def test_a_guest_has_nothing_by_default() -> None:
    session = Playbook()
    assert role_in(session.state.members, session.state.house, Caller(BOB, guest=True)) is None
    session.ask(c.Join(BOB, "viewer", ADA, guest=True))
    assert role_in(session.state.members, session.state.house, Caller(BOB, guest=True)) == "viewer"
    assert role_in(session.state.members, session.state.house, Caller(ADA, guest=True)) is None, (
        "a guest cannot be who started it"
    )


def test_a_guest_cannot_take_the_place_of_a_member() -> None:
    session = Playbook()
    with pytest.raises(Refused):
        session.ask(c.Join(Person(name="Not Ada", email="ADA@example.org"), "viewer", BOB, guest=True))


def test_a_link_never_lowers_a_role() -> None:
    session = Playbook()
    assert session.ask(c.Join(BOB, "prompter", ADA)) == "member_joined"
    assert session.ask(c.Join(BOB, "viewer", ADA)) == ""
    assert session.ask(c.Join(BOB, "owner", ADA)) == "role_changed"
    assert role_of(session.state, BOB) == "owner"


def test_roles_change_and_people_leave() -> None:
    session = closed()
    assert session.ask(c.SetRole(BOB, "viewer", ADA)) == "member_joined"
    assert session.ask(c.SetRole(BOB, "viewer", ADA)) == ""
    assert session.ask(c.SetRole(BOB, "prompter", ADA)) == "role_changed"
    assert session.ask(c.Leave(BOB, BOB)) == "member_left"
    assert role_of(session.state, BOB) is None
    with pytest.raises(NotFound):
        session.ask(c.Leave(BOB, ADA))


def test_the_last_owner_stays() -> None:
    session = Playbook()
    for command in (c.Leave(ADA, ADA), c.SetRole(ADA, "viewer", ADA)):
        with pytest.raises(Refused):
            session.ask(command)
    session.ask(c.SetRole(BOB, "owner", ADA))
    assert session.ask(c.Leave(ADA, BOB)) == "member_left"


def test_a_session_has_so_many_members() -> None:
    session = Playbook()
    for number in range(MOST_MEMBERS - 1):
        session.ask(c.Join(Person(name="N", email=f"n{number}@example.org"), "viewer", ADA))
    with pytest.raises(LimitReached):
        session.ask(c.SetRole(BOB, "viewer", ADA))


def test_who_was_sent_away_is_told_apart_from_who_left() -> None:
    session = play()
    session.ask(c.SetRole(BOB, "viewer", ADA))
    session.ask(c.Leave(BOB, ADA))
    assert session.last == e.MemberLeft(person=BOB, by=ADA)
