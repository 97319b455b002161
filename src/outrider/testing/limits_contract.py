"""What every provider does when a sandbox wants more than it may have. Subclass as with `sandbox_contract`."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from outrider.model.errors import SandboxLost
from outrider.model.ids import LayerId, SandboxId
from outrider.model.sandbox import Limits, LimitTier, SandboxHandle
from outrider.ports.sandbox import ExecSpec, Guest, SandboxProvider
from outrider.testing.sandbox_contract import SandboxFixtures, shell, spec_of

EAT_MEMORY = (
    "import time\ndata = []\nfor _ in range(40):\n    data.append(bytearray(b'x') * (10 << 20))\ntime.sleep(600)"
)
FILL_SHARED_MEMORY = """
import time
with open("/dev/shm/full", "wb", buffering=0) as file:
    try:
        for _ in range(30):
            file.write(b"x" * (5 << 20))
    except OSError:
        pass
data = bytearray(b"x") * (90 << 20)
time.sleep(10)
"""
"""Neither is over a limit of 150 MB alone; both together are."""
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
BURN = "import time\nend = time.monotonic() + 0.8\nwhile time.monotonic() < end: pass\nprint(time.process_time())"


class Ears:
    """What a watchdog has told."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.any = asyncio.Event()

    async def __call__(self, _sandbox: SandboxId, sentence: str) -> None:
        self.heard.append(sentence)
        self.any.set()


@asynccontextmanager
async def limited(provider: SandboxProvider, base: LayerId, **limits: float) -> AsyncIterator[SandboxHandle]:
    """A sandbox with these limits."""
    handle = await provider.create(spec_of(base, limits=Limits.model_validate(limits), labels={"for": "limits"}))
    try:
        yield handle
    finally:
        await provider.destroy(handle)


class LimitsContract(SandboxFixtures):
    """For the limits of `outrider.ports.sandbox.SandboxProvider`, and its `Watchdog`."""

    async def test_memory_ends_at_its_limit_and_it_is_said(self, provider: SandboxProvider, base: LayerId) -> None:
        ears = Ears()
        watchdog = provider.watchdog(ears)
        async with (
            limited(provider, base, memory_bytes=150 << 20) as handle,
            await provider.connect(handle) as guest,
            asyncio.TaskGroup() as group,
        ):
            watching = group.create_task(watchdog.run(), name="watchdog")
            code, _ = await _python(guest, EAT_MEMORY)
            assert code == 128 + 9
            await ears.any.wait()
            watching.cancel()
            assert (await guest.run(ExecSpec(argv=["true"]))).exit_code == 0
        [said] = set(ears.heard)
        killed = "A process in the sandbox was killed: together they used more than the 150 MB of memory they may."
        assert said.startswith(killed)
        assert "can raise OUTRIDER_SANDBOX_MEMORY_BYTES." in said

    async def test_what_lies_in_shared_memory_counts(self, provider: SandboxProvider, base: LayerId) -> None:
        """/dev/shm has half of the memory at most, and what is in it is part of it: the sum is the limit."""
        ears = Ears()
        watchdog = provider.watchdog(ears)
        async with (
            limited(provider, base, memory_bytes=150 << 20) as handle,
            await provider.connect(handle) as guest,
            asyncio.TaskGroup() as group,
        ):
            watching = group.create_task(watchdog.run(), name="watchdog")
            code, _ = await _python(guest, FILL_SHARED_MEMORY)
            assert code == 128 + 9
            await ears.any.wait()
            watching.cancel()
            assert (await guest.run(shell("test $(stat -c %s /dev/shm/full) -le $((75 << 20))"))).exit_code == 0
        assert all("150 MB of memory" in sentence for sentence in ears.heard)

    async def test_a_fork_bomb_ends_at_its_limit(self, provider: SandboxProvider, base: LayerId) -> None:
        async with (
            limited(provider, base, processes=100) as handle,
            limited(provider, base) as other,
            await provider.connect(handle) as guest,
            await provider.connect(other) as neighbour,
        ):
            _, printed = await _python(guest, EAT_PROCESSES)
            assert 50 < int(printed) < 100
            assert (await neighbour.run(ExecSpec(argv=["true"]))).exit_code == 0
            await guest.kill_everything()
            assert (await guest.run(ExecSpec(argv=["true"]))).exit_code == 0

    async def test_disk_ends_the_sandbox_and_keeps_its_files(self, provider: SandboxProvider, base: LayerId) -> None:
        ears = Ears()
        watchdog = provider.watchdog(ears)
        async with limited(provider, base, disk_bytes=50 << 20) as handle:
            async with await provider.connect(handle) as guest:
                await guest.run(shell("for n in 1 2 3; do head -c 30000000 /dev/zero >/workspace/$n; done; sync"))
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

    async def test_one_file_cannot_be_larger_than_the_disk(self, provider: SandboxProvider, base: LayerId) -> None:
        async with limited(provider, base, disk_bytes=5 << 20) as handle, await provider.connect(handle) as guest:
            assert (await guest.run(ExecSpec(argv=["head", "-c", "10000000", "/dev/zero"]))).exit_code == 0
            await guest.run(shell("head -c 10000000 /dev/zero >/workspace/file"))
            size = await guest.run(shell("stat -c %s /workspace/file"))
            assert int(size.output) == 5 << 20

    async def test_wall_time_ends_the_sandbox(self, provider: SandboxProvider, base: LayerId) -> None:
        ears = Ears()
        async with limited(provider, base, wall_seconds=0.001) as handle:
            await provider.watchdog(ears).look()
            with pytest.raises(SandboxLost):
                await provider.connect(handle)
        assert len(ears.heard) == 1
        assert ears.heard[0].startswith("The sandbox was stopped: it has run for its limit of 0.001 s. Who runs")
        assert "can raise OUTRIDER_SANDBOX_SECONDS." in ears.heard[0]

    async def test_cpu_is_shared_out(self, provider: SandboxProvider, base: LayerId) -> None:
        if (await provider.probe()).limit_tier is LimitTier.WATCHDOG:
            pytest.skip("this tier does not promise it")
        async with limited(provider, base, cpus=0.2) as handle, await provider.connect(handle) as guest:
            _, printed = await _python(guest, BURN)
        assert float(printed) < 0.35


async def _python(guest: Guest, script: str) -> tuple[int, str]:
    done = await guest.run(ExecSpec(argv=["python3", "-c", script]))
    return done.exit_code, done.output.decode()
