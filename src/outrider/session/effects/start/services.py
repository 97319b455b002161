"""What the repository's recipe has running beside the work: databases and daemons, and its start commands."""

from collections.abc import Mapping, Sequence

from outrider.fleet.bring_up import BringUp
from outrider.model.commands import Report
from outrider.model.events import PreviewsNamed, ProblemReported, ServiceChanged
from outrider.model.services import ServiceState
from outrider.ports.sandbox import Guest
from outrider.proof.recipe import Recipe
from outrider.session.actor import Actor
from outrider.session.effects.start.recipe import read_or_nothing
from outrider.session.workbench import Workbench


async def start_stacks(guest: Guest, recipe: Recipe, bench: Workbench, actor: Actor) -> None:
    """The services that setup may need. Called at each start of the sandbox before anything may be edited or run, the
    engine reading beside it. One that fails is said, and the session goes on without it. Raises SandboxLost."""
    if recipe.preview != actor.state.previews:
        await actor.ask(Report(PreviewsNamed(previews=recipe.preview)))
    await _tell(await _bring_up(guest, recipe, bench, actor).stacks(), bench, actor)


async def start_the_rest(guest: Guest, recipe: Recipe, bench: Workbench, actor: Actor, *, started: bool) -> None:
    """Once the files are set up: the repository's own services and its start commands, unless these have run already.
    What fails is said, and the session goes on without it. Raises SandboxLost."""
    up = await _bring_up(guest, recipe, bench, actor).rest(started=started)
    await _tell(up.services, bench, actor)
    if up.start_failed:
        sentence = bench.world.redactor.text(up.start_failed)
        await actor.ask(Report(ProblemReported(sentence=sentence[:4096], remedy="See `start` in outrider.toml.")))


async def environment(bench: Workbench, actor: Actor) -> Mapping[str, str]:
    """What every command in the session's sandbox finds in its environment because of stacks."""
    created = actor.state.created
    recipe = await read_or_nothing(bench, actor, created.base_commit)
    return recipe.beside(created.repository.name).environment


def _bring_up(guest: Guest, recipe: Recipe, bench: Workbench, actor: Actor) -> BringUp:
    def say(line: str) -> None:
        actor.hub.progress("services", bench.world.redactor.text(line)[:1000])

    beside = recipe.beside(actor.state.created.repository.name)
    return BringUp(guest, beside, bench.world.broker.guest_environment(), bench.clock, say)


async def _tell(states: Sequence[ServiceState], bench: Workbench, actor: Actor) -> None:
    """What is new about services."""
    for state in states:
        known = actor.state.services.get(state.name)
        if known is not None and known.state is state.status:
            continue
        detail = bench.world.redactor.text(state.detail)[:4096]
        changed = ServiceChanged(
            name=state.name, state=state.status, port=state.port, detail=detail, seconds=state.seconds
        )
        await actor.ask(Report(changed))
