"""Start and end sandboxes on this machine: what the provider's promises come down to."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from outrider.model.errors import SandboxError
from outrider.model.ids import LayerId, SandboxId
from outrider.model.sandbox import GuestRole
from outrider.sandboxes.namespaces import cgroups
from outrider.sandboxes.namespaces.bwrap import probe_argv, sandbox_argv
from outrider.sandboxes.namespaces.ids import HostIds, find_host_ids
from outrider.sandboxes.namespaces.mapped_call import MappedCalls, require_programs
from outrider.sandboxes.namespaces.processes import kill, wait_gone
from outrider.sandboxes.namespaces.records import Record, StateFolder, frozen_marker, note_below, recorded, still_marker
from outrider.sandboxes.namespaces.settling import drop_suspects
from outrider.sandboxes.seccomp import filter_program
from outrider.sandboxes.sshd import run_files
from outrider.sandboxes.walls import OPEN_FILES, shm_bytes

PROBE_BOX = "boxes/probe"


class Launcher:
    """Works on one state folder. Callers see to it that only one call at a time concerns one sandbox."""

    def __init__(self, state: StateFolder, ids: HostIds | None, groups: cgroups.Cgroups | None) -> None:
        self.state = state
        self.groups = groups
        self._ids = ids
        self._calls: MappedCalls | None = None
        self._bwrap = ""
        self._opening = asyncio.Lock()
        self.launching: set[SandboxId] = set()

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
                for box in self.state.orphans():
                    await calls("delete", path=f"boxes/{box}")
                    await asyncio.to_thread(self.state.forget, SandboxId(box))
                await drop_suspects(self.state, calls)
                self._calls = calls
            return self._calls

    async def probe(self) -> None:
        """Start a bare sandbox of the host's own files and run `true` in it. Raises SandboxError."""
        calls = await self.calls()
        log = str(self.state.path / "probe.log")
        argv = probe_argv(self._bwrap)
        await calls("probe", argv=argv, box=PROBE_BOX, log=log, seccomp=str(self.state.seccomp))
        await calls("delete", path=PROBE_BOX)

    async def launch(self, record: Record) -> None:
        """Start a sandbox and return when it listens. Raises SandboxError."""
        calls = await self.calls()
        spec = record.spec
        groups = self.groups.create(spec.id, spec.limits) if self.groups else ()
        cgroups.weigh(groups, background=spec.background)
        self.state.write(record.model_copy(update={"cgroups": groups}))
        rlimits = {"CORE": 0, "FSIZE": spec.limits.disk_bytes, "NOFILE": OPEN_FILES}
        request = {
            "argv": sandbox_argv(self._bwrap, spec.role, toolbox=spec.toolbox is not None, shm=shm_bytes(spec.limits)),
            "box": f"boxes/{spec.id}",
            "layers": spec.layers,
            "toolbox": spec.toolbox,
            "files": run_files(record.keys, spec.role),
            "rlimits": rlimits if groups else rlimits | {"NPROC": spec.limits.processes},
            "cgroup_procs": [str(group / "cgroup.procs") for group in groups],
            "seccomp": str(self.state.seccomp),
            "log": str(self.state.own(spec.id) / "launch.log"),
            "pids_file": str(self.state.own(spec.id) / "pids.json"),
        }
        self.launching.add(spec.id)
        try:
            self.state.unsynced.mark("box", spec.id)
            with self.state.working(spec.id) as lock:
                await calls("launch", inherit=(lock,), **request)
        finally:
            self.launching.discard(spec.id)

    async def kill(self, sandbox: SandboxId) -> None:
        """End all its processes; its mounts go with them. A launch that a killed server left under way is let end
        first: until then nobody knows its processes."""
        await asyncio.to_thread(self.state.wait_worked, sandbox)
        await self.go_on(sandbox)
        pids = self.state.pids(sandbox)
        for process in pids.identities() if pids else ():
            kill(process)
            if not await wait_gone(process):
                raise SandboxError(f"The sandbox {sandbox} does not die: process {process.pid} hangs in the kernel.")

    async def snapshot(self, record: Record, layer: LayerId) -> None:
        """Make what a sandbox has written a layer. Whatever runs in it stands still meanwhile."""
        calls = await self.calls()
        sandbox = record.spec.id
        await asyncio.to_thread(self.state.wait_worked, sandbox)
        await self.go_on(sandbox)
        still = self._still(record) if self.state.running(sandbox) else None
        strip = record.spec.role is GuestRole.SESSION
        note_below(self.state, layer, record.spec.layers)
        self.state.unsynced.mark("layer", layer)
        with self.state.working(sandbox) as lock:
            await calls("snapshot", inherit=(lock,), box=f"boxes/{sandbox}", layer=layer, strip=strip, still=still)

    async def go_on(self, sandbox: SandboxId) -> None:
        """Let a sandbox go on that a killed server has left standing still. Once nobody keeps it."""
        if not still_marker(self.state, sandbox).exists():
            return
        calls = await self.calls()
        await asyncio.to_thread(self.state.wait_worked, sandbox)
        record = self.state.read(sandbox)
        if record and still_marker(self.state, sandbox).exists():
            await calls("go_on", still=self._still(record))

    def _still(self, record: Record) -> dict[str, object]:
        pids = self.state.pids(record.spec.id)
        return {
            "marker": str(still_marker(self.state, record.spec.id)),
            "groups": [str(group) for group in record.cgroups],
            "init": pids.inner if pids else (0, 0),
        }

    async def freeze(self, record: Record, layer: LayerId) -> None:
        """Make what a killed sandbox wrote a layer; rights that a session may have set are taken off its files."""
        calls = await self.calls()
        frozen_marker(self.state, record.spec.id).write_text(layer)
        if record.spec.role is GuestRole.SESSION:
            note_below(self.state, layer, record.spec.layers)
        self.state.unsynced.mark("layer", layer)
        await calls("freeze", box=f"boxes/{record.spec.id}", layer=layer, strip=record.spec.role is GuestRole.SESSION)

    async def remove(self, sandbox: SandboxId) -> None:
        """Delete files and groups of a killed sandbox, our record last: until then it can be found."""
        calls = await self.calls()
        await calls("delete", path=f"boxes/{sandbox}")
        self.state.unsynced.forget("box", sandbox)
        record = recorded(self.state, sandbox)
        cgroups.remove(record.cgroups if record else ())
        await asyncio.to_thread(self.state.forget, sandbox)

    async def end(self, sandbox: SandboxId) -> None:
        """Kill it and leave nothing of it."""
        await self.kill(sandbox)
        await self.remove(sandbox)

    async def add_layer(self, layer: LayerId, tar: Path) -> None:
        """Unpack a tar as a layer."""
        calls = await self.calls()
        self.state.unsynced.mark("layer", layer)
        await calls("unpack", layer=layer, tar=str(await asyncio.to_thread(tar.absolute)))

    async def delete_layer(self, layer: LayerId) -> None:
        """Delete a layer."""
        calls = await self.calls()
        await calls("delete", path=f"layers/{layer}")
        self.state.unsynced.forget("layer", layer)

    async def layer_bytes(self, layers: Sequence[LayerId]) -> dict[LayerId, int]:
        """Bytes on disk of each of these layers."""
        calls = await self.calls()
        answer = await calls("measure_layers", layers=list(layers))
        return {LayerId(layer): size for layer, size in answer["bytes"].items()}

    async def squash(self, layers: Sequence[LayerId], into: LayerId, below: Sequence[LayerId]) -> None:
        """Make one layer of several, to stand on `below`."""
        calls = await self.calls()
        self.state.unsynced.mark("layer", into)
        await calls("squash", layers=list(layers), into=into, below=list(below))
