"""Clean sandboxes and warm ones are destroyed, whenever their owner is cancelled."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from outrider.cli.trial import try_toolbox
from outrider.fleet.clean import CleanSandboxes, CleanSpec
from outrider.fleet.limits import SandboxSlots
from outrider.fleet.pool.plan import WarmPlan
from outrider.fleet.pool.warm import WarmMaker
from outrider.model.engine import ModelRef
from outrider.model.errors import SandboxError
from outrider.model.ids import CommitId, LayerId, SandboxId
from outrider.model.pool import PoolKey
from outrider.model.sandbox import Limits, SandboxHandle
from outrider.ports.sandbox import Guest
from outrider.testing.fake_engine import FakeEngine
from outrider.testing.fake_sandbox import FakeProvider
from outrider.testing.manual_clock import ManualClock
from outrider.testing.session_world import FakeBroker
from outrider.testing.tars import tar_of

BASE = LayerId("base-fake")


class SlowEnds(FakeProvider):
    """Whoever connects waits for ever; a destruction waits until the test lets it go on, and fails where it is told."""

    def __init__(self, state: Path) -> None:
        super().__init__(state)
        self.made = asyncio.Event()
        self.ending = asyncio.Event()
        self.go = asyncio.Event()
        self.failure: SandboxError | None = None

    async def connect(self, handle: SandboxHandle) -> Guest:
        self.made.set()
        await asyncio.Event().wait()
        raise AssertionError

    async def destroy(self, handle: SandboxHandle) -> None:
        self.ending.set()
        await self.go.wait()
        if self.failure:
            raise self.failure
        await super().destroy(handle)


@pytest.fixture
async def provider(tmp_path: Path) -> SlowEnds:
    provider, tar = SlowEnds(tmp_path / "fake"), tmp_path / "base.tar"
    tar.write_bytes(tar_of({"workspace/.keep": b""}))
    await provider.add_layer(BASE, tar)
    return provider


async def a_clean_one(provider: SlowEnds) -> None:
    clean = CleanSandboxes(provider, FakeBroker(), SandboxSlots(4))
    async with clean.open(CleanSpec("the checks", (BASE,)), lambda line: None) as handle, clean.connect(handle):
        pass


async def a_warm_one(provider: SlowEnds) -> None:
    maker = WarmMaker(provider, FakeBroker(), FakeEngine({}), ManualClock(), Limits())
    plan = WarmPlan(
        PoolKey(repository="shop", branch="main"), "build-1", CommitId("a" * 40), (BASE,), BASE, Path("/nonexistent")
    )
    await maker.make(SandboxId("warm-1"), plan, ModelRef.parse("rehearsal/demo"), background=False)


async def a_doctors_one(provider: SlowEnds) -> None:
    await try_toolbox(provider, BASE, BASE)


Make = Callable[[SlowEnds], Coroutine[Any, Any, None]]


@pytest.mark.parametrize("make", [a_clean_one, a_warm_one, a_doctors_one])
@pytest.mark.parametrize("again", [0, 1, 2])
async def test_it_is_destroyed_though_its_owner_is_cancelled_again(provider: SlowEnds, make: Make, again: int) -> None:
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(make(provider))
        await provider.made.wait()
        task.cancel()
        await provider.ending.wait()
        for _ in range(again):
            task.cancel()
            await asyncio.sleep(0)
        assert not task.done()
        provider.go.set()
    assert task.cancelled()
    assert await provider.list({}) == []


async def test_a_destruction_that_fails_leaves_a_cancelled_owner_cancelled(provider: SlowEnds) -> None:
    provider.failure = SandboxError("It does not die.")
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(a_clean_one(provider))
        await provider.made.wait()
        task.cancel()
        provider.go.set()
    assert task.cancelled()
