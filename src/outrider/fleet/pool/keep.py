"""The sandboxes of the pool's book as they live: started, watched, given away, done away with."""

import asyncio
import logging
from dataclasses import dataclass, field
from typing import Protocol

from outrider.fleet.pool.book import LEASE_SECONDS, Book, Entry
from outrider.fleet.pool.plan import WarmPlan
from outrider.fleet.pool.tally import Tally
from outrider.fleet.pool.warm import Warm
from outrider.model.engine import ModelRef
from outrider.model.errors import OutriderError
from outrider.model.ids import SandboxId, new_id
from outrider.ports.clock import Clock

logger = logging.getLogger(__name__)

STARTS_WHERE_NONE_IS_READY = 2

BACK_OFF_SECONDS = 5.0
LONGEST_BACK_OFF_SECONDS = 300.0
"""After starts that fail, the next is tried ever later."""


class Makes(Protocol):
    """Whoever makes warm sandboxes and does away with them."""

    async def make(self, sandbox: SandboxId, plan: WarmPlan, model: ModelRef, *, background: bool) -> Warm:
        """In the background where nobody waits for it. Raises OutriderError; leaves nothing then."""

    async def hurry(self, sandbox: SandboxId) -> None:
        """Somebody waits for one that is being made. Never raises but when it is cancelled."""

    async def discard(self, warm: Warm) -> None:
        """Close and destroy it. Never raises but when it is cancelled."""


@dataclass(slots=True)
class Kept:
    """What belongs to an entry of the book while it is the pool's."""

    task: "asyncio.Task[None]"
    plan: WarmPlan
    warm: Warm | None = None
    settled: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when it is ready, or when nothing came of it."""


class Keep:
    """Owns the book and a task for each of its entries."""

    def __init__(self, makes: Makes, tally: Tally, clock: Clock) -> None:
        self.book = Book()
        self.changed = asyncio.Event()
        self.tasks = asyncio.TaskGroup()
        self._makes = makes
        self._tally = tally
        self._clock = clock
        self._kept: dict[SandboxId, Kept] = {}
        self._failures = 0
        self._not_before = 0.0

    def __getitem__(self, entry: Entry) -> Kept:
        return self._kept[entry.id]

    def begin(self, plan: WarmPlan, model: ModelRef, person: str = "") -> None:
        """Start one, held for a person where one is named."""
        now = self._clock.monotonic()
        entry = Entry(SandboxId(new_id("warm")), plan.key, model, plan.make, now, person=person)
        entry.until = now + LEASE_SECONDS
        self.book.begin(entry)
        task = self.tasks.create_task(self._live(entry, plan), name=f"warm {entry.id}")
        self._kept[entry.id] = Kept(task, plan)

    def give(self, entry: Entry) -> Warm | None:
        """Give one away: it is the caller's from now on. None, and nothing changes, where it is not ready."""
        kept = self._kept[entry.id]
        if kept.warm is not None:
            self._forget(entry.id)
        return kept.warm

    def drop(self, sandbox: SandboxId, why: str) -> None:
        """Do away with one."""
        kept = self._forget(sandbox)
        self._tally.dropped(why)
        if kept.warm:
            self.tasks.create_task(self._makes.discard(kept.warm), name=f"discard {sandbox}")

    def starting(self, *, held: bool) -> int:
        """How many are being started, for people or for the pool."""
        return sum(not entry.ready and entry.free is not held for entry in self.book.entries())

    def refilling(self) -> bool:
        """Whether the pool is not to begin another now. Where none is ready it starts two at a time: somebody may wait
        for the next one already."""
        most = 1 if any(entry.ready and entry.free for entry in self.book.entries()) else STARTS_WHERE_NONE_IS_READY
        return self.starting(held=False) >= most or self._clock.monotonic() < self._not_before

    async def close(self) -> None:
        """Do away with all. Their tasks have ended."""
        async with asyncio.TaskGroup() as tasks:
            for warm in [kept.warm for kept in self._kept.values() if kept.warm]:
                tasks.create_task(self._makes.discard(warm), name="discard")
        self._kept.clear()

    async def _live(self, entry: Entry, plan: WarmPlan) -> None:
        """The life of one in the pool. Cancelled when it is given away or dropped: what was made then is another's."""
        began = self._clock.monotonic()
        try:
            warm = await self._makes.make(entry.id, plan, entry.model, background=entry.free)
        except OutriderError as error:
            self._failed(entry, str(error))
            return
        except Exception:
            logger.exception("a warm sandbox could not be started")
            self._failed(entry, "Something went wrong inside Outrider. Its log says more.")
            return
        kept = self._kept[entry.id]
        kept.warm, now = warm, self._clock.monotonic()
        self.book.ready(entry.id, now)
        self._tally.ready(now - began)
        self._failures, self._not_before = 0, 0.0
        kept.settled.set()
        self.changed.set()
        why = await warm.lost()
        logger.warning("a warm sandbox was lost: %s", why)
        self.drop(entry.id, "it was lost")
        self.changed.set()

    def _failed(self, entry: Entry, why: str) -> None:
        self._forget(entry.id)
        self._tally.could_not(why)
        pause = min(BACK_OFF_SECONDS * 2**self._failures, LONGEST_BACK_OFF_SECONDS)
        self._failures += 1
        self._not_before = self._clock.monotonic() + pause

    def _forget(self, sandbox: SandboxId) -> Kept:
        self.book.remove(sandbox)
        kept = self._kept.pop(sandbox)
        kept.settled.set()
        if kept.task is not asyncio.current_task():
            kept.task.cancel()
        return kept
