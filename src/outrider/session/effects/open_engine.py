"""A running engine for a turn, and what it has to be told first."""

from dataclasses import replace

from outrider.model.commands import AttachEngine, Report
from outrider.model.errors import EngineError, SandboxError, SandboxLost
from outrider.model.events import ProblemReported
from outrider.model.sandbox import SETUP_ROLE, SYNC_ROLE, WORKSPACE
from outrider.model.services import SERVICE_ROLE
from outrider.ports.engine import EngineLaunch, EngineSession
from outrider.ports.sandbox import Guest
from outrider.session import wording
from outrider.session.actor import Actor
from outrider.session.ear import Ear
from outrider.session.effects.start.services import environment
from outrider.session.state import Turn
from outrider.session.transcript import transcript
from outrider.session.workbench import Workbench

BESIDE = (SYNC_ROLE, SETUP_ROLE, SERVICE_ROLE)
"""What runs beside an engine and does not end with what it has started."""


DEATHS = 2
"""So many in a row are no accident."""


async def open_engine(guest: Guest, turn: Turn, bench: Workbench, actor: Actor) -> tuple[EngineSession, list[str]]:
    """Start it, with its own session where it has one. The texts go before the prompt. Raises EngineError,
    SandboxError."""
    state = actor.state
    if turn.attempt > 1:
        await guest.kill_everything(spare=BESIDE)
    ear = Ear(actor, bench.world.redactor, bench.clock, lambda asking: bench.synced(actor, asking))
    engine = _primed(turn, ear, bench, actor) or await _started(guest, turn, ear, bench, actor)
    bench.link.engine, bench.link.ear = engine, ear
    told = [wording.resumed(turn)] if turn.attempt > 1 else []
    if state.engine_session is None:
        await actor.ask(AttachEngine(bench.world.engine.name, engine.id, "new"))
    elif engine.resumed:
        await actor.ask(AttachEngine(bench.world.engine.name, engine.id, "resumed"))
        told = [await transcript(actor.log, bench.world.family.sessions.events), *told] if state.reseeding else told
    else:
        await actor.ask(AttachEngine(bench.world.engine.name, engine.id, "reseeded"))
        told = [await transcript(actor.log, bench.world.family.sessions.events), *told]
    return engine, [text for text in told if text]


def _primed(turn: Turn, ear: Ear, bench: Workbench, actor: Actor) -> EngineSession | None:
    """The engine that came with a warm sandbox, once, as long as the session has had none."""
    taken = bench.link.found.taken
    engine = taken.engine if taken else None
    if taken is None or engine is None:
        return None
    taken.engine = None
    if turn.attempt > 1 or actor.state.engine_session is not None:
        return None
    engine.listen(ear)
    return engine


async def _started(guest: Guest, turn: Turn, ear: Ear, bench: Workbench, actor: Actor) -> EngineSession:
    """What runs in the sandbox may have spoiled the engine's own folder. An engine that twice did not start, or broke,
    gets a new one, and is told the story from our transcript."""
    actor.hub.progress("engine", "Starting the engine")
    state, name = actor.state, bench.world.engine.name
    launch = EngineLaunch(
        model=state.created.model,
        workspace=WORKSPACE,
        resume=state.engine_session if state.engine in ("", name) else None,
        environment={**bench.world.broker.guest_environment(), **await environment(bench, actor)},
    )
    why = ""
    if bench.deaths < DEATHS:
        try:
            return await bench.world.engine.open(guest, launch, ear)
        except SandboxLost:
            raise
        except (EngineError, SandboxError) as error:
            if turn.attempt == 1:
                raise  # it may have been an accident
            why = error.sentence
    bench.deaths = 0
    fresh = replace(launch, resume=None, fresh_home=True)
    engine = await bench.world.engine.open(guest, fresh, ear)
    await actor.ask(Report(ProblemReported(sentence=wording.fresh_engine_home(why))))
    return engine
