"""The layers in the state folder."""

import asyncio
from pathlib import Path

from outrider.model.errors import Refused
from outrider.model.ids import LayerId
from outrider.sandboxes.namespaces.launcher import Launcher
from outrider.sandboxes.namespaces.records import StateFolder


class NamespaceLayers:
    """Implements `outrider.ports.sandbox.Layers`."""

    def __init__(self, state: StateFolder, launcher: Launcher) -> None:
        self.state = state
        self.launcher = launcher

    async def has_layer(self, layer: LayerId) -> bool:
        """Whether the layer is complete and usable: it gets its name only then."""
        return await asyncio.to_thread(self.state.layer(layer).is_dir)

    async def add_layer(self, layer: LayerId, tar: Path) -> None:
        """Unpack a tar as a layer."""
        await self.launcher.add_layer(layer, tar)

    async def delete_layer(self, layer: LayerId) -> None:
        """Delete a layer that no sandbox uses."""
        for record in await asyncio.to_thread(lambda: list(self.state.records())):
            if layer in (*record.spec.layers, record.spec.toolbox):
                raise Refused(f"The layer {layer} is used by the sandbox {record.spec.id}.")
        await self.launcher.delete_layer(layer)
