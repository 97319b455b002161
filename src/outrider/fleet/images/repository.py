"""Images of repositories: which one a session starts from."""

from typing import Protocol

from outrider.model.image import RepositoryImage
from outrider.ports.images import ImageCatalog
from outrider.ports.sandbox import SandboxProvider


class StartListener(Protocol):
    """Who hears where sessions start."""

    async def started(self, repository: str, branch: str, commit: str) -> None:
        """A new sandbox of a session is ready, of a branch that is at that commit. Never raises."""


class RepositoryImages:
    """Finds images whose layers all exist. `listener` hears of sessions that start, and may see to better images."""

    def __init__(self, catalog: ImageCatalog, provider: SandboxProvider) -> None:
        self.listener: StartListener | None = None
        self._catalog = catalog
        self._provider = provider

    async def newest(self, repository: str, branch: str) -> RepositoryImage | None:
        """The newest usable image of a branch, by the repository's name; None where a session must start cold."""
        for image in await self._catalog.images(repository, branch):
            if await self.is_usable(image):
                return image
        return None

    async def started(self, repository: str, branch: str, commit: str) -> None:
        """A new sandbox of a session is ready, of a branch that is at that commit. Never raises."""
        if self.listener is not None:
            await self.listener.started(repository, branch, commit)

    async def is_usable(self, image: RepositoryImage) -> bool:
        """Whether every layer of an image exists here."""
        for layer in (*image.layers, image.toolbox):
            if not await self._provider.has_layer(layer):
                return False
        return True
