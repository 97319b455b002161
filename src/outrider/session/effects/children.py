"""Tending children: they exist, have their prompts, and their end is told; and stopping them."""

from outrider.model.children import ChildEnded, ChildSpawned
from outrider.model.commands import Command, Report, TimerFired
from outrider.model.effects import StopChild, TendChild
from outrider.session.actor import Actor
from outrider.session.family_state import ChildPhase
from outrider.session.workbench import Workbench


async def tend_child(effect: TendChild, bench: Workbench, actor: Actor) -> Command:
    """Answers when the child rests."""
    child = actor.state.children[effect.child]
    await bench.world.family.deliver(child)
    if child.phase is ChildPhase.REQUESTED:
        await actor.ask(Report(ChildSpawned(child=child.id)))
    result = await bench.world.family.rested(child.id)
    return Report(ChildEnded(child=child.id, prompts=effect.prompts, result=result))


async def stop_child(effect: StopChild, bench: Workbench, actor: Actor) -> Command:
    """Answers when the child was told; that it has ended is told by whoever tends it. Everything that it was sent is
    in its queue before, so that nothing comes behind the stop."""
    await bench.world.family.deliver(actor.state.children[effect.child])
    await bench.world.family.stop(effect.child, effect.by)
    return TimerFired("child stopped")
