"""Stop, in every phase, and steering."""

import pytest

from outrider.model import commands as c
from outrider.model import effects as x
from outrider.model import events as e
from outrider.model.engine import EngineStop
from outrider.model.errors import Refused
from outrider.model.proof import ProofVerdict
from outrider.testing.playbook import ADA, BASE, BOB, Playbook, commit_id, play, prompt_id, work


def stop(session: Playbook) -> str:
    return session.ask(c.StopTurn(by=BOB))


def ladder_done(session: Playbook, collected: e.WorkCollected | None = None) -> str:
    return session.ask(c.TurnStopped(session.state.turn.id, killed=2, work=collected))


def test_stop_while_the_engine_works():
    session = play()
    assert stop(session) == "stop_requested"
    assert session.wants == "StartSandbox RunTurn StopEngine"
    assert session.engine_ends(EngineStop.CANCELLED) == "engine_finished"
    assert session.wants == "StartSandbox StopEngine"
    left = work(BASE, uncommitted=4).model_copy(update={"uncommitted_files": ("a", "b", "c", "d")})
    assert ladder_done(session, left) == "work_collected turn_ended"
    assert session.last.reason is e.TurnEndReason.STOPPED
    kept = "uncommitted changes to 4 files (a, b, c, …)"
    assert session.last.message == f"Stopped by Bob. Kept in the workspace: {kept}."
    assert session.last.kept == e.KeptWork(head=BASE, uncommitted=4, files=("a", "b", "c", "d"))


def test_stop_of_an_engine_that_never_answers():
    session = play()
    stop(session)
    assert ladder_done(session, work(BASE)) == "work_collected turn_ended"
    assert session.wants == "StartSandbox TakeSnapshot WaitUntil"
    assert session.last.message == "Stopped by Bob. Nothing had been changed."


def test_commits_of_a_stopped_turn_are_pushed_but_not_proposed():
    session = play()
    stop(session)
    assert ladder_done(session, work(commit_id(1))) == "work_collected publish_requested"
    assert not session.effects[-1].pull_request
    assert session.publish() == "branch_pushed turn_ended"
    assert "Kept in the workspace: 1 commit up to" in session.last.message
    assert "pushed to outrider/s-abcdefghij/work" in session.last.message
    assert session.last.kept == e.KeptWork(head=commit_id(1), commits=1, branch="outrider/s-abcdefghij/work")


def test_a_stopped_turn_ends_though_its_push_fails():
    session = play()
    stop(session)
    ladder_done(session, work(commit_id(1)))
    from_effects = [effect for effect in session.effects if type(effect).__name__ == "Publish"]
    assert session.ask(c.EffectFailed(from_effects[0], "The forge is away.")) == "publish_failed turn_ended"
    assert session.last.reason is e.TurnEndReason.STOPPED


def test_stop_while_the_sandbox_starts():
    session = Playbook()
    session.prompt("mend it")
    assert stop(session) == "stop_requested"
    assert session.wants == "StartSandbox StopEngine"
    assert ladder_done(session) == "turn_ended"
    assert session.wants == "StopSandbox"
    assert session.ask(c.Report(e.SandboxStopped(sandbox=session.state.sandbox.id))) == "sandbox_stopped"
    assert session.wants == ""


def test_stop_before_the_prompt_was_handed_over():
    session = Playbook()
    session.prompt("mend it")
    session.sandbox_ready()
    stop(session)
    assert session.wants == "StartSandbox StopEngine"
    with pytest.raises(Refused):
        session.hand()


def test_stop_while_the_work_is_collected():
    session = play()
    session.engine_ends()
    assert stop(session) == "stop_requested"
    assert session.wants == "StartSandbox StopEngine"
    assert session.collect(commit_id(1)) == ""  # the collecting effect was overtaken
    assert ladder_done(session, work(commit_id(1))) == "work_collected publish_requested"


def test_stop_while_the_checks_run():
    session = play()
    session.engine_ends()
    session.collect(commit_id(1))
    assert session.wants == "StartSandbox Prove"
    stop(session)
    assert session.wants == "StartSandbox StopEngine"
    assert ladder_done(session, work(commit_id(1))) == "work_collected publish_requested"
    assert session.publish() == "branch_pushed turn_ended"
    assert session.last.reason is e.TurnEndReason.STOPPED


