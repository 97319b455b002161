"""A session as a whole: its name, its place in the list, the archive and the way back."""

import pytest

from outrider.model import commands as c
from outrider.model import events as e
from outrider.model.errors import BadRequest, Refused
from outrider.session.projection import row
from outrider.testing.playbook import ADA, BASE, BOB, Playbook, play, snapshot_taken


def rested() -> Playbook:
    """After a turn whose files are kept."""
    session = play()
    session.engine_ends()
    session.collect(BASE)
    snapshot_taken(session)
    return session


def test_a_session_has_the_newest_of_its_titles():
    session = Playbook()
    assert session.state.title == "A session"
    assert session.ask(c.Rename("  Coupons \n twice\x1b[31m ", by=BOB)) == "session_renamed"
    assert session.state.title == "Coupons twice"
    assert session.ask(c.Rename("Coupons twice", by=ADA)) == ""
    assert row(session.state).title == "Coupons twice"


@pytest.mark.parametrize("title", ["", "  \n", "x" * 201])
def test_a_title_is_a_line_of_words(title: str):
    session = Playbook()
    with pytest.raises(BadRequest):
        session.ask(c.Rename(title, by=ADA))


def test_pinning_twice_is_pinning_once():
    session = Playbook()
    assert session.ask(c.Pin(pinned=True, by=ADA)) == "session_pinned"
    assert session.ask(c.Pin(pinned=True, by=BOB)) == ""
    assert row(session.state).pinned
    assert session.ask(c.Pin(pinned=False, by=BOB)) == "session_pinned"
    assert not row(session.state).pinned


def test_what_waits_is_named_before_a_session_is_archived():
    session = play("one", "two", "three")
    with pytest.raises(Refused, match="A turn runs in this session, and 2 prompts wait for it"):
        session.ask(c.Archive(by=ADA))


def test_archiving_with_stop_takes_back_what_waits_and_keeps_the_files_first():
    session = play("one", "two")
    assert session.ask(c.Archive(by=ADA, stop=True)) == "prompt_withdrawn archive_requested stop_requested"
    with pytest.raises(Refused, match="Ada archives this session"):
        session.prompt("more", number=3)
    session.engine_ends()
    turn = session.state.turn
    assert session.ask(c.TurnStopped(turn.id, killed=0, work=None)) == "turn_ended"
    assert session.wants == "StartSandbox TakeSnapshot WaitUntil"
    assert snapshot_taken(session) == "snapshot_taken session_archived"
    assert session.wants == "StopSandbox StoreSnapshot"


def test_files_that_cannot_be_kept_do_not_hold_up_the_archive_for_ever():
    session = play()
    session.engine_ends()
    session.collect(BASE)
    assert session.ask(c.Archive(by=ADA)) == "archive_requested"
    lost = c.SandboxVanished(session.state.sandbox.id, session.state.sandbox.start, "It was killed.")
    assert session.ask(lost) == "sandbox_lost session_archived"


def test_a_session_comes_out_of_the_archive_with_its_newest_files():
    session = rested()
    kept = session.state.restore
    session.ask(c.Archive(by=ADA))
    session.ask(c.Report(e.SandboxStopped(sandbox=session.state.sandbox.id)))
    assert row(session.state).status == "archived"
    assert session.ask(c.Unarchive(by=ADA)) == "session_unarchived"
    assert row(session.state).status == "asleep"
    assert session.state.restore.layer == kept.layer
    assert session.prompt("again", number=2) == "prompt_queued sandbox_requested turn_started"


def test_somebody_may_think_better_of_it_while_the_turn_stops():
    session = play("one")
    session.ask(c.Archive(by=ADA, stop=True))
    assert session.ask(c.Unarchive(by=ADA)) == "session_unarchived"
    session.engine_ends()
    session.ask(c.TurnStopped(session.state.turn.id, killed=0, work=None))
    assert not session.state.archived
    assert session.prompt("two", number=2).startswith("prompt_queued")


def test_taking_out_what_is_not_archived_changes_nothing():
    session = Playbook()
    assert session.ask(c.Unarchive(by=ADA)) == ""
