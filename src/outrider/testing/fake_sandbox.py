"""A sandbox provider without sandboxes: each one is a folder of this machine, its commands are plain processes here.

It keeps every promise of the port that does not need a wall, and passes the same contract suite as the real one.
There is NO isolation: run only what you wrote. `/workspace`, `/home/agent` and `/opt/outrider` in folders, arguments
and environments are rewritten to places below the sandbox's folder; what a script computes is not.
"""

import asyncio
import shutil
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path

from outrider.model.errors import SandboxError, SandboxLost
from outrider.model.ids import LayerId, SandboxId
from outrider.model.sandbox import (
    GUEST_HOME,
    TOOLBOX,
    WORKSPACE,
    Isolation,
    LimitTier,
    ProbeReport,
    SandboxHandle,
    SandboxInfo,
    SandboxSpec,
)
from outrider.ports.sandbox import Guest, Tell, Watchdog
from outrider.testing.fake_guest import FakeGuest, kill_marked, marked_standing_still
from outrider.testing.fake_layers import WHOLE, FakeLayers, Saved, read_saved, write_saved


def _note(box: Path, *, running: bool) -> None:
    saved = read_saved(box)
    if saved:
        write_saved(box, saved.model_copy(update={"running": running}))


def _expect(box: Path) -> Saved:
    saved = read_saved(box)
    if saved is None or saved.suspect:
        raise SandboxLost(f"The sandbox {box.name} does not exist any more.")
    return saved


def _finish(root: Path) -> None:
    """Mark what was a sandbox, and take off the rights that a session may have given."""
    (root / WHOLE).touch()
    for path in root.rglob("*"):
        mode = path.lstat().st_mode
        if stat.S_ISREG(mode) and mode & (stat.S_ISUID | stat.S_ISGID):
            path.chmod(stat.S_IMODE(mode) & ~(stat.S_ISUID | stat.S_ISGID))


class SleepingWatchdog:
    """Implements `outrider.ports.sandbox.Watchdog` for a provider without limits."""

    async def run(self) -> None:
        """For ever."""
        await asyncio.Event().wait()

    async def look(self) -> None:
        """Nothing is seen."""


