"""What the sandboxes of this machine use.

With control groups the kernel keeps memory, processes and CPU, and we only count its kills; without them we poll
memory. Disk and wall time are always ours: no kernel limits the bytes of an overlay for a plain user.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from outrider.model.ids import SandboxId
from outrider.model.sandbox import LimitTier, SandboxHandle
from outrider.ports.clock import Clock
from outrider.sandboxes.namespaces.cgroups import out_of_memory_kills
from outrider.sandboxes.namespaces.launcher import Launcher
from outrider.sandboxes.namespaces.memory import Census, take_census
from outrider.sandboxes.namespaces.nameless import Nameless
from outrider.sandboxes.namespaces.processes import ProcessIdentity, identify, kill, process_trees
from outrider.sandboxes.namespaces.records import handle_of
from outrider.sandboxes.watchdog import DiskPace, Watched

POLL_SECONDS: Mapping[LimitTier, float] = {LimitTier.CGROUP: 2.0, LimitTier.WATCHDOG: 0.5}
"""How often a round is made. Without control groups a fast eater takes a gigabyte or two within half a second; the
kernel's own out-of-memory killer stands behind that and prefers what runs in sandboxes."""


class MachineMeters:
    """Implements `outrider.sandboxes.watchdog.Meters` by /proc, control groups and the files themselves."""

    def __init__(
        self, launcher: Launcher, tier: LimitTier, clock: Clock, stop: Callable[[SandboxHandle], Awaitable[None]]
    ) -> None:
        self.poll_seconds = POLL_SECONDS[tier]
        self._launcher = launcher
        self._state = launcher.state
        self._tier = tier
        self._pace = DiskPace(clock)
        self._stop = stop
        self._kills: dict[SandboxId, int] = {}
        self._nameless = Nameless(launcher.calls, clock)

    async def running(self) -> Sequence[Watched]:
        """The sandboxes whose init is alive."""
        return await asyncio.to_thread(self._running)

    async def memory_kills(self, running: Sequence[Watched]) -> Mapping[SandboxId, int]:
        """Counted by the kernel, or killed here and counted."""
        if self._tier is LimitTier.CGROUP:
            return await asyncio.to_thread(self._kernel_kills, running)
        counted = await asyncio.to_thread(self._count, running)
        files = await self._nameless.files([(census, sandbox.limits.memory_bytes) for sandbox, census in counted])
        for sandbox, census in counted:
            if census.total(files) <= sandbox.limits.memory_bytes:
                continue
            if await asyncio.to_thread(_end, census.init, census.largest(files)[1]):
                name = sandbox.handle.id
                self._kills[name] = self._kills.get(name, 0) + 1
        return dict(self._kills)

    async def disk_bytes(self, running: Sequence[Watched]) -> Mapping[SandboxId, int]:
        """Blocks of the files that each has written, when it is time."""
        if not await asyncio.to_thread(self._pace.due, self._state.guest):
            return {}
        calls = await self._launcher.calls()
        answer = await calls("measure", boxes=[sandbox.handle.id for sandbox in running])
        measured: dict[SandboxId, int] = answer["bytes"]
        return measured

    async def stop(self, handle: SandboxHandle) -> None:
        """Stop it as the provider does."""
        await self._stop(handle)

    def _running(self) -> list[Watched]:
        return [
            Watched(handle_of(record), record.spec.limits, record.started_at)
            for record in self._state.records()
            if self._state.running(record.spec.id)
        ]

    def _kernel_kills(self, running: Sequence[Watched]) -> dict[SandboxId, int]:
        records = (self._state.read(sandbox.handle.id) for sandbox in running)
        return {record.spec.id: out_of_memory_kills(record.cgroups) for record in records if record}

    def _count(self, running: Sequence[Watched]) -> list[tuple[Watched, Census]]:
        pids = {sandbox.handle.id: self._state.pids(sandbox.handle.id) for sandbox in running}
        inits = {name: ProcessIdentity(*known.inner) for name, known in pids.items() if known}
        trees = process_trees([init.pid for init in inits.values()])
        return [
            (sandbox, take_census(init, trees[init.pid]))
            for sandbox in running
            if (init := inits.get(sandbox.handle.id))
        ]


def _end(init: ProcessIdentity, pid: int) -> bool:
    """Kill a process of that sandbox. False where it has gone since it was counted; another of the machine may have its
    pid."""
    found = identify(pid)
    if found is None or not init.alive() or pid not in process_trees([init.pid])[init.pid]:
        return False
    kill(found)
    return True
