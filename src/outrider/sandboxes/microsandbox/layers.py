"""Layers: tars of ours, and snapshots of whole disks. A microVM starts from the topmost snapshot of its layers, or from
an image of the tars where there is none; tars above a snapshot are unpacked in it."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Collection, Sequence
from pathlib import Path

from outrider.model.errors import NotFound, SandboxError
from outrider.model.ids import LayerId, derived_id
from outrider.model.sandbox import LayerInfo
from outrider.sandboxes.merge import merge
from outrider.sandboxes.microsandbox import machines
from outrider.sandboxes.microsandbox.records import LayerRecord, StateFolder
from outrider.sandboxes.tars import Part, image_archive, is_tar_of_files, read_file, take_in

UNPACK = "tar --extract --file=- --directory=/ --numeric-owner --same-permissions --no-overwrite-dir"

REMOVE_WHITEOUTS = """
find / -xdev -name '.wh.*' | while read -r mark; do
  folder=${mark%/*}; name=${mark##*/.wh.}
  [ "$name" = .wh..opq ] || rm -rf -- "$folder/$name"
  rm -f -- "$mark"
done
"""


class MicrosandboxLayers:
    """Implements `outrider.ports.sandbox.Layers`."""

    def __init__(self, state: StateFolder) -> None:
        self.state = state
        self._composing = asyncio.Lock()

    async def settle(self) -> None:
        """A microVM's disk is as safe as its monitor keeps it."""

    async def has_layer(self, layer: LayerId) -> bool:
        """Whether the layer is complete and usable."""
        return await asyncio.to_thread(self.state.layer, layer) is not None

    async def add_layer(self, layer: LayerId, tar: Path) -> None:
        """Keep a tar as a layer, or take in a snapshot that `export_layer` wrote."""
        if await self.has_layer(layer):
            return
        self.state.prepare()
        if not await asyncio.to_thread(is_tar_of_files, tar):
            name = await machines.load_snapshot(tar)
            self.state.keep_layer(layer, LayerRecord(bytes=await _size(tar), snapshot=name))
            return
        with tempfile.TemporaryDirectory(prefix=".new-", dir=self.state.layers) as folder:
            fresh = Path(folder, "layer.tar")
            diff_id, size = await asyncio.to_thread(take_in, tar, fresh)
            await asyncio.to_thread(fresh.rename, self.state.tar(layer))
        self.state.keep_layer(layer, LayerRecord(bytes=size, diff_id=diff_id))

    async def delete_layer(self, layer: LayerId) -> None:
        """Delete a layer that no sandbox uses, and its snapshot with the last layer that shows it."""
        await asyncio.to_thread(self.state.expect_unused, layer)
        record = self.state.layer(layer)
        if record is None:
            return
        self.state.forget_layer(layer)
        shutil.rmtree(self.state.toolboxes / layer, ignore_errors=True)
        others = self.state.layer_records().values()
        if record.snapshot and record.snapshot not in {other.snapshot for other in others}:
            await machines.delete_snapshot(record.snapshot)

    async def list_layers(self) -> Sequence[LayerInfo]:
        """The complete layers that exist now."""
        return await asyncio.to_thread(self.state.layer_infos)

    async def layer_bytes(self, layers: Collection[LayerId]) -> int:
        """What these take on disk together."""
        return await asyncio.to_thread(self.state.layer_bytes, layers)

    async def export_layer(self, layer: LayerId) -> AsyncIterator[bytes]:
        """The layer's tar, or its snapshot as microsandbox writes it."""
        record = self.state.layer(layer)
        if record is None:
            raise NotFound(f"There is no layer {layer}.")
        if not record.snapshot:
            async for chunk in read_file(self.state.tar(layer)):
                yield chunk
            return
        with tempfile.TemporaryDirectory(prefix=".new-", dir=self.state.layers) as folder:
            target = Path(folder, "snapshot.msb")
            await machines.save_snapshot(record.snapshot, target)
            async for chunk in read_file(target):
                yield chunk

    async def squash(self, layers: Sequence[LayerId], into: LayerId, *, below: Sequence[LayerId] = ()) -> LayerId:
        """One layer that shows the same as these. A snapshot at their top shows all of them already."""
        rows = [self.state.complete(layer) for layer in layers]
        if await self.has_layer(into):
            return into
        if rows[-1].snapshot:
            self.state.keep_layer(into, rows[-1].model_copy(update={"above": tuple(below)}))
            return into
        if any(row.snapshot for row in [*rows, *(self.state.complete(layer) for layer in below)]):
            raise SandboxError("Layers above a snapshot cannot be made one where the topmost is none.")
        with tempfile.TemporaryDirectory(prefix=".new-", dir=self.state.layers) as folder:
            fresh = Path(folder, "layer.tar")
            tars, under = [self.state.tar(layer) for layer in layers], [self.state.tar(layer) for layer in below]
            await asyncio.to_thread(merge, tars, fresh, under)
            await self.add_layer(into, fresh)
        return into

    def start_from(self, layers: Sequence[LayerId]) -> tuple[str, Sequence[LayerId]]:
        """The snapshot to start from, and the tars to be unpacked above it; no snapshot where there is none. Raises
        SandboxError for one that was made above other layers."""
        rows = [self.state.complete(layer) for layer in layers]
        tops = [number for number, row in enumerate(rows) if row.snapshot]
        if not tops:
            return "", ()
        top = tops[-1]
        if rows[top].above and rows[top].above != tuple(layers[:top]):
            raise SandboxError(
                f"The layer {layers[top]} is a disk that was made above other layers.", "Build the image again."
            )
        return rows[top].snapshot, layers[top + 1 :]

    async def image(self, layers: Sequence[LayerId]) -> str:
        """The image of these tars, made where microsandbox has it not."""
        chain = [self.state.complete(layer).diff_id for layer in layers]
        reference = f"{self.state.prefix()}/{derived_id('chain', *chain)}:latest"
        async with self._composing:
            if not await machines.has_image(reference):
                parts = [Part(diff, self.state.tar(layer)) for diff, layer in zip(chain, layers, strict=True)]
                with tempfile.TemporaryDirectory(prefix=".new-", dir=self.state.layers) as folder:
                    archive = Path(folder, "image.tar")
                    with await asyncio.to_thread(archive.open, "wb") as file:
                        async for chunk in image_archive(parts, {}, reference):
                            await asyncio.to_thread(file.write, chunk)
                    await machines.load_image(archive, reference)
        return reference

    async def toolbox(self, layer: LayerId) -> Path:
        """A folder with the files of a layer, to be shown read-only. Who owns them does not matter: all are shown as
        guest root's."""
        self.state.complete(layer)
        folder = self.state.toolboxes / layer
        async with self._composing:
            if not folder.is_dir():
                with tempfile.TemporaryDirectory(prefix=".new-", dir=self.state.toolboxes) as parent:
                    await _untar(self.state.tar(layer), Path(parent))
                    await asyncio.to_thread(Path(parent, "files").rename, folder)
        return folder

    async def unpack(self, machine: str, layers: Sequence[LayerId]) -> None:
        """Lay tars over the disk of a running microVM."""
        for layer in layers:
            await machines.run(machine, UNPACK.split(), read_file(self.state.tar(layer)))
            await machines.run(machine, ["/bin/sh", "-c", REMOVE_WHITEOUTS])


async def _size(file: Path) -> int:
    return (await asyncio.to_thread(file.stat)).st_size


async def _untar(tar: Path, folder: Path) -> None:
    """Unpack into a folder `files` below this one."""
    argv = ["tar", "--extract", f"--file={tar}", f"--one-top-level={folder / 'files'}", "--no-same-owner"]
    process = await asyncio.create_subprocess_exec(*argv, stderr=asyncio.subprocess.PIPE)
    _, errors = await process.communicate()
    if process.returncode:
        raise SandboxError(f"The toolbox could not be unpacked: {errors[-200:].decode(errors='replace').strip()}.")
