"""Telling the session what a proof is doing: plain lines from below become events, at most one a second."""

import asyncio
from collections.abc import Awaitable, Callable

from outrider.model.events import CheckFinished, CheckStarted, StageReported
from outrider.ports.clock import Clock

ProofEvent = CheckStarted | CheckFinished | StageReported
Report = Callable[[ProofEvent], Awaitable[None]]
"""Told what happens while a proof is made, as it happens."""

PAUSE_SECONDS = 1.0
LINE_CHARACTERS = 500


class Teller:
    """Passes on the newest line of each stage. A package manager prints hundreds; people need the one that counts."""

    def __init__(self, report: Report, clock: Clock) -> None:
        self._report = report
        self._clock = clock
        self._newest: dict[str, str] = {}
        self._woken = asyncio.Event()

    def say(self, stage: str) -> Callable[[str], None]:
        """A plain function that takes the lines of a stage."""

        def heard(line: str) -> None:
            if line.strip():
                self._newest[stage] = line.strip()[:LINE_CHARACTERS]
                self._woken.set()

        return heard

    async def run(self) -> None:
        """Pass lines on until cancelled."""
        while True:
            await self._woken.wait()
            await self.flush()
            await self._clock.sleep(PAUSE_SECONDS)

    async def flush(self) -> None:
        """Pass on what is new now."""
        self._woken.clear()
        newest, self._newest = self._newest, {}
        for stage, line in newest.items():
            await self._report(StageReported(stage=stage, text=line))
