"""Editing what waits, and asking under a key."""

import pytest

from outrider.model import commands as c
from outrider.model import events as e
from outrider.model.errors import BadRequest, LimitReached, NotAllowed, NotFound, QuotaReached, Refused
from outrider.model.limits import QueueRules
from outrider.model.person import Author, Person
from outrider.model.prompt import Prompt
from outrider.session.batch import Batch
from outrider.session.keys import KEYS_KEPT
from outrider.testing.playbook import ADA, BOB, Playbook, play, prompt_id

EVE = Person(name="Eve", email="eve@example.org")


def waiting(by: Person = BOB) -> Playbook:
    """Ada's session at work, with a prompt that waits."""
    session = play("one")
    session.prompt("two", number=2, by=by)
    return session


def edit(text: str, revision: int = 1, by: Person = BOB) -> c.EditPrompt:
    return c.EditPrompt(prompt_id(2), revision, text, by=by)


def test_an_edited_prompt_keeps_its_author_its_place_and_who_edited_it():
    session = waiting()
    session.prompt("three", number=3)
    assert session.ask(edit("two and a half", by=ADA)) == "prompt_edited"
    prompt = session.state.queue[0]
    assert (prompt.text, prompt.author.person, prompt.edited_by) == ("two and a half", BOB, ADA)
    assert session.last == e.PromptEdited(prompt=prompt_id(2), revision=2, text="two and a half", author=BOB, by=ADA)
    assert session.ask(edit("two and a half", 2)) == "", "the same text is no change"


def test_two_editors_do_not_write_over_each_other():
    session = waiting()
    session.ask(edit("what Ada wants", by=ADA))
    with pytest.raises(Refused, match="Ada has changed this prompt meanwhile"):
        session.ask(edit("what Bob wants"))
    assert session.ask(edit("what Bob wants", 2)) == "prompt_edited"
    assert session.state.queue[0].revision == 3


def test_only_its_author_and_owners_edit_a_prompt_and_only_while_it_waits():
    session = waiting()
    with pytest.raises(NotAllowed, match="it takes an owner"):
        session.ask(edit("mine", by=EVE))
    with pytest.raises(BadRequest, match="empty"):
        session.ask(edit("  "))
    with pytest.raises(Refused, match="answered already"):
        session.ask(c.EditPrompt(prompt_id(1), 1, "too late", by=ADA))
    session.ask(c.WithdrawPrompt(prompt_id(2), by=BOB))
    with pytest.raises(NotFound):
        session.ask(edit("gone"))


def test_the_same_key_is_the_same_request_and_answered_as_before():
    session = waiting()
    once = c.Once("k", c.SteerNow(prompt_id(2), by=BOB))
    assert session.ask(once) == "key_used stop_requested"
    stopped = session.state
    session.ask(c.WithdrawPrompt(prompt_id(2), by=BOB))
    assert session.ask(once) == "", "though the prompt is gone by now"
    with pytest.raises(Refused, match="another request"):
        session.ask(c.Once("k", c.StopTurn(by=BOB)))
    batch = Batch(session.state, session.clock.now())
    assert batch.add(once) == session.state.keys[BOB.email, "k"].seq == stopped.seq - 1


def test_a_key_of_another_person_is_another_key():
    session = waiting()
    session.ask(c.Once("k", c.MovePrompt(prompt_id(2), 0, by=BOB)))
    assert session.ask(c.Once("k", c.WithdrawPrompt(prompt_id(2), by=ADA))) == "key_used prompt_withdrawn"


def test_what_was_refused_may_be_asked_again_under_its_key():
    session = waiting()
    with pytest.raises(Refused):
        session.ask(c.Once("k", edit("mine", by=EVE)))
    assert session.ask(c.Once("k", edit("mine"))) == "key_used prompt_edited"


def test_keys_are_forgotten_the_oldest_first():
    session = waiting()
    for number in range(KEYS_KEPT + 5):
        session.ask(c.Once(f"k{number}", c.MovePrompt(prompt_id(2), 0, by=BOB)))
    kept = [key for _, key in session.state.keys]
    assert (len(kept), kept[0]) == (KEYS_KEPT, "k5")


def send(session: Playbook, number: int, by: Person, **rules: object) -> str:
    prompt = Prompt(id=prompt_id(number), author=Author(person=by), text=f"{by.name} {number}")
    return session.ask(c.QueuePrompt(prompt, QueueRules(**rules)))


def test_owners_go_first_only_where_it_is_set():
    session = waiting()
    send(session, 3, ADA)
    assert [prompt.text for prompt in session.state.queue] == ["two", "Ada 3"]
    send(session, 4, BOB, owners_first=True)
    send(session, 5, ADA, owners_first=True)
    send(session, 6, ADA, owners_first=True)
    assert [prompt.text for prompt in session.state.queue] == ["Ada 5", "Ada 6", "two", "Ada 3", "Bob 4"]


def test_a_queue_is_full_for_all_or_for_one_person():
    session = waiting()
    with pytest.raises(QuotaReached, match="1 is the most of one session") as refused:
        send(session, 3, ADA, queue=1)
    assert "OUTRIDER_LIMIT_QUEUE" in refused.value.remedy
    with pytest.raises(QuotaReached, match="1 is the most of one person"):
        send(session, 3, BOB, person_queue=1)
    assert send(session, 3, ADA, person_queue=1) == "prompt_queued"


def test_a_long_transcript_says_so_once_and_then_takes_no_more_prompts():
    session = waiting()
    for number in range(10, 30):
        send(session, number, ADA)
    limit = session.state.seq + 1
    assert send(session, 3, ADA, transcript_events=limit) == "transcript_nearly_full prompt_queued"
    with pytest.raises(LimitReached, match="is full") as refused:
        send(session, 4, ADA, transcript_events=limit)
    assert "outrider fork" in refused.value.remedy
    assert send(session, 4, ADA, transcript_events=limit + 100) == "prompt_queued"
