"""Images of repositories: which one a session starts from."""

from outrider.model.image import RepositoryImage
from outrider.ports.images import ImageCatalog
from outrider.ports.sandbox import SandboxProvider


class RepositoryImages:
    """Finds images whose layers all exist."""

    def __init__(self, catalog: ImageCatalog, provider: SandboxProvider) -> None:
        self._catalog = catalog
        self._provider = provider

    async def newest(self, repository: str, branch: str) -> RepositoryImage | None:
        """The newest usable image of a branch, by the repository's name; None where a session must start cold."""
        for image in await self._catalog.images(repository, branch):
            if await self.is_usable(image):
                return image
        return None

    async def is_usable(self, image: RepositoryImage) -> bool:
        """Whether every layer of an image exists here."""
        for layer in (*image.layers, image.toolbox):
            if not await self._provider.has_layer(layer):
                return False
        return True
