"""How a turn goes when nothing goes wrong, and the queue before it."""

import pytest

from outrider.model import commands as c
from outrider.model import events as e
from outrider.model.errors import BadRequest, LimitReached, NotFound, Refused
from outrider.model.limits import QueueRules
from outrider.model.proof import ProofVerdict
from outrider.model.repository import PullRequestState
from outrider.testing.playbook import (
    ADA,
    BASE,
    BOB,
    Playbook,
    commit_id,
    play,
    prompt_id,
    snapshot_stored,
    snapshot_taken,
)


def test_a_turn_from_prompt_to_pull_request():
    play = Playbook()
    assert play.wants == ""
    assert play.prompt("mend the parser") == "prompt_queued sandbox_requested turn_started"
    assert play.wants == "StartSandbox"
    assert play.sandbox_ready() == "sandbox_ready sync_finished"
    assert play.wants == "StartSandbox RunTurn"
    assert play.hand() == "prompt_handed"
    assert play.wants == "StartSandbox RunTurn"
    assert play.engine_ends() == "engine_finished"
    assert play.wants == "StartSandbox CollectWork"
    assert play.collect(commit_id(1), "Mend the parser") == "work_collected proof_requested"
    assert play.wants == "StartSandbox Prove"
    assert play.prove(ProofVerdict.FIX_PROVED) == "proof_finished publish_requested"
    assert play.wants == "StartSandbox Publish"
    assert play.publish(7) == "branch_pushed pull_request_opened evidence_attached turn_ended"
    assert play.wants == "StartSandbox TakeSnapshot WaitUntil"
    assert snapshot_taken(play) == "snapshot_taken"
    assert play.wants == "StartSandbox WaitUntil StoreSnapshot"
    assert snapshot_stored(play) == "snapshot_stored"
    assert play.wants == "StartSandbox WaitUntil"
    assert play.state.last_end.reason is e.TurnEndReason.COMPLETED
    assert play.state.last_end.message == "It is fix_proved. Pull request #7: http://localhost/pulls/demo/7"


def test_the_pull_request_is_named_after_the_first_commit():
    session = play("please mend\nthe parser")
    session.engine_ends()
    session.collect(commit_id(1), "Mend the parser", "Test it")
    session.prove(ProofVerdict.FIX_PROVED)
    request = session.state.publishing.request
    assert request.title == "Mend the parser"
    assert "> please mend\n> the parser" in request.body
    assert "Ada asked" in request.body


def test_a_turn_without_commits_says_that_nothing_was_changed():
    session = play()
    session.engine_ends()
    assert session.collect(BASE) == "work_collected turn_ended"
    assert session.last.reason is e.TurnEndReason.COMPLETED
    assert session.last.message == "Nothing was changed."


def test_a_second_turn_without_new_commits_leaves_the_pull_request_alone():
    session = play("mend it", "explain it")
    session.engine_ends()
    session.collect(commit_id(1))
    session.prove(ProofVerdict.FIX_PROVED)
    assert session.publish().endswith("turn_ended turn_started")
    session.hand()
    session.engine_ends()
    assert session.collect(commit_id(1)) == "work_collected turn_ended"
    assert session.last.message == "Nothing more was changed."


def test_red_checks_go_back_to_the_engine_twice_and_then_to_the_person():
    session = play()
    for round_number in (1, 2):
        session.engine_ends()
        session.collect(commit_id(round_number))
        assert session.prove(ProofVerdict.RED) == "proof_finished engine_reprompted"
        assert session.last.round == round_number + 1
        assert "$ make test\n1 failed" in session.last.text
        assert session.wants == "StartSandbox RunTurn"
        assert session.hand() == "prompt_handed"
    session.engine_ends()
    session.collect(commit_id(3))
    assert session.prove(ProofVerdict.RED) == "proof_finished publish_requested"
    session.publish()
    assert session.last.message.startswith("The checks are still red after 3 rounds.")


def test_an_engine_that_commits_nothing_more_is_not_asked_a_third_time():
    session = play()
    session.engine_ends()
    session.collect(commit_id(1))
    session.prove(ProofVerdict.RED)
    session.hand()
    session.engine_ends()
    assert session.collect(commit_id(1)) == "work_collected publish_requested"


def test_a_proof_that_could_not_run_is_published_as_such():
    session = play()
    session.engine_ends()
    session.collect(commit_id(1))
    assert session.prove(ProofVerdict.NOT_RUN) == "proof_finished publish_requested"


def test_prompts_wait_and_are_answered_in_order():
    session = play("one", "two", "three")
    assert [prompt.text for prompt in session.state.queue] == ["two", "three"]
    session.engine_ends()
    assert session.collect(BASE) == "work_collected turn_ended turn_started"
    assert session.state.turn.prompt.text == "two"
    assert session.wants == "StartSandbox TakeSnapshot"
    assert snapshot_taken(session) == "snapshot_taken"
    assert session.wants == "StartSandbox RunTurn StoreSnapshot"


def test_the_same_key_is_the_same_prompt():
    session = Playbook()
    session.prompt("mend it", key="k", number=1)
    assert session.prompt("mend it", key="k", number=2) == ""
    assert session.state.keys[ADA.email, "k"].prompt == prompt_id(1)
    with pytest.raises(Refused, match="another request"):
        session.prompt("mend something else", key="k", number=3)
    assert session.prompt("mend something else", key="k", number=3, by=BOB) == "prompt_queued"


