"""The pool at work: keeps sandboxes warm, holds them for people who type, gives them to sessions."""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from outrider.fleet.limits import SandboxSlots
from outrider.fleet.pool.book import LEASE_SECONDS, Entry, is_stale
from outrider.fleet.pool.keep import Keep, Makes
from outrider.fleet.pool.memory import Memory
from outrider.fleet.pool.plan import WarmPlans
from outrider.fleet.pool.tally import Tally
from outrider.fleet.pool.wants import Wants
from outrider.fleet.pool.warm import Warm
from outrider.model.engine import ModelRef
from outrider.model.errors import OutriderError
from outrider.model.pool import Miss, PoolKey, PoolReport, WarmPhase, WarmView
from outrider.model.sandbox import Limits
from outrider.ports.clock import Clock

TICK_SECONDS = 1.0

WAIT_SECONDS = 120.0
"""How long a session waits for a warm sandbox that is still starting: it has begun earlier than one of the session's
own could, and is not slower. What takes longer hangs."""

HELD_AT_ONCE = 2
"""Starts for people who type, at one time; beside these the pool itself starts one at a time."""


@dataclass(frozen=True, slots=True)
class PoolPolicy:
    """What the operator allows."""

    most: int
    """Warm sandboxes at once; 0 switches the pool off."""
    model: ModelRef
    """Whose engine is started where nobody has said another."""
    target: int | None = None
    """For each repository that was used lately; None: by demand. A recipe's own number goes before."""


@dataclass(frozen=True, slots=True)
class Lease:
    """A warm sandbox that is held for a person, ready or on its way."""

    ready: bool
    seconds: float = LEASE_SECONDS


@dataclass(frozen=True, slots=True)
class Room:
    """What a pool may use."""

    slots: SandboxSlots
    memory: Callable[[], Memory]
    shortage: Callable[[], OutriderError | None] = lambda: None
    """Why no sandbox may be started now; None where one may."""
    each: Limits = field(default_factory=Limits)
    """What one of its sandboxes may use at most."""


