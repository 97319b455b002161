"""When images are built unasked, and which layers go."""

import asyncio

from outrider.fleet.images.schedule import MACHINE, MOVED, NO_IMAGE, RECIPE
from outrider.model.ids import CommitId
from outrider.model.image import Build, BuildState
from outrider.testing.image_world import ImageWorld, over, working
from outrider.testing.manual_clock import ManualClock

MAIN = ("demo", "main")
HOUR = 3600.0


async def queued(world: ImageWorld) -> list[Build]:
    return await world.catalog.builds(limit=10, states=[BuildState.QUEUED])


async def build_what_waits(world: ImageWorld) -> None:
    async with working(world.builds()) as builds:
        for build in await queued(world):
            await over(builds, build.id)


async def test_a_branch_that_was_worked_on_gets_its_first_image_and_then_one_when_it_moves(world: ImageWorld) -> None:
    schedule = world.schedule(world.builds())
    await schedule.look()
    assert await queued(world) == []
    world.worked_on = {MAIN, ("gone", "main"), ("demo", "gone")}
    await schedule.look()
    assert [build.why for build in await queued(world)] == [NO_IMAGE]
    await build_what_waits(world)
    await schedule.look()
    assert await queued(world) == []
    world.source.commit("Another sum.", {"sum.txt": "2\n"})
    await schedule.look()
    assert [build.why for build in await queued(world)] == [MOVED]


async def test_another_machine_image_or_another_reading_of_the_recipe_asks_for_a_build(world: ImageWorld) -> None:
    world.worked_on = {MAIN}
    schedule = world.schedule(world.builds())
    await schedule.look()
    await build_what_waits(world)
    image = await world.newest()
    for changed, why in ({"machine": ()}, MACHINE), ({"recipe": "other"}, RECIPE):
        await world.catalog.put_image(image.model_copy(update=changed))
        await schedule.look()
        found = await queued(world)
        assert [build.why for build in found] == [why]
        await world.builds().cancel(found[0].id)


async def test_what_failed_is_not_built_again_at_once_on_the_same_commit(world: ImageWorld, clock: ManualClock) -> None:
    world.worked_on = {MAIN}
    schedule = world.schedule(world.builds())
    world.source.commit("A setup that fails.", {"outrider.toml": 'setup = ["exit 1"]\n'})
    await schedule.look()
    await build_what_waits(world)
    await schedule.look()
    assert await queued(world) == []
    clock.advance(7 * HOUR)
    await schedule.look()
    assert [build.why for build in await queued(world)] == [NO_IMAGE]


async def test_it_looks_every_half_hour(world: ImageWorld, clock: ManualClock) -> None:
    world.worked_on = {MAIN}
    builds = world.builds()
    schedule = world.schedule(builds)
    async with asyncio.TaskGroup() as tasks:
        looking = tasks.create_task(schedule.run(), name="schedule")
        while not clock.sleepers:  # noqa: ASYNC110 - a clock does not tell who sleeps
            await asyncio.sleep(0)
        clock.advance(1799)
        assert await queued(world) == []
        clock.advance(1)
        async for news in builds.ledger.watch():
            assert news.build.why == NO_IMAGE
            break
        looking.cancel()


async def test_a_push_or_a_merge_builds_where_people_work(world: ImageWorld) -> None:
    schedule = world.schedule(world.builds())
    await schedule.pushed("demo", "main")
    assert await queued(world) == []
    world.worked_on = {MAIN}
    await schedule.pushed("demo", "main")
    assert [build.why for build in await queued(world)] == [MOVED]
    await world.schedule(world.builds(at_once=0)).pushed("demo", "main")


async def test_a_session_that_started_cold_or_from_an_old_commit_asks_for_an_image(world: ImageWorld) -> None:
    schedule = world.schedule(world.builds())
    world.images.listener = schedule
    await world.images.started("demo", "main", world.source.head())
    assert [build.why for build in await queued(world)] == [NO_IMAGE]
    await build_what_waits(world)
    await world.images.started("demo", "main", world.source.head())
    assert await queued(world) == []
    await world.images.started("demo", "main", CommitId("1" * 40))
    assert [build.why for build in await queued(world)] == [MOVED]


async def test_a_session_on_a_commit_that_fails_to_build_does_not_ask_again(world: ImageWorld) -> None:
    schedule = world.schedule(world.builds())
    bad = world.source.commit("A setup that fails.", {"outrider.toml": 'setup = ["exit 1"]\n'})
    await world.sessions.forge.find("demo", lambda _line: None)
    await schedule.started("demo", "main", bad)
    await build_what_waits(world)
    await schedule.started("demo", "main", bad)
    assert await queued(world) == []
