"""A catalog that was damaged: sessions say so, and the copies go on."""

import asyncio
from pathlib import Path

from outrider.app.catalog_keeper import CatalogKeeper
from outrider.model.events import ProblemReported, Recorded
from outrider.storage.catalog import open_catalog
from outrider.storage.catalog_copy import copy_of
from outrider.testing.fake_engine import FakeEngine
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
