"""Keep a sandbox's files: while it goes on, when it sleeps, and where they outlive this machine."""

from collections.abc import Sequence
from datetime import timedelta

from outrider.fleet.snapshots import snapshot_layer
from outrider.model.commands import Command, Report, SnapshotMade
from outrider.model.effects import SleepSandbox, StoreSnapshot, TakeSnapshot
from outrider.model.errors import OutriderError, SandboxLost
from outrider.model.events import ProblemReported, SandboxStopped, SnapshotNotStored, SnapshotStored, SnapshotTaken
from outrider.model.ids import LayerId
from outrider.model.sandbox import SandboxInfo
from outrider.session import wording
from outrider.session.actor import Actor
from outrider.session.found import SESSION_LABEL
from outrider.session.kept import retry_seconds
from outrider.session.workbench import Workbench


async def take_snapshot(effect: TakeSnapshot, bench: Workbench, actor: Actor) -> Command:
    """Answers when the layer is there. Its name is the effect's: a second try finds what the first has made. After a
    restart it waits for the sandbox: one that had to be restored has nothing of the turn to keep."""
    await bench.link.reached()
    started = bench.clock.monotonic()
    layer = snapshot_layer(actor.state.session, effect.id)
    info = await _sandbox(bench, actor)
    if info is None:
        raise SandboxLost("The sandbox does not exist any more.")
    await bench.world.provider.snapshot(info.handle, layer)
    return SnapshotMade(_taken(effect, (*info.layers, layer), bench, actor, bench.clock.monotonic() - started))


async def sleep_sandbox(effect: SleepSandbox, bench: Workbench, actor: Actor) -> Command:
    """Answers when nothing is left of the sandbox but its layer."""
    started = bench.clock.monotonic()
    layer = snapshot_layer(actor.state.session, effect.id)
    info = await _sandbox(bench, actor)
    if info is not None and info.suspect:
        await bench.world.provider.destroy(info.handle)
        await actor.ask(Report(ProblemReported(sentence=wording.given_up(actor.state.restore))))
        return Report(SandboxStopped(sandbox=effect.sandbox))
    if info is not None:
        await bench.world.provider.freeze(info.handle, layer)
    elif not await bench.world.provider.has_layer(layer):
        await actor.ask(Report(ProblemReported(sentence="The sandbox with its files is gone.")))
        return Report(SandboxStopped(sandbox=effect.sandbox))
    sandbox = actor.state.sandbox
    layers = info.layers if info else sandbox.layers if sandbox else ()
    stack = await bench.world.snapshots.shorten((*layers, layer))
    taken = _taken(effect, stack, bench, actor, bench.clock.monotonic() - started)
    return SnapshotMade(taken, asleep=effect.sandbox)


async def store_snapshot(effect: StoreSnapshot, bench: Workbench, actor: Actor) -> Command:
    """Answers when the blob store has it all, or when it is to be tried again. Trouble is said once, until the store
    has worked again."""
    started = bench.clock.monotonic()
    try:
        size = await bench.world.snapshots.store((*effect.layers, effect.layer))
    except OutriderError as error:
        at = bench.clock.now() + timedelta(seconds=retry_seconds(effect.attempt))
        reason = wording.sentence(f"{error.sentence} {error.remedy}".strip())
        return Report(SnapshotNotStored(layer=effect.layer, reason=reason, retry_at=at, again=effect.attempt > 1))
    return Report(SnapshotStored(layer=effect.layer, bytes=size, seconds=bench.clock.monotonic() - started))


async def _sandbox(bench: Workbench, actor: Actor) -> SandboxInfo | None:
    found = await bench.world.provider.list({SESSION_LABEL: actor.state.session})
    return found[0] if found else None


def _taken(
    effect: TakeSnapshot | SleepSandbox, stack: Sequence[LayerId], bench: Workbench, actor: Actor, seconds: float
) -> SnapshotTaken:
    state = actor.state
    return SnapshotTaken(
        turn=effect.turn,
        number=state.turns if state.turn is None else state.turns - 1,
        layer=stack[-1],
        layers=tuple(stack[:-1]),
        toolbox=state.sandbox.toolbox if state.sandbox else None,
        commit=state.head,
        reason="sleep" if isinstance(effect, SleepSandbox) else "turn",
        seconds=seconds,
        keep=bench.policy.snapshots_kept,
    )
