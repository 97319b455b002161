"""Interruptions, dead sandboxes, failed effects: every turn ends, and says why."""

import pytest

from outrider.model import commands as c
from outrider.model import effects as x
from outrider.model import events as e
from outrider.model.engine import EngineStop
from outrider.model.proof import ProofVerdict
from outrider.testing.playbook import BASE, Playbook, commit_id, play, work


def vanish(session: Playbook) -> str:
    sandbox = session.state.sandbox
    return session.ask(c.SandboxVanished(sandbox.id, sandbox.start, "its sshd was killed"))


def test_a_dead_engine_is_begun_again():
    session = play()
    assert session.fail(x.RunTurn, "The engine died.", retry=True) == "turn_interrupted"
    assert session.wants == "StartSandbox RunTurn"
    assert session.state.turn.attempt == 2
    assert session.hand() == "prompt_handed"
    assert session.last.attempt == 2


def test_the_third_death_ends_the_turn_with_what_there_is():
    session = play()
    for _ in range(2):
        session.fail(x.RunTurn, "The engine died.", retry=True)
        session.hand()
    assert session.fail(x.RunTurn, "The engine died.", retry=True) == "turn_interrupted"
    assert session.last.final
    assert session.wants == "StartSandbox CollectWork"
    assert session.collect(commit_id(1)) == "work_collected publish_requested"
    assert not session.effects[-1].pull_request
    assert session.publish() == "branch_pushed turn_ended"
    assert session.last.reason is e.TurnEndReason.FAILED
    assert session.last.message.startswith("The engine died. Kept in the workspace")


def test_what_cannot_be_mended_by_trying_again_is_not_tried_again():
    session = play()
    assert session.fail(x.RunTurn, "The model is not known.") == "turn_interrupted"
    assert session.collect(BASE) == "work_collected turn_ended"
    assert session.last.message == "The model is not known. Nothing had been changed."


@pytest.mark.parametrize(
    ("stop", "message"),
    [(EngineStop.REFUSAL, "The model refused to go on."), (EngineStop.CANCELLED, "The engine stopped by itself.")],
)
def test_an_engine_that_gives_up(stop: EngineStop, message: str):
    session = play()
    session.engine_ends(stop)
    session.collect(BASE)
    assert session.last.reason is e.TurnEndReason.FAILED
    assert session.last.message.startswith(message)


def test_a_lost_sandbox_is_started_again_and_the_turn_resumed():
    session = play()
    assert vanish(session) == "sandbox_lost turn_interrupted sandbox_requested"
    assert session.wants == "StartSandbox"
    assert session.state.sandbox.start == 2
    assert session.sandbox_ready() == "sandbox_ready sync_finished"
    assert session.wants == "StartSandbox RunTurn"


def test_a_sandbox_that_dies_three_times_ends_the_turn():
    session = play()
    for _ in range(2):
        vanish(session)
        session.sandbox_ready()
        session.hand()
    assert vanish(session) == "sandbox_lost turn_interrupted turn_ended"
    assert session.last.message == "its sshd was killed. Nothing had been changed."


def test_a_sandbox_lost_while_collecting_is_started_again():
    session = play()
    session.engine_ends()
    assert vanish(session) == "sandbox_lost turn_interrupted sandbox_requested"
    session.sandbox_ready()
    assert session.wants == "StartSandbox CollectWork"


def test_a_sandbox_lost_between_turns_waits_for_the_next():
    session = play()
    session.engine_ends()
    session.collect(BASE)
    assert vanish(session) == "sandbox_lost"
    assert session.wants == ""
    assert session.prompt("again", number=2) == "prompt_queued sandbox_requested turn_started"


def test_a_sandbox_is_not_needed_to_prove_and_publish():
    session = play()
    session.engine_ends()
    session.collect(commit_id(1))
    assert vanish(session) == "sandbox_lost"
    assert session.wants == "Prove"
    session.prove(ProofVerdict.FIX_PROVED)
    assert session.publish().endswith("turn_ended")


def test_news_of_an_earlier_start_is_old():
    session = play()
    vanish(session)
    assert session.ask(c.SandboxVanished(session.state.sandbox.id, 1, "again")) == ""


