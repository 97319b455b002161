"""Give the engine a prompt and hear it to the end of its round."""

import asyncio
from contextlib import suppress

from outrider.model.commands import TellEngine
from outrider.model.engine import EngineStop, ToolCallUpdate
from outrider.model.errors import EngineError, SandboxError, TurnFailed
from outrider.model.ids import TurnId
from outrider.ports.engine import EngineSession, Part
from outrider.ports.sandbox import Guest
from outrider.session import wording
from outrider.session.actor import Actor
from outrider.session.changes import look
from outrider.session.ear import Ear
from outrider.session.effects.open_engine import BESIDE
from outrider.session.effects.workspace import identify
from outrider.session.rounds import Rounds
from outrider.session.state import State, Turn, TurnPhase
from outrider.session.workbench import Workbench

DEAF_SECONDS = 15.0
"""How long an engine may take to let go of a prompt whose files have moved; measured 0.02 to 0.5 s on four of them."""


async def converse(
    engine: EngineSession, parts: list[Part], turn: Turn, guest: Guest, bench: Workbench, actor: Actor
) -> EngineStop:
    """Returns why it stopped. An engine that broke, or that nobody heard to the end, is dropped; what one that broke
    had started is nobody's, and ends with it."""
    ear = bench.link.ear
    if ear is None:
        raise EngineError("The engine went away before it had its prompt.")
    ear.begin(turn.id)
    bench.quiet.clear()
    kept = False
    try:
        async with asyncio.TaskGroup() as tasks:
            beside = [
                tasks.create_task(ear.keep_sealing(), name="seal old text"),
                tasks.create_task(_let_go(engine, ear, bench), name="files moved"),
                tasks.create_task(_watch_files(ear, guest, bench, actor).run(), name="changed files"),
                tasks.create_task(_name(guest, turn, ear, asks=bench.world.engine.asks), name="name the author"),
            ]
            stop = await _prompt(engine, parts, ear, actor)
            for task in beside:
                task.cancel()
        kept, bench.deaths = True, 0
        return stop
    except* TurnFailed:
        kept = True
        raise
    except* EngineError:
        bench.deaths += not _is_stopped(actor.state)
        await engine.close()
        with suppress(SandboxError):
            await guest.kill_everything(spare=BESIDE)
        raise
    finally:
        ear.finish()
        bench.quiet.set()
        if not kept:
            bench.link.drop_engine()


def _is_stopped(state: State) -> bool:
    return state.turn is None or state.turn.phase is TurnPhase.STOPPING


def _watch_files(ear: Ear, guest: Guest, bench: Workbench, actor: Actor) -> Rounds:
    """Looks at what has changed after tools that may have changed something, and keeps what they printed."""

    async def follow_up() -> None:
        await bench.logs.keep(guest, bench.world, actor)
        await look(guest, actor)

    def acted(ended_in: TurnId, update: ToolCallUpdate) -> None:
        bench.logs.hear(ended_in, update)
        files.touch()

    files = Rounds(bench.clock, follow_up)
    ear.acted = acted
    return files


async def _prompt(engine: EngineSession, parts: list[Part], ear: Ear, actor: Actor) -> EngineStop:
    """Where it wanted to act on files that have moved, it is told so and goes on."""
    stop = await engine.prompt(parts)
    while ear.stale.is_set():
        state = actor.state
        sync, turn = state.sync.untold, state.turn
        if sync is None or turn is None or turn.id != ear.turn or turn.phase is not TurnPhase.ENGINE:
            break
        text = wording.moved(sync)
        await actor.ask(TellEngine(turn.id, text))
        ear.stale.clear()
        stop = await engine.prompt([text])
    return stop


async def _let_go(engine: EngineSession, ear: Ear, bench: Workbench) -> None:
    """Have the engine let go of its prompt when it wants to act on files that have moved. Raises EngineError where it
    does not."""
    await ear.stale.wait()
    await engine.cancel()
    await bench.clock.sleep(DEAF_SECONDS)
    if ear.stale.is_set():
        raise EngineError("The engine did not let go of its prompt after its files had moved.")


async def _name(guest: Guest, turn: Turn, ear: Ear, *, asks: bool) -> None:
    """Have commits go by the name of who prompts. It takes 25 ms of a processor, which the first word would come later
    by: an engine that asks before it acts is heard first."""
    if asks:
        await ear.heard.wait()
    await identify(guest, turn.prompt.author.person)
    ear.named.set()
