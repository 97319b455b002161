"""The layers of the `namespaces` provider: folders, never changed once they have their name."""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from pathlib import Path

from outrider.model.errors import NotFound, Refused, SandboxError
from outrider.model.ids import LayerId
from outrider.model.sandbox import LayerInfo
from outrider.sandboxes.namespaces.launcher import Launcher
from outrider.sandboxes.namespaces.records import StateFolder, below_snapshots, forget_below
from outrider.sandboxes.namespaces.settling import settle


class NamespaceLayers:
    """Implements `outrider.ports.sandbox.Layers`."""

    def __init__(self, state: StateFolder, launcher: Launcher) -> None:
        self.state = state
        self.launcher = launcher
        self._layer_bytes: dict[LayerId, int] = {}

    async def settle(self) -> None:
        """Sync the layers, and the sandboxes that do not run."""
        await settle(self.state, self.launcher.launching)

    async def has_layer(self, layer: LayerId) -> bool:
        """Whether the layer is complete and usable: it gets its name only then."""
        return await asyncio.to_thread(self.state.layer(layer).is_dir)

    async def add_layer(self, layer: LayerId, tar: Path) -> None:
        """Unpack a tar as a layer."""
        await self.launcher.add_layer(layer, tar)

    async def export_layer(self, layer: LayerId) -> AsyncIterator[bytes]:
        """The layer as a tar that `add_layer` takes back."""
        if not await self.has_layer(layer):
            raise NotFound(f"There is no layer {layer}.")
        calls = await self.launcher.calls()
        async with aclosing(calls.stream("export", layer=layer)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def delete_layer(self, layer: LayerId) -> None:
        """Delete a layer that no sandbox uses."""
        for record in await asyncio.to_thread(lambda: list(self.state.records())):
            if layer in (*record.spec.layers, record.spec.toolbox):
                raise Refused(f"The layer {layer} is used by the sandbox {record.spec.id}.")
        await self.launcher.delete_layer(layer)
        forget_below(self.state, layer)
        self._layer_bytes.pop(layer, None)

    async def list_layers(self) -> Sequence[LayerInfo]:
        """The complete layers that exist now."""
        return await asyncio.to_thread(self._infos)

    async def layer_bytes(self, layers: Collection[LayerId]) -> int:
        """What these take on disk together. Layers never change, so each is measured once."""
        unknown = [layer for layer in layers if layer not in self._layer_bytes and await self.has_layer(layer)]
        if unknown:
            self._layer_bytes |= await self.launcher.layer_bytes(unknown)
        return sum(self._layer_bytes.get(layer, 0) for layer in layers)

    async def squash(self, layers: Sequence[LayerId], into: LayerId, *, below: Sequence[LayerId] = ()) -> LayerId:
        """One layer that shows the same files as these."""
        for layer in (*below, *layers):
            if not await self.has_layer(layer):
                raise SandboxError(f"The layer {layer} does not exist.", "Build the image again.")
        if not await self.has_layer(into):
            await self.launcher.squash(layers, into, below)
        return into

    def _infos(self) -> list[LayerInfo]:
        used = {layer for record in self.state.records() for layer in (*record.spec.layers, record.spec.toolbox)}
        used |= below_snapshots(self.state)
        return [
            LayerInfo(id=layer, used=layer in used, made_at=_made_at(self.state.layer(layer)))
            for layer in self._names()
        ]

    def _names(self) -> list[LayerId]:
        folder = self.state.guest / "layers"
        names = (path.name for path in folder.iterdir()) if folder.is_dir() else ()
        return sorted(LayerId(name) for name in names if not name.startswith("."))


def _made_at(folder: Path) -> datetime | None:
    """When it got its name, which changes the inode; the modification time is the guest's."""
    try:
        return datetime.fromtimestamp(folder.stat().st_ctime, UTC)
    except OSError:
        return None
