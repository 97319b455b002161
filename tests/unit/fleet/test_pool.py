"""The pool at work, with sandboxes that are made when the test says so and a clock that the test owns."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from outrider.fleet.limits import SandboxSlots
from outrider.fleet.pool.book import LEASE_SECONDS
from outrider.fleet.pool.memory import ONE_SANDBOX_BYTES, Memory, MemoryGauge
from outrider.fleet.pool.plan import WarmPlan
from outrider.fleet.pool.pool import TICK_SECONDS, WAIT_SECONDS, Lease, Pool, PoolPolicy, Room
from outrider.fleet.pool.wants import PLANS_SECONDS
from outrider.fleet.pool.warm import Warm
from outrider.model.engine import ModelRef
from outrider.model.errors import LimitReached, SandboxError
from outrider.model.ids import CommitId, LayerId, SandboxId
from outrider.model.pool import Miss, PoolKey, WarmPhase
from outrider.testing.manual_clock import ManualClock

SHOP = PoolKey(repository="shop", branch="main")
MODEL, OTHER = ModelRef.parse("rehearsal/demo"), ModelRef.parse("openai/gpt-5.1")
ADA, BOB = "ada@example.com", "bob@example.com"
PLENTY = Memory(total=64 << 30, left=48 << 30)
SHORT = Memory(total=64 << 30, left=1 << 30)


@dataclass
class Sandbox:
    """A warm sandbox of which only the life is played."""

    id: SandboxId
    plan: WarmPlan
    model: ModelRef
    died: asyncio.Event = field(default_factory=asyncio.Event)

    async def lost(self) -> str:
        await self.died.wait()
        return "It was killed."


@dataclass
class Making:
    """Makes them at once, unless `gate` is shut."""

    gate: asyncio.Event = field(default_factory=asyncio.Event)
    broken: bool = False
    asked: list[Sandbox] = field(default_factory=list)
    discarded: list[str] = field(default_factory=list)
    cancelled: int = 0
    hurried: list[str] = field(default_factory=list)
    background: dict[str, bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.gate.set()

    async def hurry(self, sandbox: SandboxId) -> None:
        self.hurried.append(sandbox)

    async def make(self, sandbox: SandboxId, plan: WarmPlan, model: ModelRef, *, background: bool) -> Warm:
        self.background[sandbox] = background
        made = Sandbox(sandbox, plan, model)
        self.asked.append(made)
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.broken:
            raise SandboxError("The disk is full.")
        return cast("Warm", made)

    async def discard(self, warm: Warm) -> None:
        self.discarded.append(cast("Sandbox", warm).id)


@dataclass
class Plans:
    """One image for each known repository; `build` is its newest."""

    build: str = "b-one"
    known: Sequence[PoolKey] = (SHOP,)
    kept: Sequence[PoolKey] = ()
    target: int | None = None

    async def plan(self, key: PoolKey) -> WarmPlan | None:
        if key not in self.known:
            return None
        layers = (LayerId("layer-base"), LayerId(f"layer-{self.build}"))
        return WarmPlan(
            key, self.build, CommitId("c" * 40), layers, LayerId("layer-tools"), Path("/mirror"), target=self.target
        )

    async def fixed(self) -> Sequence[PoolKey]:
        return self.kept


@dataclass
class World:
    making: Making = field(default_factory=Making)
    plans: Plans = field(default_factory=Plans)
    slots: SandboxSlots = field(default_factory=lambda: SandboxSlots(8))
    memory: Memory = PLENTY
    clock: ManualClock = field(default_factory=ManualClock)
    short: LimitReached | None = None
    most: int = 4
    target: int | None = None
    pool: Pool = field(init=False)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Pool]:
        policy = PoolPolicy(self.most, MODEL, self.target)
        self.pool = Pool(
            self.making, self.plans, Room(self.slots, lambda: self.memory, lambda: self.short), self.clock, policy
        )
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(self.pool.run(), name="pool")
            await self.settle()
            yield self.pool
            task.cancel()

    async def settle(self) -> None:
        """Let everything happen that can happen now."""
        for _ in range(50):
            await asyncio.sleep(0)

    async def pass_time(self, seconds: float) -> None:
        """Tick by tick."""
        for _ in range(max(1, round(seconds / TICK_SECONDS))):
            self.clock.advance(TICK_SECONDS)
            await self.settle()

    async def take(self, person: str = ADA, model: ModelRef = MODEL) -> Sandbox | None:
        found = await self.pool.take(SHOP, model, person)
        await self.settle()
        return cast("Sandbox | None", found)

    def phases(self) -> list[WarmPhase]:
        return [view.phase for view in self.pool.report().sandboxes]


async def test_a_fixed_target_is_reached_step_by_step() -> None:
    world = World(plans=Plans(kept=(SHOP,), target=3))
    world.making.gate.clear()
    async with world.running():
        await world.pass_time(3)
        assert len(world.making.asked) == 2, "where none is ready, two at a time"
        world.making.gate.set()
        await world.pass_time(3)
        assert world.phases() == [WarmPhase.READY] * 3
    assert sorted(world.making.discarded) == sorted(one.id for one in world.making.asked)


async def test_a_session_takes_one_and_it_is_replaced() -> None:
    world = World(plans=Plans(kept=(SHOP,), target=2))
    async with world.running() as pool:
        await world.pass_time(2)
        first, second = await world.take(), await world.take()
        assert first is not None
        assert second is not None
        assert first.id != second.id
        await world.pass_time(2)
        assert world.phases() == [WarmPhase.READY] * 2
        report = pool.report()
        assert (report.hit_rate, report.counts.hits, report.counts.missed) == (1.0, 2, 0)
        assert world.making.discarded == []


async def test_it_refills_with_the_models_that_people_use() -> None:
    world = World(plans=Plans(kept=(SHOP,), target=3))
    async with world.running():
        await world.pass_time(3)
        assert {made.model for made in world.making.asked} == {MODEL}
        for model in (OTHER, MODEL, OTHER):
            await world.take(model=model)
        await world.pass_time(3)
        now = {view.model for view in world.pool.report().sandboxes}
        assert now == {str(OTHER), str(MODEL)}


async def test_where_the_disk_is_short_none_is_started_and_none_is_dropped() -> None:
    world = World(plans=Plans(kept=(SHOP,), target=2))
    async with world.running() as pool:
        await world.pass_time(2)
        world.short = LimitReached("The disk is nearly full.")
        await world.pass_time(1)
        assert world.phases() == [WarmPhase.READY] * 2
        await world.take()
        await world.pass_time(3)
        assert world.phases() == [WarmPhase.READY]
        assert pool.report().short == "The disk is nearly full."
        assert await pool.hold(SHOP, MODEL, ADA) == Lease(ready=True)
        assert await pool.hold(SHOP, MODEL, BOB) is None
        world.short = None
        await world.pass_time(2)
        assert len(world.phases()) > 1


async def test_why_a_session_got_none() -> None:
    world = World(plans=Plans(known=()))
    async with world.running() as pool:
        assert await world.take() is None
        world.plans.known = (SHOP,)
        await world.pass_time(PLANS_SECONDS + 1)
        world.memory = SHORT  # nothing takes its place
        assert await world.take() is not None
        assert await world.take() is None
        assert pool.report().counts.misses == {Miss.NO_IMAGE.value: 1, Miss.NONE_READY.value: 1}
    off = World(most=0)
    async with off.running() as pool:
        assert await off.take() is None
        assert await pool.hold(SHOP, MODEL, ADA) is None
        assert pool.report().counts.misses == {Miss.OFF.value: 1}


async def test_typing_starts_one_holds_it_and_gives_it_back() -> None:
    world = World()
    async with world.running() as pool:
        assert world.making.asked == []
        assert await pool.hold(SHOP, OTHER, ADA) == Lease(ready=False)
        await world.settle()
        assert await pool.hold(SHOP, OTHER, ADA) == Lease(ready=True)
        assert [made.model for made in world.making.asked][:1] == [OTHER]
        assert await world.take(BOB, OTHER) is not world.making.asked[0]
        for _ in range(3):
            await world.pass_time(LEASE_SECONDS - 1)
            await pool.hold(SHOP, OTHER, ADA)
        assert WarmPhase.HELD in world.phases()
        await world.pass_time(LEASE_SECONDS + 1)
        assert set(world.phases()) == {WarmPhase.READY}
        assert await world.take(BOB) is not None


async def test_a_lease_begins_when_its_sandbox_is_ready() -> None:
    world = World()
    world.making.gate.clear()
    async with world.running() as pool:
        await pool.hold(SHOP, MODEL, ADA)
        await world.pass_time(LEASE_SECONDS * 2)
        world.making.gate.set()
        await world.pass_time(LEASE_SECONDS - 2)
        assert WarmPhase.HELD in world.phases()
        await world.pass_time(4)
        assert WarmPhase.HELD not in world.phases()


async def test_a_session_waits_for_what_is_held_for_its_author() -> None:
    world = World()
    world.making.gate.clear()
    async with world.running() as pool, asyncio.TaskGroup() as tasks:
        await pool.hold(SHOP, MODEL, ADA)
        await world.settle()
        taking = tasks.create_task(world.take(), name="take")
        await world.pass_time(2)
        assert not taking.done()
        held = world.making.asked[0]
        assert (world.making.background[held.id], world.making.hurried) == (False, [held.id])
        world.making.gate.set()
        assert await taking is held


async def test_a_session_waits_only_so_long() -> None:
    world = World()
    world.making.gate.clear()
    async with world.running() as pool, asyncio.TaskGroup() as tasks:
        await pool.hold(SHOP, MODEL, ADA)
        taking = tasks.create_task(world.take(), name="take")
        await world.settle()
        await world.pass_time(WAIT_SECONDS + 1)
        assert await taking is None
        assert pool.report().counts.misses == {Miss.NONE_READY.value: 1}


async def test_a_newer_image_replaces_one_at_a_time() -> None:
    world = World(plans=Plans(kept=(SHOP,), target=2))
    async with world.running():
        await world.pass_time(2)
        world.plans.build = "b-two"
        seen: set[int] = set()
        for _ in range(20):
            await world.pass_time(1)
            seen.add(len(world.phases()))
        assert min(seen) == 2
        assert {made.plan.build for made in world.making.asked[-2:]} == {"b-two"}
        assert sorted(world.making.discarded) == sorted(made.id for made in world.making.asked[:2])


async def test_it_shrinks_where_memory_is_short_and_grows_again() -> None:
    world = World(plans=Plans(kept=(SHOP,), target=3))
    async with world.running() as pool:
        await world.pass_time(3)
        world.memory = SHORT
        await world.pass_time(1)
        assert len(world.phases()) < 3
        await world.pass_time(3)
        assert (world.phases(), pool.report().pressed) == ([], True)
        assert await pool.hold(SHOP, MODEL, ADA) is None
        world.memory = PLENTY
        await world.pass_time(3)
        assert len(world.phases()) == 3


async def test_memory_for_one_more_is_not_spent_twice() -> None:
    left = PLENTY.reserve + ONE_SANDBOX_BYTES
    world = World(memory=PLENTY.model_copy(update={"left": left}), plans=Plans(kept=(SHOP,), target=3))
    world.making.gate.clear()
    async with world.running() as pool:
        assert len(world.making.asked) == 1
        assert await pool.hold(SHOP, MODEL, ADA) == Lease(ready=False)
        assert await pool.hold(SHOP, MODEL, BOB) is None
        assert len(world.making.asked) == 1


async def test_sessions_go_before_warm_ones_and_never_wait() -> None:
    world = World(slots=SandboxSlots(3), plans=Plans(kept=(SHOP,), target=3))
    waits: list[str] = []
    async with world.running():
        await world.pass_time(3)
        assert len(world.phases()) == 3
        async with world.slots.take("a session", waits.append), world.slots.take("a session", waits.append):
            await world.pass_time(1)
            assert (len(world.phases()), waits) == (1, [])
            await world.pass_time(2)
            assert len(world.phases()) == 1
        await world.pass_time(3)
        assert len(world.phases()) == 3


async def test_a_dead_one_is_noticed_and_replaced() -> None:
    world = World(plans=Plans(kept=(SHOP,), target=1))
    async with world.running() as pool:
        world.making.asked[0].died.set()
        await world.pass_time(2)
        assert len(world.making.asked) == 2
        assert world.making.discarded == [world.making.asked[0].id]
        assert await world.take() is world.making.asked[1]
        assert pool.report().counts.dropped == {"it was lost": 1}


async def test_starts_that_fail_are_told_and_tried_ever_more_rarely() -> None:
    world = World(plans=Plans(kept=(SHOP,), target=1))
    world.making.broken = True
    async with world.running() as pool:
        await world.pass_time(60)
        assert 2 <= len(world.making.asked) <= 5
        report = pool.report()
        assert (report.last_failure, report.counts.failed) == ("The disk is full.", len(world.making.asked))
        world.making.broken = False
        await world.pass_time(60)
        assert world.phases() == [WarmPhase.READY]


async def test_a_start_that_is_not_wanted_any_more_is_cancelled() -> None:
    world = World(slots=SandboxSlots(1), plans=Plans(kept=(SHOP,), target=1))
    world.making.gate.clear()
    async with world.running(), world.slots.take("a session", lambda line: None):
        await world.pass_time(1)
        assert (world.making.cancelled, world.phases()) == (1, [])


async def test_demand_is_enough_without_any_setting() -> None:
    world = World()
    async with world.running() as pool:
        assert await world.take() is None
        await world.pass_time(1)
        assert world.phases() == [WarmPhase.READY]
        for _ in range(10):
            await world.pass_time(6)
            assert await world.take() is not None
        await world.pass_time(5)
        assert (pool.report().targets, pool.report().counts.hits) == ({str(SHOP): 1}, 10)


def test_the_gauge_takes_the_tighter_of_machine_and_group(tmp_path: Path) -> None:
    write: Callable[[str, str], object] = lambda name, text: file(tmp_path, name).write_text(text)  # noqa: E731
    write("meminfo", "MemTotal: 8388608 kB\nMemFree: 1 kB\nMemAvailable: 4194304 kB\n")
    write("cgroup", "11:memory:/box/inner\n0::/\n")
    gauge = MemoryGauge(tmp_path / "meminfo", tmp_path / "cgroup", tmp_path / "groups")
    assert gauge.read() == Memory(total=8 << 30, left=4 << 30)
    write("groups/memory/box/memory.limit_in_bytes", str(2 << 30))
    write("groups/memory/box/memory.usage_in_bytes", str(1 << 30))
    write("groups/memory/box/memory.stat", f"cache 5\ntotal_inactive_file {256 << 20}\n")
    assert gauge.read() == Memory(total=2 << 30, left=(1 << 30) + (256 << 20))


def file(folder: Path, name: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
