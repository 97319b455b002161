"""Which layers go, when, and what keeps them."""

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.fleet.claims import LayerClaims
from outrider.fleet.images.collection import Collector, Holders, Keep
from outrider.fleet.images.foreign_base import users_layer
from outrider.fleet.images.needs import Needs, Patience, removable, users_last
from outrider.model.ids import LayerId
from outrider.model.image import Collected
from outrider.model.sandbox import LayerInfo
from outrider.testing.fake_layers import FakeLayers
from outrider.testing.image_catalog_contract import image_of
from outrider.testing.image_world import ImageWorld, over, working
from outrider.testing.manual_clock import ManualClock
from outrider.testing.tars import tar_of

HOUR = 3600.0
DAY = 24 * HOUR
NOW = datetime(2026, 11, 30, tzinfo=UTC)
ROOTFS = LayerId("foreign-aaaa-20261101000000-abcd")
USERS = users_layer(ROOTFS)
OURS = ("base-a", "packages-a", "repo-a", "setup-a", "toolbox-a", "stack-ide-a", ROOTFS, USERS)
KINDS = (*OURS, "snap-a", "layer-probe")
PATIENCE = Patience(others=timedelta(days=7))


def ids(*names: str) -> set[LayerId]:
    return {LayerId(name) for name in names}


def rows(names: Iterable[str], used: Iterable[str] = ()) -> list[LayerInfo]:
    return [LayerInfo(id=LayerId(name), used=name in set(used)) for name in names]


def uses(days: float, *names: str) -> dict[LayerId, datetime]:
    return {LayerId(name): NOW - timedelta(days=days) for name in names}


@pytest.mark.parametrize(
    ("found", "needs", "used", "gone"),
    [
        (rows(["base-old"]), Needs(), uses(8, "base-old"), ids("base-old")),
        (rows(["base-old"]), Needs(), uses(6, "base-old"), set()),
        (rows(["base-old"]), Needs(), {}, set()),  # never seen before
        (rows(["base-old"], used=["base-old"]), Needs(), uses(8, "base-old"), set()),
        (rows(["base-old"]), Needs(images=ids("base-old")), uses(8, "base-old"), set()),
        (rows(["base-old"]), Needs(sessions=ids("base-old")), uses(8, "base-old"), set()),
        (rows(["base-new"]), Needs(in_force=ids("base-new")), uses(8, "base-new"), set()),
        (rows(["repo-a"]), Needs(), uses(0, "repo-a"), ids("repo-a")),
        (rows(["snap-a", "layer-probe"]), Needs(), uses(99, "snap-a", "layer-probe"), set()),
        # The users of an image go with it or after it, never before.
        (rows([ROOTFS, USERS]), Needs(), uses(8, ROOTFS, USERS), {ROOTFS, USERS}),
        (rows([ROOTFS, USERS]), Needs(), {**uses(1, ROOTFS), **uses(8, USERS)}, set()),
        (rows([ROOTFS, USERS]), Needs(sessions=[ROOTFS]), uses(8, ROOTFS, USERS), set()),
        (rows([USERS]), Needs(), uses(8, USERS), {USERS}),
    ],
)
def test_what_keeps_a_layer_and_what_does_not(
    found: list[LayerInfo], needs: Needs, used: dict[LayerId, datetime], gone: set[LayerId]
) -> None:
    assert removable(found, needs, used, NOW, PATIENCE) == gone


some = st.sets(st.sampled_from([LayerId(name) for name in KINDS]))
last_uses = st.dictionaries(
    st.sampled_from([LayerId(name) for name in KINDS]),
    st.integers(0, 20).map(lambda days: NOW - timedelta(days=days)),
)


@given(some, some, some, some, some, last_uses)
def test_only_what_no_rule_keeps_goes_whatever_there_is(
    there: set[LayerId],
    used: set[LayerId],
    images: set[LayerId],
    sessions: set[LayerId],
    in_force: set[LayerId],
    last: dict[LayerId, datetime],
) -> None:
    needs = Needs(images, sessions, in_force)
    gone = removable(rows(there, used), needs, last, NOW, PATIENCE)
    held = used | images | sessions | in_force
    assert gone <= there & last.keys() - held - ids("snap-a", "layer-probe")
    assert all(last[layer] <= NOW - timedelta(days=7) for layer in gone if layer != "repo-a")
    assert not (USERS in gone and ROOTFS in there - gone)
    # More need never removes more, and what is gone changes nothing for the rest.
    assert removable(rows(there, used), Needs(images | there, sessions, in_force), last, NOW, PATIENCE) == set()
    assert removable(rows(there - gone, used), needs, last, NOW, PATIENCE) == set()


