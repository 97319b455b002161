"""The rules of a session: what a command means in a state, and what follows from it. Pure.

    decide(state, command, now) -> events

A command first has its direct consequences, one function each, listed in `DECISIONS`. Then `follow` says again and
again what the new state calls for by itself (a waiting prompt calls for a turn, a turn for a sandbox, collected commits
for a proof…) until it calls for nothing. All of it is stored as one transaction, so no crash can come in between.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from outrider.model import commands as c
from outrider.model.events import Event, Recorded
from outrider.model.membership import Caller
from outrider.session import keys
from outrider.session.decide import (
    children,
    engine,
    failures,
    hosts,
    members,
    outcome,
    people,
    queue,
    sandbox,
    snapshots,
)
from outrider.session.decide import history as whole
from outrider.session.decide.follow import follow
from outrider.session.decide.rights import expect_right
from outrider.session.fold import change_nothing, fold
from outrider.session.state import State

LONGEST_CHAIN = 20
"""No command has more follow-ups than this: a longer chain is a rule that goes round in circles."""

Decision = Callable[[State, Any], tuple[Event, ...]]

DECISIONS: dict[type[Any], Decision] = {
    c.QueuePrompt: queue.queue,
    c.WithdrawPrompt: queue.withdraw,
    c.MovePrompt: queue.move,
    c.EditPrompt: queue.edit,
    c.SteerNow: queue.steer,
    c.StopTurn: people.stop,
    c.Typing: people.typing,
    c.AllowHost: hosts.allow_host,
    c.ForbidHost: hosts.forbid_host,
    c.Join: members.join,
    c.SetRole: members.set_role,
    c.Leave: members.leave,
    c.Once: lambda state, command: _once(state, command),
    c.Archive: whole.archive,
    c.Unarchive: whole.unarchive,
    c.Rename: whole.rename,
    c.Pin: whole.pin,
    c.Wake: failures.wake,
    c.EffectFailed: failures.effect_failed,
    c.SandboxVanished: failures.sandbox_vanished,
    c.Report: sandbox.report,
    c.AttachEngine: engine.attach,
    c.HandPrompt: engine.hand,
    c.TellEngine: engine.tell,
    c.SealText: engine.seal,
    c.EngineChanged: engine.changed,
    c.DecidePermission: engine.permission,
    c.RecordUsage: engine.usage,
    c.EngineTurnEnded: engine.finished,
    c.TurnStopped: engine.stopped,
    c.AskProof: outcome.ask_proof,
    c.ProofEnded: outcome.proof_ended,
    c.AskPullRequest: outcome.ask_pull_request,
    c.Published: outcome.published,
    c.ForgeChanged: outcome.forge_changed,
    c.SnapshotMade: snapshots.made,
    c.Rewind: snapshots.rewind,
    c.SpawnChild: children.spawn,
    c.PromptChild: children.prompt,
    c.TimerFired: lambda state, command: (),
}


def _once(state: State, command: c.Once) -> tuple[Event, ...]:
    """What was asked under this key before is done already."""
    if keys.answered(state, command):
        return ()
    asked = command.command
    return (keys.key_used(command), *DECISIONS[type(asked)](state, asked))


_TIMELESS: dict[type[Any], Decision] = {
    kind: DECISIONS[kind] for kind in (c.SealText, c.EngineChanged, c.DecidePermission, c.Report)
}
"""What is decided without a look at `seq` and `at`."""


def history(state: State, command: c.Command) -> tuple[Event, ...] | None:
    """The events of a command that brings about history only: text and tool calls, most events by far. None for any
    other. `seq` and `at` of the state may be out of date; what changes no state has no consequences."""
    decision = _TIMELESS.get(type(command))
    if decision is None:
        return None
    events = decision(state, command)
    return events if change_nothing(events) else None


def decide(state: State, command: c.Command, now: datetime, caller: Caller | None = None) -> tuple[Event, ...]:
    """The events that a command brings about; none where it changes nothing. Raises Refused or BadRequest, with the
    sentence for the person, where it may not be carried out, and NotAllowed where the caller may not ask for it."""
    if (past := history(state, command)) is not None:
        return past
    expect_right(state, command, caller)
    events: list[Event] = []
    due = DECISIONS[type(command)](state, command)
    for _ in range(LONGEST_CHAIN):
        for event in due:
            state = fold(state, Recorded(seq=state.seq + 1, at=now, event=event))
        events += due
        due = follow(state)
        if not due:
            return tuple(events)
    raise RuntimeError(f"{command} has no end: {[event.type for event in events]}")
