"""How many sandboxes run at once: one owner, who lets callers wait and says why."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from outrider.fleet.commands import Progress
from outrider.fleet.floors import Floors
from outrider.model.limits import quota_reached


class SandboxSlots:
    """`total` sandboxes at once, of which `in_use` are taken; up to `waiting_limit` callers wait, more are refused."""

    def __init__(self, total: int, *, waiting_limit: int = 200, floors: Floors | None = None) -> None:
        self.total = total
        self.in_use = 0
        self._waiting_limit = waiting_limit
        self._floors = floors
        self._waiting = 0
        self._free = asyncio.Semaphore(total)

    @asynccontextmanager
    async def take(self, purpose: str, say: Progress) -> AsyncIterator[None]:
        """Hold one slot. Raises LimitReached where too many wait already, or the machine has no room for one more;
        `say` hears of a wait."""
        if self._free.locked():
            if self._waiting >= self._waiting_limit:
                raise quota_reached(
                    f"No sandbox for {purpose}: {self.total} run and {self._waiting} others wait already.",
                    "Try again later.",
                    "OUTRIDER_MAX_SANDBOXES",
                )
            say(f"Waiting for a free sandbox for {purpose}: all {self.total} are in use.")
        self._waiting += 1
        try:
            await self._free.acquire()
        finally:
            self._waiting -= 1
        self.in_use += 1
        try:
            if self._floors is not None:
                await asyncio.to_thread(self._floors.expect, purpose)
            yield
        finally:
            self.in_use -= 1
            self._free.release()