class Pool:
    """What sessions, routes and people need of the pool. `run` owns its tasks."""

    def __init__(self, makes: Makes, plans: WarmPlans, room: Room, clock: Clock, policy: PoolPolicy) -> None:
        self.policy = policy
        self._makes = makes
        self._tally = Tally()
        self._wants = Wants(plans, self._tally, policy.target)
        self._keep = Keep(makes, self._tally, clock)
        self._within = room
        self._short: OutriderError | None = None
        self._memory = room.memory()
        self._clock = clock
        self._running = False

    async def run(self) -> None:
        """Keep the pool until cancelled; then nothing of it is left."""
        try:
            async with self._keep.tasks:
                self._running = True
                while True:
                    await self._tick()
                    await self._first(self._keep.changed.wait(), TICK_SECONDS)
                    self._keep.changed.clear()
        finally:
            self._running = False
            await self._keep.close()

    async def hold(self, key: PoolKey, model: ModelRef, person: str) -> Lease | None:
        """Hold a warm sandbox for a person who types, for another while where one is held already. One is started where
        there is none and there is room. None where none can be had."""
        if not self._on:
            return None
        self._wants.demand.typing(key, self._clock.monotonic())
        plan = await self._wants.plan(key)
        if plan is None:
            return None
        entry = self._keep.book.hold(key, model, person, self._clock.monotonic())
        if entry is None and self._room() > 0 and self._keep.starting(held=True) < HELD_AT_ONCE:
            self._keep.begin(plan, model, person)
            return Lease(ready=False)
        self._keep.changed.set()
        return Lease(entry.ready) if entry else None

    async def take(self, key: PoolKey, model: ModelRef, person: str) -> Warm | None:
        """The sandbox that this person holds, or any that is free; it is the caller's from now on. None where a session
        has to start without, which is counted with the reason."""
        self._wants.demand.session(key, model, self._clock.monotonic())
        found = await self._choose(key, model, person)
        self._keep.changed.set()
        if isinstance(found, Miss):
            self._tally.missed(found)
            return None
        self._tally.hits += 1
        return found

    def lost(self) -> None:
        """The one that was just taken was dead."""
        self._tally.hits -= 1
        self._tally.missed(Miss.LOST)

    async def discard(self, warm: Warm) -> None:
        """Do away with one that was taken and is of no use."""
        await self._makes.discard(warm)

    def report(self) -> PoolReport:
        """The pool as it is now."""
        return PoolReport(
            at=self._clock.now(),
            most=self.policy.most,
            memory_left_bytes=self._memory.left,
            pressed=self._memory.pressed,
            sandboxes=tuple(map(self._view, self._keep.book.entries())),
            targets={str(key): want.target for key, want in self._wants.now.items()},
            counts=self._tally.counts(),
            hit_rate=self._tally.hit_rate,
            last_failure=self._tally.last_failure,
            short=str(self._short) if self._short else "",
        )

    @property
    def _on(self) -> bool:
        return self._running and self.policy.most > 0

    async def _tick(self) -> None:
        """Look once at what is wanted and what there is, and do what follows."""
        keep, now = self._keep, self._clock.monotonic()
        if not self._on:
            return
        self._memory = self._within.memory()
        self._short = self._within.shortage()
        await self._wants.refresh(now, [entry.key for entry in keep.book.entries()])
        keep.book.end_leases(now)
        steps = keep.book.steps(self._wants.now, now, room=self._room(), refilling=keep.refilling())
        for entry, why in steps.drop:
            keep.drop(entry.id, why)
        plan = await self._wants.plan(steps.make) if steps.make else None
        if plan:
            keep.begin(plan, self._model(plan.key))

    def _model(self, key: PoolKey) -> ModelRef:
        """That which is missing most of those that the last sessions wanted; the default where there were none."""
        entries = [entry for entry in self._keep.book.of(key) if entry.free]
        wanted = self._wants.demand.models(key)[: len(entries) + 1] or [self.policy.model]
        missing = Counter(wanted)
        missing.subtract(entry.model for entry in entries)
        return max(wanted, key=lambda model: missing[model])

    async def _choose(self, key: PoolKey, model: ModelRef, person: str) -> Warm | Miss:
        if not self._on:
            return Miss.OFF
        if await self._wants.plan(key) is None:
            return Miss.NO_IMAGE
        waited = False
        while isinstance(entry := self._keep.book.choose(key, model, person), Entry):
            kept, warm = self._keep[entry], self._keep.give(entry)
            if warm:
                return warm
            if waited:
                return Miss.NONE_READY
            waited = entry.claimed = True
            try:
                await self._makes.hurry(entry.id)
                await self._first(kept.settled.wait(), WAIT_SECONDS)
            finally:
                entry.claimed = False
        return entry

    def _room(self) -> int:
        """For how many more there is room; negative where some have to go. What starts has not taken its memory yet."""
        count, slots = len(self._keep.book), self._within.slots
        memory = self._memory.room
        if memory > 0:
            memory = max(memory - self._keep.starting(held=True) - self._keep.starting(held=False), 0)
        if self._short is not None:
            memory = min(memory, 0)
        return min(self.policy.most - count, slots.left(self._within.each) - count, memory)

    async def _first(self, news: Coroutine[Any, Any, Any], seconds: float) -> None:
        """Wait for news, or until so much time has passed."""
        async with asyncio.TaskGroup() as tasks:
            both = {
                tasks.create_task(news, name="pool news"),
                tasks.create_task(self._clock.sleep(seconds), name="pool timer"),
            }
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            for task in both:
                task.cancel()

    def _view(self, entry: Entry) -> WarmView:
        now = self._clock.monotonic()
        phase = WarmPhase.STARTING if not entry.ready else WarmPhase.READY if entry.free else WarmPhase.HELD
        return WarmView(
            id=entry.id,
            repository=entry.key.repository,
            branch=entry.key.branch,
            model=str(entry.model),
            phase=phase,
            held_for=entry.person or None,
            stale=is_stale(entry, self._wants.now, now),
            commit=self._keep[entry].plan.commit,
            age_seconds=max(now - entry.since, 0),
        )
