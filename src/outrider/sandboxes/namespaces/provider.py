"""The `namespaces` provider. Its promises are those of the port; how it keeps them is in docs/adr/0002."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from outrider.model.errors import Refused, SandboxError, SandboxLost
from outrider.model.ids import LayerId, SandboxId
from outrider.model.sandbox import (
    GUEST_USER,
    GuestRole,
    Isolation,
    LimitTier,
    ProbeReport,
    SandboxHandle,
    SandboxInfo,
    SandboxSpec,
)
from outrider.ports.clock import Clock
from outrider.ports.sandbox import Guest
from outrider.sandboxes.guest import GuestLogin, connect_guest
from outrider.sandboxes.namespaces import cgroups
from outrider.sandboxes.namespaces.bwrap import probe_argv, sandbox_argv
from outrider.sandboxes.namespaces.ids import HostIds, find_host_ids
from outrider.sandboxes.namespaces.mapped_call import MappedCalls, require_programs
from outrider.sandboxes.namespaces.processes import kill, wait_gone
from outrider.sandboxes.namespaces.records import PROVIDER, Record, StateFolder, handle_of
from outrider.sandboxes.namespaces.seccomp import filter_program
from outrider.sandboxes.namespaces.sockets import connect_socket
from outrider.sandboxes.namespaces.sshd import new_keys, run_files

PROBE_BOX = "boxes/probe"


class NamespaceProvider:
    """Sandboxes of the kernel's own means on this machine, for root and for a plain user alike."""

    name = PROVIDER

    def __init__(
        self, state: Path, clock: Clock, *, ids: HostIds | None = None, groups: cgroups.Cgroups | None = None
    ) -> None:
        """`state` is a folder of ours alone; nothing is touched before the first call. `ids` and `groups` are found
        by `find_host_ids` and given by `find_cgroups`; without groups the limits are the watchdog's to keep."""
        self.state = StateFolder(state.absolute())
        self.groups = groups
        self._clock = clock
        self._ids = ids
        self._calls: MappedCalls | None = None
        self._bwrap = ""
        self._opening = asyncio.Lock()
        self._locks: defaultdict[SandboxId, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def probe(self) -> ProbeReport:
        """Start a bare sandbox, run `true` in it, and say what is in force."""
        tier = LimitTier.CGROUP if self.groups else LimitTier.WATCHDOG
        try:
            calls = await self.calls()
            argv = probe_argv(self._bwrap)
            log = str(self.state.path / "probe.log")
            await calls("probe", argv=argv, box=PROBE_BOX, log=log, seccomp=str(self.state.seccomp))
            await calls("delete", path=PROBE_BOX)
        except SandboxError as error:
            return _report(works=False, tier=tier, detail=error.sentence, remedy=error.remedy)
        means = "control groups" if self.groups else "rlimits and a watchdog"
        detail = f"Sandboxes run under a shared kernel as ids that own nothing, limited by {means}."
        return _report(works=True, tier=tier, detail=detail)

    async def create(self, spec: SandboxSpec) -> SandboxHandle:
        """Make and start a sandbox."""
        await self.calls()
        for layer in (*spec.layers, *((spec.toolbox,) if spec.toolbox else ())):
            if not await self.has_layer(layer):
                raise SandboxError(f"The layer {layer} does not exist.", "Build the image again.")
        async with self._locks[spec.id]:
            if self.state.read(spec.id):
                raise SandboxError(f"The sandbox {spec.id} exists already.")
            record = Record(spec=spec, keys=new_keys(), created_at=self._clock.now())
            try:
                await self._launch(record)
            except BaseException:
                await self._remove(record)
                raise
        return handle_of(record)

    async def connect(self, handle: SandboxHandle) -> Guest:
        """Connect to the guest of a running sandbox."""
        record = self.state.read(handle.id)
        if record is None or not self.state.running(handle.id):
            raise SandboxLost(f"The sandbox {handle.id} is not running.")
        stream = await connect_socket(self.state.socket(handle.id))
        user = "root" if record.spec.role is GuestRole.BUILD else GUEST_USER
        login = GuestLogin(user=user, user_private=record.keys.user_private, host_public=record.keys.host_public)
        return await connect_guest(stream, handle.id, login)

    async def list(self, labels: Mapping[str, str]) -> Sequence[SandboxInfo]:
        """The sandboxes that exist now and carry all these labels."""
        return await asyncio.to_thread(self._list, labels)

    async def stop(self, handle: SandboxHandle) -> None:
        """Kill every process of it and free its memory."""
        async with self._locks[handle.id]:
            await self._stop(handle.id)

    async def start(self, handle: SandboxHandle) -> None:
        """Start a stopped sandbox again with its files."""
        async with self._locks[handle.id]:
            record = self.state.read(handle.id)
            if record is None:
                raise SandboxLost(f"The sandbox {handle.id} does not exist any more.")
            if not self.state.running(handle.id):
                await self._stop(handle.id)
                await self._launch(record)

    async def freeze(self, handle: SandboxHandle, layer: LayerId) -> LayerId:
        """Turn what the sandbox wrote into a layer of that id, and destroy the sandbox."""
        calls = await self.calls()
        async with self._locks[handle.id]:
            record = self.state.read(handle.id)
            if record is None:
                raise SandboxLost(f"The sandbox {handle.id} does not exist any more.")
            await self._stop(handle.id)
            if not await self.has_layer(layer):
                strip = record.spec.role is GuestRole.SESSION
                await calls("freeze", box=f"boxes/{handle.id}", layer=layer, strip=strip)
            await self._remove(record)
        return layer

    async def destroy(self, handle: SandboxHandle) -> None:
        """Leave nothing of it."""
        async with self._locks[handle.id]:
            record = self.state.read(handle.id)
            if record:
                await self._stop(handle.id)
                await self._remove(record)
        self._locks.pop(handle.id, None)

    async def has_layer(self, layer: LayerId) -> bool:
        """Whether the layer is complete and usable: it gets its name only then."""
        return await asyncio.to_thread(self.state.layer(layer).is_dir)

    async def add_layer(self, layer: LayerId, tar: Path) -> None:
        """Unpack a tar as a layer."""
        calls = await self.calls()
        await calls("unpack", layer=layer, tar=str(await asyncio.to_thread(tar.absolute)))

    async def delete_layer(self, layer: LayerId) -> None:
        """Delete a layer that no sandbox uses."""
        calls = await self.calls()
        for record in self.state.records():
            if layer in (*record.spec.layers, record.spec.toolbox):
                raise Refused(f"The layer {layer} is used by the sandbox {record.spec.id}.")
        await calls("delete", path=f"layers/{layer}")

    async def calls(self) -> MappedCalls:
        """The helper program, after the first use has made the folders and found what is missing."""
        async with self._opening:
            if self._calls is None:
                ids = self._ids or find_host_ids()
                self._bwrap = require_programs(ids)
                await asyncio.to_thread(self.state.prepare, filter_program)
                calls = MappedCalls(self.state.guest, ids)
                await calls("sweep")
                self.state.guest.chmod(0o755)
                self._calls = calls
            return self._calls

    def _list(self, labels: Mapping[str, str]) -> Sequence[SandboxInfo]:
        return [
            SandboxInfo(handle=handle_of(record), labels=record.spec.labels, running=self.state.running(record.spec.id))
            for record in self.state.records()
            if labels.items() <= record.spec.labels.items()
        ]

    async def _launch(self, record: Record) -> None:
        calls = await self.calls()
        spec = record.spec
        groups = self.groups.create(spec.id, spec.limits) if self.groups else ()
        record = record.model_copy(update={"cgroups": groups})
        self.state.write(record)
        rlimits = {"CORE": 0, "FSIZE": spec.limits.disk_bytes}
        await calls(
            "launch",
            argv=sandbox_argv(self._bwrap, spec.role, toolbox=spec.toolbox is not None),
            box=f"boxes/{spec.id}",
            layers=spec.layers,
            toolbox=spec.toolbox,
            files=run_files(record.keys, spec.role),
            rlimits=rlimits if groups else rlimits | {"NPROC": spec.limits.processes},
            cgroup_procs=[str(group / "cgroup.procs") for group in groups],
            seccomp=str(self.state.seccomp),
            log=str(self.state.own(spec.id) / "launch.log"),
            pids_file=str(self.state.own(spec.id) / "pids.json"),
        )

    async def _stop(self, sandbox: SandboxId) -> None:
        pids = self.state.pids(sandbox)
        for process in pids.identities() if pids else ():
            kill(process)
            if not await wait_gone(process):
                raise SandboxError(f"The sandbox {sandbox} does not die: process {process.pid} hangs in the kernel.")

    async def _remove(self, record: Record) -> None:
        """Delete files and groups of a sandbox without processes, our record last: until then it can be found."""
        calls = await self.calls()
        await calls("delete", path=f"boxes/{record.spec.id}")
        stored = self.state.read(record.spec.id)
        cgroups.remove(stored.cgroups if stored else ())
        self.state.forget(record.spec.id)


def _report(*, works: bool, tier: LimitTier, detail: str, remedy: str = "") -> ProbeReport:
    return ProbeReport(
        provider=PROVIDER, works=works, isolation=Isolation.SHARED_KERNEL, limit_tier=tier, detail=detail, remedy=remedy
    )