def test_publishing_is_finished_before_the_stop():
    session = play()
    session.engine_ends()
    session.collect(commit_id(1))
    session.prove(ProofVerdict.FIX_PROVED)
    assert stop(session) == "stop_requested"
    assert session.wants == "StartSandbox Publish"
    assert session.publish().endswith("pull_request_opened evidence_attached turn_ended")
    assert session.last.reason is e.TurnEndReason.STOPPED


def test_what_the_engine_publishes_is_finished_before_the_stop():
    session = play()
    session.collect(commit_id(1))
    session.ask(c.AskPullRequest(commit_id(1), "Mine", ""))
    stop(session)
    assert session.wants == "StartSandbox RunTurn StopEngine Publish"
    assert ladder_done(session, work(commit_id(1))) == "work_collected"
    assert session.publish() == "branch_pushed pull_request_opened turn_ended"


def test_stopping_twice_is_stopping_once():
    session = play()
    stop(session)
    assert stop(session) == ""


def test_there_is_nothing_to_stop():
    with pytest.raises(Refused, match="Nothing runs"):
        stop(Playbook())


def test_the_queue_goes_on_after_a_stop():
    session = play("one", "two")
    stop(session)
    assert ladder_done(session, work(BASE)) == "work_collected turn_ended turn_started"
    assert session.state.turn.prompt.text == "two"


def test_steering_stops_the_turn_and_runs_the_prompt_next():
    session = play("one", "two", "three")
    assert session.ask(c.SteerNow(prompt_id(3), by=ADA)) == "prompt_moved stop_requested"
    ladder_done(session, work(BASE))
    assert session.state.turn.prompt.text == "three"
    assert [prompt.text for prompt in session.state.queue] == ["two"]


def test_the_sandbox_dies_while_the_turn_is_stopped():
    session = play()
    stop(session)
    vanished = c.SandboxVanished(session.state.sandbox.id, 1, "gone")
    assert session.ask(vanished) == "sandbox_lost engine_finished"
    assert session.wants == "StopEngine"
    assert ladder_done(session) == "turn_ended"


def fail_to_stop(session: Playbook) -> str:
    return session.fail(x.StopEngine, "It took too long (StopEngine).")


def test_a_ladder_that_fails_stops_the_sandbox_before_anybody_is_told_of_the_end():
    session = play()
    stop(session)
    assert fail_to_stop(session) == "stop_failed"
    assert session.wants == "StopSandbox"
    assert session.ask(c.Report(e.SandboxStopped(sandbox=session.state.sandbox.id))) == "sandbox_stopped turn_ended"
    assert session.last.reason is e.TurnEndReason.STOPPED
    assert session.last.message == (
        "Stopped by Bob. What had been done is kept in the workspace. "
        "The turn did not end by itself, so its sandbox was stopped."
    )
    assert session.wants == ""


def test_the_next_turn_waits_for_the_sandbox_to_be_stopped():
    session = play()
    stop(session)
    fail_to_stop(session)
    assert session.prompt("Go on.", number=2) == "prompt_queued"
    assert session.wants == "StopSandbox"
    stopped = c.Report(e.SandboxStopped(sandbox=session.state.sandbox.id))
    assert session.ask(stopped) == "sandbox_stopped turn_ended sandbox_requested turn_started"


def test_where_the_sandbox_cannot_be_stopped_either_nobody_is_told_that_it_was():
    session = play()
    stop(session)
    fail_to_stop(session)
    assert session.fail(x.StopSandbox, "It took too long (StopSandbox).") == "problem_reported sandbox_lost turn_ended"
    assert session.last.reason is e.TurnEndReason.FAILED
    assert session.last.message == (
        "Bob stopped it, but its sandbox could not be stopped: It took too long (StopEngine). "
        "Something of it may still run."
    )


def test_a_server_that_dies_after_a_failed_ladder_stops_the_sandbox():
    session = play()
    stop(session)
    fail_to_stop(session)
    assert session.ask(c.Wake("The server was restarted.")) == ""
    assert session.wants == "StopSandbox"


def test_a_ladder_that_fails_where_no_sandbox_runs_ends_the_turn_and_says_so():
    session = play()
    stop(session)
    session.ask(c.SandboxVanished(session.state.sandbox.id, 1, "gone"))
    assert session.fail(x.StopEngine, "Something is wrong.") == "turn_ended"
    assert session.last.message == "Something is wrong."
