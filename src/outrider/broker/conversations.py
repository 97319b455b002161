"""The open calls of one door: each has a deadline, and all of them end when the door closes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

CLOSE_SECONDS = 5.0
"""How long a closing door waits for calls to clean up after themselves."""


class Conversations:
    """A call runs inside `one()`. When its time is over, or the door closes, what is inside is cancelled there."""

    def __init__(self, limit_seconds: float) -> None:
        self._limit = limit_seconds
        self._open: dict[asyncio.Timeout, asyncio.Task[object] | None] = {}
        self._closing = False

    def __len__(self) -> int:
        return len(self._open)

    @asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        """The life of one call. Ends in silence when it was cut off: its transport is gone or about to go."""
        try:
            async with asyncio.timeout(0 if self._closing else self._limit) as deadline:
                self._open[deadline] = asyncio.current_task()
                try:
                    yield
                finally:
                    del self._open[deadline]
        except TimeoutError:
            if not deadline.expired():
                raise

    async def end(self) -> None:
        """Cut off every open call and wait until each has cleaned up, 5 s at most."""
        self._closing = True
        for deadline in self._open:
            if not deadline.expired():
                deadline.reschedule(asyncio.get_running_loop().time())
        tasks = {task for task in self._open.values() if task is not None}
        if tasks:
            await asyncio.wait(tasks, timeout=CLOSE_SECONDS)
