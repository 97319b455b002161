"""Fetch the commits of the workspace at the end of a round."""

from outrider.model.commands import Command, Report
from outrider.model.effects import CollectWork
from outrider.session.actor import Actor
from outrider.session.changes import look
from outrider.session.collect import collect
from outrider.session.workbench import Workbench


async def collect_work(effect: CollectWork, bench: Workbench, actor: Actor) -> Command:
    """Answers with the commits. After a turn that went well, what is left over is committed first."""
    state = actor.state
    work = await collect(bench, state, leftovers=state.turn is not None and state.turn.well)
    guest = await bench.link.reached()
    await bench.logs.keep(guest, bench.world, actor)
    await look(guest, actor)
    return Report(work)
