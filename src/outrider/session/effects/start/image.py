"""A sandbox from the newest image of the session's repository."""

from outrider.model.commands import Report
from outrider.model.effects import StartSandbox
from outrider.model.events import ProblemReported
from outrider.model.image import Diagnosis, RepositoryImage
from outrider.model.sandbox import SandboxSpec
from outrider.session.actor import Actor
from outrider.session.effects.start.recipe import read_or_nothing
from outrider.session.found import IMAGE_COMMIT_LABEL, SESSION_LABEL, Found
from outrider.session.workbench import Workbench


async def from_image(effect: StartSandbox, bench: Workbench, actor: Actor) -> Found | None:
    """Made from the image of the session's base branch, which holds a checkout that is set up; None where there is no
    image."""
    created = actor.state.created
    image = await bench.world.repository_images.newest(created.repository.name, created.base_branch)
    if image is None:
        return None
    if image.diagnosis is not None and image.diagnosis.ails:
        await actor.ask(Report(_red_before(image, image.diagnosis)))
    recipe = await read_or_nothing(bench, actor, created.base_commit)
    bench.watch.lap("recipe")
    spec = SandboxSpec(
        id=effect.sandbox,
        layers=image.layers,
        toolbox=image.toolbox,
        limits=bench.policy.limits.within(recipe.limits),
        labels={SESSION_LABEL: created.session, IMAGE_COMMIT_LABEL: image.commit},
    )
    return Found.made(await bench.world.provider.create(spec), "image", spec)


def _red_before(image: RepositoryImage, found: Diagnosis) -> ProblemReported:
    """What the checks said in the image, so that nobody takes it for the agent's doing."""
    return ProblemReported(
        sentence=f"The checks of {image.repository} at {image.commit[:12]}: {found.summary}"[:1000],
        remedy=f"See: outrider doctor --repo {image.repository}",
    )
