"""A sandbox from the machine image, into which the repository is cloned."""

from outrider.model.commands import Report
from outrider.model.effects import StartSandbox
from outrider.model.events import ProblemReported, StageReported
from outrider.model.sandbox import SandboxSpec
from outrider.session.actor import Actor
from outrider.session.effects.start.recipe import read_or_tell
from outrider.session.found import SESSION_LABEL, Found
from outrider.session.workbench import Workbench

WORTH_TELLING_SECONDS = 0.5


async def cold(effect: StartSandbox, bench: Workbench, actor: Actor) -> Found:
    """Made from the packages that the recipe asks for. Raises SandboxError."""
    recipe = await read_or_tell(bench, actor)
    bench.watch.lap("recipe")
    started = bench.clock.monotonic()
    image = await bench.world.images.prepare(recipe.wants(), lambda line: actor.hub.progress("image", line[:1000]))
    bench.watch.lap("machine image")
    seconds = bench.clock.monotonic() - started
    if seconds > WORTH_TELLING_SECONDS:
        await actor.ask(Report(StageReported(stage="image", text="The image is ready.", seconds=seconds)))
    for notice in filter(None, (image.notice, recipe.notice if recipe.found else "")):
        sentence = bench.world.redactor.text(notice)
        await actor.ask(Report(ProblemReported(sentence=sentence, remedy="Say in outrider.toml what it needs.")))
    spec = SandboxSpec(
        id=effect.sandbox,
        layers=image.layers,
        toolbox=image.toolbox,
        limits=bench.policy.limits.within(recipe.limits),
        labels={SESSION_LABEL: actor.state.session},
    )
    return Found.made(await bench.world.provider.create(spec), "cold", spec)
