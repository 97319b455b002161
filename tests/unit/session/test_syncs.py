"""Reading while syncing: what waits for the sync, how it fails, and what an engine is told of it."""

import pytest

from outrider.model import commands as c
from outrider.model import effects as x
from outrider.model import events as e
from outrider.model.errors import Refused
from outrider.model.proof import ProofVerdict
from outrider.session import wording
from outrider.testing.playbook import (
    ADA,
    BASE,
    Playbook,
    commit_id,
    play,
    sandbox_reachable,
    snapshot_stored,
    snapshot_taken,
    sync_is_finished,
    synced,
)

OLD = commit_id(9)


def reading() -> Playbook:
    """A session whose engine has its prompt while the workspace is still synced."""
    session = Playbook()
    session.prompt("mend it")
    assert sandbox_reachable(session) == "sandbox_ready"
    session.hand()
    return session


def test_the_engine_reads_while_the_workspace_is_synced():
    session = Playbook()
    session.prompt("mend it")
    sandbox_reachable(session)
    assert session.wants == "StartSandbox SyncWorkspace RunTurn"
    assert not session.state.synced
    session.hand()
    assert synced(session, moved_from=OLD, files=("a.txt",)) == "sync_finished"
    assert session.state.synced
    assert session.wants == "StartSandbox RunTurn"


def test_commits_are_collected_only_from_a_synced_workspace():
    session = reading()
    session.engine_ends()
    assert session.wants == "StartSandbox SyncWorkspace"
    synced(session)
    assert session.wants == "StartSandbox CollectWork"


def test_a_failed_sync_stops_the_engine_and_ends_the_turn_with_its_reason():
    session = reading()
    assert session.fail(x.SyncWorkspace, "The branch is gone.") == "sync_failed"
    assert session.wants == "StartSandbox RunTurn StopEngine"
    assert session.ask(c.TurnStopped(session.state.turn.id, 1, None)) == "turn_ended"
    assert session.last.reason is e.TurnEndReason.FAILED
    assert session.last.message == "The branch is gone."
    assert session.wants == "StartSandbox WaitUntil", "the sandbox stays; nobody goes on trying"


def test_the_next_prompt_tries_again():
    session = reading()
    session.fail(x.SyncWorkspace, "The branch is gone.")
    first = session.state.sync.attempt
    session.ask(c.TurnStopped(session.state.turn.id, 1, None))
    session.prompt("again", number=2)
    assert session.wants == "StartSandbox SyncWorkspace RunTurn"
    assert session.state.sync.attempt == first
    assert session.effects[1].attempt == first


def test_a_queued_prompt_tries_again_at_once_as_another_effect():
    session = reading()
    before = session.effects[1].id
    session.prompt("again", number=2)
    session.fail(x.SyncWorkspace, "The branch is gone.")
    assert session.ask(c.TurnStopped(session.state.turn.id, 1, None)) == "turn_ended turn_started"
    assert session.effects[1].id != before


def test_a_sync_that_fails_after_the_engine_ended_ends_the_turn():
    session = reading()
    session.engine_ends()
    assert session.fail(x.SyncWorkspace, "It took too long.") == "sync_failed turn_ended"
    assert session.last.message == "It took too long."


def test_old_news_of_a_sync_is_dropped():
    session = reading()
    old = session.effects[1]
    synced(session)
    assert session.ask(c.EffectFailed(old, "too late")) == ""
    assert session.ask(c.Report(sync_is_finished())) == ""


def test_nothing_is_synced_while_a_turn_is_stopped_and_then_it_goes_on():
    session = reading()
    session.ask(c.StopTurn(by=ADA))
    assert session.wants == "StartSandbox RunTurn StopEngine"
    session.ask(c.TurnStopped(session.state.turn.id, 1, None))
    assert session.last.reason is e.TurnEndReason.STOPPED
    assert session.wants == "StartSandbox SyncWorkspace"


def test_a_lost_sandbox_is_synced_anew():
    session = reading()
    sandbox = session.state.sandbox
    assert session.ask(c.SandboxVanished(sandbox.id, 1, "gone")).startswith("sandbox_lost turn_interrupted")
    assert session.wants == "StartSandbox"
    sandbox_reachable(session)
    assert session.wants == "StartSandbox SyncWorkspace RunTurn"


def test_a_server_that_finds_its_sandbox_again_looks_at_its_workspace_again():
    session = play()
    assert session.state.synced
    sandbox_reachable(session)
    assert not session.state.synced
    assert session.wants == "StartSandbox SyncWorkspace RunTurn"


def test_an_engine_that_may_have_read_old_files_is_told_once():
    session = reading()
    synced(session, moved_from=OLD, files=("a.txt",))
    assert session.state.sync.untold.files == ("a.txt",)
    assert session.ask(c.TellEngine(session.state.turn.id, wording.moved(session.state.sync.untold))) == "engine_told"
    assert "a.txt" in session.last.text
    assert session.state.sync.untold is None


def test_or_with_its_next_prompt():
    session = reading()
    synced(session, moved_from=OLD)
    session.engine_ends()
    session.collect(commit_id(1))
    session.prove(ProofVerdict.RED)
    assert session.state.sync.untold
    session.hand()
    assert session.state.sync.untold is None


def test_an_engine_that_has_read_nothing_has_nothing_to_be_told():
    session = Playbook()
    session.prompt("mend it")
    sandbox_reachable(session)
    synced(session, moved_from=OLD)
    assert session.state.sync.untold is None


def test_an_engine_is_not_told_anything_after_its_round():
    session = reading()
    session.engine_ends()
    with pytest.raises(Refused):
        session.ask(c.TellEngine(session.state.turn.id, "Files have moved."))


def test_what_an_engine_is_told_is_a_sentence_however_much_moved():
    many = tuple(f"{'x' * 900}{number}" for number in range(50))
    told = e.SyncFinished(commit=BASE, from_commit=OLD, moved=True, seconds=1, files=many, files_changed=4000)
    assert len(wording.moved(told)) <= wording.LONGEST_SENTENCE


def test_typing_wakes_a_sleeping_sandbox_and_keeps_one_awake():
    session = play()
    session.engine_ends()
    session.collect(BASE)
    snapshot_taken(session)
    snapshot_stored(session)
    assert typed(session) == ""
    session.clock.advance(400)
    assert typed(session) == "typing_noticed"
    session.clock.advance(400)
    assert session.wants == "StartSandbox WaitUntil", "it would have been stopped without"
    session.clock.advance(400)
    session.ask(c.Report(e.SandboxStopped(sandbox=session.state.sandbox.id)))
    assert typed(session) == "sandbox_requested"
    sandbox_reachable(session)
    assert session.wants == "StartSandbox SyncWorkspace"
    synced(session)
    session.clock.advance(700)
    assert session.wants == "SleepSandbox", "and nobody wrote anything"


def test_typing_does_nothing_to_a_running_or_an_archived_session():
    session = play()
    session.clock.advance(400)
    assert typed(session) == ""
    session.engine_ends()
    session.collect(BASE)
    session.ask(c.Archive(by=ADA))
    assert typed(session) == ""


def typed(session: Playbook) -> str:
    return session.ask(c.Typing(by=ADA, at=session.clock.now()))
