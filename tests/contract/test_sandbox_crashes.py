"""What `namespaces` trusts after a loss of power: another boot id is what a machine has that was started again."""

from collections.abc import Callable
from pathlib import Path

import pytest

from outrider.model.errors import SandboxLost
from outrider.model.ids import LayerId, SandboxId, new_id
from outrider.model.sandbox import SandboxHandle, SandboxSpec
from outrider.ports.clock import SystemClock
from outrider.sandboxes.namespaces.provider import NamespaceProvider
from outrider.testing.base_layers import BaseLayers, copy_layer
from outrider.testing.sandbox_contract import shell
from tests.linked_layers import link_layer

pytestmark = pytest.mark.sandbox

MakeBoot = Callable[[str], NamespaceProvider]


@pytest.fixture
def boot(tmp_path: Path) -> MakeBoot:
    """The provider over one state folder, as it is in the boot of this name."""
    return lambda name: NamespaceProvider(tmp_path / "state", SystemClock(), boot=name)


async def begin(provider: NamespaceProvider, source: NamespaceProvider, base: LayerId, folder: Path) -> SandboxHandle:
    """A running sandbox that has written a file, of a base that is on the disk."""
    await link_layer(base, source, provider)
    await copy_layer(base, source, provider, folder)
    await provider.settle()
    handle = await provider.create(SandboxSpec(id=SandboxId(new_id("sb")), layers=(base,)))
    async with await provider.connect(handle) as guest:
        await guest.run(shell("echo one >file"))
    return handle


async def written(provider: NamespaceProvider, handle: SandboxHandle) -> bytes:
    """What stands in the file."""
    async with await provider.connect(handle) as guest:
        return (await guest.run(shell("cat file"))).output


async def test_what_was_not_on_the_disk_is_not_trusted_again(
    boot: MakeBoot, namespaces_provider: NamespaceProvider, base_layers: BaseLayers, tmp_path: Path
) -> None:
    first, base = boot("first"), base_layers.base
    running = await begin(first, namespaces_provider, base, tmp_path)
    synced, cut_off = LayerId("snap-synced"), LayerId("snap-cut-off")
    await first.snapshot(running, synced)
    await first.settle()
    await first.snapshot(running, cut_off)
    await first.stop(running)

    second = boot("second")
    await second.probe()
    assert [await second.has_layer(layer) for layer in (base, synced, cut_off)] == [True, True, False]
    assert [row.suspect for row in await second.list({})] == [True]
    for call in (second.start, second.connect, lambda handle: second.freeze(handle, cut_off)):
        with pytest.raises(SandboxLost, match="stopped without warning"):
            await call(running)
    await second.destroy(running)
    again = await second.create(SandboxSpec(id=running.id, layers=(base, synced)))
    assert [row.suspect for row in await second.list({})] == [False]
    assert await written(second, again) == b"one\n"
    await second.destroy(again)


async def test_what_was_synced_is_trusted_unless_it_stands_on_what_is_not(
    boot: MakeBoot, namespaces_provider: NamespaceProvider, base_layers: BaseLayers, tmp_path: Path
) -> None:
    first, base = boot("first"), base_layers.base
    handle = await begin(first, namespaces_provider, base, tmp_path)
    await first.stop(handle)
    await first.settle()

    second = boot("second")
    await second.probe()
    await second.start(handle)
    assert await written(second, handle) == b"one\n"
    await second.stop(handle)
    await second.settle()
    second.state.unsynced.mark("layer", base)

    third = boot("third")
    await third.probe()
    assert not await third.has_layer(base)
    assert [row.suspect for row in await third.list({})] == [True]
    await third.destroy(handle)
