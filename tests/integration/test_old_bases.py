"""An earlier base is deleted when the last that stood on it is gone, in real sandboxes, and not before."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pytest

from outrider.fleet.base_image import BaseImage
from outrider.fleet.claims import LayerClaims
from outrider.fleet.clean import CleanSandboxes
from outrider.fleet.generations import generation_id
from outrider.fleet.images.collection import Collector, Holders, Keep
from outrider.fleet.images.foreign_base import ForeignBases
from outrider.fleet.images.renewal import Bases
from outrider.fleet.limits import SandboxSlots
from outrider.fleet.snapshots import Snapshots
from outrider.model.ids import LayerId, SandboxId, new_id
from outrider.model.sandbox import SandboxHandle, SandboxSpec
from outrider.ports.clock import SystemClock
from outrider.sandboxes.namespaces.provider import NamespaceProvider
from outrider.storage.layer_blobs import DirectoryLayerBlobs
from outrider.testing.base_layers import BaseLayers, copy_layer
from outrider.testing.image_catalog_contract import image_of
from outrider.testing.image_world import ImageWorld
from outrider.testing.manual_clock import ManualClock
from outrider.testing.sandbox_contract import shell
from outrider.testing.session_world import FakeBroker
from tests.linked_layers import link_layer

pytestmark = pytest.mark.sandbox

WEEK = 7 * 86_400.0
REPO, SNAP = LayerId("repo-one"), LayerId("snap-one")


@dataclass
class Machine:
    """Real sandboxes in a folder of their own, on a base that is renewed while they sleep."""

    provider: NamespaceProvider
    world: ImageWorld
    clock: ManualClock
    folder: Path
    sessions: set[LayerId] = field(default_factory=set)
    """What the logs of sessions name."""

    def __post_init__(self) -> None:
        clean = CleanSandboxes(self.provider, FakeBroker(), SandboxSlots(1))
        bases = Bases(clean, BaseImage(), ForeignBases(self.folder))
        holders = Holders(self._named, bases.in_force, LayerClaims(self.world.catalog, self.clock))
        self.collector = Collector(self.world.builds(), self.provider, holders, Keep())

    async def _named(self) -> set[LayerId]:
        return self.sessions

    async def renew(self, made: LayerId, at: datetime) -> LayerId:
        """A later generation, of the same files."""
        tar, layer = self.folder / "base.tar", generation_id(made, at)
        await link_layer(made, self.provider, self.provider, named=layer)
        if await self.provider.has_layer(layer):
            return layer
        with tar.open("wb") as file:
            async for chunk in self.provider.export_layer(made):
                file.write(chunk)
        await self.provider.add_layer(layer, tar)
        tar.unlink()
        return layer

    async def sandbox(self, *layers: LayerId) -> SandboxHandle:
        return await self.provider.create(SandboxSpec(id=SandboxId(new_id("sb")), layers=layers))

    async def run(self, handle: SandboxHandle, script: str) -> str:
        async with await self.provider.connect(handle) as guest:
            return (await guest.run(shell(script))).output.decode()

    async def collect_a_week_later(self) -> tuple[LayerId, ...]:
        gone = await self.collector.collect()
        self.clock.advance(WEEK)
        return (*gone, *await self.collector.collect())


@pytest.fixture
async def machine(
    namespaces_provider: NamespaceProvider, base_layers: BaseLayers, tmp_path: Path
) -> AsyncIterator[Machine]:
    provider, clock = NamespaceProvider(tmp_path / "s", SystemClock()), ManualClock()
    await link_layer(base_layers.base, namespaces_provider, provider)
    await copy_layer(base_layers.base, namespaces_provider, provider, tmp_path)
    yield Machine(provider, ImageWorld(tmp_path, clock), clock, tmp_path)
    for info in await provider.list({}):
        await provider.destroy(info.handle)
    for layer in await provider.list_layers():
        await provider.delete_layer(layer.id)


async def test_an_earlier_base_goes_with_the_last_that_stood_on_it(machine: Machine, base_layers: BaseLayers) -> None:
    provider, old = machine.provider, base_layers.base
    # An image of a repository, and a session that began on it and sleeps.
    builds_in = await machine.sandbox(old)
    await machine.run(builds_in, "echo checkout >checkout.txt")
    await provider.freeze(builds_in, REPO)
    image = image_of(0, layers=(old, REPO), machine=(old,), built_at=machine.clock.now())
    await machine.world.catalog.put_image(image)
    works_in = await machine.sandbox(old, REPO)
    await machine.run(works_in, "echo work >work.txt")
    await provider.snapshot(works_in, SNAP)
    new = await machine.renew(old, machine.clock.now())

    # The image is replaced; the session still has its sandbox, then only its snapshot.
    await machine.world.catalog.forget_image(image.build)
    assert await machine.collect_a_week_later() == ()
    await provider.destroy(works_in)
    machine.sessions = {old, REPO, SNAP}
    assert await machine.collect_a_week_later() == ()
    assert await provider.has_layer(old)

    # It wakes, and is gone for good some day.
    awake = await machine.sandbox(old, REPO, SNAP)
    assert await machine.run(awake, "cat checkout.txt work.txt") == "checkout\nwork\n"
    await provider.destroy(awake)
    machine.sessions = set()
    snapshots = Snapshots(provider, DirectoryLayerBlobs(machine.folder / "blobs"), machine.folder / "scratch")
    assert await snapshots.collect(await snapshots.all(), ()) == 1
    assert await machine.collect_a_week_later() == (REPO, old)
    assert [info.id for info in await provider.list_layers()] == [new]
    assert machine.collector.last is not None
    assert machine.collector.last.bytes > 100_000_000
    assert await BaseImage().newest(provider) == new


async def test_a_snapshot_comes_to_a_machine_that_has_nothing_but_the_base(
    machine: Machine, base_layers: BaseLayers, tmp_path: Path
) -> None:
    base, blobs = base_layers.base, DirectoryLayerBlobs(tmp_path / "blobs")
    builds_in = await machine.sandbox(base)
    await machine.run(builds_in, "mkdir gone; echo checkout >gone/file; echo checkout >checkout.txt")
    await machine.provider.freeze(builds_in, REPO)
    works_in = await machine.sandbox(base, REPO)
    await machine.run(works_in, "rm -r gone; echo work >work.txt; chmod 640 work.txt; ln -s work.txt link")
    await machine.provider.snapshot(works_in, SNAP)
    await Snapshots(machine.provider, blobs, tmp_path / "scratch").store((base, REPO, SNAP))
    assert sorted(await blobs.names()) == ["repo-one.tar.zst", "snap-one.tar.zst"]
    for info in await machine.provider.list({}):
        await machine.provider.destroy(info.handle)
    for layer in (SNAP, REPO):
        await machine.provider.delete_layer(layer)

    lines: list[str] = []
    snapshots = Snapshots(machine.provider, blobs, tmp_path / "scratch")
    assert await snapshots.fetch((base, REPO, SNAP, LayerId("base-other")), lines.append) == ("base-other",)
    assert [line.split()[1] for line in lines] == [REPO, SNAP, "base-other"]
    awake = await machine.sandbox(base, REPO, SNAP)
    seen = await machine.run(awake, "ls; cat checkout.txt link; stat -c %a work.txt")
    assert seen.split() == ["checkout.txt", "link", "work.txt", "checkout", "work", "640"]
