"""How long the event loop stands still: what a timer comes late by is what everybody in the process waits."""

from prometheus_client import Histogram

from outrider.ports.clock import Clock

LOOK_SECONDS = 0.1


class LoopWatch:
    """Sets a timer again and again."""

    def __init__(self, clock: Clock, stalls: Histogram) -> None:
        self._clock = clock
        self._stalls = stalls

    async def run(self) -> None:
        """Measure until cancelled."""
        while True:
            begun = self._clock.monotonic()
            await self._clock.sleep(LOOK_SECONDS)
            self._stalls.observe(max(self._clock.monotonic() - begun - LOOK_SECONDS, 0.0))
