"""The ledger of builds: what the catalog knows of them, told to whoever watches and follows."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime

from outrider.fleet.images.log import BuildLogs
from outrider.model.errors import NotFound
from outrider.model.ids import BuildId
from outrider.model.image import Build, BuildState, ImageNews, RepositoryImage
from outrider.ports.clock import Clock
from outrider.ports.images import ImageCatalog

RECENT_BUILDS = 500
"""Among how many the last one of a branch is looked for."""

DETAIL_CHARACTERS = 2000

WATCH_BACKLOG = 100
"""News that wait for one watcher; a slower one loses the oldest."""


class Ledger:
    """Every change of a build goes through here."""

    def __init__(self, catalog: ImageCatalog, logs: BuildLogs, clock: Clock) -> None:
        self.catalog = catalog
        self.clock = clock
        self.logs = logs
        self._changed = asyncio.Event()
        self._watchers: set[asyncio.Queue[ImageNews]] = set()

    @property
    def changed(self) -> asyncio.Event:
        """Set at the next change of any build or log."""
        return self._changed

    def tell(self) -> None:
        """Something has changed: wake whoever waits for it."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def get(self, build: BuildId) -> Build:
        """A build as it is now. Raises NotFound."""
        found = await self.catalog.build(build)
        if found is None:
            raise NotFound(f"There is no build {build}.", "See `outrider images` for those there are.")
        return found

    async def last(self, repository: str, branch: str) -> Build | None:
        """The newest build of a branch that is over."""
        over = [state for state in BuildState if state.over]
        found = await self.catalog.builds(limit=RECENT_BUILDS, states=over)
        return next((build for build in found if (build.repository, build.branch) == (repository, branch)), None)

    async def follow(self, build: BuildId) -> AsyncIterator[str]:
        """The lines of its log, from the first, as they come, until it is over."""
        offset = 0
        while True:
            changed, over = self._changed, (await self.get(build)).state.over
            lines, offset = await self.logs.read(build, offset)
            for line in lines:
                yield line
            if not lines and over:
                return
            if not lines:
                await changed.wait()

    async def watch(self) -> AsyncIterator[ImageNews]:
        """Everything that changes from now on."""
        news: asyncio.Queue[ImageNews] = asyncio.Queue(WATCH_BACKLOG)
        self._watchers.add(news)
        try:
            while True:
                yield await news.get()
        finally:
            self._watchers.discard(news)

    async def put(self, build: Build, image: RepositoryImage | None = None) -> Build:
        """Store a build, and tell everybody."""
        await self.catalog.put_build(build)
        if image is not None:
            found = [one for one in await self.catalog.images(image.repository) if one.build == image.build]
            image = found[0] if found else image
        news = ImageNews(build=build, image=image)
        for watcher in self._watchers:
            if watcher.full():
                watcher.get_nowait()
            watcher.put_nowait(news)
        self.tell()
        return build

    async def end(
        self, build: Build, state: BuildState, detail: str, tail: str = "", image: RepositoryImage | None = None
    ) -> Build:
        """Store how a build came out, with the image that it made."""
        now = self.clock.now()
        detail = detail if len(detail) <= DETAIL_CHARACTERS else f"{detail[: DETAIL_CHARACTERS - 1]}…"
        ended = {"state": state, "detail": detail, "ended_at": now, "log_tail": tail, "seconds": _since(build, now)}
        return await self.put(build.model_copy(update=ended), image)


def _since(build: Build, now: datetime) -> float | None:
    return None if build.started_at is None else max(0.0, round((now - build.started_at).total_seconds(), 3))
