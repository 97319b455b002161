"""The layers of the fake provider: folders whose files are copied."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Collection, Sequence
from pathlib import Path

from pydantic import ValidationError

from outrider.model.base import Model
from outrider.model.errors import NotFound, Refused, SandboxError
from outrider.model.ids import LayerId
from outrider.model.sandbox import LayerInfo, SandboxSpec

WHOLE = ".outrider-whole"
"""Stands in a layer that was a sandbox and shows all of its files: what lay below it is not to show through."""


class Saved(Model):
    """What is kept of one sandbox."""

    spec: SandboxSpec
    running: bool
    suspect: bool = False


def read_saved(box: Path) -> Saved | None:
    """What was kept; None where there is no sandbox."""
    try:
        return Saved.model_validate_json((box / "saved.json").read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def write_saved(box: Path, saved: Saved) -> None:
    """Keep it."""
    (box / "saved.json").write_text(saved.model_dump_json())


def _bytes_of(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())


class FakeLayers:
    """Implements `outrider.ports.sandbox.Layers`."""

    def __init__(self, boxes: Path, layers: Path) -> None:
        self._boxes = boxes
        self._layers = layers
        self._boxes.mkdir(parents=True, exist_ok=True)
        self._layers.mkdir(exist_ok=True)

    async def settle(self) -> None:
        """These files are as safe as any."""

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

    async def export_layer(self, layer: LayerId) -> AsyncIterator[bytes]:
        """The folder as a tar."""
        if not await self.has_layer(layer):
            raise NotFound(f"There is no layer {layer}.")
        argv = ("tar", "-cf", "-", "--sort=name", "-C", str(self._layers / layer), ".")
        pack = await asyncio.create_subprocess_exec(*argv, stdout=asyncio.subprocess.PIPE)
        assert pack.stdout is not None
        while chunk := await pack.stdout.read(1 << 16):
            yield chunk
        await pack.wait()

    async def delete_layer(self, layer: LayerId) -> None:
        """Delete the folder where no sandbox was made from it."""
        for box in self._boxes.iterdir():
            saved = read_saved(box)
            if saved and layer in (*saved.spec.layers, saved.spec.toolbox):
                raise Refused(f"The layer {layer} is used by the sandbox {box.name}.")
        shutil.rmtree(self._layers / layer, ignore_errors=True)

    async def list_layers(self) -> Sequence[LayerInfo]:
        """The folders of layers."""
        saved = [saved for box in self._boxes.iterdir() if (saved := read_saved(box))]
        used = {layer for row in saved for layer in (*row.spec.layers, row.spec.toolbox)}
        layers = sorted(LayerId(path.name) for path in self._layers.iterdir() if not path.name.startswith("."))
        return [LayerInfo(id=layer, used=layer in used) for layer in layers]

    async def layer_bytes(self, layers: Collection[LayerId]) -> int:
        """The bytes of all their files."""
        return sum(_bytes_of(self._layers / layer) for layer in layers)

    async def squash(self, layers: Sequence[LayerId], into: LayerId, *, below: Sequence[LayerId] = ()) -> LayerId:
        """Copy them over one another."""
        for layer in (*below, *layers):
            if not await self.has_layer(layer):
                raise SandboxError(f"The layer {layer} does not exist.", "Build the image again.")
        if not await self.has_layer(into):
            self._stack(layers, self._layers / into)
        return into

    def _stack(self, layers: Sequence[LayerId], root: Path) -> None:
        """Copy layers over one another. A frozen one here is a whole root, so what it lacks was deleted."""
        whole = [n for n, layer in enumerate(layers) if (self._layers / layer / WHOLE).exists()]
        for layer in layers[whole[-1] if whole else 0 :]:
            shutil.copytree(self._layers / layer, root, symlinks=True, dirs_exist_ok=True)