def test_an_image_is_never_there_without_its_users() -> None:
    order = sorted([USERS, ROOTFS, LayerId("foreign-zzzz-20261101000000-abcd")], key=users_last)
    assert order[-1] == USERS
    assert all(users_last(one) != users_last(other) for one, other in combinations(order, 2))


class Layers:
    """Layers to be collected, over the fake provider of a world."""

    def __init__(self, world: ImageWorld, folder: Path) -> None:
        self.world = world
        self.tar = folder / "layer.tar"
        self.tar.write_bytes(tar_of({"workspace/.keep": b""}))
        self.snapshots: set[LayerId] = set()
        self.newest: set[LayerId] = set()
        builds = world.builds()

        async def sessions() -> set[LayerId]:
            return self.snapshots

        async def in_force() -> set[LayerId]:
            return self.newest

        self.builds = builds
        self.claims = LayerClaims(world.catalog, world.clock)
        self.holders = Holders(sessions, in_force, self.claims)
        self.collector = Collector(builds, world.provider, self.holders, Keep(images=2, days=7))

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
    asked = await layers.builds.request("demo", "main", "by hand")
    async with working(layers.builds) as builds:
        build, _ = await over(builds, asked.id)
    assert (await world.logs.read(build.id, 0))[0] != []
    await Collector(layers.builds, world.provider, layers.holders, Keep(builds=0)).collect()
    assert await world.catalog.builds(limit=1) == []
    assert (await world.logs.read(build.id, 0))[0] == []


async def test_earlier_bases_go_with_what_stood_on_them_a_week_after_their_last_use(
    layers: Layers, clock: ManualClock
) -> None:
    await layers.add("base-a", "packages-a", "stack-ide-a", "base-a-20261101000000", "packages-b")
    layers.newest = ids("base-a-20261101000000")
    await layers.collector.collect()
    clock.advance(6 * DAY)
    await layers.claims.claim(ids("packages-b"))
    assert await layers.collector.collect() == ()
    assert layers.collector.last is None
    clock.advance(DAY)
    at = clock.now()
    assert await layers.collector.collect() == ("base-a", "packages-a", "stack-ide-a")
    assert layers.collector.last == Collected(at=at, layers=3, bytes=0)
    assert await layers.left() == {"base-a-20261101000000", "packages-b"}


async def test_a_layer_counts_as_used_for_as_long_as_a_sandbox_or_a_log_needs_it(
    layers: Layers, clock: ManualClock
) -> None:
    await layers.add("base-a", "packages-a")
    layers.snapshots = ids("base-a", "packages-a")
    for _ in range(30):
        clock.advance(DAY)
        assert await layers.collector.collect() == ()
    layers.snapshots = set()
    clock.advance(6 * DAY)
    assert await layers.collector.collect() == ()
    clock.advance(DAY)
    assert await layers.collector.collect() == ("base-a", "packages-a")


async def test_without_days_there_is_an_hour_for_whoever_is_about_to_start(
    world: ImageWorld, layers: Layers, clock: ManualClock
) -> None:
    collector = Collector(layers.builds, world.provider, layers.holders, Keep(days=0))
    await layers.add("packages-a")
    await collector.collect()
    clock.advance(HOUR - 1)
    assert await collector.collect() == ()
    clock.advance(1)
    assert await collector.collect() == ("packages-a",)


class ContendedLayers(FakeLayers):
    """Each deletion of a layer finds somebody waiting to claim another."""

    wanted = LayerId("packages-b")

    def __init__(self, folder: Path, claims: LayerClaims, tasks: asyncio.TaskGroup) -> None:
        super().__init__(folder / "boxes", folder / "layers")
        self.claims = claims
        self.tasks = tasks

    async def delete_layer(self, layer: LayerId) -> None:
        self.tasks.create_task(self.claims.claim([self.wanted]), name="claim")
        await asyncio.sleep(0)  # the other comes to its turn
        await super().delete_layer(layer)


async def test_what_is_claimed_while_layers_are_being_deleted_stays(layers: Layers, clock: ManualClock) -> None:
    await layers.add("packages-a", "packages-b")
    await layers.collector.collect()
    clock.advance(8 * DAY)
    async with asyncio.TaskGroup() as tasks:
        contended = ContendedLayers(layers.world.sessions.folder / "sandboxes", layers.claims, tasks)
        collector = Collector(layers.builds, contended, layers.holders, Keep(days=7))
        assert await collector.collect() == ("packages-a",)
    assert await layers.left() == {"packages-b"}
