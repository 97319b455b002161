"""The connection to a session's guest, and its only way out."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from outrider.cleanup import to_its_end
from outrider.model.commands import RecordUsage
from outrider.model.egress import EgressPolicy, Refusal
from outrider.model.engine import Usage
from outrider.model.sandbox import BROKER_PORT, EGRESS_PORT
from outrider.model.services import SERVICE_ROLE
from outrider.ports.broker import DoorSpec
from outrider.ports.sandbox import Guest
from outrider.session.actor import Actor
from outrider.session.effects.egress import tell_refusal
from outrider.session.effects.start.recipe import read_or_nothing
from outrider.session.family import expect_budget, root_of, spent
from outrider.session.found import Found
from outrider.session.state import State
from outrider.session.tools import Tools
from outrider.session.workbench import Workbench


@asynccontextmanager
async def connect(found: Found, bench: Workbench, actor: Actor) -> AsyncIterator[Guest]:
    """The guest with its doors open, before anything of the repository runs. What an earlier connection left running
    is dead, since nobody hears it any more; services go on. A warm sandbox has both already, and its door gets the
    session as its owner."""
    if found.taken:
        try:
            bench.world.broker.hand_over(found.taken.door, await door_spec(bench, actor))
            bench.watch.lap("door")
            yield found.taken.guest
        finally:
            await to_its_end(found.taken.close())
        return
    spec = await door_spec(bench, actor)
    async with bench.world.broker.open(spec) as sockets, await bench.world.provider.connect(found.handle) as guest:
        bench.watch.lap("connect")
        if found.how == "adopted":
            await guest.kill_everything(spare=[SERVICE_ROLE])
        await guest.forward(BROKER_PORT, sockets.http)
        await guest.forward(EGRESS_PORT, sockets.egress)
        bench.watch.lap("door")
        yield guest


async def door_spec(bench: Workbench, actor: Actor) -> DoorSpec:
    """What the session's sandbox may reach: by the recipe of its base commit, and by what people have allowed."""
    created = actor.state.created
    recipe = await read_or_nothing(bench, actor, created.base_commit)

    async def on_usage(usage: Usage) -> None:
        bench.world.meters.called(usage)
        await actor.ask(RecordUsage(usage))

    def on_trouble(sentence: str) -> None:
        actor.hub.progress("model", bench.world.redactor.text(sentence)[:1000])

    def on_refused(refusal: Refusal) -> None:
        tell_refusal(refusal, bench, actor)

    return DoorSpec(
        owner=created.session,
        model=created.model,
        on_usage=on_usage,
        on_trouble=on_trouble,
        tools=Tools(bench, actor),
        repository=bench.world.forge(created.repository.forge).mirror(created.repository),
        egress=EgressPolicy.of(created.repository.name, recipe.egress),
        within=created.parent.within if created.parent else (),
        may_spend=lambda: expect_budget_of(actor.state, bench),
        allowed=lambda: actor.state.allowed_hosts,
        on_refused=on_refused,
    )


async def expect_budget_of(state: State, bench: Workbench) -> None:
    """Raises LimitReached where the session's tree has used what it may."""
    if bench.policy.budget.limited:
        members = {member.session: member for member in await bench.world.family.members(root_of(state))}
        expect_budget(spent({**members, state.session: state}.values()), bench.policy.budget)
