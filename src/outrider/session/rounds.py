"""A look at something that changes all the time: soon after it was touched, never twice at once, at bounded cost."""

import asyncio
from collections.abc import Awaitable, Callable

from outrider.ports.clock import Clock

PAUSE_SECONDS = 2.0
SHARE = 10
"""A look that took a second is not taken again for ten: a tenth of the time at most."""


class Rounds:
    """One look for however many touches."""

    def __init__(self, clock: Clock, look: Callable[[], Awaitable[None]]) -> None:
        self._clock = clock
        self._look = look
        self._touched = asyncio.Event()

    def touch(self) -> None:
        """Something may have changed."""
        self._touched.set()

    async def run(self) -> None:
        """Look after each touch until cancelled."""
        while True:
            await self._touched.wait()
            self._touched.clear()
            started = self._clock.monotonic()
            await self._look()
            took = self._clock.monotonic() - started
            await self._clock.sleep(max(PAUSE_SECONDS, SHARE * took))
