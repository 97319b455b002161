"""Keeps the limits that no kernel or daemon keeps for us, and says in words what any limit has ended. The same for
every provider; what differs is how use is measured (`Meters`)."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from outrider.model.ids import SandboxId
from outrider.model.limits import raised_by
from outrider.model.sandbox import Limits, SandboxHandle
from outrider.ports.clock import Clock
from outrider.ports.sandbox import Tell

DISK_STEP_BYTES = 32 << 20
"""Disk is measured when the file system has lost this much since the last time: counting files costs real time."""

LEAST_FILE_BYTES = 4096
"""What a file counts that has no blocks: a disk runs out of inodes too."""

DISK_SECONDS = 60.0
"""And at least this often."""

REGROWTH = 1.1
"""A sandbox stopped for its disk may be started again to clean up, and is stopped when it grows by another tenth."""


@dataclass(frozen=True, slots=True)
class Watched:
    """A running sandbox and what it may use."""

    handle: SandboxHandle
    limits: Limits
    started_at: datetime


class Meters(Protocol):
    """How a provider measures what its sandboxes use, and ends one."""

    poll_seconds: float
    """How often a round is made."""

    async def running(self) -> Sequence[Watched]:
        """The sandboxes that run now."""

    async def memory_kills(self, running: Sequence[Watched]) -> Mapping[SandboxId, int]:
        """How many processes of each have been killed for want of memory since it was made, by whomever; where the
        kernel keeps no limit this call is what kills."""

    async def disk_bytes(self, running: Sequence[Watched]) -> Mapping[SandboxId, int]:
        """What each has written; empty while it is not worth the time to measure again."""

    async def stop(self, handle: SandboxHandle) -> None:
        """Stop it, files kept."""


class DiskPace:
    """When it is time to measure disk again."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._free_then = 0
        self._measured_at = float("-inf")

    def due(self, folder: Path) -> bool:
        """Whether to measure now; `folder` is on the file system that sandboxes write to, if we can see it."""
        free, now = _free_bytes(folder), self._clock.monotonic()
        if self._free_then - free < DISK_STEP_BYTES and now - self._measured_at < DISK_SECONDS:
            return False
        self._free_then, self._measured_at = free, now
        return True


class MeteredWatchdog:
    """Implements `outrider.ports.sandbox.Watchdog` over meters."""

    def __init__(self, meters: Meters, clock: Clock, tell: Tell) -> None:
        self._meters = meters
        self._clock = clock
        self._tell = tell
        self._since: dict[SandboxId, tuple[datetime, float]] = {}
        self._told_kills: dict[SandboxId, int] = {}
        self._allowed_disk: dict[SandboxId, float] = {}

    async def run(self) -> None:
        """Make rounds until cancelled."""
        while True:
            await self.look()
            await self._clock.sleep(self._meters.poll_seconds)

    async def look(self) -> None:
        """One round over the running sandboxes."""
        running = await self._meters.running()
        await self._wall(running)
        await self._memory(running)
        await self._disk(running)

    async def _wall(self, running: Sequence[Watched]) -> None:
        self._since = {sandbox.handle.id: self._begin(sandbox) for sandbox in running}
        for sandbox in running:
            limit = sandbox.limits.wall_seconds
            if self._clock.monotonic() - self._since[sandbox.handle.id][1] > limit:
                await self._stop(sandbox, stopped(f"it has run for its limit of {_duration(limit)}.", "SECONDS"))

    def _begin(self, sandbox: Watched) -> tuple[datetime, float]:
        """When it was started, by the clock that nobody sets; by the other one only until we saw it first."""
        known = self._since.get(sandbox.handle.id)
        if known and known[0] == sandbox.started_at:
            return known
        ran = max((self._clock.now() - sandbox.started_at).total_seconds(), 0.0)
        return sandbox.started_at, self._clock.monotonic() - ran

    async def _memory(self, running: Sequence[Watched]) -> None:
        kills = await self._meters.memory_kills(running)
        for sandbox in running:
            name = sandbox.handle.id
            if kills.get(name, 0) > self._told_kills.get(name, 0):
                self._told_kills[name] = kills[name]
                await self._tell(name, memory_sentence(sandbox.limits))

    async def _disk(self, running: Sequence[Watched]) -> None:
        written = await self._meters.disk_bytes(running) if running else {}
        for sandbox in running:
            name, limit = sandbox.handle.id, sandbox.limits.disk_bytes
            used = written.get(name, 0)
            if used > self._allowed_disk.get(name, limit):
                self._allowed_disk[name] = used * REGROWTH
                wrote = f"it wrote {used >> 20} MB of disk and may write {limit >> 20} MB"
                await self._stop(sandbox, stopped(f"{wrote}. Its files are kept.", "DISK_BYTES"))

    async def _stop(self, sandbox: Watched, sentence: str) -> None:
        await self._meters.stop(sandbox.handle)
        await self._tell(sandbox.handle.id, sentence)


def memory_sentence(limits: Limits) -> str:
    """What is said when something was killed for its memory."""
    limit = limits.memory_bytes >> 20
    killed = f"A process in the sandbox was killed: together they used more than the {limit} MB of memory they may."
    return f"{killed} {_raised('MEMORY_BYTES')}"


def stopped(why: str, setting: str) -> str:
    """What is said of a sandbox that was stopped for a limit, whose setting ends like this."""
    return f"The sandbox was stopped: {why} {_raised(setting)}"


def _raised(setting: str) -> str:
    return f"{raised_by(f'OUTRIDER_SANDBOX_{setting}')} Its repository's outrider.toml may have lowered it."


def _free_bytes(folder: Path) -> int:
    """Of the nearest folder above that we may see: a daemon's own is closed to others."""
    for place in (folder, *folder.parents):
        try:
            files = os.statvfs(place)
        except OSError:
            continue
        return files.f_bavail * files.f_frsize + files.f_favail * LEAST_FILE_BYTES
    return 0


def _duration(seconds: float) -> str:
    return f"{seconds / 3600:g} hours" if seconds >= 3600 else f"{seconds:g} s"
