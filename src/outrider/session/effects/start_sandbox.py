"""Start the session's sandbox and hold the connection to it: the effect lives as long as the sandbox is wanted."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from outrider.model.commands import Command, RecordUsage, Report, SandboxVanished
from outrider.model.effects import StartSandbox
from outrider.model.engine import Usage
from outrider.model.errors import OutriderError, RecipeError, SandboxLost
from outrider.model.events import ProblemReported, SandboxReady, StageReported
from outrider.model.ids import CommitId
from outrider.model.sandbox import BROKER_PORT, EGRESS_PORT, SandboxHandle, SandboxSpec
from outrider.ports.broker import DoorSpec
from outrider.ports.sandbox import Guest
from outrider.proof.reading import read_recipe
from outrider.proof.recipe import Recipe
from outrider.session.actor import Actor
from outrider.session.effects import workspace
from outrider.session.tools import Tools
from outrider.session.workbench import Workbench

SESSION_LABEL = "session"
"""The label by which a session's sandbox is found again."""


@dataclass(frozen=True, slots=True)
class _Found:
    handle: SandboxHandle
    fresh: bool


async def start_sandbox(effect: StartSandbox, bench: Workbench, actor: Actor) -> Command:
    """Answers when the sandbox is lost. Cancelling it lets go of the sandbox and leaves it running."""
    started = bench.clock.monotonic()

    def progress(line: str) -> None:
        actor.hub.progress("sandbox", bench.world.redactor.text(line)[:1000])

    async with bench.world.slots.take("the session", progress):
        recipe = await _recipe(bench, actor)
        found = await _find_or_make(effect, bench, actor, recipe)
        try:
            async with _connect(found, bench, actor) as guest:
                commit = await workspace.prepare(guest, recipe, bench, actor)
                await actor.ask(Report(_ready(found, bench, commit, bench.clock.monotonic() - started)))
                with bench.connected(guest):
                    reason = await guest.wait_lost()
        except SandboxLost:
            raise
        except OutriderError:
            await bench.world.provider.stop(found.handle)
            raise
    return SandboxVanished(effect.sandbox, effect.start, reason)


async def _recipe(bench: Workbench, actor: Actor) -> Recipe:
    """The recipe of the base commit. A wrong one is said, and the session goes on so that the agent can mend it."""
    created = actor.state.created
    quarantine = bench.world.quarantine
    mirror = bench.world.forge(created.repository.forge).mirror(created.repository)
    await quarantine.open(created.session, mirror, created.base_commit)
    try:
        return await read_recipe(quarantine, created.session, created.base_commit)
    except RecipeError as error:
        await actor.ask(Report(ProblemReported(sentence=error.sentence, remedy=error.remedy)))
        return Recipe(source="")


async def _find_or_make(effect: StartSandbox, bench: Workbench, actor: Actor, recipe: Recipe) -> _Found:
    """The sandbox that carries the session's label, started where it was stopped; else a new one."""
    provider = bench.world.provider
    session = actor.state.session
    for info in await provider.list({SESSION_LABEL: session}):
        if not info.running:
            await provider.start(info.handle)
        return _Found(info.handle, fresh=False)
    started = bench.clock.monotonic()
    image = await bench.world.images.prepare(recipe.wants(), lambda line: actor.hub.progress("image", line[:1000]))
    seconds = bench.clock.monotonic() - started
    if seconds > workspace.WORTH_TELLING_SECONDS:
        await actor.ask(Report(StageReported(stage="image", text="The image is ready.", seconds=seconds)))
    spec = SandboxSpec(
        id=effect.sandbox,
        layers=image.layers,
        toolbox=image.toolbox,
        limits=bench.policy.limits,
        labels={SESSION_LABEL: session},
    )
    return _Found(await provider.create(spec), fresh=True)


@asynccontextmanager
async def _connect(found: _Found, bench: Workbench, actor: Actor) -> AsyncIterator[Guest]:
    """The guest with its doors open, before anything of the repository runs. What an earlier connection left running
    is dead: nobody hears it any more."""
    created = actor.state.created

    async def on_usage(usage: Usage) -> None:
        await actor.ask(RecordUsage(usage))

    def on_trouble(sentence: str) -> None:
        actor.hub.progress("model", bench.world.redactor.text(sentence)[:1000])

    door = DoorSpec(
        owner=created.session,
        model=created.model,
        on_usage=on_usage,
        on_trouble=on_trouble,
        tools=Tools(bench, actor),
        repository=bench.world.forge(created.repository.forge).mirror(created.repository),
        egress=True,
    )
    async with bench.world.broker.open(door) as sockets, await bench.world.provider.connect(found.handle) as guest:
        if not found.fresh:
            await guest.kill_everything()
        await guest.forward(BROKER_PORT, sockets.http)
        await guest.forward(EGRESS_PORT, sockets.egress)
        yield guest


def _ready(found: _Found, bench: Workbench, commit: CommitId, seconds: float) -> SandboxReady:
    return SandboxReady(
        handle=found.handle,
        isolation=bench.policy.isolation,
        limit_tier=bench.policy.limit_tier,
        commit=commit,
        seconds=seconds,
    )
