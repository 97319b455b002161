"""Making a repository's image: the checkout of a branch's head, set up, on a machine image or on the last image of
the branch.

An image is never what a check runs on: it is where sessions start (docs/adr/0042, 0054).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from outrider.fleet.bring_up import BringUp
from outrider.fleet.clean import CleanSandboxes, CleanSpec
from outrider.fleet.commands import Progress
from outrider.fleet.images.layers import layer_id
from outrider.fleet.images.log import BuildLog
from outrider.fleet.images.machine import Image
from outrider.fleet.images.repository import RepositoryImages
from outrider.fleet.services import end_services
from outrider.fleet.shell import Shell, run_shell
from outrider.model.errors import NotFound, SandboxError
from outrider.model.ids import CommitId, LayerId
from outrider.model.image import Build, BuildPlan, Diagnosis, MachineWants, RepositoryImage
from outrider.model.repository import Repository
from outrider.model.sandbox import BROKER_PORT, WORKSPACE, SandboxHandle
from outrider.model.services import ServiceStatus
from outrider.ports.broker import DoorSpec
from outrider.ports.clock import Clock
from outrider.ports.forge import Forge
from outrider.ports.sandbox import ExecSpec, Guest, SandboxProvider

SQUASH_AT = 50
"""Layers of one image. A sandbox takes 64; the others are for what a session writes."""

CLONE_SECONDS = 900.0
"""A repository of 1 GB takes some 30 s over the loopback; more is a hang."""

SPARE_SECONDS = 1800.0
"""Wall time of a build's sandbox beyond what its setup may take."""

REPOSITORY_URL = f"http://127.0.0.1:{BROKER_PORT}/git/repository.git"

# What an earlier image left that git knows nothing of goes; what it ignores (environments, caches) stays, for speed.
_CHECK_OUT = """set -eu
url=$1 commit=$2
test -d .git || git init -q
git remote add origin "$url" 2>/dev/null || git remote set-url origin "$url"
git -c http.proxy= fetch -q --prune origin '+refs/heads/*:refs/remotes/origin/*' '^refs/heads/outrider/*'
git -c core.hooksPath=/dev/null checkout -q --force --detach "$commit"
git clean -fdq
"""

# git's own caches: a first `git status` and `git log` in a session then read no file.
_WARM = """git -c core.fsmonitor=false update-index -q --refresh
git -c core.fsmonitor=false commit-graph write --reachable --no-progress
exit 0
"""


class Planner(Protocol):
    """Reads what a repository's recipe says about its image."""

    async def plan(self, repository: Repository, commit: CommitId) -> BuildPlan:
        """The plan of a commit. Raises OutriderError where the recipe is wrong or cannot be read."""


class Examiner(Protocol):
    """Runs the checks of a repository once in its image."""

    async def examine(self, repository: Repository, image: RepositoryImage, log: BuildLog) -> Diagnosis:
        """What they say. Raises OutriderError where they could not be run."""


class MachineImages(Protocol):
    """Makes machine images."""

    async def prepare(self, wants: MachineWants, say: Progress) -> Image:
        """The image that a recipe wants, built where it is missing. Raises SandboxError."""


@dataclass(frozen=True, slots=True)
class Materials:
    """What images are made with."""

    sandboxes: CleanSandboxes
    machine: MachineImages
    images: RepositoryImages
    forge: Forge
    planner: Planner
    clock: Clock


@dataclass(frozen=True, slots=True)
class _Ground:
    """What one build stands on."""

    build: Build
    commit: CommitId
    plan: BuildPlan
    machine: Image
    below: tuple[LayerId, ...]
    mirror: Path


