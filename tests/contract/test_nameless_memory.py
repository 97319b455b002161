"""When files without a name are looked for in real sandboxes, and that nobody else is ended for them."""

from collections.abc import AsyncIterator

import pytest

from outrider.model.ids import SandboxId, new_id
from outrider.model.sandbox import Limits, SandboxHandle, SandboxSpec
from outrider.ports.clock import SystemClock
from outrider.ports.sandbox import ExecSpec, Guest
from outrider.sandboxes.namespaces import nameless
from outrider.sandboxes.namespaces.mapped_call import MappedCalls
from outrider.sandboxes.namespaces.memory import Census, Files, take_census
from outrider.sandboxes.namespaces.nameless import Nameless
from outrider.sandboxes.namespaces.processes import ProcessIdentity, process_trees
from outrider.sandboxes.namespaces.provider import NamespaceProvider
from outrider.testing.base_layers import BaseLayers
from outrider.testing.manual_clock import ManualClock

pytestmark = pytest.mark.sandbox

MB = 1 << 20

HOARD = """
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(4, 0)  # not dumpable: who only has its uid may not look
for _ in range(int(sys.argv[1])):
    os.write(os.memfd_create("x"), b"x" * (8 << 20))
print("kept", flush=True)
signal.pause()
"""


class Looks:
    """The helper's calls, counted."""

    def __init__(self, provider: NamespaceProvider) -> None:
        self._provider = provider
        self.made = 0

    async def __call__(self) -> MappedCalls:
        self.made += 1
        return await self._provider.launcher.calls()


@pytest.fixture
async def sandbox(namespaces_provider: NamespaceProvider, base_layers: BaseLayers) -> AsyncIterator[SandboxHandle]:
    limits = Limits(memory_bytes=4 << 30)
    spec = SandboxSpec(id=SandboxId(new_id("sb")), layers=(base_layers.base,), limits=limits)
    handle = await namespaces_provider.create(spec)
    yield handle
    await namespaces_provider.destroy(handle)


def census_of(provider: NamespaceProvider, sandbox: SandboxHandle) -> Census:
    pids = provider.state.pids(sandbox.id)
    assert pids is not None
    init = ProcessIdentity(*pids.inner)
    return take_census(init, process_trees([init.pid])[init.pid])


async def hoard(guest: Guest, pieces: int) -> None:
    process = await guest.start(ExecSpec(argv=["python3", "-I", "-c", HOARD, str(pieces)]))
    assert await anext(process.stdout()) == b"kept\n"


def in_files(found: dict[int, Files]) -> int:
    return sum(sum(files.values()) for files in found.values())


async def test_a_look_is_made_only_where_it_may_find_something(
    namespaces_provider: NamespaceProvider, sandbox: SandboxHandle
) -> None:
    looks, clock, shared = Looks(namespaces_provider), ManualClock(), [1 << 30]
    nameless_files = Nameless(looks, clock, lambda: shared[0])

    async def found(limit: int) -> int:
        return in_files(dict(await nameless_files.files([(census_of(namespaces_provider, sandbox), limit)])))

    async with await namespaces_provider.connect(sandbox) as guest:
        await hoard(guest, 5)
        assert (await found(2 << 30), looks.made) == (0, 0)
        assert (await found(1 << 30), looks.made) == (40 * MB, 1)
        await hoard(guest, 5)
        assert (await found(1 << 30), looks.made) == (40 * MB, 1)
        shared[0] += nameless.STEP_BYTES
        assert (await found(1 << 30), looks.made) == (80 * MB, 2)
        clock.advance(nameless.SECONDS)
        assert (await found(1 << 30), looks.made) == (80 * MB, 3)
        assert (await found(60 * MB), looks.made) == (80 * MB, 4)


async def test_what_one_round_does_not_reach_the_next_ones_do(
    namespaces_provider: NamespaceProvider, sandbox: SandboxHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is said of a process before it was looked at in the pass that is under way."""
    monkeypatch.setattr(nameless, "FILES_A_LOOK", 1)
    looks = Looks(namespaces_provider)
    nameless_files = Nameless(looks, SystemClock())
    async with await namespaces_provider.connect(sandbox) as guest:
        await hoard(guest, 1)
        await hoard(guest, 1)
        census = census_of(namespaces_provider, sandbox)
        sums = [in_files(dict(await nameless_files.files([(census, 4 * MB)]))) for _ in census.uses]
    assert looks.made == len(census.uses)
    assert sums == sorted(sums)
    assert sums[-1] == 16 * MB
    assert sums[0] == 0
