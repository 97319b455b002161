"""The stop ladder: ask the engine to stop, kill what the turn left, kill the engine, stop the sandbox. The services of
the sandbox go on until the last rung."""

import asyncio
from collections.abc import Coroutine

from outrider.model.commands import Command, TurnStopped
from outrider.model.effects import StopEngine
from outrider.model.errors import OutriderError, SandboxError
from outrider.model.events import WorkCollected
from outrider.model.sandbox import ENGINE_ROLE
from outrider.model.services import SERVICE_ROLE
from outrider.ports.engine import EngineSession
from outrider.ports.sandbox import Guest
from outrider.session.actor import Actor
from outrider.session.collect import collect
from outrider.session.workbench import Workbench

CANCEL_SECONDS = 2.0
"""How long an engine may take to obey; measured 0.02 to 0.5 s on four of them."""

ANSWER_SECONDS = 2.5
"""When a guest must have said that all is killed, from the first rung on; 0.1 to 0.5 s are usual, after the engine has
obeyed. One that is too busy or frozen for that loses its sandbox."""

LEAST_SECONDS = 1.0
"""What a guest has for that after an engine that took all of its time."""

REACH_SECONDS = 1.0
"""How long a sandbox may take to be reached in which a turn was cut off; then it is stopped."""

COLLECT_SECONDS = 10.0
"""How long the commits may take to be fetched after a stop; what is not fetched stays in the workspace."""


async def stop_engine(effect: StopEngine, bench: Workbench, actor: Actor) -> Command:
    """Answers when nothing of the turn lives any more, with the commits that could be fetched."""
    guest = await _reached(bench, actor)
    if guest is None:
        return TurnStopped(effect.turn, killed=0, work=None)
    try:
        killed = await _descend(bench, guest, [SERVICE_ROLE] if actor.state.services else [])
    except SandboxError:
        # A lost connection ends nothing by itself: what the turn had started lives on where nobody hears it.
        await _stop_sandbox(bench, actor)
        killed = 0
    if bench.link.ear:
        bench.link.ear.finish()
    return TurnStopped(effect.turn, killed, await _work(bench, actor))


async def _reached(bench: Workbench, actor: Actor) -> Guest | None:
    """The guest. None: nothing of the turn is in it, or not any more. Where the connection was lost in the middle of
    the turn, what it had started may live on until the sandbox is reached again, or stopped."""
    turn, sandbox = actor.state.turn, actor.state.sandbox
    if bench.link.guest is None and turn and turn.begun and sandbox and sandbox.handle:
        await _within(bench.link.reached(), bench, REACH_SECONDS)
        if bench.link.guest is None:
            await _stop_sandbox(bench, actor)
    return bench.link.guest


async def _descend(bench: Workbench, guest: Guest, spare: list[str]) -> int:
    """The rungs that leave the sandbox running. Raises SandboxError where something cannot be killed in time."""
    begun = bench.clock.monotonic()
    if bench.link.engine and not bench.quiet.is_set():
        await _ask(bench.link.engine, bench)
    left = max(begun + ANSWER_SECONDS - bench.clock.monotonic(), LEAST_SECONDS)
    killed = await _killed(guest, [*spare, ENGINE_ROLE] if _engine_rests(bench) else spare, left)
    if not bench.quiet.is_set() and bench.link.engine:
        await bench.link.engine.close()
        bench.link.drop_engine()
        # Its turn kills what it had started, and would kill our own questions too.
        await _within(bench.quiet.wait(), bench, CANCEL_SECONDS)
    return killed


async def _killed(guest: Guest, spare: list[str], seconds: float) -> int:
    try:
        async with asyncio.timeout(seconds):
            return await guest.kill_everything(spare=spare)
    except TimeoutError:
        raise SandboxError("The sandbox did not answer when the turn was to be killed.", "It is stopped.") from None


def _engine_rests(bench: Workbench) -> bool:
    """Whether an engine is there that works on nothing; one that only starts is the turn's, and is killed with it."""
    primed = bench.link.found.taken is not None and bench.link.found.taken.engine is not None
    return bench.quiet.is_set() and (bench.link.engine is not None or primed)


async def _ask(engine: EngineSession, bench: Workbench) -> None:
    """Give it its time to obey. An engine that reads nothing more may not even take the question."""

    async def obeyed() -> None:
        await engine.cancel()
        await bench.quiet.wait()

    await _within(obeyed(), bench, CANCEL_SECONDS)


async def _within(step: Coroutine[None, None, object], bench: Workbench, seconds: float) -> None:
    """Give a step its time, and go on without it."""
    async with asyncio.TaskGroup() as tasks:
        done = tasks.create_task(step, name="step of the ladder")
        timer = tasks.create_task(bench.clock.sleep(seconds), name="time for a step of the ladder")
        await asyncio.wait([done, timer], return_when=asyncio.FIRST_COMPLETED)
        done.cancel()
        timer.cancel()


async def _stop_sandbox(bench: Workbench, actor: Actor) -> None:
    """The last rung: nothing outlives it, and the files are kept."""
    sandbox = actor.state.sandbox
    if sandbox and sandbox.handle:
        await bench.world.provider.stop(sandbox.handle)


async def _work(bench: Workbench, actor: Actor) -> WorkCollected | None:
    if bench.link.guest is None or not actor.state.synced:
        return None
    try:
        async with asyncio.timeout(COLLECT_SECONDS):
            return await collect(bench, actor.state, leftovers=False)
    except (OutriderError, TimeoutError):
        return None
