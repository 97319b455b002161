"""The memory of images, kept in dictionaries."""

from collections.abc import Collection
from datetime import datetime

from outrider.model.ids import BuildId, LayerId
from outrider.model.image import Build, BuildState, RepositoryImage


class MemoryImageCatalog:
    """Implements `outrider.ports.images.ImageCatalog`."""

    def __init__(self) -> None:
        self._images: dict[BuildId, RepositoryImage] = {}
        self._builds: dict[BuildId, Build] = {}
        self._uses: dict[LayerId, datetime] = {}

    async def put_image(self, image: RepositoryImage) -> None:
        """Insert, or replace the one of that build."""
        self._images[image.build] = image

    async def images(self, repository: str | None = None, branch: str | None = None) -> list[RepositoryImage]:
        """Newest first."""
        found = [
            image
            for image in self._images.values()
            if repository in (None, image.repository) and branch in (None, image.branch)
        ]
        return sorted(found, key=lambda image: (image.built_at, image.build), reverse=True)

    async def forget_image(self, build: BuildId) -> None:
        """Delete one."""
        self._images.pop(build, None)

    async def put_build(self, build: Build) -> None:
        """Insert, or replace the one of that id."""
        self._builds[build.id] = build

    async def build(self, build: BuildId) -> Build | None:
        """The build of that id."""
        return self._builds.get(build)

    async def builds(self, *, limit: int, states: Collection[BuildState] | None = None) -> list[Build]:
        """Newest first."""
        found = [build for build in self._builds.values() if states is None or build.state in states]
        return sorted(found, key=lambda build: (build.queued_at, build.id), reverse=True)[:limit]

    async def trim_builds(self, keep: int) -> list[BuildId]:
        """Delete builds that are over, but the newest `keep`."""
        over = [build.id for build in await self.builds(limit=len(self._builds)) if build.state.over]
        for doomed in over[keep:]:
            del self._builds[doomed]
        return over[keep:]

    async def touch_layers(self, layers: Collection[LayerId], at: datetime) -> None:
        """These layers were used at that moment."""
        self._uses.update(dict.fromkeys(layers, at))

    async def layer_uses(self) -> dict[LayerId, datetime]:
        """The last use of every layer of which one is known."""
        return dict(self._uses)

    async def forget_layers(self, layers: Collection[LayerId]) -> None:
        """Their last use is of no more interest."""
        for layer in layers:
            self._uses.pop(layer, None)
