"""A sandbox from the newest image of the session's repository."""

from outrider.model.effects import StartSandbox
from outrider.model.sandbox import SandboxSpec
from outrider.session.actor import Actor
from outrider.session.found import IMAGE_COMMIT_LABEL, SESSION_LABEL, Found
from outrider.session.workbench import Workbench


async def from_image(effect: StartSandbox, bench: Workbench, actor: Actor) -> Found | None:
    """Made from the image of the session's base branch, which holds a checkout that is set up; None where there is no
    image."""
    created = actor.state.created
    image = await bench.world.repository_images.newest(created.repository.name, created.base_branch)
    if image is None:
        return None
    spec = SandboxSpec(
        id=effect.sandbox,
        layers=image.layers,
        toolbox=image.toolbox,
        limits=bench.policy.limits,
        labels={SESSION_LABEL: created.session, IMAGE_COMMIT_LABEL: image.commit},
    )
    return Found(await bench.world.provider.create(spec), "image", image.commit)
