"""A catalog that was damaged: sessions say so, and the copies go on."""

import asyncio
from pathlib import Path

from outrider.app.catalog_keeper import LOOK_SECONDS, CatalogKeeper
from outrider.model.events import ProblemReported, Recorded
from outrider.storage.catalog import open_catalog
from outrider.storage.catalog_copy import copy_of, lacks
from outrider.testing.fake_engine import FakeEngine
from outrider.testing.manual_clock import ManualClock
from outrider.testing.playbook import ADA
from outrider.testing.session_world import SessionWorld, new_session, running, turn_end


async def test_sessions_are_told_that_the_catalog_was_damaged_and_are_listed_again(tmp_path: Path) -> None:
    path = tmp_path / "catalog.sqlite"
    world = SessionWorld(tmp_path, FakeEngine({"": []}))
    repository = await world.begin()
    async with running(world.registry()) as registry:
        session = await registry.create(new_session(repository, world.source.head(), "look"))
        await turn_end(registry, session)
    path.write_bytes(b"garbage" * 999)
    async with open_catalog(path, world.clock) as catalog:
        world.index = catalog.sessions
        async with running(world.registry()) as registry, asyncio.TaskGroup() as tasks:
            keeper = CatalogKeeper(path, catalog.rescue, catalog.sessions, registry, world.clock)
            task = tasks.create_task(keeper.run(), name="keeper")
            while not copy_of(path).exists():
                await asyncio.to_thread(copy_of(path).exists)
            task.cancel()
            stored = await registry.events(session, 0, 1000)
            events = [Recorded.model_validate_json(row).event for row in stored]
            problems = [event for event in events if isinstance(event, ProblemReported)]
            assert ["The catalog was damaged" in problem.sentence for problem in problems] == [True]
        assert (await catalog.sessions.get(session)) is not None


async def test_what_is_not_to_go_back_is_copied_within_a_minute(tmp_path: Path) -> None:
    path, clock = tmp_path / "catalog.sqlite", ManualClock()
    world = SessionWorld(tmp_path, FakeEngine({}), clock)
    async with open_catalog(path, clock) as catalog, asyncio.timeout(30), asyncio.TaskGroup() as tasks:
        await catalog.egress.allow("shop", "api.example.com", ADA)
        keeper = CatalogKeeper(path, None, catalog.sessions, world.registry(), clock)
        task = tasks.create_task(keeper.run(), name="keeper")
        while not clock.sleepers:
            await asyncio.to_thread(copy_of(path).exists)
        assert not await asyncio.to_thread(lacks, path)
        first = copy_of(path).stat().st_ino
        await catalog.audit.record("ada", "prompt", "shop", allowed=True, why="")
        clock.advance(LOOK_SECONDS)
        while not clock.sleepers:
            await asyncio.to_thread(copy_of(path).exists)
        assert copy_of(path).stat().st_ino == first
        await catalog.egress.forbid("shop", "api.example.com")
        assert await asyncio.to_thread(lacks, path)
        clock.advance(LOOK_SECONDS)
        while await asyncio.to_thread(lacks, path):
            pass
        task.cancel()
