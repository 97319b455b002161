"""The `namespaces` provider. Its promises are those of the port; how it keeps them is in docs/adr/0002."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

from outrider.cleanup import to_its_end
from outrider.model.errors import SandboxError, SandboxLost
from outrider.model.ids import LayerId
from outrider.model.sandbox import (
    Isolation,
    LimitTier,
    ProbeReport,
    SandboxHandle,
    SandboxInfo,
    SandboxSpec,
)
from outrider.ports.clock import Clock
from outrider.ports.sandbox import Guest, Tell, Watchdog
from outrider.sandboxes.guest import connect_guest, login_to
from outrider.sandboxes.namespaces import cgroups
from outrider.sandboxes.namespaces.cgroups import Cgroups
from outrider.sandboxes.namespaces.ids import HostIds
from outrider.sandboxes.namespaces.launcher import Launcher
from outrider.sandboxes.namespaces.layers import NamespaceLayers
from outrider.sandboxes.namespaces.meters import MachineMeters
from outrider.sandboxes.namespaces.records import PROVIDER, Record, StateFolder, handle_of, still_marker
from outrider.sandboxes.namespaces.sockets import connect_socket
from outrider.sandboxes.namespaces.unsynced import Syncing
from outrider.sandboxes.records import SandboxLocks
from outrider.sandboxes.sshd import new_keys
from outrider.sandboxes.watchdog import MeteredWatchdog


class NamespaceProvider(NamespaceLayers):
    """Sandboxes of the kernel's own means on this machine, for root and for a plain user alike."""

    name = PROVIDER

    def __init__(
        self,
        state: Path,
        clock: Clock,
        *,
        ids: HostIds | None = None,
        groups: Cgroups | None = None,
        boot: str | None = None,
    ) -> None:
        """`state` is a folder of ours alone; nothing is touched before the first call. `ids` are found by
        `find_host_ids` where they are not given, `boot` by `boot_id`; `groups` by `find_cgroups`, and without them the
        watchdog keeps the limits."""
        folder = StateFolder(state.absolute(), boot)
        super().__init__(folder, Launcher(folder, ids, groups))
        self.tier = LimitTier.CGROUP if groups else LimitTier.WATCHDOG
        self._clock = clock
        self._lock = SandboxLocks()

    async def probe(self) -> ProbeReport:
        """Start a bare sandbox, run `true` in it, and say what is in force."""
        try:
            await self.launcher.probe()
        except SandboxError as error:
            return _report(self.tier, works=False, detail=error.sentence, remedy=error.remedy)
        means = "control groups" if self.tier is LimitTier.CGROUP else "rlimits and a watchdog"
        detail = f"Sandboxes share this machine's kernel, run as ids that own nothing, and are limited by {means}."
        return _report(self.tier, works=True, detail=detail)

    async def create(self, spec: SandboxSpec) -> SandboxHandle:
        """Make and start a sandbox."""
        for layer in (*spec.layers, *((spec.toolbox,) if spec.toolbox else ())):
            if not await self.has_layer(layer):
                raise SandboxError(f"The layer {layer} does not exist.", "Build the image again.")
        async with self._lock(spec.id):
            if self.state.read(spec.id):
                raise SandboxError(f"The sandbox {spec.id} exists already.")
            record = Record(spec=spec, keys=new_keys(), started_at=self._clock.now())
            try:
                await self.launcher.launch(record)
            except BaseException:
                await to_its_end(self.launcher.end(spec.id))
                raise
        return handle_of(record)

    async def connect(self, handle: SandboxHandle) -> Guest:
        """Connect to the guest of a running sandbox."""
        record = self._record(handle)
        if not self.state.running(handle.id):
            raise SandboxLost(f"The sandbox {handle.id} is not running.")
        if still_marker(self.state, handle.id).exists():
            async with self._lock(handle.id):
                await self.launcher.go_on(handle.id)
        stream = await connect_socket(self.state.socket(handle.id))
        return await connect_guest(stream, handle.id, login_to(record.spec.role, record.keys))

    async def list(self, labels: Mapping[str, str]) -> Sequence[SandboxInfo]:
        """The sandboxes that exist now and carry all these labels."""
        rows = await asyncio.to_thread(self.state.infos)
        return [row for row in rows if labels.items() <= row.labels.items()]

    async def relabel(self, handle: SandboxHandle, labels: Mapping[str, str]) -> None:
        """Replace its labels, and begin its wall time anew."""
        async with self._lock(handle.id):
            record = self._record(handle)
            if record.spec.background:
                cgroups.weigh(record.cgroups, background=False)
            self.state.write(record.begun_anew(self._clock.now(), labels))

    async def stop(self, handle: SandboxHandle) -> None:
        """Kill every process of it and free its memory."""
        async with self._lock(handle.id):
            await self.launcher.kill(handle.id)

    async def start(self, handle: SandboxHandle) -> None:
        """Start a stopped sandbox again with its files."""
        async with self._lock(handle.id):
            record = self._record(handle)
            if not self.state.running(handle.id):
                await self.launcher.kill(handle.id)
                await self.launcher.launch(record.begun_anew(self._clock.now()))

    async def snapshot(self, handle: SandboxHandle, layer: LayerId) -> LayerId:
        """Keep all that the sandbox has written as a layer of that id."""
        async with self._lock(handle.id):
            record = self._record(handle)
            if not await self.has_layer(layer):
                await self.launcher.snapshot(record, layer)
        return layer

    async def freeze(self, handle: SandboxHandle, layer: LayerId) -> LayerId:
        """Turn what the sandbox wrote into a layer of that id, and destroy the sandbox."""
        async with self._lock(handle.id):
            record = self._record(handle)
            await self.launcher.kill(handle.id)
            if not await self.has_layer(layer):
                await self.launcher.freeze(record, layer)
            await self.launcher.remove(handle.id)
        return layer

    async def destroy(self, handle: SandboxHandle) -> None:
        """Leave nothing of it."""
        async with self._lock(handle.id):
            if self.state.read(handle.id):
                await self.launcher.end(handle.id)

    def watchdog(self, tell: Tell) -> Watchdog:
        """Looks after every sandbox in the state folder, whoever made it."""
        limits = MeteredWatchdog(MachineMeters(self.launcher, self.tier, self._clock, self.stop), self._clock, tell)
        return Syncing(limits, self.settle, self._clock)

    def _record(self, handle: SandboxHandle) -> Record:
        record = self.state.read(handle.id)
        if record is None:
            raise SandboxLost(f"The sandbox {handle.id} does not exist any more.")
        if handle.id in self.state.unsynced.suspects("box"):
            raise SandboxLost("The machine stopped without warning: the sandbox's files may be damaged.")
        return record


def _report(tier: LimitTier, *, works: bool, detail: str, remedy: str = "") -> ProbeReport:
    return ProbeReport(
        provider=PROVIDER,
        works=works,
        isolation=Isolation.SHARED_KERNEL,
        limit_tier=tier,
        detail=detail,
        remedy=remedy,
    )
