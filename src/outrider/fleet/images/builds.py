"""Builds of repositories' images: a queue in the catalog, so many at once, each with a live log, each cancellable.

The catalog is the truth about a build. What a killed server left running is failed as interrupted and queued anew.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from outrider.fleet.images.builder import Builder
from outrider.model.errors import Refused
from outrider.model.ids import BuildId, new_id
from outrider.model.image import Build, BuildState
from outrider.model.limits import FIXED, quota_reached

QUEUE_LIMIT = 100
"""Builds that wait at once. One of a branch is enough, so this many branches moved."""

CANCELLED = "It was cancelled."
INTERRUPTED = "the build before it was interrupted"

_ALIVE = (BuildState.QUEUED, BuildState.RUNNING)


class Builds:
    """Takes requests and works them off. `at_once` is how many run at the same time; 0: none are taken."""

    def __init__(self, builder: Builder, *, at_once: int = 1) -> None:
        self.at_once = at_once
        self.ledger = builder.ledger
        self._builder = builder
        self._running: dict[BuildId, asyncio.Task[None]] = {}
        self._cancelled: set[BuildId] = set()
        self._queueing = asyncio.Lock()

    async def request(self, repository: str, branch: str, why: str, *, full: bool = False) -> Build:
        """Queue a build of a branch; one that waits already is the answer. Raises Refused where builds are switched
        off, LimitReached where too many wait."""
        if self.at_once == 0:
            raise Refused("Images are not built here.", "Set OUTRIDER_IMAGE_BUILDS to 1 or more, and start again.")
        async with self._queueing:
            waiting = await self.ledger.catalog.builds(limit=QUEUE_LIMIT, states=[BuildState.QUEUED])
            for build in waiting:
                if (build.repository, build.branch) == (repository, branch):
                    return await self.ledger.put(build.model_copy(update={"full": build.full or full}))
            if len(waiting) >= QUEUE_LIMIT:
                raise quota_reached(
                    f"{QUEUE_LIMIT} builds wait already, which is the most.", "Cancel some, or wait.", FIXED
                )
            now, fresh = self.ledger.clock.now(), BuildId(new_id("build"))
            build = Build(id=fresh, repository=repository, branch=branch, why=why, full=full, queued_at=now)
            return await self.ledger.put(build)

    async def cancel(self, build: BuildId) -> Build:
        """Stop it, or take it out of the queue; the answer comes when nothing of it runs any more. Raises NotFound,
        Refused where it is over."""
        async with self._queueing:
            found = await self.ledger.get(build)
            if found.state.over:
                raise Refused(f"The build {build} is {found.state.value} already.")
            task = self._running.get(build)
            if task is None:
                return await self.ledger.end(found, BuildState.CANCELLED, "It was taken out of the queue.")
            self._cancelled.add(build)
            task.cancel()
        await asyncio.wait([task])
        found = await self.ledger.get(build)  # one that was cancelled before its first step has said nothing
        return found if found.state.over else await self.ledger.end(found, BuildState.CANCELLED, CANCELLED)

    @asynccontextmanager
    async def resting(self) -> AsyncIterator[bool]:
        """Whether no build runs; where none does, none begins for as long as this lasts."""
        async with self._queueing:
            yield not self._running

    async def run(self) -> None:
        """Work off the queue until cancelled; what is cut off then is queued again."""
        await self._recover()
        async with asyncio.TaskGroup() as tasks:
            while True:
                changed = self.ledger.changed
                while (build := await self._next()) is not None:
                    task = tasks.create_task(self._work(build), name=f"build-{build.id}")
                    self._running[build.id] = task
                    task.add_done_callback(partial(self._over, build.id))
                await changed.wait()

    async def _recover(self) -> None:
        """What runs in the catalog does not run: nothing was started yet."""
        for build in await self.ledger.catalog.builds(limit=QUEUE_LIMIT, states=[BuildState.RUNNING]):
            interrupted = "It was interrupted: the server ended in the middle of it."
            await self.ledger.end(build, BuildState.FAILED, interrupted, build.log_tail)
            if build.why != INTERRUPTED and self.at_once:
                await self.request(build.repository, build.branch, INTERRUPTED, full=build.full)

    async def _next(self) -> Build | None:
        """The oldest that waits, where there is room and no other of its branch runs; it runs from now on."""
        async with self._queueing:
            if len(self._running) >= self.at_once:
                return None
            alive = await self.ledger.catalog.builds(limit=2 * QUEUE_LIMIT, states=_ALIVE)
            busy = {(build.repository, build.branch) for build in alive if build.id in self._running}
            for build in reversed(alive):
                if build.state is BuildState.QUEUED and (build.repository, build.branch) not in busy:
                    started = {"state": BuildState.RUNNING, "started_at": self.ledger.clock.now()}
                    return await self.ledger.put(build.model_copy(update=started))
        return None

    async def _work(self, build: Build) -> None:
        """One build to its end."""
        try:
            with self.ledger.logs.open(build.id, self.ledger.tell) as log:
                await self._builder.carry_out(build, log)
        except asyncio.CancelledError:
            if build.id not in self._cancelled:  # the server ends
                await self.ledger.put(build.model_copy(update={"state": BuildState.QUEUED, "started_at": None}))
                raise
            await self.ledger.end(await self.ledger.get(build.id), BuildState.CANCELLED, CANCELLED)

    def _over(self, build: BuildId, _task: asyncio.Task[None]) -> None:
        self._cancelled.discard(build)
        self._running.pop(build, None)
        self.ledger.tell()
