"""Room for one more sandbox: floors, sentences, and telling once."""

from pathlib import Path

import pytest

from outrider.fleet.floors import DiskWatch, Floors, Free, measure
from outrider.fleet.limits import SandboxSlots
from outrider.fleet.pool.memory import MemoryGauge
from outrider.model.errors import LimitReached
from outrider.ports.clock import SystemClock

GB = 1 << 30


class Machine:
    """What is free, as the test says."""

    def __init__(self) -> None:
        self.left = Free(100 * GB, 10 * GB)

    def __call__(self) -> Free:
        return self.left


def test_this_machine_says_what_it_has(tmp_path: Path) -> None:
    free = measure(tmp_path / "not" / "yet", lambda: MemoryGauge().read().left)
    assert free.disk_bytes > 0
    assert 0 < free.memory_bytes < 1 << 50
    assert measure(tmp_path, lambda: MemoryGauge(meminfo=tmp_path / "none").read().left).memory_bytes > 1 << 50


@pytest.mark.parametrize(
    ("left", "said"), [(Free(GB, 10 * GB), "disk has 1024 MB free"), (Free(9 * GB, GB // 4), "256 MB of memory left")]
)
async def test_no_sandbox_is_started_below_a_floor(left: Free, said: str) -> None:
    machine = Machine()
    slots = SandboxSlots(2, floors=Floors(machine, 2 * GB, GB // 2))
    async with slots.take("a session", lambda line: None):
        pass
    machine.left = left
    with pytest.raises(LimitReached, match=said) as caught:
        async with slots.take("a session", lambda line: None):
            pass
    assert "Nothing is lost" in caught.value.sentence
    assert "OUTRIDER_FREE_" in caught.value.remedy
    machine.left = Free(9 * GB, 9 * GB)
    async with slots.take("one", lambda line: None), slots.take("two", lambda line: None):
        pass  # the refused one holds no slot


async def test_a_disk_that_fills_up_is_told_once_each_time() -> None:
    machine, heard = Machine(), []

    async def tell(sentence: str) -> None:
        heard.append(sentence)

    watch = DiskWatch(Floors(machine, 2 * GB, GB), SystemClock(), tell)
    await watch.look()
    assert heard == []
    for _ in range(3):
        machine.left = Free(GB, GB)
        await watch.look()
        await watch.look()
        machine.left = Free(3 * GB, GB)
        await watch.look()
    assert len(heard) == 3
    assert heard[0].startswith("The disk of this machine is nearly full: 1024 MB are free.")
