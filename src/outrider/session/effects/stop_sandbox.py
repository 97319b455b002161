"""Stop the session's sandbox and keep its files, or leave nothing of it."""

from outrider.model.commands import Command, Report
from outrider.model.effects import StopSandbox
from outrider.model.events import SandboxStopped
from outrider.session.actor import Actor
from outrider.session.found import SESSION_LABEL
from outrider.session.workbench import Workbench


async def stop_sandbox(effect: StopSandbox, bench: Workbench, actor: Actor) -> Command:
    """Answers when it runs no more. What exists is what the provider says, whatever we remember."""
    provider = bench.world.provider
    for info in await provider.list({SESSION_LABEL: actor.state.session}):
        await (provider.destroy(info.handle) if effect.destroy else provider.stop(info.handle))
    return Report(SandboxStopped(sandbox=effect.sandbox))
