"""The `microsandbox` provider. Its promises are those of the port; how it is to keep them is in docs/adr/0061."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from outrider.cleanup import to_its_end
from outrider.model.errors import SandboxError, SandboxLost
from outrider.model.ids import LayerId, SandboxId
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
from outrider.sandboxes.microsandbox import machines
from outrider.sandboxes.microsandbox.boot_probe import INSTALL, NOT_INSTALLED, BootProbe, installed_version
from outrider.sandboxes.microsandbox.layers import MicrosandboxLayers
from outrider.sandboxes.microsandbox.records import LayerRecord, StateFolder
from outrider.sandboxes.records import Record, SandboxLocks
from outrider.sandboxes.sshd import lay_out_script, new_keys, sshd_argv
from outrider.sandboxes.watchdog import MeteredWatchdog, Watched

PROVIDER = "microsandbox"

POLL_SECONDS = 5.0


class MicrosandboxProvider(MicrosandboxLayers):
    """Sandboxes with a kernel of their own."""

    name = PROVIDER

    def __init__(self, state: Path, clock: Clock, *, probe: BootProbe | None = None) -> None:
        """`state` is a folder of ours alone; microsandbox keeps its own in `~/.microsandbox`."""
        super().__init__(StateFolder(state.absolute()))
        self._clock = clock
        self._probe = probe or BootProbe(state, clock)
        self._lock = SandboxLocks()

    async def probe(self) -> ProbeReport:
        """Boot a microVM that runs `true`, or say what came of the last try."""
        report = ProbeReport(
            provider=PROVIDER,
            works=False,
            isolation=Isolation.VM,
            limit_tier=LimitTier.CGROUP,
            detail=f"{NOT_INSTALLED}.",
            remedy=INSTALL,
        )
        version = installed_version()
        if not version:
            return report
        verdict = await self._probe.verdict()
        found = {"version": f"microsandbox {version}", "works": verdict.booted, "remedy": ""}
        if verdict.booted:
            detail = "Sandboxes are microVMs with a kernel of their own, and are limited by what each was given."
            return report.model_copy(update={**found, "detail": detail})
        detail = f"Tried on this machine: {verdict.why}."
        return report.model_copy(update={**found, "detail": detail, "remedy": "See: msb doctor"})

    async def create(self, spec: SandboxSpec) -> SandboxHandle:
        """Make and start a microVM."""
        async with self._lock(spec.id):
            name = self.state.machine(spec.id)
            if name in await machines.all_running(name):
                raise SandboxError(f"The sandbox {spec.id} exists already.")
            snapshot, above = self.start_from(spec.layers)
            toolbox = await self.toolbox(spec.toolbox) if spec.toolbox else None
            record = Record(spec=spec, keys=new_keys(), started_at=self._clock.now())
            self.state.write(record)
            try:
                if snapshot:
                    await machines.restore(name, snapshot, spec.limits, toolbox)
                else:
                    await machines.create(name, await self.image(spec.layers), spec.limits, toolbox)
                await self.unpack(name, above)
                await _lay_out(name, record)
            except BaseException:
                await to_its_end(_remove(self.state, spec.id))
                raise
        return _handle(spec.id)

    async def connect(self, handle: SandboxHandle) -> Guest:
        """Connect to an sshd of its own in a running microVM."""
        record = await self._record(handle)
        name = self.state.machine(handle.id)
        if not (await machines.all_running(name)).get(name):
            raise SandboxLost(f"The sandbox {handle.id} is not running.")
        stream = await machines.attach(name, sshd_argv(record.spec.role, record.spec.limits))
        return await connect_guest(stream, handle.id, login_to(record.spec.role, record.keys))

    async def list(self, labels: Mapping[str, str]) -> Sequence[SandboxInfo]:
        """The microVMs that exist now and carry all these labels."""
        running = await machines.all_running(self.state.prefix())
        return [
            record.info(PROVIDER, running=running[self.state.machine(record.spec.id)])
            for record in self.state.records()
            if self.state.machine(record.spec.id) in running and labels.items() <= record.spec.labels.items()
        ]

    async def relabel(self, handle: SandboxHandle, labels: Mapping[str, str]) -> None:
        """Replace its labels, which are in our record, and begin its wall time anew."""
        async with self._lock(handle.id):
            record = await self._record(handle)
            self.state.write(record.begun_anew(self._clock.now(), labels))

    async def stop(self, handle: SandboxHandle) -> None:
        """End the microVM; its disk is kept."""
        async with self._lock(handle.id):
            await machines.kill(self.state.machine(handle.id))

    async def start(self, handle: SandboxHandle) -> None:
        """Boot it again with its disk."""
        async with self._lock(handle.id):
            record = await self._record(handle)
            name = self.state.machine(handle.id)
            if not (await machines.all_running(name)).get(name):
                self.state.write(record.begun_anew(self._clock.now()))
                await machines.start(name)
                await _lay_out(name, record)

    async def freeze(self, handle: SandboxHandle, layer: LayerId) -> LayerId:
        """Keep its disk as a layer, and destroy it."""
        async with self._lock(handle.id):
            await machines.kill(self.state.machine(handle.id))
            await self._keep(handle, layer, running=False)
            await _remove(self.state, handle.id)
        return layer

    async def snapshot(self, handle: SandboxHandle, layer: LayerId) -> LayerId:
        """Keep its disk as a layer; it stands still meanwhile."""
        async with self._lock(handle.id):
            name = self.state.machine(handle.id)
            await self._keep(handle, layer, running=bool((await machines.all_running(name)).get(name)))
        return layer

    async def destroy(self, handle: SandboxHandle) -> None:
        """Leave nothing of it."""
        async with self._lock(handle.id):
            await _remove(self.state, handle.id)

    def watchdog(self, tell: Tell) -> Watchdog:
        """Looks after every microVM of this home."""
        return MeteredWatchdog(_VmMeters(self), self._clock, tell)

    async def _keep(self, handle: SandboxHandle, layer: LayerId, *, running: bool) -> None:
        record = await self._record(handle)
        if not await self.has_layer(layer):
            name = f"{self.state.prefix()}-{layer}"
            size = await machines.snapshot(name, self.state.machine(handle.id), running=running)
            self.state.keep_layer(layer, LayerRecord(bytes=size, snapshot=name, above=record.spec.layers))

    async def _record(self, handle: SandboxHandle) -> Record:
        record, name = self.state.read(handle.id), self.state.machine(handle.id)
        if record is None or name not in await machines.all_running(name):
            raise SandboxLost(f"The sandbox {handle.id} does not exist any more.")
        return record


class _VmMeters:
    """A microVM cannot take more memory, CPU or disk than it was given; its own kernel kills what wants more, and does
    not tell us. Wall time is left to us."""

    poll_seconds = POLL_SECONDS

    def __init__(self, provider: MicrosandboxProvider) -> None:
        self._provider = provider

    async def running(self) -> Sequence[Watched]:
        """The microVMs that run."""
        rows = [row.handle for row in await self._provider.list({}) if row.running]
        records = [record for handle in rows if (record := self._provider.state.read(handle.id))]
        return [Watched(_handle(record.spec.id), record.spec.limits, record.started_at) for record in records]

    async def memory_kills(self, running: Sequence[Watched]) -> Mapping[SandboxId, int]:
        """Not known."""
        return {}

    async def disk_bytes(self, running: Sequence[Watched]) -> Mapping[SandboxId, int]:
        """No more than the disk has."""
        return {}

    async def stop(self, handle: SandboxHandle) -> None:
        """Stop it as the provider does."""
        await self._provider.stop(handle)


async def _lay_out(machine: str, record: Record) -> None:
    script = lay_out_script(record.spec.role, record.keys)
    await machines.run(machine, ["/bin/sh", "-c", script])


async def _remove(state: StateFolder, sandbox: SandboxId) -> None:
    await machines.destroy(state.machine(sandbox))
    state.forget(sandbox)


def _handle(sandbox: SandboxId) -> SandboxHandle:
    return SandboxHandle(id=sandbox, provider=PROVIDER)
