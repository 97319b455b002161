"""Snapshots beyond the sandbox and the machine: their layers go to a blob store as zstd, and come back from it."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Collection, Sequence
from pathlib import Path

import zstandard

from outrider.fleet.commands import Progress
from outrider.fleet.generations import is_renewed
from outrider.fleet.images.layers import OneAtATime
from outrider.model.errors import NotFound, OutriderError
from outrider.model.ids import LayerId, derived_id
from outrider.ports.layer_blobs import LayerBlobs
from outrider.ports.sandbox import SandboxProvider

KIND = "snap"
"""How the ids of snapshot layers begin."""

MADE_AGAIN = ("base-", "packages-", "toolbox-", "stack-")
"""Layers that every machine makes for itself, from what their ids are derived from. They are not stored, unless they
stand on a base that was renewed here or fetched by a tag: nobody makes the same one again. The settings of package
clients are stored: they are this machine's, as they were."""

SQUASH_AT = 32
"""So many snapshots of one session on top of one another become one layer: a sandbox may have 64 layers."""

LEVEL = 3
"""zstd's own default: 300-500 MB/s and core, within a tenth of what slower levels save."""

EXPORTS_AT_ONCE = 1
"""Compressing is for the background: turns need the processors."""

SUFFIX = ".tar.zst"


def snapshot_layer(*parts: str) -> LayerId:
    """The id of the snapshot that these parts have."""
    return LayerId(derived_id(KIND, *parts))


class Snapshots:
    """Stores and fetches layers. `scratch` is a folder for one layer's tar at a time."""

    def __init__(self, provider: SandboxProvider, blobs: LayerBlobs, scratch: Path) -> None:
        self._provider = provider
        self._blobs = blobs
        self._scratch = scratch
        self._exports = asyncio.Semaphore(EXPORTS_AT_ONCE)
        self._one_at_a_time = OneAtATime()
        self._asked: set[LayerId] = set()
        """What was to be stored since `all` was last asked: some session may name it by now."""

    async def store(self, layers: Sequence[LayerId]) -> int:
        """Bring to the store what it does not have, and return the bytes that it took. Raises OutriderError."""
        size = 0
        passed_over = ("toolbox-",) if any(map(is_renewed, layers)) else MADE_AGAIN
        for layer in layers:
            if layer.startswith(passed_over):
                continue
            self._asked.add(layer)
            async with self._one_at_a_time.making(layer):
                size += await self._stored(layer)
        return size

    async def _stored(self, layer: LayerId) -> int:
        if await self._blobs.has(layer + SUFFIX):
            return 0
        async with self._exports:
            return await self._blobs.put(layer + SUFFIX, _compressed(self._provider.export_layer(layer)))

    async def fetch(self, layers: Sequence[LayerId], say: Progress) -> tuple[LayerId, ...]:
        """Have all of them on this machine. Returns those that cannot be had."""
        missing = []
        for layer in layers:
            if await self._provider.has_layer(layer):
                continue
            say(f"Fetching {layer} from the blob store")
            try:
                async with self._one_at_a_time.making(layer):
                    await self._fetch(layer)
            except NotFound:
                missing.append(layer)
        return tuple(missing)

    async def shorten(self, stack: Sequence[LayerId]) -> tuple[LayerId, ...]:
        """The same files in fewer layers, where many snapshots stand on one another."""
        tops = [layer for layer in stack if layer.startswith(f"{KIND}-")]
        below = tuple(stack[: len(stack) - len(tops)])
        if len(tops) < SQUASH_AT or tuple(stack[len(below) :]) != tuple(tops):
            return tuple(stack)
        into = snapshot_layer("squash", *tops)
        return (*below, await self._provider.squash(tops, into, below=below))

    async def collect(self, before: Collection[LayerId], named: Collection[LayerId]) -> int:
        """Delete the snapshots that no session names, here and in the store, and what was stored of the layers below
        them; say how many there were. `before` is what `all` said before it was asked what is named."""
        doomed = [layer for layer in before if layer not in named]
        gone = 0
        while free := await self._free(doomed):
            for layer in free:
                gone += await self._delete(layer)
            doomed = [layer for layer in doomed if layer not in free]
        return gone

    async def _delete(self, layer: LayerId) -> int:
        """One layer here and in the store, unless it is wanted again; how many went. What is no snapshot stays here:
        images are made from it."""
        async with self._one_at_a_time.making(layer):
            if layer in self._asked:
                return 0
            if layer.startswith(f"{KIND}-"):
                await self._provider.delete_layer(layer)
            await self._blobs.delete(layer + SUFFIX)
        return 1

    async def _free(self, layers: Sequence[LayerId]) -> list[LayerId]:
        """Those that no sandbox and no other snapshot stands on. What these stand on is free after them."""
        used = {row.id for row in await self._provider.list_layers() if row.used}
        return [layer for layer in layers if layer not in used]

    async def all(self) -> tuple[LayerId, ...]:
        """Every snapshot layer here, those on top first, and every layer in the store."""
        self._asked.clear()
        here = [row.id for row in await self._provider.list_layers() if row.id.startswith(f"{KIND}-")]
        stored = [LayerId(name.removesuffix(SUFFIX)) for name in await self._blobs.names()]
        return tuple(dict.fromkeys([*reversed(here), *stored]))

    async def _fetch(self, layer: LayerId) -> None:
        if await self._provider.has_layer(layer):
            return
        await asyncio.to_thread(self._scratch.mkdir, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._scratch) as folder:
            packed, tar = Path(folder, "layer.zst"), Path(folder, "layer.tar")
            with await asyncio.to_thread(packed.open, "wb") as file:
                async for chunk in self._blobs.get(layer + SUFFIX):
                    await asyncio.to_thread(file.write, chunk)
            await asyncio.to_thread(_unpack, packed, tar)
            await self._provider.add_layer(layer, tar)


async def _compressed(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Bounded memory: a chunk in, what comes of it out."""
    compressor = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True).compressobj()
    async for chunk in chunks:
        if packed := await asyncio.to_thread(compressor.compress, chunk):
            yield packed
    yield await asyncio.to_thread(compressor.flush)


def _unpack(packed: Path, tar: Path) -> None:
    try:
        with packed.open("rb") as source, tar.open("wb") as target:
            zstandard.ZstdDecompressor().copy_stream(source, target)
    except zstandard.ZstdError as error:
        raise OutriderError(f"A layer in the blob store is damaged: {error}.") from error
