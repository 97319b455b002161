"""Keeps the limits that the kernel does not keep for us, and says in words what any limit has ended.

With control groups the kernel keeps memory, processes and CPU, and we only tell when it killed; without them we poll
memory. Disk and wall time are always ours: no kernel limits the bytes of an overlay for a plain user.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from outrider.model.ids import SandboxId
from outrider.model.sandbox import LimitTier
from outrider.ports.clock import Clock
from outrider.sandboxes.namespaces.cgroups import out_of_memory_kills
from outrider.sandboxes.namespaces.processes import ProcessIdentity, identify, kill, private_memory, process_trees
from outrider.sandboxes.namespaces.provider import NamespaceProvider
from outrider.sandboxes.namespaces.records import Record, handle_of

POLL_SECONDS: Mapping[LimitTier, float] = {LimitTier.CGROUP: 2.0, LimitTier.WATCHDOG: 0.5}
"""How often a round is made. Without control groups a fast eater takes a gigabyte or two within half a second; the
kernel's own out-of-memory killer stands behind that and prefers what runs in sandboxes."""

DISK_STEP_BYTES = 32 << 20
"""Disk is measured when the file system has lost this much since the last time: counting files costs real time."""

DISK_SECONDS = 60.0
"""And at least this often."""

REGROWTH = 1.1
"""A sandbox stopped for its disk may be started again to clean up, and is stopped when it grows by another tenth."""

Tell = Callable[[SandboxId, str], Awaitable[None]]
"""Takes the sentence to be shown in the session of that sandbox."""


@dataclass(slots=True)
class _Disk:
    free_then: int = 0
    measured_at: float = float("-inf")
    allowed: dict[SandboxId, float] = field(default_factory=dict)


class Watchdog:
    """Watches all sandboxes of one provider. `run` belongs into a task of the application's root group."""

    def __init__(self, provider: NamespaceProvider, clock: Clock, tell: Tell) -> None:
        self._provider = provider
        self._clock = clock
        self._tell = tell
        self._disk = _Disk()
        self._told_kills: dict[SandboxId, int] = {}

    async def run(self) -> None:
        """Make rounds until cancelled."""
        while True:
            await self.look()
            await self._clock.sleep(POLL_SECONDS[self._provider.tier])

    async def look(self) -> None:
        """One round over the running sandboxes."""
        running = await asyncio.to_thread(self._running)
        await self._wall(running)
        if self._provider.tier is LimitTier.CGROUP:
            await self._kernel_kills(running)
        else:
            await self._memory(running)
        await self._disks(running)

    def _running(self) -> list[Record]:
        state = self._provider.state
        return [record for record in state.records() if state.running(record.spec.id)]

    async def _wall(self, running: list[Record]) -> None:
        now = self._clock.now()
        for record in running:
            limit = record.spec.limits.wall_seconds
            if now - record.started_at > timedelta(seconds=limit):
                await self._stop(record, f"The sandbox was stopped: it has run for its limit of {_duration(limit)}.")

    async def _kernel_kills(self, running: list[Record]) -> None:
        for record in running:
            kills = await asyncio.to_thread(out_of_memory_kills, record.cgroups)
            if kills > self._told_kills.get(record.spec.id, 0):
                self._told_kills[record.spec.id] = kills
                await self._tell(record.spec.id, _memory_sentence(record))

    async def _memory(self, running: list[Record]) -> None:
        for record, largest in await asyncio.to_thread(self._memory_breaches, running):
            kill(largest)
            await self._tell(record.spec.id, _memory_sentence(record))

    def _memory_breaches(self, running: list[Record]) -> list[tuple[Record, ProcessIdentity]]:
        """The sandboxes over their memory, each with its largest process."""
        inits = {
            record.spec.id: pids.inner[0] for record in running if (pids := self._provider.state.pids(record.spec.id))
        }
        trees = process_trees(list(inits.values()))
        breaches = []
        for record in running:
            sizes = {pid: private_memory(pid) for pid in trees.get(inits.get(record.spec.id, 0), [])}
            if sum(sizes.values()) > record.spec.limits.memory_bytes:
                largest = identify(max(sizes, key=lambda pid: sizes[pid]))
                breaches += [(record, largest)] if largest else []
        return breaches

    async def _disks(self, running: list[Record]) -> None:
        if not running or not await asyncio.to_thread(self._disk_due):
            return
        calls = await self._provider.launcher.calls()
        answer = await calls("measure", boxes=[record.spec.id for record in running])
        for record in running:
            used, limit = answer["bytes"].get(record.spec.id, 0), record.spec.limits.disk_bytes
            if used > self._disk.allowed.get(record.spec.id, limit):
                self._disk.allowed[record.spec.id] = used * REGROWTH
                wrote = f"it wrote {used >> 20} MB of disk and may write {limit >> 20} MB"
                await self._stop(record, f"The sandbox was stopped: {wrote}. Its files are kept.")

    def _disk_due(self) -> bool:
        files = os.statvfs(self._provider.state.guest)
        free, now = files.f_bavail * files.f_frsize, self._clock.monotonic()
        if self._disk.free_then - free < DISK_STEP_BYTES and now - self._disk.measured_at < DISK_SECONDS:
            return False
        self._disk.free_then, self._disk.measured_at = free, now
        return True

    async def _stop(self, record: Record, sentence: str) -> None:
        await self._provider.stop(handle_of(record))
        await self._tell(record.spec.id, sentence)


def _memory_sentence(record: Record) -> str:
    limit = record.spec.limits.memory_bytes >> 20
    return f"A process in the sandbox was killed: together they used more than the {limit} MB of memory they may."


def _duration(seconds: float) -> str:
    return f"{seconds / 3600:g} hours" if seconds >= 3600 else f"{seconds:g} s"
