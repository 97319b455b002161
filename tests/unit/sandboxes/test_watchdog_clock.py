"""The wall time of sandboxes, whatever becomes of the wall clock."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from outrider.model.ids import SandboxId
from outrider.model.sandbox import Limits, SandboxHandle
from outrider.sandboxes.watchdog import MeteredWatchdog, Watched
from outrider.testing.manual_clock import ManualClock

BOX = SandboxId("box-one22222")


class OneSandbox:
    """Implements `Meters` for one that may run for an hour."""

    poll_seconds = 1.0

    def __init__(self, started_at: datetime) -> None:
        self.started_at = started_at
        self.stopped: list[SandboxId] = []

    async def running(self) -> Sequence[Watched]:
        return [Watched(SandboxHandle(id=BOX, provider="fake"), Limits(wall_seconds=3600), self.started_at)]

    async def memory_kills(self, running: Sequence[Watched]) -> Mapping[SandboxId, int]:
        return {}

    async def disk_bytes(self, running: Sequence[Watched]) -> Mapping[SandboxId, int]:
        return {}

    async def stop(self, handle: SandboxHandle) -> None:
        self.stopped.append(handle.id)


async def tell(_sandbox: SandboxId, _sentence: str) -> None:
    """Nobody listens."""


async def test_a_clock_that_is_set_neither_stops_a_sandbox_nor_lets_it_run_for_ever():
    clock = ManualClock()
    box = OneSandbox(clock.now())
    watchdog = MeteredWatchdog(box, clock, tell)
    for seconds in (0, 7200, -86_400):
        clock.set(seconds)
        await watchdog.look()
    assert box.stopped == []
    clock.advance(3601)
    await watchdog.look()
    assert box.stopped == [BOX]


async def test_what_ran_before_this_server_counts():
    clock = ManualClock()
    box = OneSandbox(clock.now())
    clock.advance(3000)
    watchdog = MeteredWatchdog(box, clock, tell)
    await watchdog.look()
    clock.advance(601)
    await watchdog.look()
    assert box.stopped == [BOX]
