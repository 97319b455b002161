"""When images are built unasked, and which layers go."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from outrider.fleet.images.collection import Collector, Keep
from outrider.fleet.images.schedule import MACHINE, MOVED, NO_IMAGE, RECIPE
from outrider.model.ids import CommitId, LayerId
from outrider.model.image import Build, BuildState
from outrider.testing.image_catalog_contract import image_of
from outrider.testing.image_world import ImageWorld, over, working
from outrider.testing.manual_clock import ManualClock
from outrider.testing.tars import tar_of

MAIN = ("demo", "main")
HOUR = 3600.0


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def world(tmp_path: Path, clock: ManualClock) -> ImageWorld:
    world = ImageWorld(tmp_path, clock)
    await world.begin()
    return world


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


class Layers:
    """Layers to be collected, over the fake provider of a world."""

    def __init__(self, world: ImageWorld, folder: Path) -> None:
        self.world = world
        self.tar = folder / "layer.tar"
        self.tar.write_bytes(tar_of({"workspace/.keep": b""}))
        self.snapshots: set[LayerId] = set()
        builds = world.builds()

        async def in_use() -> set[LayerId]:
            return self.snapshots

        self.builds = builds
        self.collector = Collector(builds, world.provider, in_use, Keep(images=2, days=7))

    async def add(self, *names: str) -> None:
        for name in names:
            await self.world.provider.add_layer(LayerId(name), self.tar)

    async def left(self) -> set[str]:
        return {info.id for info in await self.world.provider.list_layers()} - {"layer-base", "layer-toolbox"}


@pytest.fixture
def layers(world: ImageWorld, tmp_path: Path) -> Layers:
    return Layers(world, tmp_path)


async def test_layers_of_old_images_go_and_those_that_anything_needs_stay(
    world: ImageWorld, layers: Layers, clock: ManualClock
) -> None:
    names = [f"repo-{number}" for number in range(5)]
    await layers.add(*names, "repo-lost", "repo-snapped", "packages-a", "toolbox-a", "base-a")
    layers.snapshots = {LayerId("repo-snapped")}
    for number in range(5):
        await world.catalog.put_image(image_of(number, built_at=clock.now() - timedelta(hours=9 - number)))
    await layers.collector.collect()
    clock.advance(1)
    gone = await layers.collector.collect()
    assert gone == ("repo-0", "repo-1", "repo-2", "repo-lost")
    assert await layers.left() == {"repo-3", "repo-4", "repo-snapped", "packages-a", "toolbox-a", "base-a"}
    assert [image.commit[-1] for image in await world.catalog.images()] == ["4", "3"]


async def test_an_image_stays_for_a_while_after_it_was_replaced(
    world: ImageWorld, layers: Layers, clock: ManualClock
) -> None:
    await layers.add("repo-0", "repo-1", "repo-2")
    for number in range(3):
        await world.catalog.put_image(image_of(number, built_at=clock.now() - timedelta(minutes=9 - number)))
    await layers.collector.collect()
    clock.advance(60)
    assert await layers.collector.collect() == ()
    clock.advance(2 * HOUR)
    assert await layers.collector.collect() == ("repo-0",)


async def test_the_finished_setup_of_checks_goes_a_week_after_its_last_use(
    world: ImageWorld, layers: Layers, clock: ManualClock
) -> None:
    await layers.add("setup-a", "setup-b")
    await layers.collector.collect()
    clock.advance(6 * 24 * HOUR)
    await world.catalog.touch_layers([LayerId("setup-b")], clock.now())
    assert await layers.collector.collect() == ()
    clock.advance(2 * 24 * HOUR)
    assert await layers.collector.collect() == ("setup-a",)
    assert set(await world.catalog.layer_uses()) == {"setup-b"}


async def test_nothing_is_collected_while_a_build_runs(world: ImageWorld, layers: Layers, clock: ManualClock) -> None:
    world.source.commit("A setup that hangs.", {"outrider.toml": 'setup = ["echo begun; sleep 958"]\n'})
    await world.sessions.forge.find("demo", lambda _line: None)
    await layers.add("repo-lost")
    await layers.collector.collect()
    clock.advance(10)
    build = await layers.builds.request("demo", "main", "by hand")
    async with working(layers.builds):
        async for line in layers.builds.ledger.follow(build.id):
            if line == "begun":
                break
        assert await layers.collector.collect() == ()
    assert await layers.collector.collect() == ("repo-lost",)


async def test_logs_of_old_builds_go_with_them(world: ImageWorld, layers: Layers) -> None:
    world.worked_on = {MAIN}
    await world.schedule(layers.builds).look()
    await build_what_waits(world)
    build = (await world.catalog.builds(limit=1))[0]
    assert (await world.logs.read(build.id, 0))[0] != []
    await Collector(layers.builds, world.provider, layers.collector._in_use, Keep(builds=0)).collect()
    assert await world.catalog.builds(limit=1) == []
    assert (await world.logs.read(build.id, 0))[0] == []
