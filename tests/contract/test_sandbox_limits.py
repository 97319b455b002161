"""Limits of the `namespaces` provider: kept by the kernel in one tier, by the watchdog in the other, said in both."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from outrider.model.errors import SandboxLost
from outrider.model.ids import SandboxId, new_id
from outrider.model.sandbox import Limits, LimitTier, SandboxHandle, SandboxSpec
from outrider.ports.clock import SystemClock
from outrider.ports.sandbox import ExecSpec, Guest
from outrider.sandboxes.namespaces.cgroups import find_cgroups
from outrider.sandboxes.namespaces.provider import NamespaceProvider
from outrider.testing.base_layers import BaseLayers

pytestmark = pytest.mark.sandbox

EAT_MEMORY = (
    "import time\ndata = []\nfor _ in range(40):\n    data.append(bytearray(b'x') * (10 << 20))\ntime.sleep(600)"
)
EAT_PROCESSES = """
import os, time
made = 0
try:
    for _ in range(400):
        if os.fork() == 0:
            time.sleep(600)
        made += 1
except OSError:
    pass
print(made, flush=True)
os.kill(0, 9)
"""


class Ears:
    """What the watchdog has told."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.any = asyncio.Event()

    async def __call__(self, _sandbox: SandboxId, sentence: str) -> None:
        self.heard.append(sentence)
        self.any.set()


@pytest.fixture(params=[LimitTier.CGROUP, LimitTier.WATCHDOG])
def provider(namespaces_provider: NamespaceProvider, request: pytest.FixtureRequest) -> NamespaceProvider:
    groups = find_cgroups() if request.param is LimitTier.CGROUP else None
    if request.param is LimitTier.CGROUP and groups is None:
        pytest.skip("no control groups that we may write")
    return NamespaceProvider(namespaces_provider.state.path, SystemClock(), groups=groups)


@asynccontextmanager
async def sandbox(provider: NamespaceProvider, layers: BaseLayers, **limits: float) -> AsyncIterator[SandboxHandle]:
    spec = SandboxSpec(
        id=SandboxId(new_id("sb")),
        layers=(layers.base,),
        limits=Limits.model_validate(limits),
        labels={"for": "limits"},
    )
    handle = await provider.create(spec)
    try:
        yield handle
    finally:
        await provider.destroy(handle)


async def python(guest: Guest, script: str) -> tuple[int, str]:
    done = await guest.run(ExecSpec(argv=["python3", "-c", script]))
    return done.exit_code, done.output.decode()


async def test_memory_ends_at_its_limit_and_it_is_said(provider: NamespaceProvider, base_layers: BaseLayers) -> None:
    ears = Ears()
    watchdog = provider.watchdog(ears)
    async with (
        sandbox(provider, base_layers, memory_bytes=150 << 20) as handle,
        await provider.connect(handle) as guest,
        asyncio.TaskGroup() as group,
    ):
        watching = group.create_task(watchdog.run(), name="watchdog")
        code, _ = await python(guest, EAT_MEMORY)
        assert code == 128 + 9
        await ears.any.wait()
        watching.cancel()
        assert (await guest.run(ExecSpec(argv=["true"]))).exit_code == 0
    assert ears.heard == [
        "A process in the sandbox was killed: together they used more than the 150 MB of memory they may."
    ]


async def test_a_fork_bomb_ends_at_its_limit(provider: NamespaceProvider, base_layers: BaseLayers) -> None:
    async with (
        sandbox(provider, base_layers, processes=100) as handle,
        sandbox(provider, base_layers) as other,
        await provider.connect(handle) as guest,
        await provider.connect(other) as neighbour,
    ):
        _, printed = await python(guest, EAT_PROCESSES)
        assert 50 < int(printed) < 100
        assert (await neighbour.run(ExecSpec(argv=["true"]))).exit_code == 0
        await guest.kill_everything()
        assert (await guest.run(ExecSpec(argv=["true"]))).exit_code == 0


async def test_disk_ends_the_sandbox_and_keeps_its_files(provider: NamespaceProvider, base_layers: BaseLayers) -> None:
    ears = Ears()
    watchdog = provider.watchdog(ears)
    async with sandbox(provider, base_layers, disk_bytes=50 << 20) as handle:
        async with await provider.connect(handle) as guest:
            await guest.run(
                ExecSpec(argv=["sh", "-c", "for n in 1 2 3; do head -c 30000000 /dev/zero >/workspace/$n; done"])
            )
            await watchdog.look()
            assert await guest.wait_lost()
        assert "disk" in ears.heard[0]
        assert "Its files are kept" in ears.heard[0]
        await provider.start(handle)
        await provider.watchdog(ears).look()
        await provider.start(handle)
        await watchdog.look()
        async with await provider.connect(handle) as guest:
            assert (await guest.run(ExecSpec(argv=["rm", "/workspace/1"]))).exit_code == 0


async def test_one_file_cannot_be_larger_than_the_disk(provider: NamespaceProvider, base_layers: BaseLayers) -> None:
    async with (
        sandbox(provider, base_layers, disk_bytes=5 << 20) as handle,
        await provider.connect(handle) as guest,
    ):
        done = await guest.run(ExecSpec(argv=["head", "-c", "10000000", "/dev/zero"]))
        assert done.exit_code == 0
        await guest.run(ExecSpec(argv=["sh", "-c", "head -c 10000000 /dev/zero >/workspace/file"]))
        size = await guest.run(ExecSpec(argv=["stat", "-c", "%s", "/workspace/file"]))
        assert int(size.output) == 5 << 20


async def test_wall_time_ends_the_sandbox(provider: NamespaceProvider, base_layers: BaseLayers) -> None:
    ears = Ears()
    async with sandbox(provider, base_layers, wall_seconds=0.001) as handle:
        await provider.watchdog(ears).look()
        with pytest.raises(SandboxLost):
            await provider.connect(handle)
    assert ears.heard == ["The sandbox was stopped: it has run for its limit of 0.001 s."]


async def test_cpu_is_shared_out(provider: NamespaceProvider, base_layers: BaseLayers) -> None:
    if provider.tier is LimitTier.WATCHDOG:
        pytest.skip("this tier does not promise it")
    burn = "import time\nend = time.monotonic() + 0.8\nwhile time.monotonic() < end: pass\nprint(time.process_time())"
    async with sandbox(provider, base_layers, cpus=0.2) as handle, await provider.connect(handle) as guest:
        _, printed = await python(guest, burn)
    assert float(printed) < 0.35
