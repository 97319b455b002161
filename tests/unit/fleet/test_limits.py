"""How many sandboxes at once."""

import asyncio

import pytest

from outrider.fleet.limits import SandboxSlots
from outrider.model.errors import LimitReached
from outrider.model.sandbox import LimitCaps, Limits


async def test_no_more_than_the_slots_run_and_the_others_are_told() -> None:
    slots, said, running, most = SandboxSlots(2), list[str](), 0, 0

    async def work() -> None:
        nonlocal running, most
        async with slots.take("the checks", said.append):
            running += 1
            most = max(most, running)
            await asyncio.sleep(0)
            running -= 1

    async with asyncio.TaskGroup() as group:
        for number in range(7):
            group.create_task(work(), name=f"work-{number}")
    assert most == 2
    assert set(said) == {"Waiting for a free sandbox for the checks: all 2 are in use."}


async def test_a_crowd_is_refused_with_a_sentence() -> None:
    slots = SandboxSlots(1, waiting_limit=1)
    leave = asyncio.Event()

    async def hold() -> None:
        async with slots.take("a", lambda _line: None):
            await leave.wait()

    async with asyncio.TaskGroup() as group:
        group.create_task(hold(), name="holds")
        waits = group.create_task(hold(), name="waits")
        for _ in range(3):
            await asyncio.sleep(0)
        with pytest.raises(LimitReached, match="1 run and 1 others wait already"):
            async with slots.take("b", lambda _line: None):
                pass
        waits.cancel()
        leave.set()
    async with slots.take("c", lambda _line: None):
        pass


def test_a_repository_may_ask_for_less_and_never_for_more() -> None:
    operator = Limits(cpus=2, memory_bytes=4 << 30, processes=1000, disk_bytes=10 << 30, wall_seconds=900)
    less = LimitCaps(cpus=0.5, memory_mb=512, processes=100, disk_mb=1024, wall_seconds=90)
    assert operator.within(less) == Limits(
        cpus=0.5, memory_bytes=512 << 20, processes=100, disk_bytes=1 << 30, wall_seconds=90
    )
    more = LimitCaps(cpus=64, memory_mb=1 << 20, processes=1 << 20, disk_mb=1 << 20, wall_seconds=9000)
    assert operator.within(more) == operator.within(LimitCaps()) == operator
