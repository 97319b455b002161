"""Open text: nothing is lost between being said and being stored."""

from hypothesis import given
from hypothesis import strategies as st

from outrider.model.commands import SealText
from outrider.model.engine import Speaker
from outrider.model.events import TextSealed
from outrider.model.ids import MessageId, TurnId
from outrider.session.drafts import MOST_SEALED, SEAL_CHARACTERS, SEAL_SECONDS, Drafts

TURN = TurnId("turn-aaaa")
ONE, TWO = MessageId("m-one"), MessageId("m-two")


def say(drafts: Drafts, text: str, *, message: MessageId = ONE, now: float = 0.0) -> int:
    return drafts.add(TURN, message, Speaker.AGENT, text, now)


def store(drafts: Drafts, part: SealText) -> None:
    drafts.sealed(
        TextSealed(turn=part.turn, message=part.message, speaker=part.speaker, offset=part.offset, text=part.text)
    )


def test_offsets_go_on_over_segments():
    drafts = Drafts()
    assert say(drafts, "Hello ") == 0
    assert say(drafts, "world") == 6
    [part] = drafts.seal()
    assert (part.offset, part.text) == (0, "Hello world")
    assert say(drafts, "!") == 11
    [rest] = drafts.seal()
    assert (rest.offset, rest.text) == (11, "!")


def test_a_draft_is_shown_until_its_segment_is_stored():
    drafts = Drafts()
    say(drafts, "Hello")
    [part] = drafts.seal()
    assert [draft.text for draft in drafts.shown()] == ["Hello"]
    say(drafts, " world")
    store(drafts, part)
    assert [(draft.offset, draft.text) for draft in drafts.shown()] == [(5, " world")]


def test_text_is_due_when_it_is_old_or_long():
    drafts = Drafts()
    say(drafts, "Hello", now=10.0)
    assert drafts.due(10.0 + SEAL_SECONDS - 0.1) == []
    assert [part.text for part in drafts.due(10.0 + SEAL_SECONDS)] == ["Hello"]
    assert drafts.due(100.0) == []
    say(drafts, "x" * SEAL_CHARACTERS, now=100.0)
    assert len(drafts.due(100.0)) == 1


def test_a_huge_piece_is_stored_in_segments_that_fit():
    drafts = Drafts()
    say(drafts, "x" * (MOST_SEALED + 1))
    assert [len(part.text) for part in drafts.seal()] == [MOST_SEALED, 1]


def test_other_messages_can_be_closed_and_turns_ended():
    drafts = Drafts()
    say(drafts, "one")
    say(drafts, "two", message=TWO)
    assert [part.text for part in drafts.seal(keep=TWO)] == ["one"]
    drafts.end(TURN)
    assert drafts.shown() == ()


@given(st.lists(st.one_of(st.text(max_size=10), st.just("seal"), st.just("store")), max_size=40))
def test_stored_and_shown_are_always_the_whole(steps: list[str]):
    drafts, said, stored, on_the_way = Drafts(), "", "", []
    for step in steps:
        if step == "seal":
            on_the_way += drafts.seal()
        elif step == "store":
            for part in on_the_way:
                assert part.offset == len(stored)
                stored += part.text
                store(drafts, part)
            on_the_way = []
        else:
            assert say(drafts, step) == len(said)
            said += step
        assert stored + "".join(draft.text for draft in drafts.shown()) == said
