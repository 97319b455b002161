"""A world for builds of images: real git, a real forge, real processes in folders; no walls, no network."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from outrider.fleet.clean import CleanSandboxes
from outrider.fleet.images.builder import Builder
from outrider.fleet.images.builds import Builds
from outrider.fleet.images.ledger import Ledger
from outrider.fleet.images.log import BuildLogs
from outrider.fleet.images.making import ImageMaker, Materials
from outrider.fleet.images.repository import RepositoryImages
from outrider.fleet.images.schedule import Branch, Rhythm, Schedule
from outrider.fleet.limits import SandboxSlots
from outrider.integrations.builtin.quarantine import GitQuarantine
from outrider.model.ids import BuildId
from outrider.model.image import Build, RepositoryImage
from outrider.model.repository import Repository
from outrider.ports.clock import Clock, SystemClock
from outrider.proof.doctor import ImageDoctor
from outrider.proof.planning import RecipePlanner
from outrider.proof.recipes import Recipes
from outrider.testing.fake_engine import FakeEngine
from outrider.testing.session_world import FakeImages, SessionWorld

RECIPE = """
setup = ["echo made >made.txt", "cat made.txt"]
[[checks]]
name = "sum"
command = "test $(cat sum.txt) = 1"
"""


class ImageWorld:
    """Everything that builds need, in one folder. `builds()` may be called again: that is a restart."""

    def __init__(self, folder: Path, clock: Clock | None = None) -> None:
        self.clock = clock or SystemClock()
        self.sessions = SessionWorld(folder, FakeEngine({}), self.clock)
        self.source = self.sessions.source
        self.catalog = self.sessions.image_catalog
        self.provider = self.sessions.sandboxes
        self.worked_on: set[Branch] = set()
        recipes = Recipes(GitQuarantine(folder / "recipes"))
        planner = RecipePlanner(recipes, self.sessions.forge.mirror)
        clean = CleanSandboxes(self.provider, self.sessions.broker, SandboxSlots(4))
        self.images = RepositoryImages(self.catalog, self.provider)
        self.materials = Materials(clean, FakeImages(), self.images, self.sessions.forge, planner, self.clock)
        self.logs = BuildLogs(folder / "builds", lambda text: text.replace("hunter2", "[redacted]"))
        self.doctor = ImageDoctor(clean, planner, self.clock)

    async def begin(self, recipe: str = RECIPE) -> Repository:
        """Import the repository, with this recipe."""
        self.source.commit("A recipe.", {"outrider.toml": recipe})
        return await self.sessions.begin()

    def builds(self, *, at_once: int = 1) -> Builds:
        """A server's builds over these files."""
        ledger = Ledger(self.catalog, self.logs, self.clock)
        return Builds(Builder(ImageMaker(self.materials), self.doctor, ledger), at_once=at_once)

    def schedule(self, builds: Builds) -> Schedule:
        """When it builds unasked, for the branches in `worked_on`."""

        async def recent(_since: object) -> set[Branch]:
            return self.worked_on

        return Schedule(builds, self.materials, recent, Rhythm())

    async def newest(self) -> RepositoryImage:
        """The newest image of main. Raises AssertionError where there is none."""
        image = await self.images.newest("demo", "main")
        if image is None:
            raise AssertionError("there is no image")
        return image


@asynccontextmanager
async def working(builds: Builds) -> AsyncIterator[Builds]:
    """The queue worked off; leaving stops it as a server is stopped."""
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(builds.run(), name="builds")
        try:
            yield builds
        finally:
            task.cancel()


async def over(builds: Builds, build: BuildId) -> tuple[Build, list[str]]:
    """Wait for the end of a build; how it ended, and its log."""
    lines = [line async for line in builds.ledger.follow(build)]
    return await builds.ledger.get(build), lines
