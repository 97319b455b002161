"""Reports: facts from effects that are stored as they are, unless what they speak of is over."""

from collections.abc import Callable
from typing import Any

from outrider.model import children as k
from outrider.model import commands as c
from outrider.model import events as e
from outrider.session.decide import children
from outrider.session.state import State, TurnPhase


def report(state: State, command: c.Report) -> tuple[e.Event, ...]:
    """Store a fact, or drop it where it comes too late to be true."""
    still_true = TRUE_WHILE.get(type(command.event), _always)
    return (command.event,) if still_true(state, command.event) else ()


def _always(state: State, event: object) -> bool:
    return True


def _sandbox_runs(state: State, event: e.SandboxReady) -> bool:
    return state.sandbox_alive and not state.archived


def _sync_runs(state: State, event: e.SyncFinished) -> bool:
    return state.sandbox_ready and not state.sync.done and not state.archived


def _sandbox_may_stop(state: State, event: e.SandboxStopped) -> bool:
    return state.sandbox is not None and state.sandbox.id == event.sandbox


def _work_is_wanted(state: State, event: e.WorkCollected) -> bool:
    return state.turn is not None and state.turn.phase in (TurnPhase.ENGINE, TurnPhase.COLLECTING)


def _proof_runs(state: State, event: e.CheckStarted | e.CheckFinished) -> bool:
    return state.proving is not None and state.proving.proof == event.proof


REFUSALS_TOLD = 20
"""A turn: what is refused more often is a program that tries doors, and the audit log has all of it."""


def _is_news(state: State, event: e.EgressRefused) -> bool:
    return not state.archived and event.rule not in state.refused_hosts and len(state.refused_hosts) < REFUSALS_TOLD


TRUE_WHILE: dict[type[Any], Callable[[State, Any], bool]] = {
    e.SandboxReady: _sandbox_runs,
    e.SyncFinished: _sync_runs,
    e.SandboxStopped: _sandbox_may_stop,
    e.WorkCollected: _work_is_wanted,
    e.CheckStarted: _proof_runs,
    e.CheckFinished: _proof_runs,
    e.EgressRefused: _is_news,
    k.ChildSpawned: children.is_wanted,
    k.ChildRefused: children.is_wanted,
    k.ChildEnded: children.is_awaited,
}
