"""The limits of a prompt hold by whatever command it comes."""

from collections.abc import Callable
from typing import get_type_hints

import pytest

from outrider.model import commands as c
from outrider.model.attachment import Attachment
from outrider.model.children import ChildSpawned, ChildSpec
from outrider.model.errors import LimitReached
from outrider.model.ids import AttachmentId, SessionId
from outrider.model.limits import PromptLimits, QueueRules
from outrider.model.person import Author
from outrider.model.prompt import MAX_PROMPT_BYTES, Prompt
from outrider.session.decide.rights import LEAST_ROLE
from outrider.session.registry import under
from outrider.testing.children import CHILD, child_prompt, child_spec, spawn
from outrider.testing.playbook import ADA, Playbook, play, prompt_id

LONG = "mend it all, äöü"
RULES = QueueRules(prompt=PromptLimits(prompt_bytes=18, attachments=1))
WIDE = QueueRules(prompt=PromptLimits(prompt_bytes=19, attachments=2))
FILES = tuple(
    Attachment(id=AttachmentId(f"f-aaaaaaaaa{n}"), name="a.txt", media_type="text/plain", size=1) for n in "ab"
)
ANOTHER = SessionId("s-dddddddddd")


def to_child(text: str) -> Prompt:
    return child_prompt(2).model_copy(update={"text": text})


def to_queue(text: str = "ok", files: tuple[Attachment, ...] = ()) -> c.QueuePrompt:
    return c.QueuePrompt(Prompt(id=prompt_id(3), author=Author(person=ADA), text=text, attachments=files))


def edit(session: Playbook) -> c.EditPrompt:
    return c.EditPrompt(session.state.queue[0].id, 1, LONG, ADA)


CARRYING: dict[type[object], Callable[[Playbook], c.Command]] = {
    c.QueuePrompt: lambda _: to_queue(LONG),
    c.EditPrompt: edit,
    c.Once: lambda session: c.Once("key", edit(session)),
    c.PromptChild: lambda _: c.PromptChild(CHILD, to_child(LONG), None),
    c.SpawnChild: lambda _: c.SpawnChild(
        child_spec(ANOTHER).model_copy(update={"prompt": to_child(LONG)}), ADA, None, 1, c.Caps()
    ),
}


def session_with_all() -> Playbook:
    """A turn runs, one prompt waits, and there is a child."""
    session = play("share the work", "and more")
    spawn(session)
    session.ask(c.Report(ChildSpawned(child=CHILD)))
    return session


def test_every_command_of_people_that_carries_a_prompt_is_in_the_table() -> None:
    carrying = {kind for kind in LEAST_ROLE if {Prompt, ChildSpec} & set(get_type_hints(kind).values())}
    carrying |= {kind for kind in LEAST_ROLE if "text" in get_type_hints(kind)}
    assert {*carrying, c.Once} == set(CARRYING)


@pytest.mark.parametrize("kind", CARRYING, ids=lambda kind: kind.__name__)
def test_a_prompt_that_is_too_long_is_refused_with_the_limit_and_who_can_raise_it(kind: type[object]) -> None:
    session = session_with_all()
    command = CARRYING[kind](session)
    with pytest.raises(LimitReached, match="19 bytes long; 18 is the most") as refused:
        session.ask(under(RULES, command))
    assert "can raise OUTRIDER_LIMIT_PROMPT_BYTES." in refused.value.remedy
    assert session.ask(under(WIDE, command))


def test_files_are_counted_by_whatever_command_they_come() -> None:
    session = session_with_all()
    with_files = c.EditPrompt(session.state.queue[0].id, 1, "ok", ADA, FILES)
    for command in (to_queue(files=FILES), with_files, c.Once("key", with_files)):
        with pytest.raises(LimitReached, match="may have 1 attachments") as refused:
            session.ask(under(RULES, command))
        assert "can raise OUTRIDER_LIMIT_ATTACHMENTS." in refused.value.remedy


def test_a_lower_limit_takes_nothing_from_what_was_there_before() -> None:
    session = session_with_all()
    once = c.Once("key", edit(session))
    session.ask(under(WIDE, once))
    assert session.ask(under(RULES, once)) == "", "the same request is answered as before"
    again = under(RULES, c.SpawnChild(child_spec(), ADA, None, 1, c.Caps()))
    assert session.ask(again) == "", "the child that is there is that child"


def test_the_longest_that_can_be_stored_is_said_to_be_that() -> None:
    session = session_with_all()
    with pytest.raises(LimitReached, match="262,144 is the most") as refused:
        session.ask(c.EditPrompt(session.state.queue[0].id, 1, "x" * (MAX_PROMPT_BYTES + 1), ADA))
    assert refused.value.remedy == "Attach long text as a file. No setting can raise this limit."
