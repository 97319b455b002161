"""The building of repositories' images, put together from settings."""

import asyncio
from dataclasses import dataclass
from datetime import datetime

from outrider.app.supplies import make_toolbox
from outrider.fleet.claims import LayerClaims
from outrider.fleet.images.builder import Builder
from outrider.fleet.images.builds import Builds
from outrider.fleet.images.collection import Collector, Holders, Keep, Wanted
from outrider.fleet.images.ledger import Ledger
from outrider.fleet.images.log import BuildLogs
from outrider.fleet.images.making import ImageMaker, MachineImages, Materials
from outrider.fleet.images.pushes import Pushes
from outrider.fleet.images.renewal import Ages, Bases, Renewal
from outrider.fleet.images.repository import RepositoryImages
from outrider.fleet.images.schedule import Branch, Rhythm, Schedule
from outrider.model.ids import LayerId
from outrider.ports.clock import Clock
from outrider.ports.forge import Forge
from outrider.ports.images import ImageCatalog
from outrider.ports.store import SessionIndex
from outrider.proof.doctor import ImageDoctor
from outrider.proof.planning import RecipePlanner
from outrider.proof.recipes import Recipes
from outrider.session.redaction import Redactor
from outrider.settings import Settings

PAGE_ROWS = 500


@dataclass(frozen=True, slots=True)
class Ingredients:
    """What the works are put together from."""

    settings: Settings
    clock: Clock
    catalog: ImageCatalog
    index: SessionIndex
    machine: MachineImages
    bases: Bases
    forge: Forge
    recipes: Recipes
    redactor: Redactor
    claims: LayerClaims


@dataclass(frozen=True, slots=True)
class ImageWorks:
    """What runs in the background for images."""

    images: RepositoryImages
    builds: Builds
    schedule: Schedule
    pushes: Pushes
    renewal: Renewal
    collector: Collector

    def start(self, tasks: asyncio.TaskGroup) -> tuple["asyncio.Task[None]", ...]:
        """Everything at work. Without builds, layers are collected all the same."""
        collecting = tasks.create_task(self.collector.run(), name="image-layers")
        if not self.builds.at_once:
            return (collecting,)
        renewing = tasks.create_task(self.renewal.run(), name="image-bases")
        building = tasks.create_task(self.builds.run(), name="image-builds")
        looking = tasks.create_task(self.schedule.run(), name="image-schedule")
        return collecting, building, renewing, looking, tasks.create_task(self.pushes.run(), name="pushes")


def make_image_works(given: Ingredients, sessions: Wanted) -> ImageWorks:
    """The works of one deployment. `sessions` says which layers they need beside those of their sandboxes."""
    settings, clock = given.settings, given.clock
    images = RepositoryImages(given.catalog, given.bases.sandboxes.provider)
    planner = RecipePlanner(given.recipes, given.forge.mirror)
    materials = Materials(given.bases.sandboxes, given.machine, images, given.forge, planner, clock)
    ledger = Ledger(given.catalog, BuildLogs(settings.home / "builds", given.redactor.text), clock)
    builder = Builder(ImageMaker(materials), ImageDoctor(given.bases.sandboxes, planner, clock), ledger)
    builds = Builds(builder, at_once=settings.image_builds)

    async def recent(since: datetime) -> set[Branch]:
        return await _worked_on(given.index, since)

    rhythm = Rhythm(interval_seconds=settings.image_seconds, days=settings.image_days)
    schedule = Schedule(builds, materials, recent, rhythm)
    images.listener = schedule
    keep = Keep(images=settings.images_kept, days=settings.setup_days, interval_seconds=settings.image_seconds)
    holders = Holders(sessions, _in_force(given), given.claims)
    collector = Collector(builds, given.bases.sandboxes.provider, holders, keep)
    ages = Ages(days=settings.base_days, interval_seconds=settings.image_seconds)
    renewal = Renewal(given.bases, clock, schedule.look, ages)
    return ImageWorks(images, builds, schedule, Pushes(given.forge, schedule), renewal, collector)


def _in_force(given: Ingredients) -> Wanted:
    """What the next sandbox is made from: the bases, and the toolbox of today."""

    async def in_force() -> set[LayerId]:
        return {make_toolbox(given.settings).layer_id(), *await given.bases.in_force()}

    return in_force


async def _worked_on(index: SessionIndex, since: datetime) -> set[Branch]:
    """The branches whose sessions changed after a moment."""
    found: set[Branch] = set()
    before: datetime | None = None
    while True:
        rows = await index.list(limit=PAGE_ROWS, before=before)
        found |= {(row.repository, row.branch) for row in rows if row.updated_at >= since}
        if len(rows) < PAGE_ROWS or rows[-1].updated_at < since:
            return found
        before = rows[-1].updated_at
