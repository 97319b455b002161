"""Have the engine answer the prompt."""

import asyncio
from contextlib import suppress

from outrider.model.commands import AttachEngine, Command, EngineTurnEnded, HandPrompt
from outrider.model.effects import RunTurn
from outrider.model.engine import EngineStop
from outrider.model.errors import EngineError, Refused, SandboxError, TurnFailed
from outrider.model.sandbox import WORKSPACE
from outrider.ports.engine import EngineLaunch, EngineSession
from outrider.ports.sandbox import Guest
from outrider.session import wording
from outrider.session.actor import Actor
from outrider.session.ear import Ear
from outrider.session.effects.workspace import identify
from outrider.session.state import Turn
from outrider.session.transcript import transcript
from outrider.session.workbench import Workbench


async def run_turn(effect: RunTurn, bench: Workbench, actor: Actor) -> Command:
    """Answers when the engine is done with its round."""
    guest = await bench.guest()
    turn = actor.state.turn
    if turn is None or turn.id != effect.turn:
        raise Refused("This turn is over.")
    texts = _words(turn)
    engine = bench.engine
    if engine is None:
        engine, before = await _open_engine(guest, turn, bench, actor)
        texts = [*before, *texts]
    await actor.ask(HandPrompt(turn.id, effect.attempt, effect.round))
    return EngineTurnEnded(turn.id, effect.round, await _prompt(engine, texts, turn, guest, bench))


def _words(turn: Turn) -> list[str]:
    """What this round asks: the person's prompt, or what is red."""
    return [turn.prompt.text] if turn.round == 1 else [turn.instruction]


async def _open_engine(guest: Guest, turn: Turn, bench: Workbench, actor: Actor) -> tuple[EngineSession, list[str]]:
    """A running engine, and what it has to be told first."""
    state = actor.state
    if turn.attempt > 1:
        await guest.kill_everything()
    actor.hub.progress("engine", "Starting the engine")
    ear = Ear(actor, bench.world.redactor, bench.clock)
    launch = EngineLaunch(
        model=state.created.model,
        workspace=WORKSPACE,
        resume=state.engine_session,
        environment=bench.world.broker.guest_environment(),
    )
    engine = await bench.world.engine.open(guest, launch, ear)
    bench.engine, bench.ear = engine, ear
    told = [wording.resumed(turn)] if turn.attempt > 1 else []
    if state.engine_session is None:
        await actor.ask(AttachEngine(bench.world.engine.name, engine.id, "new"))
    elif engine.resumed:
        await actor.ask(AttachEngine(bench.world.engine.name, engine.id, "resumed"))
    else:
        await actor.ask(AttachEngine(bench.world.engine.name, engine.id, "reseeded"))
        told = [await transcript(actor.log), *told]
    return engine, [text for text in told if text]


async def _prompt(engine: EngineSession, texts: list[str], turn: Turn, guest: Guest, bench: Workbench) -> EngineStop:
    """Give it the prompt and hear it to the end. An engine that broke, or that nobody heard to the end, is dropped;
    what one that broke had started is nobody's, and ends with it."""
    ear = bench.ear
    if ear is None:
        raise EngineError("The engine went away before it had its prompt.")
    ear.turn = turn.id
    ear.named.clear()
    bench.quiet.clear()
    kept = False
    try:
        async with asyncio.TaskGroup() as tasks:
            sealing = tasks.create_task(ear.keep_sealing(), name="seal old text")
            tasks.create_task(_name(guest, turn, ear), name="name the author")
            stop = await engine.prompt(texts)
            sealing.cancel()
        kept = True
        return stop
    except* TurnFailed:
        kept = True
        raise
    except* EngineError:
        await engine.close()
        with suppress(SandboxError):
            await guest.kill_everything()
        raise
    finally:
        ear.finish()
        bench.quiet.set()
        if not kept:
            bench.drop_engine()


async def _name(guest: Guest, turn: Turn, ear: Ear) -> None:
    """Have commits go by the name of who prompts. It takes 25 ms, in which the engine may think but not act."""
    await identify(guest, turn.prompt.author.person)
    ear.named.set()
