"""What is kept of a session's sandboxes, going back to it, and going on from it elsewhere."""

from dataclasses import replace
from datetime import timedelta

import pytest

from outrider.model import commands as c
from outrider.model import effects as x
from outrider.model import events as e
from outrider.model.errors import Refused
from outrider.model.ids import LayerId, SessionId
from outrider.model.proof import ProofVerdict
from outrider.session.decide.snapshots import expect_kept
from outrider.session.fold import begin, fold_all
from outrider.session.forking import forked_from, named_layers
from outrider.session.kept import retry_seconds
from outrider.session.pending import pending
from outrider.testing.playbook import ADA, BASE, BOB, Playbook, commit_id, play, snapshot_stored, snapshot_taken


def answered(session: Playbook, head: int, *, publish: bool = True) -> None:
    """The engine's round comes to its end and its files are kept."""
    session.engine_ends()
    session.collect(commit_id(head))
    session.prove(ProofVerdict.FIX_PROVED if publish else ProofVerdict.NOT_RUN)
    session.publish()
    snapshot_taken(session)
    snapshot_stored(session)


def three_turns() -> Playbook:
    """A session after three turns, each with a commit that was pushed."""
    session = play("one")
    answered(session, 1)
    for number in (2, 3):
        session.prompt("more", number=number)
        session.hand()
        answered(session, number)
    return session


def test_the_next_prompt_waits_until_the_files_of_the_last_turn_are_kept():
    session = play("one", "two")
    session.engine_ends()
    session.collect(BASE)
    assert session.wants == "StartSandbox TakeSnapshot"
    assert session.fail(x.TakeSnapshot, "The disk is full.") == "snapshot_failed"
    assert session.wants == "StartSandbox RunTurn"


def test_a_stop_does_not_wait_for_a_snapshot():
    session = play("one", "two")
    session.engine_ends()
    session.collect(BASE)
    session.ask(c.StopTurn(by=BOB))
    assert session.wants == "StartSandbox StopEngine"


def test_a_snapshot_of_a_sandbox_that_was_lost_meanwhile_is_dropped():
    session = play("one")
    session.engine_ends()
    session.collect(BASE)
    late = next(effect for effect in session.effects if isinstance(effect, x.TakeSnapshot))
    session.ask(c.SandboxVanished(session.state.sandbox.id, 1, "It died."))
    assert session.wants == ""
    assert session.ask(c.EffectFailed(late, "late")) == ""


def test_what_can_never_be_stored_is_said_and_not_tried_again():
    session = play("one")
    session.engine_ends()
    session.collect(BASE)
    snapshot_taken(session)
    assert session.fail(x.StoreSnapshot, "No room.") == "snapshot_not_stored"
    assert session.wants == "StartSandbox WaitUntil"


def refused(session: Playbook) -> float:
    """The world: the blob store is in trouble. How long it is left alone."""
    effect = next(row for row in session.effects if isinstance(row, x.StoreSnapshot))
    wait = retry_seconds(effect.attempt)
    at = session.clock.now() + timedelta(seconds=wait)
    again = effect.attempt > 1
    session.ask(c.Report(e.SnapshotNotStored(layer=effect.layer, reason="No room.", retry_at=at, again=again)))
    return wait


def test_a_store_in_trouble_is_tried_again_ever_more_seldom_and_never_given_up():
    session = play("one")
    session.engine_ends()
    session.collect(BASE)
    snapshot_taken(session)
    waits = []
    for _ in range(6):
        waits.append(refused(session))
        assert not session.state.snapshots[-1].stored
        assert "StoreSnapshot" not in session.wants
        session.clock.advance(waits[-1])
        assert "StoreSnapshot" in session.wants
    assert waits == [60, 300, 1500, 3600, 3600, 3600]
    snapshot_stored(session)
    assert (session.state.store_failures, session.state.store_at) == (0, None)
    assert session.state.snapshots[-1].stored


def test_all_snapshots_wait_for_a_store_in_trouble_and_a_short_wait_keeps_the_session_awake():
    session = three_turns()
    session.prompt("more", number=4)
    session.hand()
    session.engine_ends()
    session.collect(commit_id(3))
    snapshot_taken(session)
    session.clock.advance(601)
    snapshot_taken(session)
    refused(session)
    assert [effect.name for effect in session.effects] == ["store"]
    session.clock.advance(60)
    refused(session)
    session.clock.advance(300)
    refused(session)
    assert session.effects == ()


