"""The sandbox that the session has already."""

from outrider.model.effects import StartSandbox
from outrider.model.ids import CommitId
from outrider.session.actor import Actor
from outrider.session.found import IMAGE_COMMIT_LABEL, SESSION_LABEL, Found
from outrider.session.workbench import Workbench


async def adopted(effect: StartSandbox, bench: Workbench, actor: Actor) -> Found | None:
    """The one that carries the session's label, started where it was stopped."""
    sandbox = actor.state.sandbox
    if sandbox and sandbox.discard:
        await _discard(bench, actor)
        return None
    for info in await bench.world.provider.list({SESSION_LABEL: actor.state.session}):
        if not info.running:
            await bench.world.provider.start(info.handle)
        commit = info.labels.get(IMAGE_COMMIT_LABEL)
        return Found(info.handle, "adopted", CommitId(commit) if commit else None)
    return None


async def _discard(bench: Workbench, actor: Actor) -> None:
    """The session was rewound: what it has is not what it goes on from."""
    for info in await bench.world.provider.list({SESSION_LABEL: actor.state.session}):
        await bench.world.provider.destroy(info.handle)
