"""Start the session's sandbox and hold the connection to it: the effect lives as long as the sandbox is wanted.

Find or make → doors → files to read → `SandboxReady`. From there on the engine may read, and beside it
`sync_workspace` starts the services and brings the files to the session's commit.
"""

from outrider.model.commands import Command, Report, SandboxVanished
from outrider.model.effects import StartSandbox
from outrider.model.errors import OutriderError, SandboxLost
from outrider.model.events import SandboxReady
from outrider.model.ids import CommitId
from outrider.session.actor import Actor
from outrider.session.effects import workspace
from outrider.session.effects.admission import admitted
from outrider.session.effects.start.doors import connect
from outrider.session.effects.start.find import find_or_make
from outrider.session.effects.start.recipe import read_or_nothing
from outrider.session.found import Found
from outrider.session.stopwatch import Stopwatch
from outrider.session.workbench import Workbench


async def start_sandbox(effect: StartSandbox, bench: Workbench, actor: Actor) -> Command:
    """Answers when the sandbox is lost. Cancelling it lets go of the sandbox and leaves it running."""
    await admitted(bench, actor)
    bench.watch = Stopwatch(bench.clock)

    def progress(line: str) -> None:
        actor.hub.progress("sandbox", bench.world.redactor.text(line)[:1000])

    bench.link.caps = (await read_or_nothing(bench, actor, actor.state.created.base_commit)).limits
    limits = bench.policy.limits.within(bench.link.caps)
    async with bench.world.slots.take("the session", progress, limits):
        bench.watch.lap("slot")
        found = await find_or_make(effect, bench, actor)
        bench.watch.lap(found.how)
        try:
            async with connect(found, bench, actor) as guest:
                commit = await workspace.files_to_read(guest, found, bench, actor)
                bench.watch.lap("files")
                ready = _ready(found, bench, commit)
                bench.world.meters.started(ready)
                await actor.ask(Report(ready))
                with bench.link.up(guest, found):
                    if found.fresh:
                        await _tell_the_schedule(bench, actor)
                    reason = await guest.wait_lost()
        except SandboxLost:
            raise
        except OutriderError:
            await bench.world.provider.stop(found.handle)
            raise
    return SandboxVanished(effect.sandbox, effect.start, reason)


async def _tell_the_schedule(bench: Workbench, actor: Actor) -> None:
    """Where the next session would start cold or from an old commit, an image is built now."""
    created = actor.state.created
    await bench.world.repository_images.started(created.repository.name, created.base_branch, created.base_commit)


def _ready(found: Found, bench: Workbench, commit: CommitId) -> SandboxReady:
    return SandboxReady(
        handle=found.handle,
        isolation=bench.policy.isolation,
        limit_tier=bench.policy.limit_tier,
        commit=commit,
        seconds=bench.watch.seconds,
        how=found.how,
        layers=found.layers,
        toolbox=found.toolbox,
        steps=bench.watch.steps,
    )