class FakeProvider(FakeLayers):
    """Implements `outrider.ports.sandbox.SandboxProvider` below a folder."""

    name = "fake"

    def __init__(self, state: Path) -> None:
        super().__init__(state / "boxes", state / "layers")
        self._stopping = asyncio.Lock()

    async def probe(self) -> ProbeReport:
        """It works wherever processes do."""
        return ProbeReport(
            provider=self.name,
            works=True,
            isolation=Isolation.SHARED_KERNEL,
            limit_tier=LimitTier.WATCHDOG,
            detail="This is a fake for tests: there is no wall at all.",
        )

    async def create(self, spec: SandboxSpec) -> SandboxHandle:
        """Copy the layers into a folder."""
        for layer in (*spec.layers, *((spec.toolbox,) if spec.toolbox else ())):
            if not await self.has_layer(layer):
                raise SandboxError(f"The layer {layer} does not exist.", "Build the image again.")
        if read_saved(self._boxes / spec.id):
            raise SandboxError(f"The sandbox {spec.id} exists already.")
        root = self.root(spec.id)
        self._stack(spec.layers, root)
        for folder in (WORKSPACE, GUEST_HOME, TOOLBOX):
            (root / folder.lstrip("/")).mkdir(parents=True, exist_ok=True)
        if spec.toolbox:
            shutil.copytree(self._layers / spec.toolbox, root / TOOLBOX.lstrip("/"), symlinks=True, dirs_exist_ok=True)
        write_saved(self._boxes / spec.id, Saved(spec=spec, running=True))
        return SandboxHandle(id=spec.id, provider=self.name)

    async def connect(self, handle: SandboxHandle) -> Guest:
        """A guest whose processes are ours."""
        saved = read_saved(self._boxes / handle.id)
        if saved is None or not saved.running:
            raise SandboxLost(f"The sandbox {handle.id} is not running.")
        return FakeGuest(handle.id, self.root(handle.id), lambda: self._runs(handle.id))

    async def list(self, labels: Mapping[str, str]) -> Sequence[SandboxInfo]:
        """The folders that exist."""
        saved = [saved for box in sorted(self._boxes.iterdir()) if (saved := read_saved(box))]
        return [
            SandboxInfo(
                handle=SandboxHandle(id=row.spec.id, provider=self.name),
                labels=row.spec.labels,
                running=row.running,
                layers=row.spec.layers,
                toolbox=row.spec.toolbox,
                suspect=row.suspect,
            )
            for row in saved
            if labels.items() <= row.spec.labels.items()
        ]

    async def relabel(self, handle: SandboxHandle, labels: Mapping[str, str]) -> None:
        """Write other labels."""
        saved = _expect(self._boxes / handle.id)
        spec = saved.spec.model_copy(update={"labels": dict(labels), "background": False})
        write_saved(self._boxes / handle.id, saved.model_copy(update={"spec": spec}))

    async def stop(self, handle: SandboxHandle) -> None:
        """Kill its processes and note that it is stopped."""
        async with self._stopping:
            _note(self._boxes / handle.id, running=False)
            await kill_marked(handle.id)

    async def start(self, handle: SandboxHandle) -> None:
        """Note that it runs, once a stop that is under way has killed all it had to."""
        async with self._stopping:
            pass
        _expect(self._boxes / handle.id)
        _note(self._boxes / handle.id, running=True)

    async def freeze(self, handle: SandboxHandle, layer: LayerId) -> LayerId:
        """Move its folder to the layers."""
        _expect(self._boxes / handle.id)
        await self.stop(handle)
        if not await self.has_layer(layer):
            _finish(self.root(handle.id))
            self.root(handle.id).rename(self._layers / layer)
        await self.destroy(handle)
        return layer

    async def snapshot(self, handle: SandboxHandle, layer: LayerId) -> LayerId:
        """Copy its folder to the layers while its processes stand still."""
        _expect(self._boxes / handle.id)
        if await self.has_layer(layer):
            return layer
        fresh = self._layers / f".new-{layer}"
        async with marked_standing_still(handle.id):
            try:
                await asyncio.to_thread(shutil.copytree, self.root(handle.id), fresh, symlinks=True)
                await asyncio.to_thread(_finish, fresh)
            except BaseException:
                shutil.rmtree(fresh, ignore_errors=True)
                raise
        fresh.rename(self._layers / layer)
        return layer

    async def destroy(self, handle: SandboxHandle) -> None:
        """Delete its folder."""
        await self.stop(handle)
        shutil.rmtree(self._boxes / handle.id, ignore_errors=True)

    def watchdog(self, tell: Tell) -> Watchdog:
        """Nothing is limited here, so nothing is told."""
        del tell
        return SleepingWatchdog()

    def root(self, sandbox: SandboxId) -> Path:
        """Where the files of a sandbox are on this machine."""
        return self._boxes / sandbox / "root"

    def lose_power(self) -> None:
        """The machine stops without warning, and what its sandboxes have written may not be on the disk."""
        for box in self._boxes.iterdir():
            saved = read_saved(box)
            if saved:
                write_saved(box, saved.model_copy(update={"running": False, "suspect": True}))

    def _runs(self, sandbox: SandboxId) -> bool:
        saved = read_saved(self._boxes / sandbox)
        return saved is not None and saved.running


class SlowSandbox(FakeProvider):
    """Takes as long to create a sandbox as the test lets it: until `go` is set."""

    def __init__(self, state: Path) -> None:
        super().__init__(state)
        self.go = asyncio.Event()

    async def create(self, spec: SandboxSpec) -> SandboxHandle:
        """Wait, then create."""
        await self.go.wait()
        return await super().create(spec)


class NeverReadySandbox(FakeProvider):
    """No sandbox gets ready, until the test says that it is `mended`. Leaves nothing."""

    mended = False

    async def create(self, spec: SandboxSpec) -> SandboxHandle:
        """Fail as an image without an sshd would."""
        if not self.mended:
            raise SandboxError("The sandbox was not ready in time.", "Look at its image: outrider images")
        return await super().create(spec)


class FullDiskSandbox(FakeProvider):
    """While the test says that the disk is `full`, no sandbox can be made, started or kept; what is written stays."""

    full = False

    async def create(self, spec: SandboxSpec) -> SandboxHandle:
        """Needs room."""
        self._need_room()
        return await super().create(spec)

    async def start(self, handle: SandboxHandle) -> None:
        """Needs room."""
        self._need_room()
        await super().start(handle)

    async def snapshot(self, handle: SandboxHandle, layer: LayerId) -> LayerId:
        """Needs room."""
        self._need_room()
        return await super().snapshot(handle, layer)

    def _need_room(self) -> None:
        if self.full:
            raise SandboxError("The disk is full.", "Free some space where the state folder is.")


class DyingSandbox(FakeProvider):
    """Each sandbox is lost once, when the test says so, and can be started again with its files."""

    async def die(self, handle: SandboxHandle) -> None:
        """End the sandbox under whoever is connected."""
        await self.stop(handle)
