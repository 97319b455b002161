"""The layers that real sandboxes in tests are made of, and how they get from one provider to another."""

import asyncio
import tempfile
from dataclasses import dataclass
from pathlib import Path

from outrider.model.ids import LayerId
from outrider.ports.sandbox import SandboxProvider


@dataclass(frozen=True, slots=True)
class BaseLayers:
    """What real sandboxes in tests are made of: the type of the `base_layers` fixture."""

    base: LayerId
    toolbox: LayerId


async def copy_layer(layer: LayerId, source: SandboxProvider, target: SandboxProvider, scratch: Path) -> None:
    """Have the target know a layer of the source, over a tar below `scratch`. No error where it knows it."""
    if await target.has_layer(layer):
        return
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        await target.add_layer(layer, await write_layer(layer, source, Path(folder)))


async def write_layer(layer: LayerId, source: SandboxProvider, folder: Path) -> Path:
    """The layer as a tar in this folder."""
    tar, part = folder / f"{layer}.tar", folder / f"{layer}.part"
    with await asyncio.to_thread(part.open, "wb") as file:
        async for piece in source.export_layer(layer):
            file.write(piece)
    return part.rename(tar)
