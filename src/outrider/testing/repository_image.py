"""An image of a repository for fake sandboxes: its checkout in a layer, as a build would have left it."""

from outrider.model.ids import BuildId, CommitId, LayerId, SandboxId, new_id
from outrider.model.image import RepositoryImage
from outrider.model.repository import Repository
from outrider.model.sandbox import WORKSPACE, SandboxSpec
from outrider.ports.sandbox import ExecSpec
from outrider.session.effects import checkout
from outrider.testing.session_world import BASE_LAYER, TOOLBOX_LAYER, SessionWorld


async def make_image(
    world: SessionWorld, repository: Repository, commit: CommitId, script: str = ":"
) -> RepositoryImage:
    """The image of the branch main at a commit, in the world's catalog; `script` ran in its checkout as setup."""
    name = new_id("image")
    spec = SandboxSpec(id=SandboxId(new_id("box")), layers=(BASE_LAYER,), labels={"build": name})
    handle = await world.sandboxes.create(spec)
    async with await world.sandboxes.connect(handle) as guest:
        await checkout.clone(guest, "main", commit)
        done = await guest.run(ExecSpec(argv=["sh", "-ec", script], cwd=WORKSPACE))
        if done.exit_code != 0:
            raise AssertionError(done.output.decode())
    layer = await world.sandboxes.freeze(handle, LayerId(f"layer-{name}"))
    image = RepositoryImage(
        build=BuildId(name),
        repository=repository.name,
        branch="main",
        commit=commit,
        layers=(layer,),
        toolbox=TOOLBOX_LAYER,
        recipe="-",
        built_at=world.clock.now(),
    )
    await world.image_catalog.put_image(image)
    return image
