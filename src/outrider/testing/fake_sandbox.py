"""A sandbox provider without sandboxes: each one is a folder of this machine, its commands are plain processes here.

It keeps every promise of the port that does not need a wall, and passes the same contract suite as the real one.
There is NO isolation: run only what you wrote. `/workspace`, `/home/agent` and `/opt/outrider` in folders, arguments
and environments are rewritten to places below the sandbox's folder; what a script computes is not.
"""

import asyncio
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError

from outrider.model.base import Model
from outrider.model.errors import Refused, SandboxError, SandboxLost
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
from outrider.testing.fake_guest import FakeGuest, kill_marked


class _Saved(Model):
    spec: SandboxSpec
    running: bool


def _read(box: Path) -> _Saved | None:
    try:
        return _Saved.model_validate_json((box / "saved.json").read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def _write(box: Path, saved: _Saved) -> None:
    (box / "saved.json").write_text(saved.model_dump_json())


def _note(box: Path, *, running: bool) -> None:
    saved = _read(box)
    if saved:
        _write(box, saved.model_copy(update={"running": running}))


class SleepingWatchdog:
    """Implements `outrider.ports.sandbox.Watchdog` for a provider without limits."""

    async def run(self) -> None:
        """For ever."""
        await asyncio.Event().wait()

    async def look(self) -> None:
        """Nothing is seen."""


class FakeLayers:
    """Implements `outrider.ports.sandbox.Layers` below a folder."""

    def __init__(self, state: Path) -> None:
        self._boxes = state / "boxes"
        self._layers = state / "layers"
        self._boxes.mkdir(parents=True, exist_ok=True)
        self._layers.mkdir(exist_ok=True)

    async def has_layer(self, layer: LayerId) -> bool:
        """Whether the folder is there."""
        return (self._layers / layer).is_dir()

    async def add_layer(self, layer: LayerId, tar: Path) -> None:
        """Unpack beside, then rename."""
        fresh = self._layers / f".new-{layer}"
        fresh.mkdir()
        unpack = await asyncio.create_subprocess_exec(
            "tar", "-xf", str(tar), "--no-same-owner", "-C", str(fresh), stderr=asyncio.subprocess.PIPE
        )
        _, errors = await unpack.communicate()
        if unpack.returncode:
            shutil.rmtree(fresh)
            raise SandboxError(f"The layer could not be unpacked: {errors.decode()[-200:]}")
        fresh.rename(self._layers / layer)

    async def delete_layer(self, layer: LayerId) -> None:
        """Delete the folder where no sandbox was made from it."""
        for box in self._boxes.iterdir():
            saved = _read(box)
            if saved and layer in (*saved.spec.layers, saved.spec.toolbox):
                raise Refused(f"The layer {layer} is used by the sandbox {box.name}.")
        shutil.rmtree(self._layers / layer, ignore_errors=True)


class FakeProvider(FakeLayers):
    """Implements `outrider.ports.sandbox.SandboxProvider` below a folder."""

    name = "fake"

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
        if _read(self._boxes / spec.id):
            raise SandboxError(f"The sandbox {spec.id} exists already.")
        root = self._root(spec.id)
        for layer in spec.layers:
            shutil.copytree(self._layers / layer, root, symlinks=True, dirs_exist_ok=True)
        for folder in (WORKSPACE, GUEST_HOME, TOOLBOX):
            (root / folder.lstrip("/")).mkdir(parents=True, exist_ok=True)
        if spec.toolbox:
            shutil.copytree(self._layers / spec.toolbox, root / TOOLBOX.lstrip("/"), symlinks=True, dirs_exist_ok=True)
        _write(self._boxes / spec.id, _Saved(spec=spec, running=True))
        return SandboxHandle(id=spec.id, provider=self.name)

    async def connect(self, handle: SandboxHandle) -> Guest:
        """A guest whose processes are ours."""
        saved = _read(self._boxes / handle.id)
        if saved is None or not saved.running:
            raise SandboxLost(f"The sandbox {handle.id} is not running.")
        return FakeGuest(handle.id, self._root(handle.id), lambda: self._runs(handle.id))

    async def list(self, labels: Mapping[str, str]) -> Sequence[SandboxInfo]:
        """The folders that exist."""
        saved = [saved for box in sorted(self._boxes.iterdir()) if (saved := _read(box))]
        return [
            SandboxInfo(
                handle=SandboxHandle(id=row.spec.id, provider=self.name), labels=row.spec.labels, running=row.running
            )
            for row in saved
            if labels.items() <= row.spec.labels.items()
        ]

    async def relabel(self, handle: SandboxHandle, labels: Mapping[str, str]) -> None:
        """Write other labels."""
        saved = _read(self._boxes / handle.id)
        if saved is None:
            raise SandboxLost(f"The sandbox {handle.id} does not exist any more.")
        spec = saved.spec.model_copy(update={"labels": dict(labels)})
        _write(self._boxes / handle.id, saved.model_copy(update={"spec": spec}))

    async def stop(self, handle: SandboxHandle) -> None:
        """Kill its processes and note that it is stopped."""
        _note(self._boxes / handle.id, running=False)
        await kill_marked(handle.id)

    async def start(self, handle: SandboxHandle) -> None:
        """Note that it runs."""
        if _read(self._boxes / handle.id) is None:
            raise SandboxLost(f"The sandbox {handle.id} does not exist any more.")
        _note(self._boxes / handle.id, running=True)

    async def freeze(self, handle: SandboxHandle, layer: LayerId) -> LayerId:
        """Move its folder to the layers."""
        if _read(self._boxes / handle.id) is None:
            raise SandboxLost(f"The sandbox {handle.id} does not exist any more.")
        await self.stop(handle)
        if not await self.has_layer(layer):
            self._root(handle.id).rename(self._layers / layer)
        await self.destroy(handle)
        return layer

    async def destroy(self, handle: SandboxHandle) -> None:
        """Delete its folder."""
        await self.stop(handle)
        shutil.rmtree(self._boxes / handle.id, ignore_errors=True)

    def watchdog(self, tell: Tell) -> Watchdog:
        """Nothing is limited here, so nothing is told."""
        del tell
        return SleepingWatchdog()

    def _root(self, sandbox: SandboxId) -> Path:
        return self._boxes / sandbox / "root"

    def _runs(self, sandbox: SandboxId) -> bool:
        saved = _read(self._boxes / sandbox)
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
    """Every creation fails, and leaves nothing."""

    async def create(self, spec: SandboxSpec) -> SandboxHandle:
        """Fail as a full machine would."""
        raise SandboxError(f"The sandbox {spec.id} could not be made: the disk is full.", "Free some space.")


class DyingSandbox(FakeProvider):
    """Each sandbox is lost once, when the test says so, and can be started again with its files."""

    async def die(self, handle: SandboxHandle) -> None:
        """End the sandbox under whoever is connected."""
        await self.stop(handle)
