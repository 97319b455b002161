"""Child sessions as their parent's log knows them: asked for, made, sent more, heard to their rest, stopped."""

import pytest

from outrider.model import children as k
from outrider.model import commands as c
from outrider.model import effects as x
from outrider.model.errors import LimitReached, NotAllowed, NotFound, OutriderError, Refused
from outrider.model.ids import SessionId
from outrider.session.projection import status
from outrider.testing.children import CHILD, child_prompt, child_result, child_spec, spawn
from outrider.testing.playbook import ADA, BOB, Playbook, play

SECOND = SessionId("s-kkkkkkkkkk")


def parent() -> Playbook:
    """The engine is at work on a prompt of Ada's."""
    return play("share the work")


def tending(session: Playbook) -> list[x.Effect]:
    return [effect for effect in session.effects if isinstance(effect, x.TendChild | x.StopChild)]


def test_a_child_is_asked_for_made_and_heard_to_its_rest():
    session = parent()
    assert spawn(session) == "child_requested"
    assert tending(session) == [x.TendChild(CHILD, 1)]
    assert session.ask(c.Report(k.ChildSpawned(child=CHILD))) == "child_spawned"
    assert tending(session) == [x.TendChild(CHILD, 1)]
    assert session.ask(c.Report(k.ChildEnded(child=CHILD, prompts=1, result=child_result()))) == "child_ended"
    assert tending(session) == []
    assert session.state.children[CHILD].result == child_result()


def test_asking_twice_is_asking_once():
    session = parent()
    spawn(session)
    assert spawn(session) == ""
    session.ask(c.Report(k.ChildSpawned(child=CHILD)))
    assert spawn(session) == ""
    assert session.ask(c.Report(k.ChildSpawned(child=CHILD))) == ""


def test_a_key_that_was_used_for_something_else_is_refused():
    session = parent()
    spawn(session)
    other = child_spec().model_copy(update={"prompt": child_prompt(1).model_copy(update={"text": "do another part"})})
    with pytest.raises(Refused, match="used for something else"):
        session.ask(c.SpawnChild(other, ADA, session.state.turn.id, 1, c.Caps()))


def test_one_that_was_refused_may_be_asked_for_again():
    session = parent()
    spawn(session)
    failed = c.EffectFailed(x.TendChild(CHILD, 1), "The disk is full.", "Make room.")
    assert session.ask(failed) == "child_refused"
    assert session.state.children[CHILD].refusal == "The disk is full. Make room."
    assert spawn(session) == "child_requested"


def test_what_cannot_be_heard_any_more_has_ended():
    session = parent()
    spawn(session)
    session.ask(c.Report(k.ChildSpawned(child=CHILD)))
    assert session.ask(c.EffectFailed(x.TendChild(CHILD, 1), "Its log is broken.")) == "child_ended"
    assert session.state.children[CHILD].result.reason == "lost"


def test_more_to_do_makes_it_work_again():
    session = parent()
    spawn(session)
    session.ask(c.Report(k.ChildSpawned(child=CHILD)))
    session.ask(c.Report(k.ChildEnded(child=CHILD, prompts=1, result=child_result())))
    turn = session.state.turn.id
    assert session.ask(c.PromptChild(CHILD, child_prompt(2), turn)) == "child_prompted"
    assert session.ask(c.PromptChild(CHILD, child_prompt(2), turn)) == ""
    assert tending(session) == [x.TendChild(CHILD, 2)]
    old_rest = c.Report(k.ChildEnded(child=CHILD, prompts=1, result=child_result()))
    assert session.ask(old_rest) == "", "the rest before it came to hear of the second prompt"
    assert session.state.children[CHILD].open


def test_only_its_own_children_are_sent_anything():
    session = parent()
    with pytest.raises(NotFound):
        session.ask(c.PromptChild(SECOND, child_prompt(2), session.state.turn.id))


def test_an_engine_asks_in_the_name_of_whose_prompt_runs_and_only_while_it_does():
    session = parent()
    with pytest.raises(Refused, match="in the name of the person"):
        spawn(session, by=BOB)
    turn = session.state.turn.id
    session.engine_ends()
    with pytest.raises(Refused, match="has ended"):
        session.ask(c.SpawnChild(child_spec(), ADA, turn, 0, c.Caps()))
    assert session.ask(c.SpawnChild(child_spec(by=BOB), BOB, None, 0, c.Caps())) == "child_requested", (
        "a person may always"
    )


def test_nothing_begins_in_the_name_of_a_guest():
    session = Playbook()
    session.ask(c.Join(BOB, "prompter", ADA, guest=True))
    with pytest.raises(NotAllowed, match="guests start no sessions"):
        session.ask(c.SpawnChild(child_spec(by=BOB), BOB, None, 0, c.Caps()))


@pytest.mark.parametrize(
    ("caps", "in_tree", "sentence", "setting"),
    [
        (c.Caps(depth=0), 0, "nested 0 deep", "OUTRIDER_CHILD_DEPTH"),
        (c.Caps(children=1), 1, "started 1 sessions", "OUTRIDER_CHILDREN"),
        (c.Caps(tree=5), 5, "5 sessions below the first one", "OUTRIDER_TREE_SESSIONS"),
    ],
)
def test_a_cap_says_which_it_is_and_who_can_raise_it(caps: c.Caps, in_tree: int, sentence: str, setting: str):
    session = parent()
    spawn(session)
    with pytest.raises(LimitReached) as refused:
        session.ask(c.SpawnChild(child_spec(SECOND), ADA, session.state.turn.id, in_tree, caps))
    assert sentence in refused.value.sentence
    assert setting in refused.value.remedy


def test_a_stop_of_the_parent_offers_the_children():
    session = parent()
    spawn(session)
    session.ask(c.Report(k.ChildSpawned(child=CHILD)))
    assert session.ask(c.StopTurn(by=BOB)) == "stop_requested"
    assert tending(session) == [x.TendChild(CHILD, 1)], "they go on where they are not meant"
    assert session.ask(c.StopTurn(by=BOB, children=True)) == "children_stop_requested"
    assert session.ask(c.StopTurn(by=BOB, children=True)) == "", "asking twice is asking once"
    assert tending(session) == [x.TendChild(CHILD, 1), x.StopChild(CHILD, BOB)]
    session.ask(c.Report(k.ChildEnded(child=CHILD, prompts=1, result=child_result(ok=False, reason="stopped"))))
    assert tending(session) == []


def test_children_can_be_stopped_when_the_turn_is_over():
    session = parent()
    spawn(session)
    session.engine_ends()
    session.collect(session.state.created.base_commit)
    assert session.state.turn is None
    assert session.ask(c.StopTurn(by=ADA, children=True)) == "children_stop_requested"
    with pytest.raises(Refused, match="being stopped"):
        session.ask(c.PromptChild(CHILD, child_prompt(2), None))


def test_nothing_to_stop_is_said():
    session = Playbook()
    with pytest.raises(OutriderError, match="Nothing runs"):
        session.ask(c.StopTurn(by=ADA, children=True))


def test_a_session_whose_children_work_is_taken_up_after_a_restart():
    session = parent()
    spawn(session)
    session.engine_ends()
    session.collect(session.state.created.base_commit)
    session.ask(c.SandboxVanished(session.state.sandbox.id, 1, "gone"))
    assert status(session.state) == "idle", "a session asleep is not looked at when a server starts"
    session.ask(c.Report(k.ChildSpawned(child=CHILD)))
    session.ask(c.Report(k.ChildEnded(child=CHILD, prompts=1, result=child_result())))
    assert status(session.state) == "asleep"
