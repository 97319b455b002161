"""Clocks that are set harm nothing: what is due comes, sooner or later, and logs go on."""

from datetime import timedelta

import pytest

from outrider.model import effects as x
from outrider.session.fold import begin, fold_all
from outrider.session.pending import pending
from outrider.testing.playbook import BASE, Playbook, play, snapshot_stored, snapshot_taken

HOUR, DAY = 3600.0, 86_400.0


def rested() -> Playbook:
    """After one turn, its files kept and stored."""
    session = play("one")
    session.engine_ends()
    session.collect(BASE)
    snapshot_taken(session)
    snapshot_stored(session)
    return session


@pytest.mark.parametrize("seconds", [HOUR, -DAY])
def test_an_idle_sandbox_goes_to_sleep_at_once_and_the_next_prompt_wakes_it(seconds: float):
    session = rested()
    session.clock.set(seconds)
    assert [type(effect) for effect in session.effects] == [x.SleepSandbox]
    assert snapshot_taken(session) == "snapshot_taken sandbox_stopped"
    snapshot_stored(session)
    assert session.wants == ""
    session.prompt("two", number=2)
    assert session.wants == "StartSandbox"


def test_a_clock_that_is_set_by_seconds_changes_nothing():
    session = rested()
    session.clock.set(-5)
    assert session.wants == "StartSandbox WaitUntil"
    session.clock.advance(606)
    assert session.wants == "SleepSandbox"


@pytest.mark.parametrize("seconds", [HOUR, -DAY])
def test_a_running_turn_is_left_alone(seconds: float):
    session = play("one")
    session.clock.set(seconds)
    assert session.wants == "StartSandbox RunTurn"
    session.engine_ends()
    session.collect(BASE)
    assert session.state.turn is None


def test_a_log_whose_times_go_backwards_folds_to_the_same_state_and_never_waits_for_ever():
    session = rested()
    session.clock.set(-DAY)
    session.prompt("two", number=2)
    session.hand()
    session.engine_ends()
    session.collect(BASE)
    times = [recorded.at for recorded in session.log]
    assert times != sorted(times)
    assert fold_all(begin(session.log[0]), session.log[1:]) == session.state
    later = session.clock.now() + timedelta(seconds=601)
    wanted = pending(session.state, later, 600)
    assert not [effect for effect in wanted if isinstance(effect, x.WaitUntil) and effect.at > later.timestamp()]
