"""Whether this machine has room for one more sandbox: disk where sandboxes write, and memory."""

import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from outrider.model.errors import LimitReached
from outrider.model.limits import limit_reached
from outrider.ports.clock import Clock

LOOK_SECONDS = 5.0
"""How often it is looked whether the disk fills up under what runs."""

MEGABYTE = 1 << 20
PLENTY = 1 << 62


@dataclass(frozen=True, slots=True)
class Free:
    """What the machine has left."""

    disk_bytes: int
    memory_bytes: int


def measure(folder: Path, memory_left: Callable[[], int]) -> Free:
    """What is free on the disk of a folder, which need not exist yet, and in memory without swapping. A machine that
    does not say counts as having enough memory."""
    there = next((path for path in (folder, *folder.parents) if path.exists()), Path("/"))
    try:
        left = memory_left()
    except (OSError, KeyError, ValueError):
        left = PLENTY
    return Free(shutil.disk_usage(there).free, left)


@dataclass(frozen=True, slots=True)
class Floors:
    """The floors of free space below which no sandbox is started."""

    free: Callable[[], Free]
    disk_floor_bytes: int
    memory_floor_bytes: int

    def expect(self, purpose: str) -> None:
        """Raises LimitReached, with what to do, where there is no room."""
        problem = self.shortage(purpose)
        if problem is not None:
            raise problem

    def shortage(self, purpose: str) -> LimitReached | None:
        """What is short, with what to do; None where there is room."""
        free = self.free()
        if free.disk_bytes < self.disk_floor_bytes:
            return limit_reached(
                f"No sandbox for {purpose}: the disk has {free.disk_bytes // MEGABYTE} MB free, and below "
                f"{self.disk_floor_bytes // MEGABYTE} MB none is started. Nothing is lost.",
                "Free some space (outrider images shows what images take).",
                "OUTRIDER_FREE_DISK_BYTES",
                "lower",
            )
        if free.memory_bytes < self.memory_floor_bytes:
            return limit_reached(
                f"No sandbox for {purpose}: the machine has {free.memory_bytes // MEGABYTE} MB of memory left, and "
                f"below {self.memory_floor_bytes // MEGABYTE} MB none is started. Nothing is lost.",
                "Wait for others to end, or archive sessions.",
                "OUTRIDER_FREE_MEMORY_BYTES",
                "lower",
            )
        return None

    def warning(self) -> str:
        """What people in sessions should know about the disk under what already runs; empty where it has room."""
        free = self.free().disk_bytes
        if free >= self.disk_floor_bytes:
            return ""
        return (
            f"The disk of this machine is nearly full: {free // MEGABYTE} MB are free. What runs may fail to write, "
            "and no new sandbox is started. What was committed and said is kept."
        )


class DiskWatch:
    """Tells once when the disk gets short, and again when it does so after it had room."""

    def __init__(self, floors: Floors, clock: Clock, tell: Callable[[str], Awaitable[None]]) -> None:
        self._floors = floors
        self._clock = clock
        self._tell = tell
        self._told = False

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self.look()
            await self._clock.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """One look."""
        sentence = self._floors.warning()
        if sentence and not self._told:
            await self._tell(sentence)
        self._told = bool(sentence)
