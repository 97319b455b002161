"""A sandbox from the session's own snapshot."""

from collections.abc import Iterator
from dataclasses import replace

from outrider.fleet.snapshots import snapshot_layer
from outrider.model.commands import Report
from outrider.model.effects import SleepSandbox, StartSandbox
from outrider.model.events import ProblemReported
from outrider.model.ids import LayerId
from outrider.model.sandbox import SandboxSpec
from outrider.session import wording
from outrider.session.actor import Actor
from outrider.session.effects.start.recipe import read_or_nothing
from outrider.session.found import SESSION_LABEL, Found
from outrider.session.kept import Kept, pushed_alike
from outrider.session.state import State
from outrider.session.workbench import Workbench


async def restored(effect: StartSandbox, bench: Workbench, actor: Actor) -> Found | None:
    """Made from the layers of the newest snapshot, or of that which the session was rewound to, fetched back from the
    blob store where they are missing; from an older one where these cannot be had and it holds all that was pushed.
    What is lost is said; None where nothing can be had."""
    newest = await _newest(bench, actor.state)
    if newest is None:
        return None
    kept, missing = await _whole(newest, bench, actor)
    if kept is None:
        await actor.ask(Report(ProblemReported(sentence=wording.snapshot_is_gone(newest.number, missing))))
        return None
    if kept is not newest or bench.link.crashed or not kept.asleep:
        sentence = wording.restored_from(kept.number, crashed=bench.link.crashed)
        await actor.ask(Report(ProblemReported(sentence=sentence)))
    toolbox = await _supplies(kept, bench, actor)
    bench.watch.lap("snapshot")
    spec = SandboxSpec(
        id=effect.sandbox,
        layers=kept.stack,
        toolbox=toolbox,
        limits=bench.policy.limits.within(bench.link.caps),
        labels={SESSION_LABEL: actor.state.session},
    )
    found = Found.made(await bench.world.provider.create(spec), "restored", spec)
    return replace(found, stood=kept.work.head if kept.work else actor.state.created.base_commit)


async def _whole(newest: Kept, bench: Workbench, actor: Actor) -> tuple[Kept | None, tuple[LayerId, ...]]:
    """The newest snapshot whose layers can all be had; and those that the newest of all lacks."""
    lacking: tuple[LayerId, ...] | None = None
    for kept in _older_too(actor.state, newest):
        await _supplies(kept, bench, actor)
        missing = await bench.world.snapshots.fetch(
            kept.stack, lambda line: actor.hub.progress("snapshot", line[:1000])
        )
        if not missing:
            return kept, ()
        lacking = missing if lacking is None else lacking
    return None, lacking or ()


def _older_too(state: State, newest: Kept) -> Iterator[Kept]:
    """The newest, then those of earlier turns: as long as nothing was pushed since that they do not hold."""
    yield newest
    for kept in reversed(state.snapshots):
        if kept.number < newest.number and pushed_alike(kept, state.pushed):
            yield kept


async def _newest(bench: Workbench, state: State) -> Kept | None:
    """What the session knows of; or the layer of a sleep that had just made it when a prompt cut it off."""
    kept, sandbox = state.restore, state.sandbox
    if kept is None or sandbox is None or sandbox.discard or kept.asleep:
        return kept
    asleep = SleepSandbox(kept.turn, sandbox.id, sandbox.start - 1)
    layer = snapshot_layer(state.session, asleep.id)
    if not await bench.world.provider.has_layer(layer):
        return kept
    return replace(kept, layer=layer, layers=sandbox.layers, asleep=True)


async def _supplies(kept: Kept, bench: Workbench, actor: Actor) -> LayerId | None:
    """The toolbox. Where it is gone, or a layer that anybody can make again is, they are made again."""
    wanted = (*kept.layers, *((kept.toolbox,) if kept.toolbox else ()))
    if not [layer for layer in wanted if not await bench.world.provider.has_layer(layer)]:
        return kept.toolbox
    recipe = await read_or_nothing(bench, actor, actor.state.created.base_commit)
    image = await bench.world.images.prepare(recipe.wants(), lambda line: actor.hub.progress("image", line[:1000]))
    return kept.toolbox if kept.toolbox and await bench.world.provider.has_layer(kept.toolbox) else image.toolbox
