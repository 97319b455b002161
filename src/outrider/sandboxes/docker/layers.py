"""The layers of a home that uses a daemon: kept by us as tars, by the daemon as links of its images."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Collection, Sequence
from pathlib import Path

from outrider.model.errors import NotFound
from outrider.model.ids import LayerId
from outrider.model.sandbox import LayerInfo
from outrider.sandboxes.docker.engine_api import DockerApi
from outrider.sandboxes.docker.images import Images
from outrider.sandboxes.docker.records import StateFolder
from outrider.sandboxes.merge import merge
from outrider.sandboxes.tars import read_file


class DockerLayers:
    """Implements `outrider.ports.sandbox.Layers`."""

    def __init__(self, state: StateFolder, api: DockerApi) -> None:
        self.state = state
        self.api = api
        self.images = Images(state, api)

    async def settle(self) -> None:
        """The daemon's files are as safe as it keeps them."""

    async def has_layer(self, layer: LayerId) -> bool:
        """Whether the layer is complete and usable."""
        return await asyncio.to_thread(self.state.layer, layer) is not None

    async def add_layer(self, layer: LayerId, tar: Path) -> None:
        """Keep a tar as a layer. The daemon gets it with the first sandbox that is made from it."""
        if not await self.has_layer(layer):
            await self.images.take_in(layer, tar)

    async def delete_layer(self, layer: LayerId) -> None:
        """Delete a layer that no sandbox uses, with the images that hold it."""
        await asyncio.to_thread(self.state.expect_unused, layer)
        await self.images.delete(layer)

    async def list_layers(self) -> Sequence[LayerInfo]:
        """The complete layers that exist now."""
        return await asyncio.to_thread(self.state.layer_infos)

    async def layer_bytes(self, layers: Collection[LayerId]) -> int:
        """What these take on disk together."""
        return await asyncio.to_thread(self.state.layer_bytes, layers)

    async def export_layer(self, layer: LayerId) -> AsyncIterator[bytes]:
        """The layer as the tar that `add_layer` takes back."""
        if not await self.has_layer(layer):
            raise NotFound(f"There is no layer {layer}.")
        async for chunk in read_file(await self.images.tar(layer)):
            yield chunk

    async def squash(self, layers: Sequence[LayerId], into: LayerId, *, below: Sequence[LayerId] = ()) -> LayerId:
        """One layer that shows the same as these."""
        # From the top: its image holds the others too.
        tars = [await self.images.tar(layer) for layer in reversed(layers)][::-1]
        under = [await self.images.tar(layer) for layer in below]
        if not await self.has_layer(into):
            with tempfile.TemporaryDirectory(prefix=".new-", dir=self.state.layers) as folder:
                fresh = Path(folder, "layer.tar")
                await asyncio.to_thread(merge, tars, fresh, under)
                await self.add_layer(into, fresh)
        return into
