"""Images: the layers that sandboxes start from. Base below, then the Debian packages that a recipe asks for."""

from dataclasses import dataclass
from typing import Protocol

from outrider.fleet.clean import CleanSandboxes
from outrider.fleet.limits import Progress
from outrider.model.ids import LayerId


@dataclass(frozen=True, slots=True)
class Image:
    """What a sandbox is made from: layers, bottom first, and the toolbox that is mounted read-only."""

    layers: tuple[LayerId, ...]
    toolbox: LayerId


class LayerSource(Protocol):
    """Something that can make one layer: the base root filesystem, the toolbox."""

    async def ensure(self, progress: Progress) -> LayerId:
        """The layer, made where it is missing. Raises SandboxError."""


class Images:
    """Makes images, each layer once however many ask for it."""

    def __init__(self, sandboxes: CleanSandboxes, base: LayerSource, toolbox: LayerSource) -> None:
        self._sandboxes = sandboxes
        self._base = base
        self._toolbox = toolbox

    async def prepare(self, packages: tuple[str, ...], progress: Progress) -> Image:
        """The image with these Debian packages, built where it is missing. Raises SandboxError with the last lines
        of what went wrong."""
        raise NotImplementedError
