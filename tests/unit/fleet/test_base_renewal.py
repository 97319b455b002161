"""Bases that get old: when they are renewed, what is in force meanwhile, and what stands on them."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from outrider.fleet.base_image import BaseImage
from outrider.fleet.clean import CleanSandboxes
from outrider.fleet.commands import Progress
from outrider.fleet.generations import (
    Generation,
    generation_id,
    generations,
    is_renewed,
    mark_of,
    stamp_of,
)
from outrider.fleet.images.foreign_base import ForeignBases
from outrider.fleet.images.machine import Images
from outrider.fleet.images.renewal import Ages, Bases, Renewal
from outrider.fleet.images.schedule import MACHINE
from outrider.fleet.limits import SandboxSlots
from outrider.model.errors import SandboxError
from outrider.model.ids import LayerId
from outrider.model.image import BuildState, MachineWants
from outrider.model.sandbox import LayerInfo
from outrider.ports.sandbox import SandboxProvider
from outrider.testing.fake_sandbox import FakeProvider
from outrider.testing.image_world import ImageWorld, over, working
from outrider.testing.manual_clock import ManualClock
from outrider.testing.session_world import FakeBroker
from outrider.testing.tars import tar_of

FIRST = LayerId("base-abcdefghijklmnopqrst")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def infos(*ids: str, made_at: datetime | None = None) -> list[LayerInfo]:
    return [LayerInfo(id=LayerId(one), used=False, made_at=made_at) for one in ids]


def test_the_newest_generation_is_first_and_others_are_none_of_it() -> None:
    second, third = generation_id(FIRST, NOON), generation_id(FIRST, NOON + timedelta(days=8), "0123456789abcdef")
    found = generations(FIRST, infos(second, FIRST, third, "base-other", f"x{FIRST}", made_at=NOON))
    assert found == [
        Generation(third, NOON + timedelta(days=8)),
        Generation(second, NOON),
        Generation(FIRST, NOON),
    ]
    assert [mark_of(row.layer) for row in found] == ["0123456789abcdef", "", ""]
    assert [is_renewed(row.layer) for row in found] == [True, True, False]


@pytest.mark.parametrize(
    "layer", ["base-a", "foreign-users-abc", "foreign-ready-abcd", "repo-a-b", "snap-20260101000000"]
)
def test_another_layer_is_no_later_generation(layer: str) -> None:
    assert stamp_of(LayerId(layer)) is None
    assert mark_of(LayerId(layer)) == ""


@dataclass(frozen=True)
class ScriptedBase(BaseImage):
    """A base that is made of nothing, or not at all."""

    folder: Path = Path("/nonexistent")
    broken: list[str] = field(default_factory=list)
    built: list[LayerId] = field(default_factory=list)

    async def _build(self, layer: LayerId, provider: SandboxProvider, say: Progress) -> LayerId:
        if self.broken:
            raise SandboxError(self.broken[0], "Try later.")
        tar = self.folder / "base.tar"
        tar.write_bytes(tar_of({"workspace/.keep": b"", "etc/issue": layer.encode()}))
        await provider.add_layer(layer, tar)
        self.built.append(layer)
        return layer


@dataclass(frozen=True)
class GivenLayer:
    layer: LayerId

    async def ensure(self, provider: SandboxProvider, say: Progress) -> LayerId:
        return self.layer


class World:
    """Bases over a fake provider, and a clock that is moved by hand."""

    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock()
        self.provider = FakeProvider(folder / "fake")
        self.base = ScriptedBase(folder=folder)
        sandboxes = CleanSandboxes(self.provider, FakeBroker(), SandboxSlots(1))
        self.images = Images(sandboxes, self.base, GivenLayer(LayerId("toolbox-a")))
        self.told = 0
        self.bases = Bases(sandboxes, self.base, ForeignBases(folder, clock=self.clock))
        self.renewal = Renewal(self.bases, self.clock, self._changed, Ages(days=7))

    async def _changed(self) -> None:
        self.told += 1

    async def layers(self) -> tuple[LayerId, ...]:
        image = await self.images.prepare(MachineWants(), lambda _line: None)
        return image.layers

    async def begin(self) -> LayerId:
        """A base whose age is known."""
        return await self.base.renew(self.provider, self.clock.now(), lambda _line: None)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


async def test_a_base_is_built_anew_when_it_is_old_and_is_in_force_from_then_on(world: World) -> None:
    first = await world.begin()
    world.clock.advance(6 * 86_400)
    assert await world.renewal.renew() == []
    world.clock.advance(86_400)
    (done,) = await world.renewal.renew()
    assert (done.changed, done.problem, world.told) == (True, "", 1)
    (layer,) = await world.layers()
    assert layer == world.base.built[-1] != first
    assert await world.provider.has_layer(first)
    assert await world.renewal.renew() == []
    (state,) = await world.bases.states()
    assert (state.layer, state.made_at) == (layer, world.clock.now())
    # Another process finds the same one: the newest that there is.
    assert await BaseImage().newest(world.provider) == layer


async def test_a_base_that_cannot_be_made_leaves_the_one_before_in_force(world: World) -> None:
    first = await world.begin()
    world.clock.advance(8 * 86_400)
    world.base.broken.append("The mirror is away.")
    (done,) = await world.renewal.renew()
    assert (done.changed, done.problem, world.told) == (False, "The mirror is away. Try later.", 0)
    assert await world.layers() == (first,)
    world.base.broken.clear()
    assert await world.renewal.renew() == []  # not at once again
    world.clock.advance(6 * 3600)
    assert [done.changed for done in await world.renewal.renew()] == [True]
    assert world.told == 1


async def test_by_hand_it_is_renewed_whatever_its_age(world: World) -> None:
    first = await world.begin()
    world.clock.advance(1)
    assert [done.changed for done in await world.renewal.renew(at_once=True)] == [True]
    assert await world.layers() != (first,)


async def test_the_first_generation_is_made_once_and_is_the_same_everywhere(world: World) -> None:
    assert await world.layers() == (BaseImage().layer_id(),)
    assert await world.layers() == (BaseImage().layer_id(),)
    assert world.base.built == [BaseImage().layer_id()]


async def test_images_are_rebuilt_above_a_base_that_changed(tmp_path: Path) -> None:
    world = ImageWorld(tmp_path)
    await world.begin()
    world.worked_on = {("demo", "main")}
    builds = world.builds()
    schedule = world.schedule(builds)
    await schedule.look()
    async with working(builds):
        (first,) = await world.catalog.builds(limit=10)
        await over(builds, first.id)
    image = await world.newest()
    await world.catalog.put_image(image.model_copy(update={"machine": (FIRST,)}))  # what is below it is another now
    base = ScriptedBase(folder=tmp_path)
    sandboxes = CleanSandboxes(world.provider, FakeBroker(), SandboxSlots(1))
    bases = Bases(sandboxes, base, ForeignBases(tmp_path))
    await Renewal(bases, world.clock, schedule.look, Ages()).renew(at_once=True)
    assert [build.why for build in await world.catalog.builds(limit=10, states=[BuildState.QUEUED])] == [MACHINE]
