"""Setting a checkout up, and keeping the finished setup of a base commit as a layer.

Only the setup of the **base** is kept. A head runs whatever it likes during its setup, and what it wrote must never
reach another run. A head uses the base's layer where nothing differs that the setup depends on; else it is set up in
the sandbox of its own run, which is destroyed with it.
"""

import asyncio
import hashlib
from dataclasses import dataclass

from outrider.fleet.bring_up import BringUp
from outrider.fleet.clean import CleanSandboxes, CleanSpec
from outrider.fleet.commands import Progress
from outrider.fleet.images.layers import OneAtATime, layer_id
from outrider.fleet.images.machine import Image
from outrider.fleet.services import end_services
from outrider.model.egress import EgressPolicy
from outrider.model.ids import CommitId, LayerId, SessionId
from outrider.model.sandbox import SandboxHandle
from outrider.model.services import Beside
from outrider.ports.broker import DoorSpec
from outrider.ports.clock import Clock
from outrider.ports.images import LayerUses
from outrider.ports.quarantine import Quarantine
from outrider.proof.clean_run import Ended, Tree, check_out, run_command
from outrider.proof.globs import Globs
from outrider.proof.recipe import Recipe

INPUTS_LIMIT = 500
INPUT_BYTES_LIMIT = 20 << 20
"""The largest lock files of large monorepos are about 5 MB."""


@dataclass(frozen=True, slots=True)
class SetupFailed:
    """A setup command that ended badly, with what it printed."""

    command: str
    ended: Ended

    def told(self) -> str:
        """In a sentence."""
        why = "ran out of time" if self.ended.timed_out else f"ended with {self.ended.exit_code}"
        return f"The setup command `{self.command[:200]}` {why}."


@dataclass(frozen=True, slots=True)
class Ground:
    """What clean runs of one proof stand on."""

    image: Image
    recipe: Recipe
    session: SessionId
    owner: str
    """The proof's id, for the broker's audit log."""
    repository: str

    @property
    def egress(self) -> EgressPolicy:
        """What set-up and checks with egress may reach: what people allowed to the repository, not to one session."""
        return EgressPolicy.of(self.repository, self.recipe.egress)

    @property
    def beside(self) -> Beside:
        """What runs beside the work on it."""
        return self.recipe.beside(self.repository)


class SettingUp:
    """Runs setups and keeps those of base commits. `uses` hears of each use of a kept one."""

    def __init__(
        self, sandboxes: CleanSandboxes, quarantine: Quarantine, clock: Clock, uses: LayerUses | None = None
    ) -> None:
        self._uses = uses
        self._sandboxes = sandboxes
        self._quarantine = quarantine
        self._clock = clock
        self._makers = OneAtATime()

    async def inputs(self, ground: Ground, commit: CommitId) -> str:
        """A digest of all that the setup of a commit depends on. Raises LimitReached."""
        if ground.recipe.setup_inputs is None:
            return commit
        paths = await self._quarantine.list_files(ground.session, commit)
        globs = Globs(ground.recipe.setup_inputs)
        wanted = await asyncio.to_thread(lambda: sorted(path for path in paths if globs.match(path)))
        if len(wanted) > INPUTS_LIMIT:
            return commit
        digest = hashlib.sha256()
        for path in wanted:
            content = await self._quarantine.read_file(ground.session, commit, path, limit_bytes=INPUT_BYTES_LIMIT)
            digest.update(f"{path}\0{len(content or b'')}\0".encode(errors="surrogateescape") + (content or b""))
        return digest.hexdigest()

    async def layer(self, ground: Ground, base: CommitId, inputs: str, say: Progress) -> LayerId | SetupFailed:
        """The layer with the finished setup of the base commit, made where it is missing. `inputs` is its
        digest of `inputs()`. Raises SandboxError."""
        recipe, image = ground.recipe, ground.image
        layer = layer_id("setup", ground.repository, *image.layers, image.toolbox, inputs, *recipe.setup)
        if self._uses is not None:
            await self._uses.touch_layers([layer], self._clock.now())
        async with self._makers.making(layer):
            if await self._sandboxes.provider.has_layer(layer):
                return layer
            return await self._make(ground, base, layer, say)

    async def _make(self, ground: Ground, base: CommitId, layer: LayerId, say: Progress) -> LayerId | SetupFailed:
        spec = CleanSpec("the setup", ground.image.layers, ground.image.toolbox, caps=ground.recipe.limits)
        async with self._sandboxes.open(spec, say) as handle:
            await self.check_out(ground, handle, Tree(base))
            failed = await self.run(ground, handle, say)
            if failed is not None:
                return failed
            if ground.beside.stack_services:
                async with self._sandboxes.connect(handle) as guest:
                    await end_services(guest)
            return await self._sandboxes.provider.freeze(handle, layer)

    async def check_out(self, ground: Ground, handle: SandboxHandle, tree: Tree) -> None:
        """A fresh checkout, fetched through the broker. Raises SandboxError."""
        door = DoorSpec(owner=ground.owner, repository=self._quarantine.path(ground.session))
        async with self._sandboxes.connect(handle, door) as guest:
            await check_out(guest, tree)

    async def run(self, ground: Ground, handle: SandboxHandle, say: Progress) -> SetupFailed | None:
        """Run the setup commands in the checkout, with egress and the services of stacks. Raises SandboxError."""
        beside, egress = ground.beside, self._sandboxes.broker.guest_environment()
        env = {**egress, **beside.environment}
        left = ground.recipe.setup_timeout_seconds
        door = DoorSpec(owner=ground.owner, egress=ground.egress)
        async with self._sandboxes.connect(handle, door) as guest:
            await BringUp(guest, beside, egress, self._clock, say).stacks()
            for command in ground.recipe.setup:
                say(f"Setting up: {command}")
                ended = await run_command(guest, command, env, timeout_seconds=max(left, 1), clock=self._clock)
                left -= ended.seconds
                if ended.exit_code != 0:
                    return SetupFailed(command, ended)
        return None