def test_a_prompt_can_be_withdrawn_and_moved_until_its_turn():
    session = play("one", "two", "three", "four")
    assert session.ask(c.MovePrompt(prompt_id(4), 0, by=BOB)) == "prompt_moved"
    assert session.ask(c.MovePrompt(prompt_id(4), 0, by=BOB)) == ""
    assert session.ask(c.WithdrawPrompt(prompt_id(2), by=BOB)) == "prompt_withdrawn"
    assert session.ask(c.MovePrompt(prompt_id(4), 99, by=BOB)) == "prompt_moved"
    assert [prompt.text for prompt in session.state.queue] == ["three", "four"]
    with pytest.raises(Refused, match="answered already"):
        session.ask(c.WithdrawPrompt(prompt_id(1), by=BOB))
    with pytest.raises(NotFound):
        session.ask(c.MovePrompt(prompt_id(2), 0, by=BOB))


def test_the_queue_has_an_end():
    session = play()
    for number in range(QueueRules().queue):
        session.prompt("more", number=number + 2)
    with pytest.raises(LimitReached):
        session.prompt("too many", number=999)


def test_a_prompt_of_spaces_is_refused():
    with pytest.raises(BadRequest, match="empty"):
        Playbook().prompt(" \n ")


def test_the_engine_may_have_the_checks_run_itself():
    session = play()
    session.collect(commit_id(1))
    assert session.ask(c.AskProof(commit_id(1))) == "proof_requested"
    assert session.wants == "StartSandbox RunTurn Prove"
    assert session.ask(c.AskProof(commit_id(1))) == ""
    assert session.prove(ProofVerdict.FIX_PROVED) == "proof_finished"
    assert session.ask(c.AskProof(commit_id(1))) == ""
    session.engine_ends()
    assert session.collect(commit_id(1)) == "work_collected publish_requested"


def test_checks_that_the_engine_asked_for_are_waited_for_at_the_end():
    session = play()
    session.collect(commit_id(1))
    session.ask(c.AskProof(commit_id(1)))
    session.engine_ends()
    assert session.collect(commit_id(1)) == "work_collected"
    assert session.wants == "StartSandbox Prove"
    assert session.prove(ProofVerdict.FIX_PROVED) == "proof_finished publish_requested"


def test_the_engine_may_open_the_pull_request_in_its_own_words():
    session = play()
    session.collect(commit_id(1))
    assert session.ask(c.AskPullRequest(commit_id(1), "Mine", "My words")) == "publish_requested"
    assert session.publish() == "branch_pushed pull_request_opened"
    session.engine_ends()
    assert session.collect(commit_id(1)) == "work_collected proof_requested"
    assert session.prove(ProofVerdict.FIX_PROVED) == "proof_finished publish_requested"
    request = session.state.publishing.request
    assert (request.title, request.body) == ("Mine", "My words")
    assert session.publish().endswith("evidence_attached turn_ended")


def test_the_engine_may_not_ask_between_turns_or_for_an_old_commit():
    session = play()
    session.collect(commit_id(1))
    with pytest.raises(Refused, match="moved on"):
        session.ask(c.AskProof(commit_id(2)))
    session.engine_ends()
    with pytest.raises(Refused, match="No turn"):
        session.ask(c.AskPullRequest(commit_id(1), "Mine", ""))


def test_a_prompt_is_handed_over_once():
    session = play()
    with pytest.raises(Refused):
        session.hand()


def test_an_archived_session_takes_no_prompt_and_gives_up_its_sandbox():
    session = play()
    with pytest.raises(Refused, match="turn runs"):
        session.ask(c.Archive(by=ADA))
    session.engine_ends()
    session.collect(BASE)
    snapshot_taken(session)
    snapshot_stored(session)
    assert session.ask(c.Archive(by=ADA)) == "session_archived"
    assert session.wants == "StopSandbox"
    assert session.effects[0].destroy
    assert session.ask(c.Report(e.SandboxStopped(sandbox=session.state.sandbox.id))) == "sandbox_stopped"
    assert session.wants == ""
    with pytest.raises(Refused, match="archived"):
        session.prompt("more", number=2)


def test_an_idle_sandbox_becomes_a_snapshot_and_is_made_again_for_the_next_prompt():
    session = play()
    session.engine_ends()
    session.collect(BASE)
    snapshot_taken(session)
    snapshot_stored(session)
    session.clock.advance(599)
    assert session.wants == "StartSandbox WaitUntil"
    session.clock.advance(1)
    assert session.ask(c.TimerFired("idle")) == ""
    assert session.wants == "SleepSandbox"
    assert snapshot_taken(session) == "snapshot_taken sandbox_stopped"
    assert session.wants == "StoreSnapshot"
    assert snapshot_stored(session) == "snapshot_stored"
    assert session.wants == ""
    assert session.prompt("again", number=2) == "prompt_queued sandbox_requested turn_started"
    assert session.wants == "StartSandbox"
    assert session.state.sandbox.start == 2


def test_a_merge_on_the_forge_is_told_once():
    session = play()
    session.engine_ends()
    session.collect(commit_id(1))
    session.prove(ProofVerdict.FIX_PROVED)
    session.publish(7)
    merged = c.ForgeChanged(7, PullRequestState.MERGED, by=BOB)
    assert session.ask(merged) == "pull_request_changed"
    assert session.ask(merged) == ""
    assert session.ask(c.ForgeChanged(8, PullRequestState.MERGED, by=BOB)) == ""
