"""The `docker` provider. Its promises are those of the port; how it keeps them is in docs/adr/0060."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from outrider.cleanup import to_its_end
from outrider.model.errors import SandboxError, SandboxLost
from outrider.model.ids import LayerId, SandboxId
from outrider.model.sandbox import (
    GuestRole,
    Isolation,
    LimitTier,
    ProbeReport,
    SandboxHandle,
    SandboxInfo,
    SandboxSpec,
)
from outrider.ports.clock import Clock
from outrider.ports.sandbox import Guest, Tell, Watchdog
from outrider.sandboxes.docker.containers import Containers
from outrider.sandboxes.docker.engine_api import DockerApi
from outrider.sandboxes.docker.layers import DockerLayers
from outrider.sandboxes.docker.meters import DaemonMeters
from outrider.sandboxes.docker.probe import isolation_of, require_limits, run_true, runtime_of, whose_ids
from outrider.sandboxes.docker.records import StateFolder
from outrider.sandboxes.guest import connect_guest, login_to
from outrider.sandboxes.records import Record, SandboxLocks
from outrider.sandboxes.sshd import new_keys, sshd_argv
from outrider.sandboxes.watchdog import MeteredWatchdog

PROVIDER = "docker"


class DockerProvider(DockerLayers):
    """Sandboxes as containers without network."""

    name = PROVIDER

    def __init__(self, state: Path, clock: Clock, *, socket: Path, runtime: str | None = None) -> None:
        """`state` is a folder of ours alone; `socket` is the daemon's. `runtime` is what the daemon calls it; None
        takes gVisor where the daemon has it."""
        super().__init__(StateFolder(state.absolute()), DockerApi(socket))
        self._clock = clock
        self._runtime = runtime
        self._containers = Containers(self.state, self.api)
        self._lock = SandboxLocks()

    async def probe(self) -> ProbeReport:
        """Start a bare container, and say what is in force."""
        report = ProbeReport(
            provider=PROVIDER,
            works=False,
            isolation=Isolation.SHARED_KERNEL,
            limit_tier=LimitTier.CGROUP,
            detail="",
        )
        try:
            info = await self.api.get("/info")
            report = report.model_copy(update={"version": f"Docker {info['ServerVersion']}"})
            require_limits(info)
            runtime = runtime_of(info, self._runtime)
            await run_true(self, self.api, runtime)
        except SandboxError as error:
            return report.model_copy(update={"detail": error.sentence, "remedy": error.remedy})
        kernel = "have gVisor's kernel" if runtime else "share this machine's kernel"
        limits = "are limited by the daemon's control groups"
        detail = f"Sandboxes are containers, {kernel}, {limits}, and {whose_ids(info)}."
        return report.model_copy(update={"works": True, "isolation": isolation_of(runtime), "detail": detail})

    async def create(self, spec: SandboxSpec) -> SandboxHandle:
        """Make and start a container."""
        async with self._lock(spec.id):
            if await self._containers.exists(spec.id):
                raise SandboxError(f"The sandbox {spec.id} exists already.")
            runtime = runtime_of(await self.api.get("/info"), self._runtime)
            image = await self.images.compose(spec.layers)
            volume = await self.images.fill_volume(spec.toolbox, image) if spec.toolbox else None
            record = Record(spec=spec, keys=new_keys(), started_at=self._clock.now())
            try:
                await self._containers.make(record, image, volume, runtime)
                await self._containers.run(spec.id)
            except BaseException:
                await to_its_end(self._containers.remove(spec.id))
                raise
        return _handle(spec.id)

    async def connect(self, handle: SandboxHandle) -> Guest:
        """Connect to an sshd of its own in a running container."""
        record = await self._containers.record(handle.id)
        try:
            command = await self._containers.command(handle.id, sshd_argv(record.spec.role, record.spec.limits))
            stream = await self.api.attach(command)
        except SandboxError as error:
            raise SandboxLost(f"The sandbox {handle.id} is not running.") from error
        return await connect_guest(stream, handle.id, login_to(record.spec.role, record.keys))

    async def list(self, labels: Mapping[str, str]) -> Sequence[SandboxInfo]:
        """The containers that exist now and carry all these labels."""
        return [
            record.info(PROVIDER, running=runs)
            for record, runs in await self._containers.all()
            if labels.items() <= record.spec.labels.items()
        ]

    async def relabel(self, handle: SandboxHandle, labels: Mapping[str, str]) -> None:
        """Replace its labels and begin its wall time anew. A container's own labels cannot change: ours are in the
        record."""
        async with self._lock(handle.id):
            record = await self._containers.record(handle.id)
            self.state.write(record.begun_anew(self._clock.now(), labels))

    async def stop(self, handle: SandboxHandle) -> None:
        """Kill every process of it and free its memory."""
        async with self._lock(handle.id):
            await self._containers.kill(handle.id)

    async def start(self, handle: SandboxHandle) -> None:
        """Start a stopped container again with its files."""
        async with self._lock(handle.id):
            record = await self._containers.record(handle.id)
            if not await self._containers.runs(handle.id):
                self.state.write(record.begun_anew(self._clock.now()))
                await self._containers.run(handle.id)

    async def freeze(self, handle: SandboxHandle, layer: LayerId) -> LayerId:
        """Commit what the container wrote, and destroy it."""
        async with self._lock(handle.id):
            await self._containers.record(handle.id)
            await self._containers.kill(handle.id)
            await self._commit(handle.id, layer)
            await self._containers.remove(handle.id)
        return layer

    async def snapshot(self, handle: SandboxHandle, layer: LayerId) -> LayerId:
        """Commit what the container has written so far. The daemon holds its processes meanwhile, and lets them go also
        where we die."""
        async with self._lock(handle.id):
            await self._commit(handle.id, layer)
        return layer

    async def destroy(self, handle: SandboxHandle) -> None:
        """Leave nothing of it."""
        async with self._lock(handle.id):
            await self._containers.remove(handle.id)

    def watchdog(self, tell: Tell) -> Watchdog:
        """Looks after every container of this home."""
        return MeteredWatchdog(DaemonMeters(self.state, self.api, self._clock, self.stop), self._clock, tell)

    async def _commit(self, sandbox: SandboxId, layer: LayerId) -> None:
        record = await self._containers.record(sandbox)
        if not await self.has_layer(layer):
            strip = record.spec.role is GuestRole.SESSION
            await self.images.keep_commit(self._containers.name(sandbox), layer, strip=strip)


def _handle(sandbox: SandboxId) -> SandboxHandle:
    return SandboxHandle(id=sandbox, provider=PROVIDER)