class ImageMaker:
    """Makes images. Cancelling a call leaves no sandbox and no half layer."""

    def __init__(self, materials: Materials) -> None:
        self._with = materials
        self._provider: SandboxProvider = materials.sandboxes.provider

    async def repository(self, name: str) -> Repository:
        """The repository of that name. Raises NotFound."""
        for known in await self._with.forge.repositories():
            if known.name == name:
                return known
        raise NotFound(f"There is no repository {name}.")

    async def head(self, build: Build) -> CommitId:
        """The commit that the build's branch is at. Raises OutriderError where there is none."""
        _, commit = await self._with.forge.head(await self.repository(build.repository), build.branch)
        return commit

    async def make(self, build: Build, commit: CommitId, log: BuildLog) -> RepositoryImage:
        """The image of a commit of the build's branch. The last image of the branch is the answer where nothing has
        changed. Raises OutriderError."""
        repository = await self.repository(build.repository)
        log.say(f"Building {repository.name} {build.branch} at {commit[:12]}: {build.why}.")
        plan = await self._with.planner.plan(repository, commit)
        machine = await self._with.machine.prepare(plan.wants, log.say)
        if machine.notice:
            log.say(machine.notice)
        last = None if build.full else await self._last(build, machine, plan)
        if last is not None and last.commit == commit:
            log.say("The last image is of this commit and this recipe: there is nothing to do.")
            return last
        below = machine.layers if last is None else await self._below(last, log.say)
        log.say("From the machine image." if last is None else f"On the last image, of {last.commit[:12]}.")
        ground = _Ground(build, commit, plan, machine, below, self._with.forge.mirror(repository))
        started = self._with.clock.monotonic()
        layer = await self._layer(ground, log)
        return await self._image(ground, layer, self._with.clock.monotonic() - started)

    async def _last(self, build: Build, machine: Image, plan: BuildPlan) -> RepositoryImage | None:
        """The last image of the branch, where it was made from the same machine image by the same recipe."""
        last = await self._with.images.newest(build.repository, build.branch)
        if last is None:
            return None
        same = (last.machine, last.toolbox, last.recipe) == (machine.layers, machine.toolbox, plan.digest)
        return last if same else None

    async def _below(self, last: RepositoryImage, say: Progress) -> tuple[LayerId, ...]:
        """The layers of the last image; those above the machine image made one where they are too many."""
        if len(last.layers) < SQUASH_AT:
            return last.layers
        own = last.layers[len(last.machine) :]
        say(f"Making one layer of {len(own)}.")
        into = layer_id("repo", "squashed", *last.layers)
        return (*last.machine, await self._provider.squash(own, into, below=last.machine))

    async def _layer(self, ground: _Ground, log: BuildLog) -> LayerId:
        """The layer with the checkout and the setup, above `below`."""
        build, plan = ground.build, ground.plan
        anew = (build.id,) if build.full else ()
        parts = (build.repository, *ground.below, ground.machine.toolbox, ground.commit, plan.digest, *anew)
        layer = layer_id("repo", *parts)
        if await self._provider.has_layer(layer):
            log.say("This layer was made before.")
            return layer
        spec = CleanSpec(
            f"the image of {build.repository}",
            ground.below,
            ground.machine.toolbox,
            wall_seconds=CLONE_SECONDS + plan.setup_timeout_seconds + SPARE_SECONDS,
            caps=plan.caps,
        )
        async with self._with.sandboxes.open(spec, log.say) as handle:
            await self._fill(ground, handle, log)
            log.say("Keeping it as a layer.")
            return await self._provider.freeze(handle, layer)

    async def _fill(self, ground: _Ground, handle: SandboxHandle, log: BuildLog) -> None:
        door = DoorSpec(owner=ground.build.id, repository=ground.mirror, egress=ground.plan.egress)
        async with self._with.sandboxes.connect(handle, door) as guest:
            await self._check_out(guest, ground.commit, log)
            await self._set_up(guest, ground.plan, log)
            await guest.run(ExecSpec(argv=["sh", "-c", _WARM], cwd=WORKSPACE), timeout_seconds=CLONE_SECONDS)
            await end_services(guest)

    async def _check_out(self, guest: Guest, commit: CommitId, log: BuildLog) -> None:
        log.say(f"Checking out {commit[:12]}.")
        argv = ["sh", "-c", _CHECK_OUT, "sh", REPOSITORY_URL, commit]
        result = await guest.run(ExecSpec(argv=argv, cwd=WORKSPACE), timeout_seconds=CLONE_SECONDS)
        log.output(result.output)
        if result.exit_code != 0:
            said = result.output.decode(errors="replace").strip()[-500:]
            raise SandboxError(f"The repository could not be checked out: {said or 'it took too long'}.")

    async def _set_up(self, guest: Guest, plan: BuildPlan, log: BuildLog) -> None:
        clock, left = self._with.clock, plan.setup_timeout_seconds
        egress = self._with.sandboxes.broker.guest_environment()
        env = {**egress, **plan.beside.environment}
        for state in await BringUp(guest, plan.beside, egress, clock, log.say).stacks():
            if state.status is ServiceStatus.FAILED:
                log.say(state.detail)
        for command in plan.setup:
            log.say(f"Setting up: {command}")
            end = await run_shell(guest, Shell(command, env, max(left, 1)), log.output, clock)
            left -= end.seconds
            if end.exit_code != 0:
                how = "took too long" if end.timed_out else f"ended with exit code {end.exit_code}"
                raise SandboxError(
                    f"The setup command `{command[:200]}` {how}.", "The log of the build has its output."
                )

    async def _image(self, ground: _Ground, layer: LayerId, seconds: float) -> RepositoryImage:
        layers = (*ground.below, layer)
        own = layers[len(ground.machine.layers) :]
        return RepositoryImage(
            build=ground.build.id,
            repository=ground.build.repository,
            branch=ground.build.branch,
            commit=ground.commit,
            layers=layers,
            machine=ground.machine.layers,
            toolbox=ground.machine.toolbox,
            recipe=ground.plan.digest,
            built_at=self._with.clock.now(),
            seconds=round(seconds, 3),
            bytes=await self._provider.layer_bytes(own),
        )