def test_a_clock_that_was_put_back_does_not_keep_a_snapshot_from_the_store():
    session = play("one")
    session.engine_ends()
    session.collect(BASE)
    snapshot_taken(session)
    refused(session)
    yesterday = session.clock.now() - timedelta(days=1)
    assert x.StoreSnapshot in map(type, pending(session.state, yesterday, 600))


def test_rewinding_brings_back_commits_and_engine_and_never_pushes_by_force():
    session = three_turns()
    assert session.ask(c.Rewind("1", by=BOB)) == "session_rewound"
    assert session.state.head == commit_id(1)
    assert session.state.branch == "outrider/s-abcdefghij/work-4"
    assert (session.state.pushed, session.state.pull_request) == (None, None)
    assert [type(effect) for effect in session.effects] == [x.StopSandbox]
    assert session.effects[0].destroy
    assert [kept.number for kept in session.state.snapshots] == [1, 2, 3]


def test_rewinding_to_what_was_pushed_last_keeps_the_branch():
    session = three_turns()
    session.ask(c.Rewind(session.state.snapshots[-1].turn, by=BOB))
    assert session.state.branch == "outrider/s-abcdefghij/work"
    assert session.state.pull_request is not None


def test_a_prompt_that_comes_while_a_rewound_sandbox_goes_starts_another():
    session = three_turns()
    session.ask(c.Rewind("2", by=BOB))
    session.prompt("go on", number=4)
    assert session.wants == "StartSandbox"
    assert session.state.sandbox.discard
    session.sandbox_ready()
    assert not session.state.sandbox.discard
    assert session.wants == "StartSandbox RunTurn"


def test_rewinding_waits_for_turns_and_knows_what_is_kept():
    session = play("one")
    with pytest.raises(Refused, match="turn runs"):
        session.ask(c.Rewind("1", by=BOB))
    session.engine_ends()
    session.collect(BASE)
    with pytest.raises(Refused, match="no snapshot yet"):
        session.ask(c.Rewind("1", by=BOB))
    snapshot_taken(session)
    with pytest.raises(Refused, match="of turn 7"):
        session.ask(c.Rewind("7", by=BOB))


def test_only_the_newest_snapshots_are_kept():
    session = three_turns()
    session.prompt("more", number=4)
    session.hand()
    answered(session, 4)
    assert [kept.number for kept in session.state.snapshots] == [2, 3, 4]


def test_a_sleep_takes_the_place_of_its_turns_snapshot():
    session = play("one")
    session.engine_ends()
    session.collect(BASE)
    snapshot_taken(session)
    session.clock.advance(601)
    assert snapshot_taken(session) == "snapshot_taken sandbox_stopped"
    assert len(session.state.snapshots) == 1
    assert session.state.restore.asleep


def test_a_fork_has_the_commits_and_a_branch_of_its_own():
    parent = three_turns().state
    kept = expect_kept(parent, "2")
    records = forked_from(parent, kept, SessionId("s-child22222"), e.Author(person=BOB), parent.at)
    child = fold_all(begin(records[0]), records[1:])
    assert child.head == commit_id(2)
    assert child.restore.layer == kept.layer
    assert child.branch == "outrider/s-child22222/work"
    assert child.pushed is None
    assert child.created.created_by.person == BOB
    assert kept.layer in named_layers(child)


def test_a_session_needs_the_toolbox_of_its_snapshot():
    parent = three_turns().state
    kept = replace(expect_kept(parent, "2"), toolbox=LayerId("toolbox-a"))
    records = forked_from(parent, kept, SessionId("s-child22222"), e.Author(person=BOB), parent.at)
    child = fold_all(begin(records[0]), records[1:])
    assert named_layers(child) == {*kept.stack, "toolbox-a"}


def test_an_archived_session_needs_the_layers_of_its_newest_snapshot():
    session = three_turns()
    newest = session.state.snapshots[-1]
    session.ask(c.Archive(by=ADA))
    assert named_layers(session.state) == set(newest.stack)


def test_an_archived_session_keeps_its_newest_snapshot_and_stores_it():
    session = play("one")
    answered(session, 1)
    session.prompt("more", number=2)
    session.hand()
    session.engine_ends()
    session.collect(commit_id(1))
    snapshot_taken(session)
    session.ask(c.Archive(by=ADA))
    assert named_layers(session.state) == {"base-layer", session.state.snapshots[-1].layer}
    assert "StoreSnapshot" in session.wants
    snapshot_stored(session)
    assert "StoreSnapshot" not in session.wants
