"""The clock of tests."""

import asyncio

from outrider.testing.manual_clock import START, ManualClock


async def test_time_passes_only_when_told():
    clock = ManualClock()
    woken: list[str] = []

    async def nap(name: str, seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append(name)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(nap("late", 3), name="late")
        tasks.create_task(nap("early", 1), name="early")
        cancelled = tasks.create_task(nap("never", 1), name="never")
        await asyncio.sleep(0)
        assert clock.sleepers == 3
        cancelled.cancel()
        await asyncio.sleep(0)
        clock.advance(2)
        await asyncio.sleep(0)
        assert woken == ["early"]
        clock.advance(1)
    assert woken == ["early", "late"]
    assert (clock.now() - START).total_seconds() == clock.monotonic() == 3