def test_a_sandbox_that_cannot_be_made_ends_the_turn():
    session = Playbook()
    session.prompt("mend it")
    assert session.fail(x.StartSandbox, "There is no bubblewrap.") == "turn_ended"
    assert session.last.message == "There is no bubblewrap."
    assert session.wants == "StopSandbox"


def test_a_sandbox_that_cannot_be_taken_up_again_is_lost():
    session = play()
    session.engine_ends()
    session.collect(BASE)
    assert session.fail(x.StartSandbox, "It does not start.") == "sandbox_lost"


def test_a_turn_whose_sandbox_cannot_be_taken_up_again_fails():
    session = play()
    assert session.fail(x.StartSandbox, "It does not start.") == "sandbox_lost turn_ended"


def test_commits_that_cannot_be_fetched_stay_in_the_workspace():
    session = play()
    session.engine_ends()
    assert session.fail(x.CollectWork, "fsck found a bad object.") == "turn_ended"
    assert session.last.reason is e.TurnEndReason.FAILED
    assert session.last.message == (
        "The commits could not be fetched: fsck found a bad object. They are kept in the workspace."
    )


def test_checks_that_cannot_run_do_not_hold_up_the_pull_request():
    session = play()
    session.engine_ends()
    session.collect(commit_id(1))
    assert session.fail(x.Prove, "No sandbox is free.") == "proof_finished publish_requested"
    assert session.state.proof.verdict is ProofVerdict.NOT_RUN


def test_a_push_that_fails_is_said():
    session = play()
    session.engine_ends()
    session.collect(commit_id(1))
    session.prove(ProofVerdict.FIX_PROVED)
    assert session.fail(x.Publish, "The forge is away.") == "publish_failed turn_ended"
    assert session.last.reason is e.TurnEndReason.FAILED
    assert session.last.message.startswith("The forge is away. Kept in the workspace: 1 commit up to")


def test_a_pull_request_that_fails_after_the_push_is_said():
    session = play()
    session.engine_ends()
    session.collect(commit_id(1))
    session.prove(ProofVerdict.FIX_PROVED)
    published = c.Published(commit_id(1), session.state.branch, problem="The forge refused.")
    assert session.ask(published) == "branch_pushed publish_failed turn_ended"
    assert "pushed to" in session.last.message


def test_a_sandbox_that_cannot_be_stopped_is_said():
    session = play()
    session.engine_ends()
    session.collect(BASE)
    session.clock.advance(600)
    assert session.fail(x.SleepSandbox, "It does not die.") == "problem_reported sandbox_lost"


def test_a_failure_of_what_is_over_says_nothing():
    session = play()
    effects = session.effects
    session.engine_ends()
    session.collect(BASE)
    for effect in effects[1:]:
        assert session.ask(c.EffectFailed(effect, "late")) == ""


def test_a_prompt_that_the_engine_may_have_seen_is_resumed_after_a_restart():
    session = play()
    assert session.ask(c.Wake("The server was stopped.")) == "turn_interrupted"
    assert session.wants == "StartSandbox RunTurn"
    assert session.state.turn.attempt == 2


def test_a_prompt_that_no_engine_has_seen_is_simply_handed_over():
    session = Playbook()
    session.prompt("mend it")
    session.sandbox_ready()
    assert session.ask(c.Wake("The server was stopped.")) == ""
    assert session.wants == "StartSandbox RunTurn"
    assert session.state.turn.attempt == 1


def test_a_stop_goes_on_after_a_restart():
    session = play()
    session.ask(c.StopTurn(by=session.state.turn.prompt.author.person))
    assert session.ask(c.Wake("The server was stopped.")) == "engine_finished"
    assert session.wants == "StartSandbox StopEngine"
    assert session.ask(c.TurnStopped(session.state.turn.id, 0, work(BASE))) == "work_collected turn_ended"


def test_proof_and_publishing_go_on_after_a_restart():
    session = play()
    session.engine_ends()
    session.collect(commit_id(1))
    assert session.ask(c.Wake("The server was stopped.")) == ""
    assert session.wants == "StartSandbox Prove"
