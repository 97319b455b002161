"""How many sandboxes at once."""

import asyncio

import pytest

from outrider.fleet.limits import SandboxSlots
from outrider.model.errors import LimitReached
from outrider.model.sandbox import LimitCaps, Limits, Totals


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


GB = 1 << 30
SMALL, LARGE = Limits(memory_bytes=GB, disk_bytes=GB, cpus=1), Limits(memory_bytes=3 * GB, disk_bytes=GB, cpus=1)


class Holder:
    """Who holds a slot until it is let go."""

    def __init__(self, slots: SandboxSlots, limits: Limits) -> None:
        self.said: list[str] = []
        self.runs = False
        self.leave = asyncio.Event()
        self._slots, self._limits = slots, limits

    async def hold(self) -> None:
        async with self._slots.take("the session", self.said.append, self._limits):
            self.runs = True
            await self.leave.wait()
        self.runs = False


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_sandboxes_share_the_total_in_line_and_say_what_they_wait_for() -> None:
    slots = SandboxSlots(9, totals=Totals(memory_bytes=4 * GB))
    first, large, small = (Holder(slots, limits) for limits in (LARGE, LARGE, SMALL))
    async with asyncio.TaskGroup() as group:
        tasks = []
        for holder in (first, large, small):
            tasks.append(group.create_task(holder.hold(), name="holder"))
            await settled()
        assert (first.runs, large.runs, small.runs) == (True, False, False), "nobody overtakes"
        assert large.said == ["Waiting for 3 GB of memory for the session: 1 GB of memory of 4 GB of memory are left."]
        assert slots.left(SMALL) == 1
        tasks[1].cancel()
        await settled()
        assert small.runs, "who gave up holds up nobody"
        assert (slots.in_use, slots.left(SMALL)) == (2, 0)
        first.leave.set()
        small.leave.set()
    assert (slots.in_use, slots.left(SMALL), slots.left(LARGE)) == (0, 4, 1)


async def test_who_is_cancelled_in_the_moment_of_their_turn_gives_it_back() -> None:
    slots = SandboxSlots(9, totals=Totals(cpus=1))
    first, second = Holder(slots, SMALL), Holder(slots, SMALL)
    async with asyncio.TaskGroup() as group:
        group.create_task(first.hold(), name="first")
        await settled()
        waits = group.create_task(second.hold(), name="second")
        await settled()
        assert second.said == ["Waiting for 1 CPUs for the session: 0 CPUs of 1 CPUs are left."]
        first.leave.set()
        await asyncio.sleep(0)
        waits.cancel()
    assert (slots.in_use, slots.left(SMALL)) == (0, 1)


async def test_who_gives_up_in_the_moment_in_which_a_place_is_free_is_passed_over() -> None:
    slots = SandboxSlots(1)

    async def wait() -> None:
        async with slots.take("b", lambda _line: None):
            raise AssertionError("It had given up.")

    async with asyncio.TaskGroup() as group, slots.take("a", lambda _line: None):
        waits = group.create_task(wait(), name="waits")
        await asyncio.sleep(0)
        waits.cancel()
    assert slots.in_use == 0
    async with slots.take("c", lambda _line: None):
        assert slots.in_use == 1


@pytest.mark.parametrize(
    ("totals", "sentence", "setting"),
    [
        (Totals(cpus=0.5), "takes 1 CPUs, and all sandboxes together may use 0.5 CPUs", "OUTRIDER_TOTAL_CPUS"),
        (Totals(memory_bytes=2 * GB), "takes 3 GB of memory", "OUTRIDER_TOTAL_MEMORY_BYTES"),
        (Totals(disk_bytes=GB // 2), "may use 0.5 GB of disk", "OUTRIDER_TOTAL_DISK_BYTES"),
    ],
)
async def test_what_can_never_fit_is_refused_at_once(totals: Totals, sentence: str, setting: str) -> None:
    with pytest.raises(LimitReached, match=sentence) as refused:
        async with SandboxSlots(9, totals=totals).take("the session", lambda _line: None, LARGE):
            pass
    assert refused.value.remedy.endswith(f"can raise {setting}.")
    assert "[limits]" in refused.value.remedy
