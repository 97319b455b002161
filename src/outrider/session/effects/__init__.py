"""Effects: the hands of a session. Each is a coroutine that returns the command that answers it.

`perform` is the edge: whatever goes wrong in an effect becomes a command too, and so a sentence that somebody reads.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from outrider.model import effects as x
from outrider.model.commands import Command, EffectFailed, SandboxVanished
from outrider.model.effects import Effect
from outrider.model.errors import EngineError, OutriderError, SandboxError, SandboxLost, TurnFailed
from outrider.session.actor import Actor
from outrider.session.effects.children import stop_child, tend_child
from outrider.session.effects.collect_work import collect_work
from outrider.session.effects.prove import prove
from outrider.session.effects.publish import publish
from outrider.session.effects.run_turn import run_turn
from outrider.session.effects.snapshots import sleep_sandbox, store_snapshot, take_snapshot
from outrider.session.effects.start_sandbox import start_sandbox
from outrider.session.effects.stop_engine import stop_engine
from outrider.session.effects.stop_sandbox import stop_sandbox
from outrider.session.effects.sync_workspace import sync_workspace
from outrider.session.effects.wait import wait_until
from outrider.session.workbench import Workbench

logger = logging.getLogger(__name__)

EFFECTS: dict[type[Any], Callable[[Any, Workbench, Actor], Awaitable[Command]]] = {
    x.StartSandbox: start_sandbox,
    x.SyncWorkspace: sync_workspace,
    x.RunTurn: run_turn,
    x.StopEngine: stop_engine,
    x.CollectWork: collect_work,
    x.Prove: prove,
    x.Publish: publish,
    x.TakeSnapshot: take_snapshot,
    x.SleepSandbox: sleep_sandbox,
    x.StoreSnapshot: store_snapshot,
    x.StopSandbox: stop_sandbox,
    x.TendChild: tend_child,
    x.StopChild: stop_child,
    x.WaitUntil: wait_until,
}

LIMITS_SECONDS: dict[type[Any], float] = {x.StopEngine: 30, x.CollectWork: 300, x.Publish: 180, x.StopSandbox: 60}
"""What takes longer hangs. The others have limits of their own within, or none because they wait for people."""

IN_THE_GUEST = (x.StartSandbox, x.SyncWorkspace, x.RunTurn, x.CollectWork)
"""Whose lost sandbox is the session's own."""


async def perform(effect: Effect, bench: Workbench, actor: Actor) -> Command:
    """Carry an effect out. Never raises but when it is cancelled. Nothing that it answers holds a known secret."""
    try:
        async with asyncio.timeout(LIMITS_SECONDS.get(type(effect))):
            answer = await EFFECTS[type(effect)](effect, bench, actor)
    except Exception as error:
        cause = _cause(error)
        if not isinstance(cause, OutriderError | TimeoutError):
            logger.exception("session %s: %s", actor.state.session, effect.id)
        answer = _failure(effect, cause, actor)
    return bench.world.redactor.value(answer)


def _cause(error: Exception) -> Exception:
    """What a task group was cancelled for."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error


def _failure(effect: Effect, cause: Exception, actor: Actor) -> Command:
    sandbox = actor.state.sandbox
    match cause:
        case SandboxLost() if isinstance(effect, IN_THE_GUEST) and sandbox:
            start = effect.start if isinstance(effect, x.StartSandbox) else sandbox.start
            return SandboxVanished(sandbox.id, start, cause.sentence)
        case OutriderError():
            again = isinstance(cause, EngineError | SandboxError) and not isinstance(cause, TurnFailed)
            return EffectFailed(effect, cause.sentence, cause.remedy, retry=again)
        case TimeoutError():
            return EffectFailed(effect, f"It took too long ({type(effect).__name__}).", "Try again.", retry=True)
        case _:
            return EffectFailed(effect, f"Something went wrong inside Outrider: {cause}.", "Its log says more.")
