"""Lines from below become few events."""

import asyncio

from outrider.model.events import StageReported
from outrider.proof.telling import PAUSE_SECONDS, ProofEvent, Teller
from outrider.testing.manual_clock import ManualClock


async def turns(count: int = 5) -> None:
    """Let the other tasks run."""
    for _ in range(count):
        await asyncio.sleep(0)


async def test_only_the_newest_line_of_a_stage_is_told_and_once_a_second() -> None:
    clock, told = ManualClock(), list[ProofEvent]()

    async def report(event: ProofEvent) -> None:
        told.append(event)

    teller = Teller(report, clock)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(teller.run(), name="telling")
        say = teller.say("image")
        for line in ("first", "second", "  ", "third  "):
            say(line)
        await turns()
        assert told == [StageReported(stage="image", text="third")]
        say("x" * 9999)
        teller.say("setup")("other")
        await turns()
        assert len(told) == 1
        clock.advance(PAUSE_SECONDS)
        await turns()
        assert told[1:] == [StageReported(stage="image", text="x" * 500), StageReported(stage="setup", text="other")]
        running.cancel()
