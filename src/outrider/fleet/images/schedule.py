"""When images are built without being asked for: where people work, as soon as something has moved."""

import logging
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from outrider.fleet.images.builds import Builds
from outrider.fleet.images.making import Materials
from outrider.model.errors import OutriderError
from outrider.model.image import RepositoryImage
from outrider.model.repository import Repository
from outrider.ports.forge import unheard

_log = logging.getLogger(__name__)

RETRY_HOURS = 6
"""A build that failed is tried again after this, on the same commit: what failed may have been the network."""

NO_IMAGE = "there is no image yet"
MOVED = "the branch moved"
PUSHED = "somebody pushed to it"
RECIPE = "the recipe changed"
MACHINE = "what is below it changed"

Branch = tuple[str, str]
"""A repository's name and a branch of it."""

Recent = Callable[[datetime], Awaitable[Collection[Branch]]]
"""The branches that a session was started from, and that was at work after a moment."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often is looked, and how long after its last session a branch counts."""

    interval_seconds: float = 1800
    days: float = 14


class Schedule:
    """Asks for builds: every so often, and when a forge tells of a push. Implements `PushListener`."""

    def __init__(self, builds: Builds, materials: Materials, recent: Recent, rhythm: Rhythm) -> None:
        self._builds = builds
        self._with = materials
        self._recent = recent
        self._rhythm = rhythm

    async def run(self) -> None:
        """Look again and again until cancelled. Not at once: whoever started the server wants something else first."""
        while True:
            await self._with.clock.sleep(self._rhythm.interval_seconds)
            await self.look()

    async def look(self) -> None:
        """Look at every branch that was worked on lately, its mirror brought up to date first."""
        known = {repository.name: repository for repository in await self._with.forge.repositories()}
        for name, branch in sorted(await self._watched()):
            if name in known:
                await self._look_at(known[name], branch)

    async def pushed(self, repository: str, branch: str) -> None:
        """Something was pushed or merged to a branch. Nothing is built where nobody works."""
        try:
            if self._builds.at_once and (repository, branch) in await self._watched():
                await self._builds.request(repository, branch, MOVED)
        except OutriderError as error:
            _log.warning("no build of %s %s: %s", repository, branch, error)

    async def told(self, repository: str, branch: str) -> None:
        """A code host says that a branch has another commit: it is looked at as every half hour. Never raises."""
        try:
            if self._builds.at_once and (repository, branch) in await self._watched():
                known = await self._with.forge.find(repository, unheard)
                if why := await self._why(known, branch):
                    await self._builds.request(repository, branch, PUSHED if why == MOVED else why)
        except OutriderError as error:
            _log.warning("no build of %s %s: %s", repository, branch, error)

    async def started(self, repository: str, branch: str, commit: str) -> None:
        """A session was started at a commit. Where the newest image is of another, or there is none, the next session
        shall have a better one. Never raises."""
        if not self._builds.at_once:
            return
        try:
            image = await self._with.images.newest(repository, branch)
            old = image is None or image.commit != commit
            if old and not await self._failed_lately(repository, branch, commit):
                await self._builds.request(repository, branch, NO_IMAGE if image is None else MOVED)
        except OutriderError as error:
            _log.warning("no build of %s %s: %s", repository, branch, error)

    async def _watched(self) -> set[Branch]:
        return set(await self._recent(self._with.clock.now() - timedelta(days=self._rhythm.days)))

    async def _look_at(self, known: Repository, branch: str) -> None:
        """A branch that vanished, or a source that cannot be read, is no news for a schedule."""
        try:
            repository = await self._with.forge.find(known.name, unheard)
            why = await self._why(repository, branch)
            if why:
                await self._builds.request(repository.name, branch, why)
        except OutriderError as error:
            _log.warning("no look at %s %s: %s", known.name, branch, error)

    async def _why(self, repository: Repository, branch: str) -> str:
        """Why the branch needs another image; empty where it needs none. Raises RepositoryError where it is gone."""
        _, commit = await self._with.forge.head(repository, branch)
        image = await self._with.images.newest(repository.name, branch)
        if image is not None and image.commit == commit:
            return await self._outdated(repository, image)
        if await self._failed_lately(repository.name, branch, commit):
            return ""
        return NO_IMAGE if image is None else MOVED

    async def _failed_lately(self, repository: str, branch: str, commit: str) -> bool:
        """Whether the last build failed lately, on the commit that the branch still has: it would fail again."""
        last = await self._builds.ledger.last(repository, branch)
        if last is None or not last.failed or last.ended_at is None or last.commit != commit:
            return False
        return self._with.clock.now() - last.ended_at < timedelta(hours=RETRY_HOURS)

    async def _outdated(self, repository: Repository, image: RepositoryImage) -> str:
        """The recipe of a commit changes where another release of ours reads it otherwise."""
        plan = await self._with.planner.plan(repository, image.commit)
        if plan.digest != image.recipe:
            return RECIPE
        machine = await self._with.machine.prepare(plan.wants, _log.debug)
        return "" if (machine.layers, machine.toolbox) == (image.machine, image.toolbox) else MACHINE
