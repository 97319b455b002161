"""The sandbox that the session has already."""

from outrider.model.effects import StartSandbox
from outrider.model.ids import CommitId
from outrider.session.actor import Actor
from outrider.session.found import IMAGE_COMMIT_LABEL, SESSION_LABEL, Found
from outrider.session.workbench import Workbench


async def adopted(effect: StartSandbox, bench: Workbench, actor: Actor) -> Found | None:
    """The one that carries the session's label, started where it was stopped. One whose files the machine may not have
    brought to the disk before it stopped is given up."""
    sandbox = actor.state.sandbox
    if sandbox and sandbox.discard:
        await _discard(bench, actor)
        return None
    for info in await bench.world.provider.list({SESSION_LABEL: actor.state.session}):
        if info.suspect:
            bench.link.crashed = True
            await _discard(bench, actor)
            return None
        if not info.running:
            await bench.world.provider.start(info.handle)
        commit = info.labels.get(IMAGE_COMMIT_LABEL)
        return Found(info.handle, "adopted", CommitId(commit) if commit else None, info.layers, info.toolbox)
    return None


async def _discard(bench: Workbench, actor: Actor) -> None:
    """What it has is not what the session goes on from."""
    for info in await bench.world.provider.list({SESSION_LABEL: actor.state.session}):
        await bench.world.provider.destroy(info.handle)
