"""A clock that a test owns: nothing passes until it is told to."""

import asyncio
import heapq
import itertools
from datetime import UTC, datetime, timedelta

START = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


class ManualClock:
    """Implements `outrider.ports.clock.Clock`. `advance` lets time pass and wakes, in order, whoever slept."""

    def __init__(self, start: datetime = START) -> None:
        self._start = start
        self._elapsed = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = itertools.count()

    def now(self) -> datetime:
        """Wall time in UTC."""
        return self._start + timedelta(seconds=self._elapsed)

    def monotonic(self) -> float:
        """Seconds since the start."""
        return self._elapsed

    def set(self, seconds: float) -> None:
        """Somebody sets the wall clock forwards, or backwards where it is negative. No time passes."""
        self._start += timedelta(seconds=seconds)

    async def sleep(self, seconds: float) -> None:
        """Wait until the test has advanced far enough; at once for nothing."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._elapsed + seconds, next(self._order), woken))
        await woken

    def advance(self, seconds: float) -> None:
        """Let this much time pass."""
        until = self._elapsed + seconds
        while self._sleepers and self._sleepers[0][0] <= until:
            due, _, woken = heapq.heappop(self._sleepers)
            self._elapsed = max(self._elapsed, due)
            if not woken.done():
                woken.set_result(None)
        self._elapsed = until

    @property
    def sleepers(self) -> int:
        """How many wait."""
        return sum(not woken.done() for _, _, woken in self._sleepers)
